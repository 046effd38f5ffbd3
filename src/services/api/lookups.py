"""`/restaurants/...` and `/carparks...`: items that the jobs put into DynamoDB (`--lookup-table`).

Answers are kept in the shared cache where there is one (`services.api.cache`), else for a minute in this process.
The routes are there for the tables that are configured. An item has a string key `id`; `run_id` is not shown.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from pipeline.sinks.marks import ITEM_ID
from services.api.cache import Answers, OneLoader, SharedCache
from services.api.errors import ApiError, UnavailableError, responses
from services.lookup.search import SHORTEST, find_addresses

CACHE_SECONDS = 60
MOST_CACHED = 10_000
MOST_ROWS = 500
_KEY = r"^[A-Za-z0-9_.-]{1,64}$"

Item = dict[str, Any]


class Found(BaseModel):
    """One item: the columns of the published file."""

    model_config = ConfigDict(extra="allow")
    id: str


class FoundRows(BaseModel):
    """Some items, and how many there are in all."""

    rows: list[Found]
    total: int = Field(description="how many fit; more than rows has when limit is lower")


class Address(BaseModel):
    """Parameters of a search by address."""

    model_config = ConfigDict(extra="forbid")
    address: str = Field(
        min_length=SHORTEST,
        max_length=200,
        pattern="[A-Za-z0-9]",
        description="parts of the address, any case, word order free",
    )
    limit: int = Field(default=50, ge=1, le=MOST_ROWS, description="most rows in the answer")


class CachedValues:
    """Values by key for CACHE_SECONDS, while their source shows the same load; one thread at a time asks for a key."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, str | None, Any]] = {}
        self._lock, self._loader = threading.Lock(), OneLoader()

    def get(self, key: str, ask: Callable[[], Any], load_id: str | None = None) -> Any:
        """The cached value, or the one that `ask` gives now."""
        with self._lock:
            until, shown, value = self._values.get(key, (0.0, None, None))
        if time.monotonic() < until and shown == load_id:
            return value
        return self._loader.run(f"{load_id} {key}", lambda: self._asked(key, ask, load_id))

    def _asked(self, key: str, ask: Callable[[], Any], load_id: str | None) -> Any:
        value = ask()
        with self._lock:
            if len(self._values) >= MOST_CACHED:
                self._values.clear()
            self._values[key] = time.monotonic() + CACHE_SECONDS, load_id, value
        return value


class LookupTable:
    """One DynamoDB table, read by key or as a whole; `UnavailableError` when it does not answer."""

    def __init__(self, name: str, cache: SharedCache | None) -> None:
        self._name, self._own = name, CachedValues()
        self._client = _client(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
        # A mark that comes later is not gone by, and the answer is yet to be asked for.
        self._quick = _client(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1}) if cache else None
        self._answers = Answers(cache, f"{self._client.meta.region_name}/{name}", self._mark)
        # With a shared cache nobody is shown an earlier load, by their own cache neither.
        self._headers = {"Cache-Control": "private, no-cache" if cache else f"private, max-age={CACHE_SECONDS}"}

    def item(self, key: str) -> Response | None:
        """The item of a key as an answer, None when there is none."""

        def load(_: str | None) -> bytes:
            return _rendered(self._kept(f"item {key}", lambda: self._item(key), None))

        body = self._answers.get(f"item:{key}", load)
        return None if body == b"null" else self._response(body)

    def search(self, address: str, most: int) -> Response:
        """The items whose address has all the words, best first."""

        def load(load_id: str | None) -> bytes:
            items: dict[str, Item] = self._kept("all", self._all, load_id)
            fitting = find_addresses(address, {key: item.get("address") for key, item in items.items()})
            return _rendered({"rows": [items[key] for key in fitting[:most]], "total": len(fitting)})

        # What somebody looks for is nobody else's business: a key has a hash of it.
        asked = hashlib.sha256(f"{most} {address}".encode()).hexdigest()
        return self._response(self._answers.get(f"search:{asked}", load))

    def _kept(self, key: str, ask: Callable[[], Any], load_id: str | None) -> Any:
        """From this process where that is not an earlier load."""
        return ask() if self._answers.shared and load_id is None else self._own.get(key, ask, load_id)

    def _response(self, body: bytes) -> Response:
        return Response(body, media_type="application/json", headers=self._headers)

    def _mark(self) -> str | None:
        item = self._item(ITEM_ID, self._quick)
        return item.get("load") if item else None

    def _item(self, key: str, client: Any = None) -> Item | None:
        # Consistent: after a mark was read, nothing of the load before it may be.
        asked = {"TableName": self._name, "Key": {"id": {"S": key}}, "ConsistentRead": self._answers.shared}
        answer = self._call(lambda: (client or self._client).get_item(**asked))
        return _plain(answer["Item"]) if "Item" in answer else None

    def _all(self) -> dict[str, Item]:
        asked = {"TableName": self._name, "ConsistentRead": self._answers.shared}
        pages = self._client.get_paginator("scan").paginate(**asked)
        items = self._call(lambda: [_plain(item) for page in pages for item in page["Items"]])
        return {item["id"]: item for item in items if item["id"] != ITEM_ID}

    def _call(self, ask: Callable[[], Any]) -> Any:

        try:
            return ask()
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("the lookup table does not answer") from error


def _client(**limits: Any) -> Any:
    return boto3.client("dynamodb", config=Config(**limits))


def _rendered(content: Any) -> bytes:
    return bytes(JSONResponse(content).body)


def _plain(item: dict[str, Any]) -> Item:

    read = TypeDeserializer().deserialize
    values = {name: read(value) for name, value in item.items() if name != "run_id"}
    return {name: _number(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def router(restaurants: str | None, carparks: str | None, cache: SharedCache | None = None) -> APIRouter:
    """The routes over the configured tables."""
    routes = APIRouter(tags=["lookups"])
    described = responses(401, 404, 422, 503)
    if restaurants:
        _add_restaurants(routes, LookupTable(restaurants, cache), described)
    if carparks:
        _add_carparks(routes, LookupTable(carparks, cache), described)
    return routes


def _one(table: LookupTable, key: str, what: str) -> Response:
    found = table.item(key)
    if found is None:
        raise ApiError(404, "not_found", f"there is no {what} {key}", "id")
    return found


def _add_restaurants(routes: APIRouter, table: LookupTable, described: dict[int | str, dict[str, Any]]) -> None:
    @routes.get("/restaurants/{id}", response_model=Found, responses=described, summary="One restaurant by its id")
    def restaurant(id: Annotated[str, Path(pattern=_KEY)]) -> Response:
        """One restaurant: the columns of the published file."""
        return _one(table, id, "restaurant")


def _add_carparks(routes: APIRouter, table: LookupTable, described: dict[int | str, dict[str, Any]]) -> None:
    @routes.get(
        "/carparks/{number}", response_model=Found, responses=described, summary="One car park by its number, any case"
    )
    def carpark(number: Annotated[str, Path(pattern=_KEY)]) -> Response:
        """One car park: the columns of the published file."""
        return _one(table, number.upper(), "car park")

    @routes.get(
        "/carparks",
        response_model=FoundRows,
        responses=responses(401, 422, 503),
        summary="Car parks by parts of the address",
    )
    def by_address(parameters: Annotated[Address, Query()]) -> Response:
        """The car parks whose address has all the words, best first."""
        return table.search(parameters.address, parameters.limit)
