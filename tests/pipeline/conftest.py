"""Fixtures of the storage tests: the same behaviour on disk, on moto and on S3Proxy."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from tests.support.stores import Place, Servers, local_place, s3_place, s3_servers

S3_KINDS = ["moto", pytest.param("s3proxy", marks=pytest.mark.standin)]


@pytest.fixture(scope="session")
def s3_endpoints() -> Iterator[Servers]:
    """The S3 servers of this test process."""
    with s3_servers() as found:
        yield found


def _use(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return place


@pytest.fixture(params=S3_KINDS)
def s3_endpoint(request: pytest.FixtureRequest, s3_endpoints: Servers, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A prefix on each S3 server; the environment leads there."""
    return _use(s3_place(request.param, s3_endpoints.get(request.param)), monkeypatch)


@pytest.fixture(params=["local", *S3_KINDS])
def place(
    request: pytest.FixtureRequest, tmp_path: pathlib.Path, s3_endpoints: Servers, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """An empty folder on disk and on each S3 server; the environment leads there."""
    if request.param == "local":
        return local_place(tmp_path)
    return _use(s3_place(request.param, s3_endpoints.get(request.param)), monkeypatch)


@pytest.fixture
def s3_moto(s3_endpoints: Servers, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A prefix on moto alone, for what does not depend on the server."""
    return _use(s3_place("moto", s3_endpoints.get("moto")), monkeypatch)
