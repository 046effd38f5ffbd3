"""Objects on S3 as files: listings, globs, ranges that outlive a broken connection, conditional writes."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from pipeline.errors import InputError, PipelineError
from pipeline.storage.paths import FileInfo, by_path, fixed_part, glob_matches, is_hidden, is_pattern, split_s3, suggest
from pipeline.storage.s3_client import (
    CHANGED,
    DENIED,
    MISSING,
    client,
    error_code,
    retry,
    run_file_tag,
    translate_errors,
)

_RANGE = 8 << 20


def list_objects(path: str, prefix: str) -> Iterator[FileInfo]:
    """All objects of the path's bucket whose key begins with the prefix; folder markers left out."""
    bucket = split_s3(path)[0]
    with translate_errors(path, "listed"):
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                key = item["Key"]
                if not (item["Size"] == 0 and (key.endswith(("/", "_$folder$")))):
                    yield FileInfo(f"s3://{bucket}/{key}", int(item["Size"]), item["ETag"].strip('"'))


def _shown(file: FileInfo, folder: str) -> bool:
    inner = file.path.removeprefix(folder)
    return not any(is_hidden(name) for name in inner.split("/"))


class S3Store:
    """S3, or a server that speaks its protocol at AWS_ENDPOINT_URL."""

    def find(self, pattern: str) -> list[FileInfo]:
        """See `storage.list_files`; an empty list when there is nothing."""
        if not pattern.endswith("/") and (file := self.info(pattern)):
            return [file]
        folder = pattern.rstrip("/") + "/"
        inside = [file for file in list_objects(pattern, split_s3(folder)[1]) if _shown(file, folder)]
        if inside or not is_pattern(pattern):
            return by_path(inside)
        key = split_s3(pattern)[1]
        segments = [segment for segment in key.split("/") if segment]
        files = list_objects(pattern, fixed_part(key))
        return by_path(file for file in files if glob_matches(split_s3(file.path)[1].split("/"), segments))

    def suggest(self, path: str) -> str:
        """What is there instead, for the message."""
        bucket, key = split_s3(path.rstrip("/"))
        if is_pattern(key):
            key = fixed_part(key) + key.rpartition("/")[2]
        while key:
            folder, _, name = key.rpartition("/")
            prefix = f"{folder}/" if folder else ""
            try:
                names = self._names(path, prefix)
            except PipelineError:
                return "similar names cannot be listed"
            if names:
                return f"in s3://{bucket}/{prefix}: {suggest(name, names)}"
            key = folder
        return f"the bucket {bucket} is empty"

    def _names(self, path: str, prefix: str) -> list[str]:
        with translate_errors(path, "listed"):
            bucket = split_s3(path)[0]
            page = client().list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=1000)
        keys = [item["Key"] for item in page.get("Contents", ())]
        keys += [item["Prefix"] for item in page.get("CommonPrefixes", ())]
        names = [key.removeprefix(prefix).rstrip("/") for key in keys if key != prefix]
        return [name for name in names if not is_hidden(name)]

    def list_prefix(self, folder: str) -> list[FileInfo]:
        """All objects under the folder."""
        return by_path(list_objects(folder, split_s3(folder + "/")[1]))

    def open_read(self, path: str, version: str) -> BinaryIO:
        """A stream of ranges from the object's beginning, the first of which is read at once."""
        ranges = _ranges(path, version)
        return io.BufferedReader(_Stream(itertools.chain([next(ranges)], ranges)), 1 << 20)

    def read_range(self, path: str, start: int, length: int, version: str) -> bytes:
        """Bytes of the object; fewer only at its end."""
        return _get(path, start, length, version)[0] if length > 0 else b""

    def write_bytes(self, path: str, data: bytes) -> None:
        """S3 shows an object whole or not at all."""
        bucket, key = split_s3(path)
        with translate_errors(path, "written"):
            client().put_object(Bucket=bucket, Key=key, Body=data, **run_file_tag(key))

    def info(self, path: str) -> FileInfo | None:
        """The object's size and ETag; None when there is none, or only a folder marker.

        A listing, as a question for a missing object is answered with 403 to whoever may list some prefixes only.
        """
        bucket, key = split_s3(path)
        with translate_errors(path, "listed"):
            found = client().list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", ()) if key else ()
        if found and found[0]["Key"] == key:
            return FileInfo(path, int(found[0]["Size"]), found[0]["ETag"].strip('"'))
        return None

    def delete(self, path: str) -> None:
        """Gone afterwards, also when it was before."""
        bucket, key = split_s3(path)
        with translate_errors(path, "deleted"):
            client().delete_object(Bucket=bucket, Key=key)

    def make_folder(self, folder: str) -> None:
        """Nothing: a key is under no folder."""

    def delete_tree(self, folder: str) -> None:
        """Deletes all objects under the folder, a thousand per request, folder markers too."""
        bucket, prefix = split_s3(folder + "/")
        with translate_errors(folder, "deleted"):
            for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
                if not keys:
                    continue
                done = client().delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                if failed := done.get("Errors"):
                    first = failed[0]
                    raise PipelineError(f"s3://{bucket}/{first['Key']}: cannot be deleted: {first['Code']}")


STORE = S3Store()


def upload(path: str, file: IO[bytes]) -> None:
    """Sends an open file from its position as the object; large ones in parts, some at a time."""
    bucket, key = split_s3(path)
    with translate_errors(path, "written"):
        try:
            client().upload_fileobj(file, bucket, key, ExtraArgs=run_file_tag(key))
        except S3UploadFailedError as error:
            raise PipelineError(f"{path}: cannot be written: {error}") from error


# Two writers at once: S3 asks to come again.
CONFLICT = Retrying(
    retry=retry_if_exception(lambda error: error_code(error) == "ConditionalRequestConflict"),
    stop=stop_after_attempt(4),
    wait=wait_exponential(multiplier=0.1, exp_base=4, max=1),
    reraise=True,
)


def put_if(path: str, data: bytes, **condition: str) -> str | None:
    """Writes the object under `IfNoneMatch` or `IfMatch`; its ETag, or None when the condition does not hold."""
    bucket, key = split_s3(path)
    with translate_errors(path, "written"):
        try:
            return str(CONFLICT(client().put_object, Bucket=bucket, Key=key, Body=data, **condition)["ETag"])
        except ClientError as error:
            code = error_code(error)
            if code in CHANGED or (code in MISSING and "IfMatch" in condition):
                return None
            raise


def missing(path: str, error: Exception) -> bool:
    """True when an object is not there; S3 says "denied" of it to whoever may list some prefixes only."""
    code = error_code(error)
    return code in MISSING or (code in DENIED and STORE.info(path) is None)


def _request(path: str, start: int, length: int, version: str) -> Any:
    """The answer with the bytes of a range; None when it begins at or behind the object's end."""
    bucket, key = split_s3(path)
    condition = {"IfMatch": version} if version else {}
    with translate_errors(path, "read"):
        try:
            return client().get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + length - 1}", **condition)
        except ClientError as error:
            if missing(path, error):
                raise InputError(f"{path}: no such object") from error
            if error_code(error) in ("InvalidRange", "416"):
                return None
            raise


def _get(path: str, start: int, length: int, version: str) -> tuple[bytes, int, str]:
    """The bytes of a range, the object's whole size, its ETag; no bytes and no size at or behind the end."""

    def read() -> tuple[bytes, int, str]:
        got = _request(path, start, length, version)
        if got is None:
            return b"", 0, version
        size = got.get("ContentRange", "").rpartition("/")[2] or got["ContentLength"]
        return got["Body"].read(), int(size), got["ETag"]

    return retry(read, path)


def _ranges(path: str, version: str) -> Iterator[bytes]:
    """All bytes of an object. The ETag of the first answer holds for all: bytes of two versions are never mixed."""
    at, size = 0, 1
    while at < size:
        data, size, version = _get(path, at, _RANGE, version)
        yield data
        at += len(data)


class _Stream(io.RawIOBase):
    """Blocks of bytes as a raw stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer as far as the present block goes; 0 at the end."""
        self._rest = self._rest or memoryview(next(self._blocks, b""))
        data, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
