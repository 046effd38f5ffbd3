"""Objects on S3 as files: listings, globs, ranges, streams that outlive a broken connection, conditional writes."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

from pipeline.errors import InputError, PipelineError
from pipeline.storage.paths import FileInfo, by_path, fixed_part, glob_regex, is_hidden, is_pattern, near, split_s3
from pipeline.storage.s3_client import CHANGED, DENIED, MISSING, again, client, error_code, told


def list_objects(path: str, prefix: str) -> Iterator[FileInfo]:
    """All objects of the path's bucket whose key begins with the prefix; folder markers left out."""
    bucket = split_s3(path)[0]
    with told(path, "listed"):
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
        bucket, key = split_s3(pattern)
        wanted, base = glob_regex(key), f"s3://{bucket}/"
        files = list_objects(pattern, fixed_part(key))
        return by_path(file for file in files if wanted.fullmatch(file.path.removeprefix(base)))

    def nearby(self, path: str) -> str:
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
                return "what is near it may not be listed"
            if names:
                return f"in s3://{bucket}/{prefix}: {near(name, names)}"
            key = folder
        return f"the bucket {bucket} is empty"

    def _names(self, path: str, prefix: str) -> list[str]:
        with told(path, "listed"):
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
        """A stream from the object's beginning, which can seek."""
        return io.BufferedReader(_Object(path, version), 1 << 20)

    def read_range(self, path: str, start: int, length: int, version: str) -> bytes:
        """Bytes of the object; fewer only at its end."""
        if length <= 0:
            return b""
        return again(lambda: _get(path, start, length, version)[0].read(), path)

    def write_bytes(self, path: str, data: bytes) -> None:
        """S3 shows an object whole or not at all."""
        bucket, key = split_s3(path)
        with told(path, "written"):
            client().put_object(Bucket=bucket, Key=key, Body=data)

    def write_if_absent(self, path: str, data: bytes) -> bool:
        """If-None-Match; False also when a repeated request finds what its own first try wrote."""
        return put_if(path, data, IfNoneMatch="*") is not None

    def info(self, path: str) -> FileInfo | None:
        """The object's size and ETag; None when there is none, or only a folder marker.

        A listing, as a question for a missing object is answered with 403 to whoever may list some prefixes only.
        """
        bucket, key = split_s3(path)
        with told(path, "listed"):
            found = client().list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", ()) if key else ()
        if found and found[0]["Key"] == key:
            return FileInfo(path, int(found[0]["Size"]), found[0]["ETag"].strip('"'))
        return None

    def delete(self, path: str) -> None:
        """Gone afterwards, also when it was before."""
        bucket, key = split_s3(path)
        with told(path, "deleted"):
            client().delete_object(Bucket=bucket, Key=key)

    def delete_tree(self, folder: str) -> None:
        """Deletes all objects under the folder, a thousand a request, folder markers too."""
        bucket, prefix = split_s3(folder + "/")
        with told(folder, "deleted"):
            for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                keys = [{"Key": item["Key"]} for item in page.get("Contents", ())]
                if not keys:
                    continue
                done = client().delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
                if failed := done.get("Errors"):
                    first = failed[0]
                    raise PipelineError(f"s3://{bucket}/{first['Key']}: cannot be deleted: {first['Code']}")


STORE = S3Store()


def put_if(path: str, data: bytes, **condition: str) -> str | None:
    """Writes the object under `IfNoneMatch` or `IfMatch`; its ETag, or None when the condition does not hold."""
    from botocore.exceptions import ClientError

    bucket, key = split_s3(path)
    with told(path, "written"):
        for pause in (0.1, 0.4, 1.0, 0):
            try:
                return str(client().put_object(Bucket=bucket, Key=key, Body=data, **condition)["ETag"])
            except ClientError as error:
                code = error_code(error)
                if code in CHANGED or (code in MISSING and "IfMatch" in condition):
                    return None
                # Two writers at once: S3 asks to come again.
                if code != "ConditionalRequestConflict" or not pause:
                    raise
                time.sleep(pause)
    return None


def missing(path: str, error: Exception) -> bool:
    """True when an object is not there; S3 says "denied" of it to whoever may list some prefixes only."""
    code = error_code(error)
    return code in MISSING or (code in DENIED and STORE.info(path) is None)


def _get(path: str, start: int, length: int | None, version: str) -> tuple[Any, int, str]:
    """The body from `start`, the object's whole size, its ETag. An empty body at or behind the end."""
    from botocore.exceptions import ClientError

    bucket, key = split_s3(path)
    condition = {"IfMatch": version} if version else {}
    end = "" if length is None else str(start + length - 1)
    ranged = {"Range": f"bytes={start}-{end}"} if start or end else {}
    with told(path, "read"):
        try:
            got = client().get_object(Bucket=bucket, Key=key, **ranged, **condition)
        except ClientError as error:
            if missing(path, error):
                raise InputError(f"{path}: no such object") from error
            if error_code(error) not in ("InvalidRange", "416"):
                raise
            head = client().head_object(Bucket=bucket, Key=key)
            return io.BytesIO(), int(head["ContentLength"]), head["ETag"]
    size = int(got["ContentRange"].rpartition("/")[2]) if "ContentRange" in got else int(got["ContentLength"])
    return got["Body"], size, got["ETag"]


class _Object(io.RawIOBase):
    """An object as a raw stream: one request for as long as it is read straight on; another after a seek or a break.

    The ETag of the first answer holds for all: bytes of two versions are never mixed.
    """

    def __init__(self, path: str, version: str) -> None:
        self._path, self._version = path, version
        self._at = 0
        self._body: Any
        self._body, self._size, self._version = _get(path, 0, None, version)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer as far as the answer goes, asking again where a connection breaks; 0 at the end."""
        data = again(lambda: self._read(len(buffer)), self._path)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _read(self, length: int) -> bytes:
        if self._at >= self._size:
            return b""
        if self._body is None:
            self._body = _get(self._path, self._at, None, self._version)[0]
        try:
            data: bytes = self._body.read(length)
            if not data:
                raise OSError("the answer ended early")
        except Exception:
            self._drop()
            raise
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Goes to a place; the next read makes a request of its own, unless it was there already."""
        place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if place != self._at:
            self._drop()
            self._at = max(0, place)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        body, self._body = getattr(self, "_body", None), None
        if body is not None:
            body.close()
