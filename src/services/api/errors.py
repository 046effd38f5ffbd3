"""Every answer but a success has one form: `{"error": code, "message": sentence, "parameter": name or null}`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

_CODES = {404: "not_found", 405: "method_not_allowed"}


class ErrorBody(BaseModel):
    """What a client gets instead of an answer."""

    error: str = Field(description="a code that never changes", examples=["invalid_parameter"])
    message: str = Field(
        description="a sentence for a person", examples=["num_records: expected a number from 1 to 1000"]
    )
    parameter: str | None = Field(default=None, description="the parameter that is wrong", examples=["num_records"])


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self, status: int, error: str, message: str, parameter: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": error, "message": message, "parameter": parameter}
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 401:
            self.headers["WWW-Authenticate"] = "ApiKey"


class UnavailableError(ApiError):
    """What the answer is read from does not answer now: 503, with the seconds to wait."""

    def __init__(self, what: str, retry_after: int = 2) -> None:
        super().__init__(503, "unavailable", f"{what}; try again in {retry_after} s", retry_after=retry_after)


_RETRY_AFTER = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}}
_AUTHENTICATE = {"WWW-Authenticate": {"description": "the scheme: ApiKey", "schema": {"type": "string"}}}
# For the OpenAPI description of a route.
RESPONSES: dict[int, dict[str, Any]] = {
    401: {"model": ErrorBody, "description": "x-api-key is absent or wrong", "headers": _AUTHENTICATE},
    404: {"model": ErrorBody, "description": "there is no such thing"},
    422: {"model": ErrorBody, "description": "a parameter is absent, unknown, of the wrong type or out of bounds"},
    503: {"model": ErrorBody, "description": "the source does not answer now", "headers": _RETRY_AFTER},
}


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of these statuses."""
    return {status: RESPONSES[status] for status in statuses}


def _sentence(error: dict[str, Any]) -> tuple[str, str]:
    """The parameter's name and what is wrong with it; the value a client sent is not repeated."""
    name = str(error["loc"][-1])
    if error["type"] == "extra_forbidden":
        return name, f"{name}: no such parameter"
    if error["type"] == "missing":
        return name, f"{name}: required"
    text = str(error["msg"])
    return name, f"{name}: {text[:1].lower()}{text[1:]}"


async def _wrong_parameter(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    name, sentence = _sentence(error.errors()[0])
    return JSONResponse({"error": "invalid_parameter", "message": sentence, "parameter": name}, 422)


async def _api_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return JSONResponse(error.body, error.status, headers=error.headers)


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    body = {
        "error": _CODES.get(error.status_code, "http_error"),
        "message": f"{request.method} {request.url.path}: {error.detail}",
    }
    return JSONResponse({**body, "parameter": None}, error.status_code, headers=error.headers)


def install(app: FastAPI) -> None:
    """Makes the app answer in this form."""
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_error)
