"""What a run needs of an engine, on the one that this environment has: the same on both."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from pipeline import engines
from pipeline.engines import Engine, engine_of
from pipeline.engines.tasks import run_tasks
from pipeline.errors import UsageError
from transforms.checks import check_unique
from transforms.kernels.batches import Batches, map_batches
from transforms.row_errors import reject

LINES = "part int, place int, text string"
PIECES = "part int, place int, rows long, least long, most long, ordered boolean"
MANY = 300_000
PRIME = 300_007  # any number below it times another gives each remainder once


@pytest.fixture
def engine(spark: SparkSession) -> Engine:
    """The engine of the tests' session."""
    return engine_of(spark)


def lines_in_order(batches: Batches) -> Iterator[pa.RecordBatch]:
    """Each row of a stream with its part and its place in the stream."""
    place = 0
    for batch in batches:
        places = pa.array(range(place, place + batch.num_rows), pa.int32())
        yield pa.RecordBatch.from_arrays(
            [batch.column("_part"), places, batch.column(0)], names=["part", "place", "text"]
        )
        place += batch.num_rows


def numbers(count: int) -> Iterator[pa.RecordBatch]:
    """One batch of the numbers below `count`."""
    yield pa.RecordBatch.from_pydict({"n": pa.array(range(count), pa.int64())})


def plus_one(batches: Batches) -> Iterator[pa.RecordBatch]:
    """A kernel that calls its column something else."""
    for batch in batches:
        yield pa.RecordBatch.from_arrays([pc.add(batch.column(0), 1)], names=["other"])


def texts_of(rows: list[Any]) -> list[str | None]:
    return [text for _, _, text in sorted(rows, key=lambda row: (row[0], row[1]))]


def test_the_engine_that_runs_is_used_again(engine: Engine) -> None:
    assert engines.start(engine.name, "example", 0) is engine
    assert engine.cores >= 1
    assert engine.versions["engine"] == engine.name


def test_spark_is_used_where_spark_submit_started_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    assert (engines.chosen("auto"), engines.chosen("embedded")) == ("spark", "embedded")


def test_spark_is_used_where_glue_s_arguments_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)
    monkeypatch.setattr("sys.argv", ["people.py", "--JOB_NAME", "people", "--people", "a.csv"])
    assert (engines.chosen("auto"), engines.chosen("embedded")) == ("spark", "embedded")


def test_cached_rows_are_made_once_and_keep_their_types(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "made"

    def noted(batches: Batches) -> Iterator[pa.RecordBatch]:
        with log.open("a") as file:
            file.write("made\n")
        yield from batches

    schema = "id long, amount decimal(38,2), at timestamp, tags array<string>, pair struct<a:int,b:string>"
    moment = datetime.datetime(2024, 2, 29, 12, 30)
    rows = [(1, Decimal("12345678901234567890.12"), moment, ["a", None], (1, None)), (2, None, None, None, None)]
    frame = engine.spark.createDataFrame(rows, schema).coalesce(1).mapInArrow(noted, schema)
    cached = engine.cache(frame)
    assert cached.count() == 2
    times = len(log.read_text().splitlines())
    assert [tuple(row) for row in sorted(cached.collect())] == rows
    assert cached.where("id = 2").count() == 1
    assert len(log.read_text().splitlines()) == times
    assert [(f.name, f.dataType) for f in cached.schema] == [(f.name, f.dataType) for f in frame.schema]
    engine.release(cached)


def test_names_with_dots_and_blanks_are_kept(engine: Engine) -> None:
    cached = engine.cache(engine.spark.createDataFrame([(1, 2)], "`a.b` int, `c d` int"))
    assert [row.asDict() for row in cached.where("`a.b` = 1").collect()] == [{"a.b": 1, "c d": 2}]


def test_a_cached_frame_without_rows_stays_a_frame(engine: Engine) -> None:
    cached = engine.cache(engine.spark.range(5).where("id > 9"))
    assert (cached.columns, cached.count()) == (["id"], 0)


def test_rows_of_a_task_that_runs_more_than_once_are_counted_once(engine: Engine) -> None:
    def work(number: int) -> Iterator[pa.RecordBatch]:
        for _ in range(number):
            yield pa.RecordBatch.from_pydict({"n": pa.array([number, number], pa.int64())})

    counter = engine.counter()
    frame = run_tasks(engine.spark, 4, work, "n long", counter)
    assert [frame.count() for _ in range(3)] == [12, 12, 12]
    assert counter.value() == 12


def test_all_tasks_run_and_no_more_at_a_time_than_there_are_cores(engine: Engine, tmp_path: Path) -> None:
    def work(number: int) -> Iterator[pa.RecordBatch]:
        mine = tmp_path / str(number)
        mine.touch()
        time.sleep(0.02)
        running = len(list(tmp_path.iterdir()))
        yield pa.RecordBatch.from_pydict({"n": pa.array([number], pa.int64()), "running": pa.array([running])})
        mine.unlink()

    rows = run_tasks(engine.spark, 4 * engine.cores + 1, work, "n long, running long").collect()
    assert sorted(row.n for row in rows) == list(range(4 * engine.cores + 1))
    assert max(row.running for row in rows) <= max(engine.cores, 2)  # the tests' Spark runs two, and says one


def test_the_error_of_one_task_of_many_ends_the_run(engine: Engine) -> None:
    def work(number: int) -> Iterator[pa.RecordBatch]:
        if number == 7:
            raise ValueError("task 7 cannot read")
        yield from numbers(1)

    with pytest.raises(Exception, match="task 7 cannot read"):
        run_tasks(engine.spark, 9, work, "n long").collect()


def test_a_kernel_over_kept_rows_does_not_make_them_again(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "made"

    def work(number: int) -> Iterator[pa.RecordBatch]:
        with log.open("a") as file:
            file.write("made\n")
        yield from numbers(3)

    cached = engine.cache(run_tasks(engine.spark, 1, work, "n long"))
    assert cached.count() == 3
    assert sorted(row.n for row in map_batches(cached, plus_one, "n long").collect()) == [1, 2, 3]
    assert log.read_text() == "made\n"


def test_rows_that_are_used_again_are_made_once_whatever_is_compared(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "made"

    def work(number: int) -> Iterator[pa.RecordBatch]:
        with log.open("a") as file:
            file.write("made\n")
        yield from numbers(3)

    reused = engine.reused(run_tasks(engine.spark, 1, work, "n long"), key="n")
    joined = reused.join(reused.groupBy("n").count().where("count > 1"), on="n", how="left_anti")
    assert (joined.count(), reused.count()) == (3, 3)
    assert log.read_text() == "made\n"


@pytest.mark.spark_only
@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_kept_rows_are_made_once_and_given_back_however_spark_plans(
    engine: Engine, tmp_path: Path, adaptive: str
) -> None:
    log = tmp_path / "made"

    def work(number: int) -> Iterator[pa.RecordBatch]:
        with log.open("a") as file:
            file.write("made\n")
        yield from numbers(3)

    def held() -> set[int]:
        return set(engine.spark.sparkContext._jsc.getPersistentRDDs())

    usual, before = engine.spark.conf.get("spark.sql.adaptive.enabled"), held()
    engine.spark.conf.set("spark.sql.adaptive.enabled", adaptive)
    try:
        reused = engine.reused(run_tasks(engine.spark, 1, work, "n long"), key="n")
        reused.count()
        [first] = held() - before
        kept = engine.cache(reused.join(reused.groupBy("n").count(), on="n"))
        assert kept.count() == 3
        [second] = held() - before - {first}
        engine.release(reused)
        assert held() - before == {second}
        assert sorted(row.n for row in map_batches(kept.select("n"), plus_one, "n long").collect()) == [1, 2, 3]
        assert log.read_text() == "made\n"
        for _ in range(2):
            engine.release(kept)
            assert held() == before
    finally:
        engine.spark.conf.set("spark.sql.adaptive.enabled", usual or "true")


def test_a_kernel_over_sorted_streams_gets_each_key_in_one_stream_and_in_order(engine: Engine) -> None:
    def placed(batches: Batches) -> Iterator[pa.RecordBatch]:
        place = 0
        for batch in batches:
            places = pa.array(range(place, place + batch.num_rows), pa.int32())
            yield pa.RecordBatch.from_arrays([batch.column(0), batch.column(1), places], names=["key", "n", "place"])
            place += batch.num_rows

    frame = engine.spark.range(1000).select((F.col("id") % 7).alias("key"), (999 - F.col("id")).alias("n"))
    found = engine.map_sorted(frame.repartition(3), 2, ["key"], ["key", "n"], placed, "key long, n long, place int")
    rows = found.collect()
    assert len(rows) == 1000
    for key in range(7):
        mine = sorted((row.place, row.n) for row in rows if row.key == key)
        assert [n for _, n in mine] == sorted(n for _, n in mine)
        assert [place for place, _ in mine] == list(range(mine[0][0], mine[0][0] + len(mine)))


@pytest.mark.parametrize("few", [True, False])
def test_sorted_rows_come_nulls_first_and_texts_by_their_utf_8_bytes(engine: Engine, few: bool) -> None:
    texts = ["z", "é", "\U0001f600", "￿", "", "a", "B", "aa", "Z", None, "10", "9"]
    frame = engine.spark.createDataFrame([(text,) for text in texts], "text string").repartition(3)
    rows = engine.write_sorted(frame, ["text"], few, lines_in_order, LINES)
    assert texts_of(rows) == [None, *sorted(filter(lambda text: text is not None, texts), key=str.encode)]


def test_rows_are_sorted_by_several_columns_whatever_their_names(engine: Engine) -> None:
    rows = [("b", 2, None), ("a", 2, 1), ("c", 1, 5), ("d", None, 9), ("e", 2, 0)]
    frame = engine.spark.createDataFrame(rows, "text string, `a b` int, `c.d` int")
    assert texts_of(engine.write_sorted(frame, ["a b", "c.d"], True, lines_in_order, LINES)) == list("dcbea")


def test_without_an_order_all_rows_come(engine: Engine) -> None:
    frame = engine.spark.createDataFrame([(text,) for text in "cab"], "text string").repartition(2)
    assert sorted(text for _, _, text in engine.write_sorted(frame, [], False, lines_in_order, LINES)) == list("abc")


@pytest.mark.parametrize("few", [True, False])
def test_300000_shuffled_rows_are_written_in_order(engine: Engine, few: bool) -> None:
    def pieces(batches: Batches) -> Iterator[pa.RecordBatch]:
        for place, batch in enumerate(batches):
            if not batch.num_rows:
                continue
            values = batch.column(0)
            ordered = len(values) < 2 or pc.all(pc.less(values[:-1], values[1:])).as_py()
            row = (batch.column("_part")[0].as_py(), place, len(values), values[0].as_py(), values[-1].as_py(), ordered)
            types = (pa.int32(), pa.int32(), pa.int64(), pa.int64(), pa.int64(), pa.bool_())
            columns = [pa.array([value], kind) for value, kind in zip(row, types, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, names=["part", "place", "rows", "least", "most", "ordered"])

    shuffled = (F.col("id") * 104_729 % PRIME).alias("n")
    frame = engine.spark.range(0, MANY, 1, 4).select(shuffled).repartition(5)
    found = sorted(tuple(row) for row in engine.write_sorted(frame, ["n"], few, pieces, PIECES))
    assert sum(rows for _, _, rows, *_ in found) == MANY
    assert all(ordered for *_, ordered in found)
    ends = [end for _, _, _, least, most, _ in found for end in (least, most)]
    assert ends == sorted(ends)


def test_a_frame_without_rows_writes_none(engine: Engine) -> None:
    frame = engine.spark.createDataFrame([], "text string")
    assert texts_of(engine.write_sorted(frame, ["text"], True, lines_in_order, LINES)) == []


def test_a_table_without_rows_has_the_columns_of_the_frame(engine: Engine) -> None:
    table = engine.empty_rows(engine.spark.createDataFrame([(1, "a")], "id int, name string"))
    assert (table.num_rows, table.schema.names) == (0, ["id", "name"])
    assert table.schema.field("id").type == pa.int32()
    assert table.schema.field("name").type == pa.string()


def test_parallel_steps_give_their_results_in_order(engine: Engine) -> None:
    frames = [engine.spark.range(n) for n in (3, 1, 2)]
    assert engine.run_parallel([frame.count for frame in frames]) == [3, 1, 2]
    assert engine.run_parallel([]) == []


def test_the_error_of_the_first_failed_step_is_raised(engine: Engine) -> None:
    def fail(error: Exception) -> None:
        raise error

    with pytest.raises(ValueError, match="first"):
        engine.run_parallel([lambda: fail(ValueError("first")), lambda: fail(KeyError("second"))])


@pytest.mark.spark_only
def test_on_spark_steps_run_at_the_same_time(engine: Engine) -> None:
    met = threading.Barrier(2, timeout=30)

    def step(name: str) -> str:
        met.wait()
        return name

    assert engine.run_parallel([lambda: step("a"), lambda: step("b")]) == ["a", "b"]


@pytest.mark.spark_only
def test_on_spark_a_step_has_the_job_group_of_the_thread_that_gave_it(engine: Engine) -> None:
    context = engine.spark.sparkContext
    context.setLocalProperty("spark.jobGroup.id", "of this run")
    try:
        found = engine.run_parallel([lambda: context.getLocalProperty("spark.jobGroup.id")])
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]
    assert found == ["of this run"]


def test_the_engine_that_is_not_installed_is_named_with_what_installs_it() -> None:
    other, list_name = ("spark", "run") if engines.chosen("auto") == "embedded" else ("embedded", "embedded")
    with pytest.raises(UsageError, match=rf"--engine {other} is not installed here: requirements/{list_name}\.txt"):
        engines.start(other, "prices", 1)


def test_a_check_tags_the_same_rows_whether_or_not_the_engine_knows_what_it_compares(engine: Engine) -> None:
    rows = [(7, "c1", 0, 0), (7, "c1", 0, 9), (8, "c1", 1, 0), (-1, "c2", 1, 9), (9, "c2", 1, 18), (9, "c3", 2, 0)]
    frame = engine.spark.createDataFrame(rows, "age int, name string, _source_file int, _source_offset long")
    read = reject(frame, F.col("age") < 0, "negative_age")
    for equal in ((), ("name",)):
        checked = engine.checked(read, lambda rows: check_unique(rows, "name"), equal)
        found = checked.select("_source_file", "_source_offset", "age", "_error.code").collect()
        assert checked.columns == read.columns
        assert sorted(map(tuple, found)) == [
            (0, 0, 7, None),
            (0, 9, 7, "duplicate"),
            (1, 0, 8, "conflicting_reference"),
            (1, 9, -1, "negative_age"),
            (1, 18, 9, None),
            (2, 0, 9, None),
        ]
