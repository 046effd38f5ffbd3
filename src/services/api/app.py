"""The read API: people from PostgreSQL, restaurants and car parks from DynamoDB. One app for uvicorn and for Lambda.

`partner-jobs api` serves it on 127.0.0.1; on Lambda behind an HTTP API (payload 2.0) the handler is
`services.api.app.handler`. The environment it reads: see `services.api.settings`.
"""

from __future__ import annotations

import argparse
import functools
import hmac
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Security
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from fastapi_offline import FastAPIOffline
from mangum import Mangum
from psycopg.sql import SQL
from pydantic import BaseModel

from pipeline.errors import PipelineError
from services.api import errors as api_errors
from services.api import lookups as api_lookups
from services.api import people as api_people
from services.api.cache import CacheServer, SharedCache
from services.api.database import Reader
from services.api.errors import ApiError
from services.api.settings import Settings, from_environment

_KEY_HEADER = APIKeyHeader(name="x-api-key", auto_error=False, description="the key that the operator gave you")


class Health(BaseModel):
    """The state of the API and of what it reads from."""

    status: str


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app; settings come from the environment unless given. `UsageError` when they are not complete."""
    chosen = settings or from_environment()
    reader = Reader(chosen.database, chosen.connections, chosen.iam_user) if chosen.database else None
    cache = SharedCache(CacheServer(chosen.cache)) if chosen.cache else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if reader:
            reader.close()

    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="Read API",
        version="1",
        description="People in chunks, restaurants and car parks by key.",
        lifespan=lifespan,
    )
    api_errors.install(app)
    keyed = [Depends(_key_check(chosen.key))]
    if reader:
        app.include_router(api_people.router(reader, chosen.people, cache), dependencies=keyed)
    app.include_router(api_lookups.router(chosen.restaurants, chosen.carparks, cache), dependencies=keyed)

    _add_health(app, reader)
    return app


def _key_check(expected: str) -> Callable[..., Awaitable[None]]:
    async def check_key(key: Annotated[str | None, Security(_KEY_HEADER)] = None) -> None:
        """Refuses a request without the key."""
        # Compared in constant time: how long a wrong key takes says nothing about the right one.
        if key is None or not hmac.compare_digest(key.encode(), expected.encode()):
            raise ApiError(401, "unauthorized", "the header x-api-key is absent or wrong")

    return check_key


def _add_health(app: FastAPI, reader: Reader | None) -> None:
    @app.get(
        "/health",
        response_model=Health,
        tags=["operation"],
        summary="Does the API answer, and its database",
        responses=api_errors.responses(503),
    )
    def health() -> JSONResponse:
        """200 when the API answers, and its database where it has one."""
        if reader:
            reader.rows(SQL("SELECT 1 AS one"))
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@functools.cache
def _on_lambda() -> Any:

    # Without lifespan: Lambda would shut the pool after every single request.
    return Mangum(create_app(), lifespan="off")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """AWS Lambda's entry."""
    answer: dict[str, Any] = _on_lambda()(event, context)
    return answer


def main(argv: list[str] | None = None) -> int:
    """Serves the app on 127.0.0.1 with uvicorn until it is stopped."""
    parser = argparse.ArgumentParser(prog="partner-jobs api", description="Serves the read API on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    options = parser.parse_args(argv)
    try:
        app = create_app()
    except PipelineError as error:
        print(f"api: {error}", file=sys.stderr)
        return error.exit_code

    # Not at the top: Lambda calls the handler and has no server.
    import uvicorn

    print(f"API on http://127.0.0.1:{options.port}/docs", file=sys.stderr)
    uvicorn.run(
        app, host="127.0.0.1", port=options.port, log_level="warning", server_header=False, timeout_graceful_shutdown=5
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
