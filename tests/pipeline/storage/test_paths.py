from __future__ import annotations

import os
import pathlib

import pytest

from pipeline import storage
from pipeline.errors import InputError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("s3://bucket/a b+c%20é", "s3://bucket/a b+c%20é"),
        ("s3a://bucket/key", "s3://bucket/key"),
        ("s3n://bucket/key/", "s3://bucket/key/"),
        ("S3://bucket/key", "s3://bucket/key"),
        ("s3://bucket", "s3://bucket/"),
        ("s3://bucket/a//b", "s3://bucket/a//b"),
        ("/data/../in/x.csv", "/in/x.csv"),
        ("/data/in/", "/data/in/"),
        ("/", "/"),
        ("file:///data/a%20b.csv", "/data/a b.csv"),
        ("file:/data/x.csv", "/data/x.csv"),
        ("/data/100%.csv", "/data/100%.csv"),
    ],
)
def test_each_path_has_one_spelling(given: str, expected: str) -> None:
    assert storage.normalise(given) == expected


def test_relative_paths_and_the_home_folder_become_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert storage.normalise("in/x.csv") == f"{tmp_path}/in/x.csv"
    assert storage.normalise("~/x.csv") == "/home/me/x.csv"


@pytest.mark.parametrize("given", ["", "s3:///key", "s3://", "gs://bucket/key", "http://host/x", "a\0b"])
def test_what_is_no_path_is_reported(given: str) -> None:
    with pytest.raises(InputError):
        storage.normalise(given)


@pytest.mark.parametrize(
    ("base", "parts", "expected"),
    [
        ("s3://b/dir", ("a", "b.csv"), "s3://b/dir/a/b.csv"),
        ("s3://b/dir/", ("/a/",), "s3://b/dir/a"),
        ("s3://b", ("a",), "s3://b/a"),
        ("out", ("a", "b"), "out/a/b"),
        ("/", ("a",), "/a"),
        ("", ("a", "b"), "a/b"),
    ],
)
def test_join_keeps_the_spelling_of_its_base(base: str, parts: tuple[str, ...], expected: str) -> None:
    assert storage.join(base, *parts) == expected


def test_a_file_uri_and_a_path_find_the_same(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a b.csv").write_bytes(b"x")
    uri = (tmp_path / "a b.csv").as_uri()
    assert storage.list_files(uri) == storage.list_files(str(tmp_path / "a b.csv"))
    assert storage.read_bytes(uri) == b"x"


def test_links_are_followed_once(tmp_path: pathlib.Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"x")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "loop").symlink_to(tmp_path / "real")
    assert [file.path for file in storage.list_files(str(tmp_path / "in"))] == [str(tmp_path / "in/linked/a")]


def test_a_link_to_nothing_is_not_passed_over(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "gone")
    with pytest.raises(InputError, match="a: cannot be read: No such file or directory"):
        storage.list_files(str(tmp_path))


def test_a_name_that_is_not_utf_8_is_reported(tmp_path: pathlib.Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.csv")).touch()
    with pytest.raises(InputError, match="is not UTF-8"):
        storage.list_files(str(tmp_path))


def test_a_folder_without_files_says_so(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="the folder has no files"):
        storage.list_files(str(tmp_path))
    (tmp_path / "_SUCCESS").write_bytes(b"")
    with pytest.raises(InputError, match="no files but ones that begin with _ or"):
        storage.list_files(str(tmp_path))


def test_a_written_file_has_the_usual_rights_and_leaves_no_other_file(tmp_path: pathlib.Path) -> None:
    storage.write_bytes(str(tmp_path / "a"), b"1")
    storage.write_bytes(str(tmp_path / "a"), b"2")
    (tmp_path / "usual").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "usual"]


def test_a_name_of_255_bytes_can_be_written(tmp_path: pathlib.Path) -> None:
    storage.write_bytes(str(tmp_path / ("x" * 255)), b"1")
    assert (tmp_path / ("x" * 255)).read_bytes() == b"1"


def test_writing_where_a_file_is_in_the_way_is_one_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InputError, match="a/b: cannot be written"):
        storage.write_bytes(str(tmp_path / "a" / "b"), b"")
