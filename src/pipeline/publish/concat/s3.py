"""Parts put together inside S3: copied by the store into a multipart upload, which has a name once it is completed."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from pipeline import storage
from pipeline.errors import InputError, PipelineError
from pipeline.publish.concat.hashing import Hasher
from pipeline.publish.concat.multipart import MIB, BufferedPart, Part, Range, plan
from pipeline.storage.paths import FileInfo, split_s3
from pipeline.storage.s3_client import MISSING, client, error_code, run_file_tag, translate_errors

_IN_ONE_REQUEST = MIB  # smaller files wait in memory: one request instead of three
_TOKEN = "staged"
_HASHES = threading.BoundedSemaphore(4)  # each may be a task of Spark, or a stream through this process
_POOL = ThreadPoolExecutor(16, thread_name_prefix="concat")


class S3Staged:
    """A multipart upload that is being filled, or is ready to be completed; a small file waits in memory."""

    def __init__(self, target: str, parts: Sequence[str], header: bytes, hasher: Hasher) -> None:
        self.target = target
        sources = _sources(parts)
        self.bytes = len(header) + sum(source.length for source in sources)
        self._upload, self._token = "", secrets.token_hex(8)
        self._work: list[Future[dict[str, Any]]] = []
        self._small: Future[bytes] | None = None
        if self.bytes <= _IN_ONE_REQUEST:
            self._small = _POOL.submit(_read_buffered, BufferedPart(header, sources))
        else:
            self._begin(plan(sources, header))
        self._hashed: Future[str] = Future()
        self._stop = threading.Event()
        # A daemon: when the run fails, nobody waits for the hash of a large file.
        threading.Thread(target=self._hash, args=(hasher, list(parts), header), daemon=True).start()

    def _hash(self, hasher: Hasher, parts: Sequence[str], header: bytes) -> None:
        try:
            if self._small is not None:
                self._hashed.set_result(hashlib.sha256(self._small.result()).hexdigest())
                return
            with _HASHES:
                self._hashed.set_result("" if self._stop.is_set() else hasher(parts, header))
        except BaseException as error:  # wait() raises it
            self._hashed.set_exception(error)

    def _begin(self, parts: Sequence[Part]) -> None:
        bucket, key = split_s3(self.target)
        with translate_errors(self.target, "written"):
            begun = client().create_multipart_upload(
                Bucket=bucket, Key=key, Metadata={_TOKEN: self._token}, **run_file_tag(key)
            )
        self._upload = begun["UploadId"]
        self._work = [_POOL.submit(self._fill, number, part) for number, part in enumerate(parts, start=1)]

    def _fill(self, number: int, part: Part) -> dict[str, Any]:
        bucket, key = split_s3(self.target)
        place = {"Bucket": bucket, "Key": key, "UploadId": self._upload, "PartNumber": number}
        if isinstance(part, BufferedPart):
            data = _read_buffered(part)
            with translate_errors(self.target, "written"):
                return {"PartNumber": number, "ETag": client().upload_part(**place, Body=data)["ETag"]}
        source_bucket, source_key = split_s3(part.path)
        ranged = {"CopySourceRange": f"bytes={part.start}-{part.start + part.length - 1}"}
        if part.length == part.size:
            ranged = {}
        if part.version:
            ranged["CopySourceIfMatch"] = f'"{part.version}"'
        with translate_errors(part.path, "copied"):
            source = {"Bucket": source_bucket, "Key": source_key}
            done = client().upload_part_copy(**place, CopySource=source, **ranged)
        return {"PartNumber": number, "ETag": done["CopyPartResult"]["ETag"]}

    @property
    def sha256(self) -> str:
        """64 hex digits; waits for them."""
        return self._hashed.result()

    def wait(self) -> None:
        """Returns when everything is in the store and hashed; raises what went wrong, also when a part changed."""
        for work in self._work:
            work.result()
        if self._small is not None and len(self._small.result()) != self.bytes:
            raise PipelineError(f"{self.target}: a part changed while it was copied")
        self._hashed.result()

    def publish(self) -> None:
        """Gives the object its name in one step."""
        self.wait()
        if self._small is not None:
            storage.write_bytes(self.target, self._small.result())
        elif self._upload:
            self._complete()

    def _complete(self) -> None:
        bucket, key = split_s3(self.target)
        parts = {"Parts": [work.result() for work in self._work]}
        with translate_errors(self.target, "written"):
            try:
                client().complete_multipart_upload(Bucket=bucket, Key=key, UploadId=self._upload, MultipartUpload=parts)
            except ClientError as error:
                # The answer to a first try was lost and this one finds no upload: it is published if it has our token.
                if error_code(error) != "NoSuchUpload" or not self._is_published():
                    raise
        self._upload = ""

    def _is_published(self) -> bool:
        bucket, key = split_s3(self.target)
        found: dict[str, str] = client().head_object(Bucket=bucket, Key=key)["Metadata"]
        return found.get(_TOKEN) == self._token

    def discard(self) -> None:
        """Aborts the upload if it is not completed; nothing of it stays."""
        self._stop.set()
        for work in self._work:
            work.cancel()
        for work in self._work:
            if not work.cancelled():
                work.exception()
        if self._upload:
            _abort(self.target, self._upload)
            self._upload = ""


def _sources(paths: Sequence[str]) -> list[Range]:
    known: dict[str, FileInfo] = {}
    if len(paths) > 2:  # one listing of their folder instead of a question for each
        known = {file.path: file for file in storage.list_prefix(paths[0].rpartition("/")[0])}
    sources = []
    for path in paths:
        found = known.get(path) or storage.info(path)
        if found is None:
            raise InputError(f"{path}: no such object")
        sources.append(Range(path, 0, found.size, found.size, found.version))
    return sources


def _read_buffered(part: BufferedPart) -> bytes:
    pieces = [part.header]
    for piece in part.ranges:
        data = storage.read_range(piece.path, piece.start, piece.length, piece.version)
        if len(data) != piece.length:
            raise PipelineError(f"{piece.path}: {len(data)} bytes read, expected {piece.length}")
        pieces.append(data)
    return b"".join(pieces)


def _abort(path: str, upload: str) -> None:
    bucket, key = split_s3(path)
    with translate_errors(path, "cleaned up"):
        try:
            client().abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        except ClientError as error:
            if error_code(error) not in ("NoSuchUpload", *MISSING):
                raise


def _uploads(folder: str) -> Iterator[tuple[str, str]]:
    bucket, prefix = split_s3(folder + "/")
    with translate_errors(folder, "listed"):
        for page in client().get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
            for upload in page.get("Uploads", ()):
                yield f"s3://{bucket}/{upload['Key']}", upload["UploadId"]


def abort_uploads(folder: str) -> None:
    """Aborts unfinished uploads under a folder whose lock the caller holds, but not those of a destination inside."""
    others: dict[str, bool] = {}
    for path, upload in list(_uploads(folder)):
        inner = path.removeprefix(folder + "/").split("/")[:-1]
        places = [storage.join(folder, *inner[: at + 1]) for at in range(len(inner)) if inner[0] != "_runs"]
        for place in places:
            if place not in others:
                others[place] = storage.exists(storage.join(place, "_runs", ".lock"))
        if not any(others[place] for place in places):
            with contextlib.suppress(PipelineError):
                _abort(path, upload)
