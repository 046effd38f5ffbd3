"""`/read/...`: people in the order of their ids, chunk by chunk; a chunk never repeats or skips a row."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from psycopg.sql import SQL
from pydantic import BaseModel, ConfigDict, Field

from pipeline.sinks.postgres.connection import Table
from services.api.cache import Answers, SharedCache
from services.api.cursor import PATTERN, Cursor, parse
from services.api.database import Reader
from services.api.errors import ApiError, responses

MOST_RECORDS = 1000
# Shows clients (and tests made from the description) where a chunk's cursor goes.
_NEXT: dict[int | str, dict[str, Any]] = {
    200: {"links": {"next": {"operationId": "next_chunk", "parameters": {"cursor": "$response.body#/next_cursor"}}}}
}


class Person(BaseModel):
    """One person."""

    id: uuid.UUID
    first_name: str | None
    last_name: str | None
    age: int | None
    location: str | None


class Chunk(BaseModel):
    """Some rows and where to go on."""

    rows: list[Person]
    next_cursor: str | None = Field(description="for /read/next-chunk; null when these are the last rows")


class FirstChunk(BaseModel):
    """Parameters of the first chunk; others are refused, so that a misspelt one does not pass unnoticed."""

    model_config = ConfigDict(extra="forbid")
    num_records: int = Field(default=10, ge=1, le=MOST_RECORDS, description="rows in a chunk")


class NextChunk(BaseModel):
    """Parameters of the chunks after it."""

    model_config = ConfigDict(extra="forbid")
    cursor: str = Field(pattern=PATTERN, description="next_cursor of the chunk before; it keeps num_records")


def router(reader: Reader, table: Table, cache: SharedCache | None = None) -> APIRouter:
    """The routes over a table of people; first chunks are kept in the cache."""
    routes = APIRouter(prefix="/read", tags=["people"], responses=responses(401, 422, 503))
    columns = SQL("SELECT id, first_name, last_name, age, location FROM {}").format(table.sql)
    first = columns + SQL(" ORDER BY id LIMIT %s")
    shown = SQL("SELECT load_id FROM {}").format(table.mark().sql)

    def mark() -> str | None:
        try:
            rows = reader.rows(shown)
        except psycopg.ProgrammingError:
            return None  # no load let this reader read the mark, or it is a table of another kind
        return rows[0]["load_id"] if rows else None

    # A copy of the database has the mark too.
    answers = Answers(cache, f"{reader.place}/{table.quoted}", mark)
    following = columns + SQL(" WHERE id > %s ORDER BY id LIMIT %s")

    @routes.get(
        "/first-chunk", response_model=Chunk, responses=_NEXT, operation_id="first_chunk", summary="The first rows"
    )
    def first_chunk(parameters: Annotated[FirstChunk, Query()]) -> Response:
        """The first people by id, and a cursor when there are more."""
        wanted = parameters.num_records

        def load(_: str | None) -> bytes:
            return bytes(_chunk(reader.rows(first, [wanted + 1]), wanted).body)

        return Response(answers.get(f"first:{wanted}", load), media_type="application/json")

    @routes.get(
        "/next-chunk",
        response_model=Chunk,
        responses={**_NEXT, **responses(404)},
        operation_id="next_chunk",
        summary="The rows after a cursor",
    )
    def next_chunk(parameters: Annotated[NextChunk, Query()]) -> JSONResponse:
        """The people after those of the cursor, in chunks of the same size."""
        cursor = parse(parameters.cursor)
        if cursor is None or not 1 <= cursor.num_records <= MOST_RECORDS:
            raise ApiError(
                404, "unknown_cursor", "cursor: not one that this API gave; start again at /read/first-chunk", "cursor"
            )
        return _chunk(reader.rows(following, [cursor.after, cursor.num_records + 1]), cursor.num_records)

    return routes


def _chunk(found: list[dict[str, Any]], wanted: int) -> JSONResponse:
    # One row more than wanted was asked for: it shows whether there is a next chunk.
    rows = found[:wanted]
    cursor = str(Cursor(rows[-1]["id"], wanted)) if len(found) > wanted else None
    return JSONResponse({"rows": [{**row, "id": str(row["id"])} for row in rows], "next_cursor": cursor})
