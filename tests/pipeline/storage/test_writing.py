"""Files that are written bit by bit: whole at the end, or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline import storage
from pipeline.errors import PipelineError
from pipeline.storage.writing import open_write
from tests.support.stores import Place

# printf 'id\n1\n' | sha256sum
SHA256 = "7cde7fb64fd82bd152710cf238e017b9ab46c0592483edc067ba4f6c75fac108"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def files(place: Place) -> Iterator[str]:
    return (file.path.removeprefix(place.path + "/") for file in storage.list_prefix(place.path))


def test_the_file_is_there_once_the_block_ends_with_size_and_hash(place: Place) -> None:
    storage.make_folder(place / "new")
    with open_write(place / "new/part-1.csv") as stream:
        assert stream.writable()
        assert stream.write(b"id\n") == 3
        assert stream.write(memoryview(b"1\n")) == 2
        assert stream.tell() == 5
    assert (stream.bytes, stream.sha256) == (5, SHA256)
    assert storage.read_bytes(place / "new/part-1.csv") == b"id\n1\n"


def test_a_stream_without_writes_is_an_empty_file(place: Place) -> None:
    storage.make_folder(place.path)
    with open_write(place / "empty") as stream:
        pass
    assert (stream.bytes, stream.sha256) == (0, EMPTY_SHA256)
    assert storage.read_bytes(place / "empty") == b""


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_in_the_block_leaves_no_file(place: Place, error: type[BaseException]) -> None:
    storage.make_folder(place.path)

    def write() -> None:
        with open_write(place / "part-1.csv") as stream:
            stream.write(b"x" * 100_000)
            raise error("in the middle")

    with pytest.raises(error, match="in the middle"):
        write()
    assert list(files(place)) == []


def test_a_name_that_is_taken_is_refused_and_its_file_stays(tmp_path: Path) -> None:
    taken = tmp_path / "part-1.csv"
    taken.write_bytes(b"of another task")
    with pytest.raises(PipelineError, match=r"part-1\.csv: cannot be written: File exists"), open_write(str(taken)):
        raise AssertionError("nothing is written")
    assert taken.read_bytes() == b"of another task"


def test_a_place_that_cannot_be_written_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(PipelineError, match=r"file/part-1\.csv: cannot be written: "),
        open_write(str(tmp_path / "file" / "part-1.csv")),
    ):
        raise AssertionError("nothing is written")


def test_an_attempt_that_is_late_makes_no_folder_and_leaves_nothing(tmp_path: Path) -> None:
    late = str(tmp_path / "staged" / "part-1.csv")
    with pytest.raises(PipelineError, match=r"1\.csv: cannot be written: No such file"), open_write(late):
        raise AssertionError("nothing is written")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_gets_a_file_while_it_is_deleted_is_gone_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, late, rmdir = tmp_path / "staged", tmp_path / "staged" / "late", os.rmdir
    folder.mkdir()

    def make_a_file_first(*args: Any, **named: Any) -> None:
        monkeypatch.setattr("os.rmdir", rmdir)
        late.write_bytes(b"")
        rmdir(*args, **named)

    monkeypatch.setattr("os.rmdir", make_a_file_first)
    storage.delete_tree(str(folder))
    assert not folder.exists()
