"""`/restaurants/...` and `/carparks...`: items that the jobs put into DynamoDB (`--lookup-table`), cached for a minute.

The routes are there for the tables that are configured. An item has a string key `id`; `run_id` is not shown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.api.errors import ApiError, UnavailableError, responses
from services.lookup.search import SHORTEST, find_addresses

CACHE_SECONDS = 60
MOST_CACHED = 10_000
MOST_ROWS = 500
_HEADERS = {"Cache-Control": f"private, max-age={CACHE_SECONDS}"}
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
    """Values by key for CACHE_SECONDS; the same key is asked for once at a time."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def get(self, key: str, ask: Callable[[], Any]) -> Any:
        """The cached value, or the one that `ask` gives now."""
        with self._lock:
            until, value = self._values.get(key, (0.0, None))
        if time.monotonic() < until:
            return value
        value = ask()
        with self._lock:
            if len(self._values) >= MOST_CACHED:
                self._values.clear()
            self._values[key] = time.monotonic() + CACHE_SECONDS, value
        return value


class LookupTable:
    """One DynamoDB table, read by key or as a whole."""

    def __init__(self, name: str) -> None:

        config = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
        self._name, self._client, self._cache = name, boto3.client("dynamodb", config=config), CachedValues()

    def item(self, key: str) -> Item | None:
        """The item of a key, None when there is none; `UnavailableError` when the table does not answer."""
        found: Item | None = self._cache.get(f"item {key}", lambda: self._item(key))
        return found

    def items(self) -> dict[str, Item]:
        """All items by id."""
        found: dict[str, Item] = self._cache.get("all", self._all)
        return found

    def _item(self, key: str) -> Item | None:
        answer = self._call(lambda: self._client.get_item(TableName=self._name, Key={"id": {"S": key}}))
        return _plain(answer["Item"]) if "Item" in answer else None

    def _all(self) -> dict[str, Item]:
        pages = self._client.get_paginator("scan").paginate(TableName=self._name)
        items = self._call(lambda: [_plain(item) for page in pages for item in page["Items"]])
        return {item["id"]: item for item in items}

    def _call(self, ask: Callable[[], Any]) -> Any:

        try:
            return ask()
        except (BotoCoreError, ClientError) as error:
            raise UnavailableError("the lookup table does not answer") from error


def _plain(item: dict[str, Any]) -> Item:

    read = TypeDeserializer().deserialize
    values = {name: read(value) for name, value in item.items() if name != "run_id"}
    return {name: _number(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def router(restaurants: str | None, carparks: str | None) -> APIRouter:
    """The routes over the configured tables."""
    routes = APIRouter(tags=["lookups"])
    described = responses(401, 404, 422, 503)
    if restaurants:
        _add_restaurants(routes, LookupTable(restaurants), described)
    if carparks:
        _add_carparks(routes, LookupTable(carparks), described)
    return routes


def _one(table: LookupTable, key: str, what: str) -> JSONResponse:
    item = table.item(key)
    if item is None:
        raise ApiError(404, "not_found", f"there is no {what} {key}", "id")
    return JSONResponse(item, headers=_HEADERS)


def _add_restaurants(routes: APIRouter, table: LookupTable, described: dict[int | str, dict[str, Any]]) -> None:
    @routes.get("/restaurants/{id}", response_model=Found, responses=described, summary="One restaurant by its id")
    def restaurant(id: Annotated[str, Path(pattern=_KEY)]) -> JSONResponse:
        """One restaurant: the columns of the published file."""
        return _one(table, id, "restaurant")


def _add_carparks(routes: APIRouter, table: LookupTable, described: dict[int | str, dict[str, Any]]) -> None:
    @routes.get(
        "/carparks/{number}", response_model=Found, responses=described, summary="One car park by its number, any case"
    )
    def carpark(number: Annotated[str, Path(pattern=_KEY)]) -> JSONResponse:
        """One car park: the columns of the published file."""
        return _one(table, number.upper(), "car park")

    @routes.get(
        "/carparks",
        response_model=FoundRows,
        responses=responses(401, 422, 503),
        summary="Car parks by parts of the address",
    )
    def by_address(parameters: Annotated[Address, Query()]) -> JSONResponse:
        """The car parks whose address has all the words, best first."""
        items = table.items()
        fitting = find_addresses(parameters.address, {key: item.get("address") for key, item in items.items()})
        return JSONResponse(
            {"rows": [items[key] for key in fitting[: parameters.limit]], "total": len(fitting)}, headers=_HEADERS
        )
