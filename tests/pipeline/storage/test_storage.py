from __future__ import annotations

import os
import pathlib
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import storage
from pipeline.errors import InputError
from tests.support.stores import Place


def fill(place: Place, *names: str) -> None:
    for name in names:
        storage.write_bytes(place / name, name.encode())


def names(place: Place, pattern: str) -> list[str]:
    return [file.path.removeprefix(place.path + "/") for file in storage.list_files(place / pattern)]


def test_a_file_comes_back_with_its_size_and_content(place: Place) -> None:
    storage.write_bytes(place / "customers.csv", b"id\n1\n")
    (file,) = storage.list_files(place / "customers.csv")
    assert (file.path, file.size) == (place / "customers.csv", 5)
    assert storage.read_bytes(file.path) == b"id\n1\n"


def test_the_version_changes_with_the_content(place: Place) -> None:
    storage.write_bytes(place / "a", b"one")
    first = storage.list_files(place / "a")[0].version
    storage.write_bytes(place / "a", b"two")
    assert storage.list_files(place / "a")[0].version not in ("", first)


def test_a_folder_gives_its_files_at_any_depth_without_bookkeeping(place: Place) -> None:
    fill(place, "in/b.json", "in/deep/er/a.json", "in/_SUCCESS", "in/.b.json.crc", "in/_runs/x/c.json", "inside.json")
    assert names(place, "in") == ["in/b.json", "in/deep/er/a.json"]
    assert names(place, "in/") == ["in/b.json", "in/deep/er/a.json"]


def test_bookkeeping_is_found_when_it_is_named(place: Place) -> None:
    fill(place, "_runs/r1/report.json", "_runs/r1/.hidden")
    assert names(place, "_runs/r1/report.json") == ["_runs/r1/report.json"]
    assert names(place, "_runs/*/report.json") == ["_runs/r1/report.json"]
    assert names(place, "_runs") == ["_runs/r1/report.json"]
    assert names(place, "_runs/r1/.h*") == ["_runs/r1/.hidden"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.csv", ["a.csv", "b.csv"]),
        ("?.csv", ["a.csv", "b.csv"]),
        ("[bc].csv", ["b.csv"]),
        ("[!b].csv", ["a.csv"]),
        ("*/1.csv", ["2019/1.csv", "2020/1.csv"]),
        ("20*", ["2019/1.csv", "2019/deep/2.csv", "2020/1.csv"]),
        ("**/2.csv", ["2019/deep/2.csv"]),
        ("**/1.csv", ["2019/1.csv", "2020/1.csv"]),
        ("2019/**", ["2019/1.csv", "2019/deep/2.csv"]),
        ("*/deep", ["2019/deep/2.csv"]),
        ("20[12][90]/*.csv", ["2019/1.csv", "2020/1.csv"]),
    ],
)
def test_a_glob_finds_files_and_folders(place: Place, pattern: str, expected: list[str]) -> None:
    fill(
        place, "a.csv", "b.csv", "2019/1.csv", "2019/deep/2.csv", "2020/1.csv", "_old/1.csv", ".c.csv", "2019/_t/2.csv"
    )
    assert names(place, pattern) == expected


def test_a_name_with_wildcards_in_it_is_that_file(place: Place) -> None:
    fill(place, "a[1].csv", "a1.csv", "what?.csv", "star*.csv", "star2.csv")
    assert names(place, "a[1].csv") == ["a[1].csv"]
    assert names(place, "what?.csv") == ["what?.csv"]
    assert names(place, "star*.csv") == ["star*.csv"]
    assert names(place, "star?.csv") == ["star*.csv", "star2.csv"]


def test_files_are_sorted_by_the_bytes_of_their_utf_8_paths(place: Place) -> None:
    # In UTF-16 the emoji would come before U+FF5E.
    fill(place, "f/😀", "f/～", "f/é", "f/z", "f/a b", "f/a+b", "f/Z", "f/a/b")
    assert names(place, "f") == ["f/Z", "f/a b", "f/a+b", "f/a/b", "f/z", "f/é", "f/～", "f/😀"]


@pytest.mark.parametrize(
    "name", ["a b.csv", "a+b.csv", "100%.csv", "a%2Fb.csv", "é😀.csv", "a&b=c;d,e.csv", "#1.csv", "'q\"q'"]
)
def test_names_are_taken_as_they_are(place: Place, name: str) -> None:
    storage.write_bytes(place / name, b"x")
    assert [file.path for file in storage.list_files(place.path)] == [place / name]
    assert storage.read_bytes(place / name) == b"x"
    storage.delete(place / name)
    assert not storage.exists(place / name)


def test_nothing_found_says_what_is_near(place: Place) -> None:
    fill(place, "in/customers_20190815.csv", "in/orders_20190815.csv")
    with pytest.raises(
        InputError, match=re.escape(f"{place / 'in/customer_20190815.csv'}: no such file or folder; in ")
    ) as raised:
        storage.list_files(place / "in/customer_20190815.csv")
    assert "similar: customers_20190815.csv" in str(raised.value)
    with pytest.raises(InputError, match=r"there: customers_20190815\.csv, orders_20190815\.csv"):
        storage.list_files(place / "in/*.parquet")
    with pytest.raises(InputError, match="no such file or folder"):
        storage.list_files(place / "in/customers_20190815.csv/")


def test_a_file_is_not_a_folder_of_the_same_beginning(place: Place) -> None:
    fill(place, "data2/x.csv", "data.csv")
    with pytest.raises(InputError, match="similar: data"):
        storage.list_files(place / "data")


def test_ranges_end_where_the_file_ends(place: Place) -> None:
    storage.write_bytes(place / "digits", b"0123456789")
    assert storage.read_range(place / "digits", 0, 4) == b"0123"
    assert storage.read_range(place / "digits", 7, 100) == b"789"
    assert storage.read_range(place / "digits", 10, 5) == b""
    assert storage.read_range(place / "digits", 99, 5) == b""
    assert storage.read_range(place / "digits", 3, 0) == b""


def test_an_empty_file_is_a_file(place: Place) -> None:
    storage.write_bytes(place / "empty", b"")
    assert [file.size for file in storage.list_files(place / "empty")] == [0]
    assert storage.read_bytes(place / "empty") == b""
    assert storage.read_range(place / "empty", 0, 10) == b""


def test_a_stream_reads_on_over_its_blocks(place: Place) -> None:
    data = bytes(range(256)) * 40_000
    storage.write_bytes(place / "large", data)
    with storage.open_read(place / "large") as stream:
        assert stream.read(3) == data[:3]
        assert stream.read(9_000_000) == data[3:9_000_003]
        assert stream.read() == data[9_000_003:]
        assert stream.read(1) == b""
    assert storage.read_bytes(place / "large") == data


def test_a_file_that_was_replaced_since_it_was_listed_is_reported(place: Place) -> None:
    storage.write_bytes(place / "a", b"first")
    version = storage.list_files(place / "a")[0].version
    assert storage.read_range(place / "a", 0, 5, version) == b"first"
    storage.write_bytes(place / "a", b"other")
    with pytest.raises(InputError, match="a: changed while it was read"):
        storage.read_range(place / "a", 0, 5, version)
    with pytest.raises(InputError, match="a: changed while it was read"):
        storage.open_read(place / "a", version)


def test_lines_end_with_a_line_feed_only(place: Place) -> None:
    storage.write_bytes(place / "a", "1\u2028\x852\r\n\n3\n4".encode())
    assert list(storage.read_lines(place / "a")) == ["1\u2028\x852\r", "", "3", "4"]


def test_a_missing_file_is_reported_by_its_name(place: Place) -> None:
    assert not storage.exists(place / "nothing")
    for read in (storage.read_bytes, lambda path: storage.read_range(path, 0, 1)):
        with pytest.raises(InputError, match="nothing: "):
            read(place / "nothing")
    storage.delete(place / "nothing")
    storage.delete_tree(place / "nothing")


def test_a_folder_is_not_a_file(place: Place) -> None:
    fill(place, "d/a")
    assert not storage.exists(place / "d")


def test_list_prefix_has_everything(place: Place) -> None:
    fill(place, "d/_SUCCESS", "d/.crc", "d/e/f", "dd")
    assert [file.path for file in storage.list_prefix(place / "d")] == [
        place / n for n in ("d/.crc", "d/_SUCCESS", "d/e/f")
    ]
    assert storage.list_prefix(place / "none") == []


def test_delete_tree_takes_the_folder_and_no_neighbour(place: Place) -> None:
    fill(place, "d/_SUCCESS", "d/e/f", "d2/a", "d.csv")
    storage.delete_tree(place / "d")
    assert [file.path for file in storage.list_prefix(place.path)] == [place / "d.csv", place / "d2/a"]


@pytest.mark.slow
def test_delete_tree_of_more_than_one_batch(place: Place) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: storage.write_bytes(place / f"many/{n}", b""), range(1003)))
    assert len(storage.list_files(place / "many")) == 1003
    storage.delete_tree(place / "many")
    assert storage.list_prefix(place / "many") == []


@pytest.mark.parametrize("path", ["s3://bucket", "s3://bucket/", "/", "/tmp"])
def test_delete_tree_refuses_a_whole_store(path: str) -> None:
    with pytest.raises(InputError, match="will not delete"):
        storage.delete_tree(path)


_NAMES = st.text("ab_.[]*?!-é ", min_size=1, max_size=3).filter(lambda name: name not in (".", ".."))
_PATHS = st.lists(_NAMES, min_size=1, max_size=3).map("/".join)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=st.lists(_PATHS, min_size=1, max_size=5, unique=True), pattern=_PATHS | st.just("**/a") | st.just("*/**"))
def test_disk_and_s3_find_the_same(
    paths: list[str], pattern: str, tmp_path: pathlib.Path, both: dict[str, str]
) -> None:
    folders = {path.rpartition("/")[0] for path in paths} | {
        path.split("/")[0] for path in paths if path.count("/") > 1
    }
    files = [path for path in paths if path not in folders]
    found = {}
    for kind, root in both.items():
        storage.delete_tree(f"{root}/t")
        for path in files:
            storage.write_bytes(f"{root}/t/{path}", b"x")
        try:
            found[kind] = [file.path.removeprefix(root) for file in storage.list_files(f"{root}/t/{pattern}")]
        except InputError:
            found[kind] = []
    assert found["local"] == found["s3"]


@pytest.fixture
def both(tmp_path: pathlib.Path, s3_moto: Place) -> dict[str, str]:
    return {"local": str(tmp_path), "s3": s3_moto.path}


def test_a_pipe_is_refused_where_it_would_be_waited_for(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for pattern in (tmp_path, tmp_path / "pipe", tmp_path / "p*"):
        with pytest.raises(InputError, match="pipe: a pipe or socket, which cannot be read in parts; save"):
            storage.list_files(str(pattern))
    assert [file.path for file in storage.list_prefix(str(tmp_path))] == [str(tmp_path / "pipe")]
