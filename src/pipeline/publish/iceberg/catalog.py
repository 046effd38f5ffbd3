"""Which catalog a name means: one of pyiceberg's configuration, else SQLite on disk, or Glue where the store is S3."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

import requests
from pyiceberg.catalog import Catalog, load_catalog, rest
from pyiceberg.utils.config import Config

from pipeline import storage
from pipeline.errors import InputError, PipelineError, UsageError

REST_SECONDS = (10.0, 60.0)  # until a REST catalog is connected, and until it answers
_STORE_IO = "pipeline.publish.iceberg.store_io.StoreIO"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_]+)?")


class _TimedSession(requests.Session):
    """Requests that end when nobody answers."""

    def send(self, request: requests.PreparedRequest, **given: Any) -> requests.Response:
        return super().send(request, **{**given, "timeout": given.get("timeout") or REST_SECONDS})


# pyiceberg's REST catalog sets no time limit, and has no option for one.
rest.Session = _TimedSession  # type: ignore[attr-defined]


def split_name(name: str) -> tuple[str, str]:
    """Catalog and namespace of CATALOG[.NAMESPACE]; without one the namespace is called as the catalog."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"--catalog {name}: expected CATALOG or CATALOG.NAMESPACE, of letters, digits, - and _")
    catalog, _, namespace = name.partition(".")
    return catalog, namespace or catalog


@contextlib.contextmanager
def answering(name: str, failure: type[PipelineError] = InputError) -> Iterator[None]:
    """What is asked of the catalog here is refused in one line when it does not answer, is damaged or not set up."""
    try:
        yield
    except PipelineError:
        raise
    except Exception as error:  # every kind of catalog has errors of its own
        found = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise failure(f"--catalog {name} cannot be opened or does not answer: {found}") from error


def check_catalog(catalog: str, destination: str) -> None:
    """`InputError` where a catalog that is not new does not answer, is damaged or not set up."""
    name, namespace = split_name(catalog)
    with answering(name):
        if found := find_catalog(name, destination):
            found.namespace_exists(namespace)


def find_catalog(name: str, destination: str) -> Catalog | None:
    """The catalog; None where a run would make it."""
    is_known = Config().get_catalog_config(name) or storage.is_s3(destination)
    is_there = is_known or storage.exists(_own_file(name, storage.normalise(destination)))
    return open_catalog(name, destination) if is_there else None


def _own_file(name: str, folder: str) -> str:
    return storage.join(folder.rstrip("/"), f"{name}.db")


def open_catalog(name: str, destination: str, new: bool = False) -> Catalog:
    """The catalog that pyiceberg's configuration has under this name.

    Without one: SQLite in DIR/NAME.db, with the tables under DIR, made if it may be `new`; Glue's where DIR is on S3.
    """
    with answering(name):
        if configured := Config().get_catalog_config(name):
            return load_catalog(name, **{key: str(value) for key, value in configured.items()})
        folder = storage.normalise(destination).rstrip("/")
        if not storage.is_s3(folder):
            file = _own_file(name, folder)
            if not new and not storage.exists(file):
                raise InputError(f"{file}: there is no such catalog, and pyiceberg's configuration has no {name}")
            os.makedirs(folder, exist_ok=True)
            return load_catalog(name, type="sql", uri=f"sqlite:///{file}", warehouse=folder)
        # The client of Glue takes these from the environment itself, pyarrow's of S3 does not.
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        own = {"s3.endpoint": os.environ.get("AWS_ENDPOINT_URL"), "s3.region": region, "py-io-impl": _STORE_IO}
        return load_catalog(name, type="glue", warehouse=folder, **{key: value for key, value in own.items() if value})
