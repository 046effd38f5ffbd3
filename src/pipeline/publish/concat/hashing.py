"""SHA-256 of files and of files that are still in parts: here, or in a task of Spark."""

from __future__ import annotations

import collections
import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from pipeline import storage
from pipeline.errors import InputError

_AHEAD, _RANGE = 4, 8 << 20
Hasher = Callable[[Sequence[str], bytes], str]


def sha256_of_parts(parts: Sequence[str], header: bytes = b"") -> str:
    """The SHA-256 of the header and the parts one after the other, 64 hex digits, as the file made from them has it.

    `InputError` when a part is missing or changes while it is read. A Spark task may call it.
    """
    digest = hashlib.sha256(header)
    for data in _content(parts):
        digest.update(data)
    return digest.hexdigest()


def _content(parts: Sequence[str]) -> Iterator[bytes]:
    """The bytes of the parts in order. Some ranges are fetched ahead: one stream from S3 is slower than hashing."""
    for part in parts:
        file = storage.info(part)
        if file is None:
            raise InputError(f"{part}: no such file or object")
        with ThreadPoolExecutor(_AHEAD) as pool:
            fetch = functools.partial(_fetch, file, pool)
            starts = iter(range(0, file.size, _RANGE))
            waiting = collections.deque(map(fetch, itertools.islice(starts, _AHEAD)))
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(map(fetch, itertools.islice(starts, 1)))


def _fetch(file: storage.FileInfo, pool: ThreadPoolExecutor, start: int) -> Future[bytes]:
    return pool.submit(storage.read_range, file.path, start, _RANGE, file.version)


def spark_hasher(spark: SparkSession) -> Hasher:
    """Computes the SHA-256 in a task of the session, so that the driver reads nothing; the package must be there."""

    def hashed(parts: Sequence[str], header: bytes) -> str:
        """The SHA-256 of the header and the parts, one after the other."""

        def task(_batches: Iterable[Any]) -> Iterable[Any]:
            """The digest as a batch of one row."""
            yield pa.record_batch({"sha256": pa.array([sha256_of_parts(parts, header)])})

        rows = spark.range(0, 1, 1, 1).mapInArrow(task, "sha256 string").collect()
        return str(rows[0][0])

    return hashed
