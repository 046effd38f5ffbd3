"""Files of a run: in order however they are sorted, published together with a manifest, or not at all."""

from __future__ import annotations

import io
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from pipeline.errors import AccountingError
from pipeline.publish import outputs
from pipeline.publish.outputs import RunFiles, SideFiles
from tests.support.frames import column_lines
from transforms.kernels.blocks import BLOCKS, BlockTable

# printf 'name\na\nb\n' | sha256sum, and so on
SHA_NAMES = "28f46fc77b9b5774b551e01b5b84ce81c1be4c925d0352b5f54aa7ed579aeff7"
SHA_NOTE = "73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac"


def run_files(folder: pathlib.Path, run_id: str = "run-1", single: bool = True, dry_run: bool = False) -> RunFiles:
    return RunFiles(str(folder), run_id, "example", single, dry_run)


def files_of(folder: pathlib.Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("few", "row_count"), [(4, None), (3, 4), (4, 4)], ids=["unknown number", "many", "few"])
def test_rows_are_in_order_whether_there_are_few_or_many(
    spark: SparkSession, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, few: int, row_count: int | None
) -> None:
    monkeypatch.setattr(outputs, "FEW_ROWS", few)
    rows = [(4, "d"), (1, "a"), (3, "c"), (2, "b")]
    frame = spark.createDataFrame(rows, "id int, name string").repartition(3)
    files = run_files(tmp_path)
    files.write_lines("names.txt", frame, column_lines("name"), ("id",), "name\n", row_count)
    assert files.publish()["names.txt"]["rows"] == 4
    assert (tmp_path / "names.txt").read_text(encoding="utf-8") == "name\na\nb\nc\nd\n"


def test_published_files_are_in_the_manifest_and_those_of_earlier_runs_are_kept_in_it(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    frame = spark.createDataFrame([("a",), ("b",)], "name string")
    first = run_files(tmp_path)
    first.write_lines("names.txt", frame, column_lines("name"), ("name",), "name\n", 2)
    first.write_data("old.txt", b"x\n", rows=1)
    assert files_of(tmp_path / "_runs/run-1/staged") != []
    assert not (tmp_path / "names.txt").exists()
    names = {"rows": 2, "bytes": 9, "sha256": SHA_NAMES}
    note = {"rows": 1, "bytes": 2, "sha256": SHA_NOTE}
    assert first.publish() == {"names.txt": names, "old.txt": note}
    assert json.loads((tmp_path / "_manifest.json").read_text(encoding="utf-8")) == {
        "run_id": "run-1", "job": "example", "files": {"names.txt": names, "old.txt": note}, "kept": {},
    }  # fmt: skip

    second = run_files(tmp_path, "run-2")
    second.write_data("new.txt", b"x\n", rows=1)
    second.write_data("names.txt", b"x\n", rows=1)
    second.publish()
    assert json.loads((tmp_path / "_manifest.json").read_text(encoding="utf-8")) == {
        "run_id": "run-2",
        "job": "example",
        "files": {"names.txt": note, "new.txt": note},
        "kept": {"old.txt": {**note, "run_id": "run-1"}},
    }
    assert files_of(tmp_path) == ["_manifest.json", "names.txt", "new.txt", "old.txt"]


@pytest.mark.spark_only
def test_parts_are_a_folder_whose_files_all_have_the_header(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    frame = spark.range(0, 4, 1, 2).select(F.col("id").cast("string").alias("id"))
    files = run_files(tmp_path, single=False)
    files.write_lines("ids.csv", frame, column_lines("id"), (), "id\n", 4)
    entry = files.publish()["ids.csv"]
    assert files_of(tmp_path / "ids.csv") == ["part-00000.csv", "part-00001.csv"]
    assert (tmp_path / "ids.csv/part-00000.csv").read_text(encoding="utf-8") == "id\n0\n1\n"
    assert (tmp_path / "ids.csv/part-00001.csv").read_text(encoding="utf-8") == "id\n2\n3\n"
    # printf of the two files' sha256, a line each | sha256sum
    assert entry == {
        "rows": 4,
        "bytes": 14,
        "sha256": "1cfb9cc1630e0cf6a4647697c0bf7379f46ca82376afb83326a0026888d8adf9",
    }


KEY = "0123456789abcdef" * 2
LINES = pa.schema([("key", pa.string()), ("line", pa.string())])


def block_frame(spark: SparkSession, *groups: tuple[int, list[str]]) -> DataFrame:
    """A frame of blocks of lines, all of one key."""
    rows = [(group, pa.RecordBatch.from_pydict({"key": [KEY] * len(own), "line": own}, LINES)) for group, own in groups]
    return spark.createDataFrame([(group, 0, 0, bytes(rows.serialize())) for group, rows in rows], BLOCKS)


def test_several_tables_are_written_in_one_pass_each_with_its_header(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    files = run_files(tmp_path)
    named = [("zero.txt", "head\n", 1), ("one.txt", "", 3), ("none.txt", "none\n", 0)]
    tables = [(name, header, BlockTable(LINES, "key", rows)) for name, header, rows in named]
    files.write_tables(tables, block_frame(spark, (1, ["1b", "1a", "1c"]), (0, ["0z"])))
    entries = files.publish()
    assert {name: entry["rows"] for name, entry in entries.items()} == {"zero.txt": 1, "one.txt": 3, "none.txt": 0}
    assert (tmp_path / "zero.txt").read_text(encoding="utf-8") == "head\n0z\n"
    assert (tmp_path / "one.txt").read_text(encoding="utf-8") == "1b\n1a\n1c\n"
    assert (tmp_path / "none.txt").read_text(encoding="utf-8") == "none\n"


def test_a_parquet_table_without_rows_is_a_file_with_its_columns(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    files = run_files(tmp_path)
    files.write_tables([("none.parquet", "", BlockTable(LINES, "key", 0))], block_frame(spark))
    assert files.publish()["none.parquet"]["rows"] == 0
    data = (tmp_path / "none.parquet/part-00000.parquet").read_bytes()
    assert pq.read_table(io.BytesIO(data)).schema.names == ["key", "line"]


@pytest.mark.parametrize("single", [True, False])
def test_parquet_is_a_folder_of_parts(spark: SparkSession, tmp_path: pathlib.Path, single: bool) -> None:
    files = run_files(tmp_path, single=single)
    files.write_parquet("ids.parquet", spark.range(0, 3, 1, 1), ("id",), ("id",), 3)
    assert files.publish()["ids.parquet"]["rows"] == 3
    assert files_of(tmp_path / "ids.parquet") == ["part-00000.parquet"]
    data = (tmp_path / "ids.parquet/part-00000.parquet").read_bytes()
    assert pq.read_table(io.BytesIO(data)).to_pylist() == [{"id": 0}, {"id": 1}, {"id": 2}]


def test_another_number_of_rows_than_expected_is_an_error(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    frame = spark.range(0, 3, 1, 1).select(F.col("id").cast("string").alias("id"))
    files = run_files(tmp_path)
    with pytest.raises(AccountingError, match=r"^a\.txt: 3 rows written, 2 expected$"):
        files.write_lines("a.txt", frame, column_lines("id"), (), "", 2)
    with pytest.raises(AccountingError, match=r"^a\.parquet: 3 rows written, 4 expected$"):
        files.write_parquet("a.parquet", frame, ("id",), ("id",), 4)
    with pytest.raises(AccountingError, match=r"^b\.txt: 3 rows written, 1 expected$"):
        files.write_tables([("b.txt", "", BlockTable(LINES, "key", 1))], block_frame(spark, (0, ["x", "y", "z"])))


def test_discarded_files_leave_nothing_and_what_was_published_stays(
    spark: SparkSession, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "names.txt").write_bytes(b"of the run before\n")
    files = run_files(tmp_path)
    frame = spark.createDataFrame([("a",)], "name string")
    files.write_lines("names.txt", frame, column_lines("name"), (), "name\n", 1)
    files.write_data("note.txt", b"x\n", rows=1)
    files.discard()
    assert files_of(tmp_path) == ["names.txt"]
    assert (tmp_path / "names.txt").read_bytes() == b"of the run before\n"


def test_a_dry_run_counts_rows_and_writes_nothing(spark: SparkSession, tmp_path: pathlib.Path) -> None:
    frame = spark.createDataFrame([("a",), ("b",)], "name string")
    files = run_files(tmp_path, dry_run=True)
    files.write_lines("names.txt", frame, column_lines("name"), (), "name\n", 2)
    files.write_parquet("names.parquet", frame, ("name",), (), 2)
    files.write_data("note.txt", b"x\n", rows=1)
    files.write_tables([("one.txt", "", BlockTable(LINES, "key", 5))], frame)
    assert {name: one.rows for name, one in files.staged.items()} == {
        "names.txt": 2, "names.parquet": 2, "note.txt": 1, "one.txt": 5,
    }  # fmt: skip
    assert files_of(tmp_path) == []


@pytest.mark.parametrize("few", [4, 3], ids=["few", "many"])
def test_rows_that_are_not_used_are_files_of_the_run_s_own_folder_in_the_order_of_their_places(
    spark: SparkSession, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(outputs, "FEW_ROWS", few)
    rows = [
        ("rejected orders", "b.csv", 2, "third"),
        ("rejected orders", "a.csv", 10, "second"),
        ("excluded orders", "a.csv", 3, "fourth"),
        ("rejected orders", "a.csv", 9, "first"),
    ]
    frame = spark.createDataFrame(rows, "group string, file string, position long, lines string")
    names = {
        "rejected orders": "quarantine/orders.jsonl",
        "excluded orders": "excluded/orders.jsonl",
        "rejected items": "quarantine/items.jsonl",
    }
    written = SideFiles(run_files(tmp_path)).write(frame.repartition(3), names, 4)
    assert written == {"rejected orders": 3, "excluded orders": 1, "rejected items": 0}
    folder = tmp_path / "_runs/run-1"
    assert files_of(folder) == ["excluded/orders.jsonl", "quarantine/items.jsonl", "quarantine/orders.jsonl"]
    assert (folder / "quarantine/orders.jsonl").read_text(encoding="utf-8") == "first\nsecond\nthird\n"
    assert (folder / "excluded/orders.jsonl").read_text(encoding="utf-8") == "fourth\n"
    assert (folder / "quarantine/items.jsonl").read_text(encoding="utf-8") == ""
