"""A client of S3: the usual AWS chain of credentials, one client per process, errors in one line without a secret."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import boto3
from botocore import exceptions as known
from botocore.config import Config
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential
from urllib3.exceptions import HTTPError

from pipeline.errors import InputError, PipelineError
from pipeline.storage.paths import split_s3

DENIED = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled")
_LOGIN = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "RequestTimeTooSkewed")
CHANGED = ("PreconditionFailed", "412")
MISSING = ("NoSuchKey", "404", "NotFound")

# A body whose connection breaks; requests themselves are repeated by the client.
_BROKEN = (known.HTTPClientError, known.IncompleteReadError, known.ResponseStreamingError, HTTPError, OSError)
ATTEMPTS = 5
RETRYING = Retrying(
    retry=retry_if_exception_type(_BROKEN),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential(multiplier=0.2),
    reraise=True,
)
T = TypeVar("T")

_SETTINGS = (
    "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip


class _Clients:
    """One client per process, made on first use: connections must not be shared with a forked child."""

    def __init__(self) -> None:
        self.forget()
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        """The next use makes a new client."""
        self._client: Any = None
        self._settings: tuple[str | None, ...] = ()
        self._guard = threading.Lock()

    def get(self) -> Any:
        """The client, made anew when the settings in the environment are others."""
        settings = tuple(map(os.environ.get, _SETTINGS))
        with self._guard:
            if self._client is None or self._settings != settings:
                self._client, self._settings = _new_client(settings[0] or settings[1]), settings
            return self._client


def _new_client(endpoint: str | None) -> Any:
    config = Config(
        retries={"mode": "adaptive", "max_attempts": 8},
        connect_timeout=10,
        read_timeout=60,
        tcp_keepalive=True,
        max_pool_connections=32,
        # Other servers than AWS know neither bucket names as hosts nor the newer checksums.
        s3={"addressing_style": "path"} if endpoint else None,
        request_checksum_calculation="when_required" if endpoint else None,
        response_checksum_validation="when_required" if endpoint else None,
    )
    try:
        return boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)
    except (known.BotoCoreError, ValueError) as error:
        raise InputError(f"S3: {error}") from error


client = _Clients().get


def run_file_tag(key: str) -> dict[str, str]:
    """The tag that RUN_FILES_TAG names, for files of runs only: so a bucket can let them expire."""
    tag = os.environ.get("RUN_FILES_TAG")
    return {"Tagging": f"{tag}=true"} if tag and "/_runs/" in f"/{key}" else {}


def error_code(error: BaseException) -> str:
    """The code in an answer of S3, or an empty text."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def translate_errors(path: str, doing: str) -> Iterator[None]:
    """Turns what S3 and the client say into one line without a secret."""
    try:
        yield
    except known.ClientError as error:
        raise _of_answer(path, doing, error) from error
    except known.BotoCoreError as error:
        raise _of_client(path, doing, error) from error


def _of_answer(path: str, doing: str, error: Any) -> PipelineError:
    code, message = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    bucket = split_s3(path)[0]
    if code == "NoSuchBucket":
        return InputError(f"{path}: there is no bucket {bucket}")
    if code in MISSING:
        return InputError(f"{path}: no such object")
    if code in DENIED:
        return InputError(f"{path}: access denied: these credentials may not have it {doing}")
    if code in _LOGIN:
        return InputError(f"{path}: S3 does not accept the credentials: {code}")
    if code in CHANGED:
        return InputError(f"{path}: changed while it was {doing}")
    if code in ("InvalidBucketName", "PermanentRedirect", "IllegalLocationConstraintException"):
        return InputError(f"{path}: {code}: {message}")
    return PipelineError(f"{path}: cannot be {doing}: {code} {message}".rstrip())


def _of_client(path: str, doing: str, error: Exception) -> PipelineError:
    if isinstance(error, known.NoCredentialsError | known.PartialCredentialsError | known.TokenRetrievalError):
        return InputError(
            f"{path}: no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if isinstance(error, known.EndpointConnectionError | known.ConnectTimeoutError):
        return PipelineError(f"{path}: cannot be {doing}: no answer from {client().meta.endpoint_url}")
    if isinstance(error, known.ParamValidationError):
        return InputError(f"{path}: {str(error).splitlines()[-1].partition(': Bucket name must')[0]}")
    return PipelineError(f"{path}: cannot be {doing}: {error}")


def retry(read: Callable[[], T], path: str) -> T:
    """Repeats a read whose connection broke in the middle of the answer; `PipelineError` when it breaks every time."""
    try:
        return RETRYING(read)
    except _BROKEN as error:
        raise PipelineError(f"{path}: the connection broke {ATTEMPTS} times: {error}") from error
