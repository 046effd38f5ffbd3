from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline import storage
from pipeline.errors import InputError, PipelineError
from pipeline.publish import concat
from pipeline.storage import s3 as storage_s3
from pipeline.storage.s3_client import RETRYING, client
from pipeline.storage.writing import open_write
from tests.support.servers import Endpoint
from tests.support.stores import BUCKET, Place


@pytest.mark.parametrize("use", [storage.list_files, storage.read_bytes, lambda path: storage.write_bytes(path, b"")])
def test_a_bucket_that_is_not_there_is_named(s3_endpoint: Place, use: Any) -> None:
    with pytest.raises(InputError, match="s3://no-such-bucket/x: there is no bucket no-such-bucket"):
        use("s3://no-such-bucket/x")


def test_wrong_credentials_are_reported_without_them(s3_endpoint: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if s3_endpoint.kind == "moto":  # asks for none
        return
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(InputError, match="S3 does not accept the credentials: SignatureDoesNotMatch") as raised:
        storage.list_files(s3_endpoint.path)
    assert "not-the-secret" not in str(raised.value)


def test_no_credentials_are_reported_with_what_to_set(s3_moto: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match="no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and"):
        storage.list_files(s3_moto.path)


def test_an_unknown_profile_is_reported(s3_moto: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(InputError, match="nobody"):
        storage.list_files(s3_moto.path)


@pytest.fixture
def closed(s3_moto: Place) -> str:
    """A bucket with one object, whose objects nobody may read."""
    assert s3_moto.endpoint
    admin = s3_moto.endpoint.client("s3")
    admin.create_bucket(Bucket="closed", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    admin.put_object(Bucket="closed", Key="there", Body=b"x")
    statement = '{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":["arn:aws:s3:::closed/*"]}'
    admin.put_bucket_policy(Bucket="closed", Policy=f'{{"Version":"2012-10-17","Statement":[{statement}]}}')
    return "s3://closed"


def test_denied_access_differs_from_an_object_that_is_not_there(closed: str) -> None:
    with pytest.raises(InputError, match="s3://closed/there: access denied: these credentials may not have it read"):
        storage.read_bytes(f"{closed}/there")
    with pytest.raises(InputError, match="s3://closed/gone: no such object"):
        storage.read_bytes(f"{closed}/gone")
    assert storage.exists(f"{closed}/there")
    assert not storage.exists(f"{closed}/gone")


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_named(s3_moto: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(PipelineError, match=f"a: cannot be read: no answer from {url}"):
        storage.read_bytes(s3_moto / "a")


def test_a_forked_child_has_a_client_of_its_own(s3_moto: Place) -> None:
    storage.write_bytes(s3_moto / "a", b"x")
    before = client()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        same = client() is before
        os.write(write, storage.read_bytes(s3_moto / "a") + str(same).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    assert os.read(read, 100) == b"xFalse"
    assert client() is before
    os.close(read)


def test_folder_markers_are_no_files(s3_moto: Place) -> None:
    for name in ("in/", "in/a.csv", "in/deep/", "in/other_$folder$"):
        assert s3_moto.endpoint
        key = (s3_moto / name).removeprefix(f"s3://{BUCKET}/")
        s3_moto.endpoint.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"1" if name.endswith("csv") else b"")
    assert [file.path for file in storage.list_files(s3_moto / "in")] == [s3_moto / "in/a.csv"]
    storage.delete_tree(s3_moto / "in")
    assert storage.list_prefix(s3_moto.path) == []


class Breaking:
    """A server between: hands everything on, but cuts each answer after `after` bytes for the first `times` times."""

    def __init__(self, endpoint: Endpoint, after: int, times: int) -> None:
        host, port = endpoint.url.removeprefix("http://").split(":")
        self._behind, self._after, self.left = (host, int(port)), after, times
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            far = socket.create_connection(self._behind)
            threading.Thread(target=self._hand_on, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._hand_on, args=(far, near, True), daemon=True).start()

    def _hand_on(self, source: socket.socket, target: socket.socket, answer: bool) -> None:
        handed = 0
        try:
            while data := source.recv(65536):
                handed += len(data)
                if answer and handed > self._after and self.left:
                    self.left -= 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def content(s3_moto: Place) -> bytes:
    data = os.urandom(3_000_000)
    storage.write_bytes(s3_moto / "large", data)
    return data


@pytest.fixture
def breaking(s3_moto: Place, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Breaking]:
    assert s3_moto.endpoint
    monkeypatch.setattr(RETRYING, "sleep", lambda seconds: None)
    between = Breaking(s3_moto.endpoint, 1_000_000, 3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
    yield between
    between.close()


def test_a_stream_goes_on_where_its_connection_broke(s3_moto: Place, content: bytes, breaking: Breaking) -> None:
    assert storage.read_bytes(s3_moto / "large") == content
    assert breaking.left == 0


def test_a_range_is_read_again_when_its_connection_broke(s3_moto: Place, content: bytes, breaking: Breaking) -> None:
    assert storage.read_range(s3_moto / "large", 100, 2_500_000) == content[100:2_500_100]
    assert breaking.left == 0


def test_a_connection_that_always_breaks_is_reported(s3_moto: Place, content: bytes, breaking: Breaking) -> None:
    breaking.left = 1000
    with pytest.raises(PipelineError, match="large: the connection broke 5 times"):
        storage.read_range(s3_moto / "large", 0, 3_000_000)


def test_a_write_that_meets_another_is_repeated(s3_moto: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(storage_s3.CONFLICT, "sleep", waits.append)
    conflict = ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": "again"}}, "PutObject")
    answers: list[Any] = [conflict, conflict, {"ETag": "x"}, *[conflict] * 4]

    class Busy:
        def put_object(self, **arguments: Any) -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    monkeypatch.setattr(storage_s3, "client", Busy)
    assert storage_s3.put_if("s3://bucket/a", b"", IfNoneMatch="*") == "x"
    assert waits == [0.1, 0.4]
    with pytest.raises(PipelineError, match="a: cannot be written: ConditionalRequestConflict again"):
        storage_s3.put_if("s3://bucket/a", b"", IfNoneMatch="*")
    assert not answers


@pytest.mark.parametrize(("tag", "expected"), [("run-files", [{"Key": "run-files", "Value": "true"}]), ("", [])])
def test_files_of_runs_carry_the_tag_by_which_they_expire_and_published_ones_do_not(
    s3_moto: Place, monkeypatch: pytest.MonkeyPatch, tag: str, expected: list[dict[str, str]]
) -> None:
    monkeypatch.setenv("RUN_FILES_TAG", tag)
    for folder in ("out", "out/_runs/r"):
        storage.write_bytes(s3_moto / f"{folder}/report.json", b"{}")
        with open_write(s3_moto / f"{folder}/part.csv") as stream:
            stream.write(b"id\n")
        joined = s3_moto / f"{folder}/joined.csv"
        storage.write_bytes(s3_moto / f"{folder}/large", bytes(2 << 20))
        concat.publish(concat.stage([s3_moto / f"{folder}/large"], joined, b"id\n"))

    def tags(name: str) -> list[dict[str, str]]:
        key = (s3_moto / name).removeprefix(f"s3://{BUCKET}/")
        return list(client().get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"])

    for file in ("report.json", "part.csv", "joined.csv"):
        assert (tags(f"out/_runs/r/{file}"), tags(f"out/{file}")) == (expected, []), file
