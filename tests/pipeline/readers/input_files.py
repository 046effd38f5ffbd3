"""Small input files, and whole frames compared, for the tests of readers."""

from __future__ import annotations

import pathlib
from typing import Any

from pyspark.sql import DataFrame

from pipeline import storage
from tests.support.frames import assert_same_rows


def write_files(folder: pathlib.Path, **texts: bytes) -> list[storage.FileInfo]:
    """Files in the folder, `a_json` as `a.json`, listed as an input lists them."""
    for name, data in texts.items():
        (folder / name.replace("_", ".")).write_bytes(data)
    return storage.list_files(str(folder))


def same(frame: DataFrame, rows: list[tuple[Any, ...]], schema: str) -> None:
    """The frame has these rows, in any order."""
    expected = frame.sparkSession.createDataFrame(rows, schema)
    assert_same_rows(frame, expected)
