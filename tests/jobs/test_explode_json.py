"""The general job by its command line: real files come back whole, bytes do not depend on files, days are compared."""

from __future__ import annotations

import gzip
import hashlib
import json
import pathlib
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.support.jobs import JobResult
from tests.support.paths import SAMPLES
from tests.support.rebuild import Rebuild, comparable, csv_rows, jsonl_rows, loads
from tests.transforms.nested.values.test_parse import ACCEPTED, REFUSED
from transforms.nested.values.parse import prepare_process

Call = Callable[..., JobResult]


def tables_of(out: pathlib.Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "tables.json").read_text(encoding="utf-8"))["tables"]
    return found


def rows_of(out: pathlib.Path, table: dict[str, Any]) -> list[dict[str, Any]]:
    file = out / table["file"]
    if file.suffix == ".parquet":
        return [row for part in sorted(file.glob("part-*")) for row in pq.read_table(part).to_pylist()]
    text = file.read_bytes().decode()
    return list(csv_rows(text) if file.suffix == ".csv" else jsonl_rows(text))


def documents_in(out: pathlib.Path) -> list[Any]:
    tables = tables_of(out)
    return Rebuild(tables, {table["name"]: rows_of(out, table) for table in tables}).documents()


def in_any_order(documents: list[Any]) -> Counter[str]:
    return Counter(repr(comparable_sorted(document)) for document in documents)


def comparable_sorted(value: Any) -> Any:
    def ordered(item: Any) -> Any:
        if isinstance(item, dict):
            return sorted((key, ordered(below)) for key, below in item.items())
        if isinstance(item, list):
            return [ordered(below) for below in item]
        return Fraction(item) if isinstance(item, Decimal) else str(item)

    return ordered(comparable(value))


def data_files(out: pathlib.Path) -> dict[str, bytes]:
    written = {path.name: path.read_bytes() for path in out.glob("tables.*")}
    return written | {path.name: _content(path) for path in out.glob("doc*")}


def _content(path: pathlib.Path) -> bytes:
    """A file's bytes; of a folder of parquet its rows, since engines differ in the bytes."""
    if path.is_file():
        return path.read_bytes()
    return repr([row for part in sorted(path.glob("part-*")) for row in pq.read_table(part).to_pylist()]).encode()


def test_the_restaurant_pages_come_back_whole_and_counts_are_plain_pythons(
    real_data: pathlib.Path, call_job: Call, tmp_path: pathlib.Path
) -> None:
    source = real_data / "restaurants" / "restaurant_data.json"
    done = call_job("explode_json", "--source", source, "--root", "pages", "--destination", tmp_path, "--quiet")
    assert done.exit_code == 0, done.stderr
    pages = loads(source.read_text(encoding="utf-8"))
    restaurants = [entry["restaurant"] for page in pages for entry in page.get("restaurants", [])]
    events = [event["event"] for one in restaurants for event in one.get("zomato_events", [])]
    offers = [offer["offer"] for one in restaurants if one.get("offers") for offer in one["offers"]]
    assert {table["name"]: table["rows"] for table in tables_of(tmp_path)} == {
        "pages": len(pages),
        "pages__restaurants": len(restaurants),
        "pages__restaurants__restaurant__offers": len(offers),
        "pages__restaurants__restaurant__offers__offer__restaurants": sum(
            len(o.get("restaurants") or []) for o in offers
        ),
        "pages__restaurants__restaurant__zomato_events": len(events),
        "pages__restaurants__restaurant__zomato_events__event__photos": sum(len(e.get("photos") or []) for e in events),
        "pages__restaurants__restaurant__zomato_events__event__types": sum(len(e.get("types") or []) for e in events),
    }
    assert in_any_order(documents_in(tmp_path)) == in_any_order(pages)


@pytest.mark.parametrize(("records", "form"), [("", "jsonl"), ("items.carpark_data", "parquet")])
def test_the_car_park_answer_comes_back_whole(
    real_data: pathlib.Path, call_job: Call, tmp_path: pathlib.Path, records: str, form: str
) -> None:
    source = real_data / "carparks" / "carpark-availability.json"
    done = call_job(
        "explode_json", "--source", source, "--records", records, "--format", form, "--destination", tmp_path
    )
    assert done.exit_code == 0, done.stderr
    answer = loads(source.read_text(encoding="utf-8"))
    parks = [park for item in answer["items"] for park in item["carpark_data"]]
    assert in_any_order(documents_in(tmp_path)) == in_any_order(parks if records else [answer])
    rows = [table["rows"] for table in tables_of(tmp_path)]
    assert rows[-2:] == [len(parks), sum(len(park["carpark_info"]) for park in parks)]


def some_documents() -> list[Any]:
    chance = random.Random(7)
    kinds: list[Callable[[], Any]] = [
        lambda: chance.randrange(9),
        lambda: chance.random(),
        lambda: chance.choice(["", "a,b", "é", '"q"', "line\nbreak", "\x00"]),
        lambda: None,
        lambda: [chance.randrange(3) for _ in range(chance.randrange(4))],
        lambda: {"x": chance.randrange(5), "y": [{"z": chance.choice([1, "one", None])}]},
    ]
    documents = [{f"f{n}": kinds[chance.randrange(6)]() for n in chance.sample(range(5), 3)} for _ in range(120)]
    return documents + documents[:15]  # some are duplicates


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_bytes_do_not_depend_on_files_their_order_and_partitions(
    spark: SparkSession, call_job: Call, tmp_path: pathlib.Path, form: str
) -> None:
    documents = some_documents()
    lines = [json.dumps(document) for document in documents]
    random.Random(3).shuffle(lines)
    (tmp_path / "lines.json").write_text("\n".join(lines))
    (tmp_path / "array").mkdir()
    (tmp_path / "array" / "one.json").write_text(json.dumps(documents, indent=2))
    (tmp_path / "ten").mkdir()
    for number in range(10):
        mine = "".join(json.dumps(d) + "\n" for d in documents[number::10])
        if number == 4:
            (tmp_path / "ten" / f"{9 - number}.json.gz").write_bytes(gzip.compress(mine.encode()))
        else:
            (tmp_path / "ten" / f"{9 - number}.json").write_text(mine)
    found = []
    for source, partitions in (("lines.json", "1"), ("array", "5"), ("ten", "3")):
        out = tmp_path / f"out-{source}"
        spark.conf.set("spark.sql.shuffle.partitions", partitions)
        try:
            done = call_job(
                "explode_json", "--source", tmp_path / source, "--root", "doc", "--format", form, "--destination", out
            )
        finally:
            spark.conf.set("spark.sql.shuffle.partitions", "1")
        assert done.exit_code == 0, done.stderr
        found.append(data_files(out))
    assert found[0] == found[1] == found[2]
    assert in_any_order(documents_in(out)) == in_any_order([loads(json.dumps(d)) for d in documents])


def test_the_sample_has_the_same_bytes_on_every_engine(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    done = call_job("explode_json", *sample_args("explode_json"), "--destination", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.report["inputs"]["source"] == {"read": 6, "used": 5, "excluded": {}, "rejected": {"malformed_json": 1}}
    sizes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in sorted(tmp_path.glob("orders*"))}
    assert sizes == {
        "orders.csv": "5dd6662b0cbb",
        "orders__items.csv": "b88426699b44",
        "orders__items__codes.csv": "7f3dbed681c1",
        "orders__items__codes__value.csv": "949031a8ba30",
        "orders__stock.csv": "c8a8177e482d",
        "orders__tags.csv": "53a9c8d86c85",
    }
    rejected = json.loads(next(tmp_path.glob("_runs/*/quarantine/source.jsonl")).read_text())
    assert (rejected["reason"], rejected["raw"]) == ("malformed_json", "{'order': 'A-4', 'total': NaN}")
    assert rejected["detail"].startswith("not JSON from character 2")
    assert any("1 record has a duplicate key in one object" in note for note in done.report["notes"])


def thread(depth: int, width: int) -> dict[str, Any]:
    below = [thread(depth - 1, width - 1)] * width if depth else []
    return {"text": f"t{depth}", "by": {"name": f"u{width}"}, "tags": [depth] * width, "replies": below}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_recursive_documents_are_one_table_with_the_same_bytes_however_they_are_split(
    call_job: Call, tmp_path: pathlib.Path, form: str
) -> None:
    documents = [{"post": number, "comments": [thread(number % 5, 3)]} for number in range(40)]
    lines = [json.dumps(document) for document in documents]
    (tmp_path / "one.jsonl").write_text("\n".join(lines))
    for number in range(4):
        (tmp_path / f"part-{number}.jsonl").write_text("\n".join(lines[::-1][number::4]))
    found = []
    for source in ("one.jsonl", "part-*.jsonl"):
        out = tmp_path / source[:3]
        done = call_job("explode_json", "--source", tmp_path / source, "--format", form, "--destination", out)
        assert done.exit_code == 0, done.stderr
        assert any(
            "root__comments is recursive: its rows hold rows of it at replies[]" in n for n in done.report["notes"]
        )
        found.append(data_files(out))
    assert found[0] == found[1]
    assert [(table["name"], table["rows"]) for table in tables_of(out)] == [
        ("root", 40), ("root__comments", 376), ("root__comments__tags", 456),
    ]  # fmt: skip
    assert in_any_order(documents_in(out)) == in_any_order([loads(line) for line in lines])
    shown = hashlib.sha256((out / f"root__comments.{form}").read_bytes()).hexdigest()[:12]
    assert shown == {"csv": "c3b701f47f56", "jsonl": "db2a240c3e03"}[form]


def test_a_filter_with_arrays_in_arrays_is_one_table_and_is_read_again_with_its_schema(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    either = {"op": "or", "args": [{"op": "in", "args": [{"op": "x"}, [1, 2]]}]}
    document = {"op": "and", "args": [either, {"op": "in", "args": [{"property": "p"}, ["u", "v"]]}]}
    (tmp_path / "in.json").write_text(json.dumps(document))
    common = ("--source", tmp_path / "in.json", "--schema", tmp_path / "schema.json", "--destination", tmp_path / "out")
    for drift in ("add", "fail"):
        done = call_job("explode_json", *common, "--on-drift", drift)
        assert done.exit_code == 0, done.stderr
        assert [(table["name"], table["rows"]) for table in tables_of(tmp_path / "out")] == [("root", 12)]
        assert documents_in(tmp_path / "out") == [comparable(document)]


def test_equal_records_get_keys_of_their_own_and_declared_keys_are_held(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.json").write_text('{"k":1,"v":[1]}\n{"v":[1],"k":1}\n{"k":1,"v":[2]}\n{"k":2,"v":[]}\n{"v":[3]}\n')
    for key, used in (((), 5), (("--key", "k", "--max-rejected", "1"), 4)):
        out = tmp_path / f"out{used}"
        done = call_job("explode_json", "--source", tmp_path / "in.json", *key, "--root", "doc", "--destination", out)
        assert done.exit_code == 0, done.stderr
        roots = [row["_id"] for row in csv_rows((out / "doc.csv").read_text())]
        assert len(set(roots)) == len(roots) == used == done.report["inputs"]["source"]["used"]
        note = "2 values of --key k for 4 records: those that share one are counted, and their _id may be another when"
        assert [text[: len(note)] for text in done.report["notes"]] == ([note] if key else [])
        children = list(csv_rows((out / "doc__v.csv").read_text()))
        assert {row["_root_id"] for row in children} <= set(roots)
    assert done.report["inputs"]["source"]["rejected"] == {"missing_key": 1}
    assert hashlib.sha256(b"[2]").hexdigest()[:32] in roots


def test_days_are_held_against_the_locked_schema(call_job: Call, tmp_path: pathlib.Path) -> None:
    lock = tmp_path / "schema.json"
    (tmp_path / "monday.json").write_text('{"id": 1, "price": 5}\n')
    (tmp_path / "tuesday.json").write_text('{"id": 2, "price": 5.5, "colour": "red"}\n')

    def day(name: str, *how: str) -> JobResult:
        arguments = ("--source", tmp_path / f"{name}.json", "--schema", lock, "--destination", tmp_path / "out", *how)
        return call_job("explode_json", *arguments, "--root", "doc")

    assert day("monday").exit_code == 0
    written = lock.read_bytes()
    failed = day("tuesday", "--on-drift", "fail")
    assert failed.exit_code == 2
    assert "changed type doc.price: integer -> double" in failed.stderr
    held = day("tuesday", "--on-drift", "report")
    assert held.exit_code == 0, held.stderr
    assert held.read("doc.csv").split("\n")[0] == "_id,id,price,_rest"
    assert '"{""/colour"":""red"",""/price"":5.5}"' in held.read("doc.csv")
    assert held.report["notes"] == [
        "schema: changed type doc.price: integer -> double",
        "schema: new field doc.colour: text",
    ]
    assert lock.read_bytes() == written
    added = day("tuesday", "--on-drift", "add")
    assert added.read("doc.csv").split("\n")[0] == "_id,id,price,price__double,colour"
    assert lock.read_bytes() != written
    assert day("monday", "--on-drift", "fail").read("doc.csv").split("\n")[0] == "_id,id,price,price__double,colour"


@pytest.mark.parametrize(
    "options",
    [
        ["--path", "card=skip,p.x=skip,p.y=skip"],
        ["--only", "id"],
        ["--path", "p=skip,card=skip", "--on-drift", "report"],
    ],
)
def test_what_is_skipped_is_not_published_in_the_columns_and_tables_of_a_locked_schema(
    call_job: Call, tmp_path: pathlib.Path, options: list[str]
) -> None:
    (tmp_path / "in.json").write_text('{"id":1,"card":"4111","p":{"x":5,"y":[1]},"v":null}\n')
    common = ("--source", tmp_path / "in.json", "--schema", tmp_path / "schema.json", "--destination", tmp_path / "out")
    assert call_job("explode_json", *common, "--path", "v=skip").exit_code == 0
    done = call_job("explode_json", *common, *options, "--path", "v=skip")
    assert done.exit_code == 0, done.stderr
    header, line, _ = done.read("root.csv").split("\n")
    assert (header, line.partition(",")[2]) == ("_id,id,card,p__x", "1,,")
    assert done.read("root__p__y.csv") == "_id,_parent_id,_root_id,_index,value\n"


def test_other_choices_than_those_of_the_locked_schema_are_refused_with_its_table(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    lock = tmp_path / "schema.json"
    (tmp_path / "in.json").write_text('{"id":1,"p":{"x":[1,2]}}\n')
    common = ("--source", tmp_path / "in.json", "--schema", lock, "--destination", tmp_path / "out", "--root", "o")
    assert call_job("explode_json", *common, "--path", "p=table").exit_code == 0
    again = call_job("explode_json", *common)
    assert again.exit_code == 0, again.stderr
    assert [table["name"] for table in tables_of(tmp_path / "out")] == ["o", "o__p", "o__p__x"]
    refused = call_job("explode_json", *common, "--path", "p.x=json")
    assert refused.exit_code == 2
    assert f"--path p.x=json: the locked schema {lock} has a table o__p__x" in refused.stderr
    deeper = call_job("explode_json", *common, "--depth", "1")
    assert deeper.exit_code == 2
    assert f"--schema {lock}: --depth 1: the locked schema has a table o__p at o.p, the records have" in deeper.stderr


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_dates_are_typed_when_asked_for_and_the_documents_still_come_back(
    call_job: Call, tmp_path: pathlib.Path, form: str
) -> None:
    lines = [
        '{"id": 1, "day": "2024-02-29", "at": "2021-05-23T07:40:26+08:00", "old": "0001-01-01T00:00:00Z",'
        ' "mix": "2024-01-01"}',
        '{"id": 2, "day": "1066-10-14", "at": null, "old": "2024-01-01T00:00:00Z",'
        ' "mix": "soon", "due": [["2024-03-01"]]}',
    ]
    (tmp_path / "in.json").write_text("\n".join(lines))
    lock = tmp_path / "schema.json"
    for dates in (["--dates"], []):  # the second run keeps to the schema
        out = tmp_path / f"out{len(dates)}"
        asked = ["--source", tmp_path / "in.json", "--root", "doc", "--format", form, "--schema", lock, *dates]
        done = call_job("explode_json", *asked, "--destination", out, "--on-drift", "fail" if not dates else "add")
        assert done.exit_code == 0, done.stderr
        root = tables_of(out)[0]
        assert {column["name"]: column["type"] for column in root["columns"]} == {
            "id": "integer",
            "day": "date",
            "at": "timestamp(0,+08:00)",
            "old": "timestamp(0,Z)",
            "mix": "text",
        }
        ddl = (out / "tables.sql").read_text()
        assert '"day" DATE,' in ddl
        assert '"at" TIMESTAMP WITH TIME ZONE,' in ddl
        rows = sorted(rows_of(out, root), key=lambda row: int(row["id"]))
        found = [(row["day"], row["at"], row["old"], row["mix"]) for row in rows]
        if form == "parquet":
            utc = UTC
            assert found == [
                (
                    date(2024, 2, 29),
                    datetime(2021, 5, 22, 23, 40, 26, tzinfo=utc),
                    datetime(1, 1, 1, tzinfo=utc),
                    "2024-01-01",
                ),
                (date(1066, 10, 14), None, datetime(2024, 1, 1, tzinfo=utc), "soon"),
            ]
        else:
            assert found == [
                ("2024-02-29", "2021-05-22T23:40:26Z", "0001-01-01T00:00:00Z", "2024-01-01"),
                ("1066-10-14", None, "2024-01-01T00:00:00Z", "soon"),
            ]
        assert in_any_order(documents_in(out)) == in_any_order([loads(line) for line in lines])


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_numbers_in_texts_and_times_of_any_offset_are_typed_and_come_back(
    call_job: Call, tmp_path: pathlib.Path, form: str
) -> None:
    lines = [
        '{"id": "1", "price": "1.50", "f": "2", "zip": "00501", "local": "2024-05-01T10:00:00",'
        ' "at": "2024-05-01T10:00:00Z"}',
        '{"id": "2", "price": "20.00", "f": "2.5", "zip": "10001", "local": null, "at": "2024-05-01T10:00:00+02:00"}',
    ]
    (tmp_path / "in.json").write_text("\n".join(lines))
    lock = tmp_path / "schema.json"
    for asked in (["--numbers", "--dates"], []):  # the second run keeps to the schema
        out = tmp_path / f"out{len(asked)}"
        called = ["--source", tmp_path / "in.json", "--root", "doc", "--format", form, "--schema", lock, *asked]
        done = call_job("explode_json", *called, "--destination", out, "--on-drift", "add" if asked else "fail")
        assert done.exit_code == 0, done.stderr
        root = tables_of(out)[0]
        assert {column["name"]: column["type"] for column in root["columns"]} == {
            "id": "integer", "price": "decimal(38,2)", "f": "double", "zip": "text", "local": "timestamp_local(0)",
            "at": "timestamp(0,*)", "at__offset": "offset",
        }  # fmt: skip
        assert '"local" TIMESTAMP,' in (out / "tables.sql").read_text()
        assert in_any_order(documents_in(out)) == in_any_order([loads(line) for line in lines])
    rows = sorted(rows_of(out, root), key=lambda row: str(row["id"]))
    found = [(row["id"], row["price"], row["f"], row["local"], row["at"], row["at__offset"]) for row in rows]
    if form == "parquet":
        assert found == [
            (1, Decimal("1.50"), 2.0, datetime(2024, 5, 1, 10), datetime(2024, 5, 1, 10, tzinfo=UTC), "Z"),
            (2, Decimal("20.00"), 2.5, None, datetime(2024, 5, 1, 8, tzinfo=UTC), "+02:00"),
        ]
    elif form == "csv":
        assert found == [
            ("1", "1.50", "2.0", "2024-05-01T10:00:00", "2024-05-01T10:00:00Z", "Z"),
            ("2", "20.00", "2.5", None, "2024-05-01T08:00:00Z", "+02:00"),
        ]


def test_a_dry_run_shows_the_tree_and_writes_nothing(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    out = tmp_path / "out"
    done = call_job("explode_json", *sample_args("explode_json"), "--dry-run", "--destination", out)
    assert done.exit_code == 0, done.stderr
    for part in (
        "orders.csv  5 rows",
        "items[] → orders__items.csv  5 rows",
        "stock{*} → orders__stock.csv  5 rows",
        "mixed",
    ):
        assert part in done.stdout
    assert not out.exists()


def test_every_hostile_document_is_accepted_or_refused_by_itself(call_job: Call, tmp_path: pathlib.Path) -> None:
    good = [text for cases in ACCEPTED.values() for text, _ in cases if "\n" not in text]
    bad = [text for cases in REFUSED.values() for text in cases if "\n" not in text]
    assert (len(good), len(bad)) == (38, 88)
    good, bad = ([f'{{"v":{text}}}' for text in texts] for texts in (good, bad))
    good += ['{"v":' + "[" * 500 + "]" * 500 + "}", '{"v":' * 500 + "1" + "}" * 500]
    (tmp_path / "in.json").write_bytes("".join(f"{text}\n" for text in good + bad + good).encode())
    asked = ("--source", tmp_path / "in.json", "--root", "doc", "--depth", "9", "--max-rejected", "88")
    done = call_job("explode_json", *asked, "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert done.report["inputs"]["source"]["used"] == 80
    assert sum(done.report["inputs"]["source"]["rejected"].values()) == 88
    quarantined = next((tmp_path / "out").glob("_runs/*/quarantine/source.jsonl")).read_text().split("\n")
    assert sorted(json.loads(line)["raw"] for line in quarantined if line) == sorted(bad)
    prepare_process()
    assert in_any_order(documents_in(tmp_path / "out")) == in_any_order([loads(text) for text in good * 2])


def test_hostile_records_are_rejected_one_by_one_and_the_rest_goes_on(call_job: Call, tmp_path: pathlib.Path) -> None:
    deep = "[" * 1001 + "]" * 1001
    good = [
        '{"a": "\\ud800"}',
        '{"a": 1e400}',
        '{"a": "\\u0000", "b": {}}',
        '{"a": ' + "[" * 400 + "]" * 400 + "}",
        '{"": []}',
    ]
    bad = [
        '{"a": NaN}',
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": 01}',
        '{"a": "\t"}',
        '{"a": ' + deep + "}",
        '{"a": tru}',
        '{"a": .5}',
    ]
    (tmp_path / "in.json").write_text(
        "\n".join(line for pair in zip(good + good, bad + good[:2], strict=True) for line in pair) + "\n"
    )
    done = call_job(
        "explode_json",
        "--source",
        tmp_path / "in.json",
        "--root",
        "doc",
        "--depth",
        "9",
        "--max-rejected",
        "50%",
        "--destination",
        tmp_path,
    )
    assert done.exit_code == 0, done.stderr
    account = done.report["inputs"]["source"]
    assert (account["used"], account["rejected"]) == (12, {"malformed_json": 7, "too_deep": 1})
    assert in_any_order(documents_in(tmp_path)) == in_any_order([loads(text) for text in good + good + good[:2]])
    quarantined = next(tmp_path.glob("_runs/*/quarantine/source.jsonl")).read_text().splitlines()
    assert sorted(json.loads(line)["raw"] for line in quarantined) == sorted(bad)
    lenient = call_job(
        "explode_json", "--source", tmp_path / "in.json", "--lenient", "--max-rejected", "50%", "--dry-run", "--quiet"
    )
    assert lenient.exit_code == 0, lenient.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--path", "a=tables"], "'a=tables' is not PATH=CHOICE"),
        (["--path", "=recursive"], "an empty path is the record itself, which takes only columns or dynamodb"),
        (["--path", "a=skip,a=table"], "a is both skip and table"),
        (["--schema", "."], "--schema .: this is a folder, a file is expected"),
        (["--schema", "s3://partners/schemas/"], "--schema s3://partners/schemas/: this is a folder"),
        (["--depth", "0"], "--depth 0 is not between 1 and 900"),
        (["--on-drift", "fail"], "--on-drift fail needs --schema FILE"),
        (["--format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    call_job: Call, tmp_path: pathlib.Path, arguments: list[str], message: str
) -> None:
    done = call_job("explode_json", "--source", tmp_path, "--destination", tmp_path / "out", *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


def test_lineage_names_the_file_and_the_place_of_each_record(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.json").write_text('{"a":1}\n{"a":2}\n')
    done = call_job(
        "explode_json",
        "--source",
        tmp_path / "in.json",
        "--lineage",
        "--root",
        "doc",
        "--destination",
        tmp_path / "out",
    )
    rows = sorted(csv_rows(done.read("doc.csv")), key=lambda row: row["a"] or "")
    assert [(row["_source_file"], row["_source_position"], row["a"]) for row in rows] == [
        (str(tmp_path / "in.json"), "0", "1"),
        (str(tmp_path / "in.json"), "8", "2"),
    ]


def test_the_ordinal_is_the_place_in_all_files_with_rejected_records_counted(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "a.json").write_text('{"a":10}\n{bad}\n{"a":12}\n')
    (tmp_path / "b.json").write_text('[{"a":13},\n {"a":10}]')
    called = ["--source", tmp_path / "*.json", "--root", "doc", "--ordinal", "--max-rejected", "1"]
    for form in ("csv", "parquet"):
        done = call_job("explode_json", *called, "--format", form, "--destination", tmp_path / form)
        assert done.exit_code == 0, done.stderr
    placed = {(row["_ordinal"], row["a"]) for row in csv_rows((tmp_path / "csv" / "doc.csv").read_text())}
    # Two records with one content get the same two ids whatever their order.
    assert placed == {("0", "10"), ("2", "12"), ("3", "13"), ("4", "10")}
    [table] = tables_of(tmp_path / "parquet")
    assert {(row["_ordinal"], row["a"]) for row in rows_of(tmp_path / "parquet", table)} == {
        (0, 10), (2, 12), (3, 13), (4, 10)
    }  # fmt: skip
    assert [key["name"] for key in table["keys"]] == ["_id", "_ordinal"]


def test_packed_values_are_opened_and_what_is_none_is_rejected_by_name(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.json").write_text(
        '{"Item":{"id":{"S":"x"},"n":{"N":"1.50"},"doc":{"S":"{\\"a\\":[1,2],\\"card\\":\\"4111\\"}"}}}\n'
        '{"Item":{"id":{"S":"y"},"n":{"N":"2"},"doc":{"S":"{}"}}}\n'
        '{"Item":{"id":{"S":"z"},"n":{"N":"many"}}}\n'
        '{"Item":{"id":{"S":"z"},"doc":{"S":"a: 1"}}}\n'
    )
    called = ["--source", tmp_path / "in.json", "--root", "doc", "--key", "id", "--max-rejected", "2"]
    called += ["--records", "Item", "--path", "=dynamodb,doc=parse,doc.card=skip", "--destination", tmp_path / "out"]
    done = call_job("explode_json", *called)
    assert done.exit_code == 0, done.stderr
    rows = sorted(csv_rows(done.read("doc.csv")), key=lambda row: row["id"] or "")
    assert [(row["id"], row["n"], row["_rest"]) for row in rows] == [("x", "1.5", None), ("y", "2.0", '{"/doc":{}}')]
    assert [row["value"] for row in csv_rows(done.read("doc__doc__a.csv"))] == ["1", "2"]
    assert "4111" not in "".join(path.read_text() for path in (tmp_path / "out").glob("doc*"))
    quarantine = next((tmp_path / "out" / "_runs").glob("*/quarantine/source.jsonl")).read_text().splitlines()
    assert [(json.loads(line)["reason"], json.loads(line)["detail"]) for line in quarantine] == [
        ("not_dynamodb", 'the record: {"N":"many"} is no DynamoDB value'),
        ("not_json", 'doc: not JSON from character 1: "a: 1"'),
    ]


@pytest.mark.parametrize("choice", ["data=parse", "data=dynamodb"])
def test_a_packed_place_that_no_record_has_is_refused(call_job: Call, tmp_path: pathlib.Path, choice: str) -> None:
    (tmp_path / "in.json").write_text('{"date":"1"}\n')
    done = call_job("explode_json", "--source", tmp_path, "--path", choice, "--destination", tmp_path / "out")
    assert (done.exit_code, f"--path {choice}: no record has data; near: date" in done.stderr) == (2, True)


def rows_after(call_job: Call, source: pathlib.Path, *arguments: str) -> list[tuple[str | None, ...]]:
    """The values of the root table's rows, their `_id` left out."""
    out = source.parent / "out"
    done = call_job("explode_json", "--source", source, "--root", "doc", "--destination", out, *arguments)
    assert done.exit_code == 0, done.stderr
    return sorted(tuple(row.values())[1:] for row in csv_rows(done.read("doc.csv")))


@pytest.mark.parametrize("before", ["", "\n"], ids=["a document on a line", "a document on several lines"])
def test_fields_around_records_and_of_folders_are_columns(call_job: Call, tmp_path: pathlib.Path, before: str) -> None:
    for day, page in (("dt=2024-05-01/shop=a%20b", 3), ("dt=2024-05-02/shop=__HIVE_DEFAULT_PARTITION__", 4)):
        (tmp_path / "in" / day).mkdir(parents=True)
        document = f'{{"items":[{{"sku":"a"}},{before}{{"sku":"b"}}],"page":{page},"meta":{{"id":"m"}}}}'
        (tmp_path / "in" / day / "x.json").write_text(document)
    called = ["--records", "items", "--keep", "page,meta.id=batch", "--folders", "dt,shop", "--dates"]
    assert rows_after(call_job, tmp_path / "in", *called) == [
        ("2024-05-01", "a b", "3", "m", "a", None),
        ("2024-05-01", "a b", "3", "m", "b", None),
        ("2024-05-02", None, "4", "m", "a", '{"/shop":null}'),
        ("2024-05-02", None, "4", "m", "b", '{"/shop":null}'),
    ]
    [table] = tables_of(tmp_path / "out")
    assert {column["name"]: column["type"] for column in table["columns"]} == {
        "dt": "date", "shop": "text", "page": "integer", "batch": "text", "sku": "text"
    }  # fmt: skip


SOCRATA = '{"meta":{"view":{"columns":[{"name":"sid"},{"name":"City"}]}},"data":[["r1","York"],["r2",null]]}'
PANDAS = '{"columns":["sid","City"],"index":[0,1],"data":[["r1","York"],\n["r2",null]]}'
CENSUS = '[["sid","City"],\n["r1","York"],\n["r2",null]]'
LINES = '["sid","City"]\n["r1","York"]\n["r2",null]\n'


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (SOCRATA, ["--records", "data", "--names", "meta.view.columns.name"]),
        (PANDAS, ["--records", "data", "--names", "columns"]),
        (CENSUS, ["--names", "first"]),
        (LINES, ["--names", "first"]),
    ],
    ids=["socrata", "pandas", "census", "lines"],
)
def test_columns_get_the_names_that_the_file_gives(
    call_job: Call, tmp_path: pathlib.Path, text: str, arguments: list[str]
) -> None:
    (tmp_path / "in.json").write_text(text)
    rows = rows_after(call_job, tmp_path / "in.json", *arguments)
    assert rows == [("r1", "York", None), ("r2", None, '{"/City":null}')]
    [table] = tables_of(tmp_path / "out")
    assert [column["name"] for column in table["columns"]] == ["sid", "City"]
    report = json.loads((tmp_path / "out" / "report.json").read_text())["inputs"]["source"]
    header = 1 if "first" in arguments else 0
    assert (report["read"], report["used"], report["excluded"]) == (2 + header, 2, {"header": 1} if header else {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--records", "items", "--keep", "pag"], "--keep pag: no document has it; near: page"),
        (["--records", "items", "--keep", "m.id"], "--keep m.id: no document has it outside of arrays; near: id"),
        (["--records", "items", "--keep", "items.a"], "items.a is on the way to --records items, or in a record"),
        (["--keep", "page"], "--keep and --names PATH are for what is around --records PATH"),
        (["--names", "frist"], "--keep and --names PATH are for what is around --records PATH; near: first"),
        (["--records", "items", "--keep", "m,m.id"], "--keep m.id: m is kept already; PATH=NAME gives a name"),
        (["--records", "items", "--keep", "m.id,m"], "--keep m: m.id is kept already; PATH=NAME gives a name"),
        (["--records", "items", "--keep", "a=x,b.c=x"], "--keep b.c=x: x is kept already; PATH=NAME gives a name"),
        (["--records", "items", "--keep", "a=x,a=y"], "--keep a=y: x is kept already; PATH=NAME gives a name"),
        (["--records", "items", "--keep", "page=x=y"], "--keep page=x=y is not PATH or PATH=NAME"),
        (["--folders", "dta"], "--folders dta: no file is in a folder dta=...; near: dt"),
        (["--records", "items", "--names", "cols"], "not_an_array"),
        (
            ["--records", "itmes"],
            "missing_path 1); --records: no key itmes where the input begins; near: items; first ",
        ),
    ],
)
def test_fields_and_names_that_nothing_has_are_refused(
    call_job: Call, tmp_path: pathlib.Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "dt=1").mkdir()
    (tmp_path / "dt=1" / "in.json").write_text('{"items":[{"a":1}],"page":1,"m":[{"id":1}]}')
    done = call_job("explode_json", "--source", tmp_path / "dt=1", "--destination", tmp_path / "out", *arguments)
    assert (done.exit_code, message in done.stderr) == (2, True), done.stderr


def test_a_line_that_is_an_array_of_scalars_is_a_row(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.json").write_text('["B00X","Phone",2,null]\n["B00Y","Pen",1,"new"]\n')
    assert rows_after(call_job, tmp_path / "in.json") == [
        ("B00X", "Phone", "2", None, '{"/3":null}'),
        ("B00Y", "Pen", "1", "new", None),
    ]
    [table] = tables_of(tmp_path / "out")
    assert [column["name"] for column in table["columns"]] == ["value_0", "value_1", "value_2", "value_3"]


def test_all_files_at_hand_come_back_from_one_run(
    real_data: pathlib.Path, call_job: Call, tmp_path: pathlib.Path
) -> None:
    files = sorted([*real_data.rglob("*.json"), *SAMPLES.rglob("*.json")])
    documents: list[Any] = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        try:
            whole = loads(text)
        except ValueError:  # a record a line, one of them refused
            lines = [line for line in text.splitlines() if line and not line.startswith("{'")]
            documents += [loads(line) for line in lines]
        else:
            documents += whole if isinstance(whole, list) else [whole]
    sources = [part for file in files for part in ("--source", file)]
    asked = ("--root", "doc", "--dates", "--max-rejected", "1", "--quiet", "--destination", tmp_path)
    done = call_job("explode_json", *sources, *asked)
    assert done.exit_code == 0, done.stderr
    assert in_any_order(documents_in(tmp_path)) == in_any_order(documents)


@pytest.mark.measures
@pytest.mark.slow
def test_20000_distinct_keys_over_many_records_give_a_handful_of_columns(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    with (tmp_path / "in.json").open("w") as file:
        for number in range(20_000):
            file.write(
                json.dumps({"n": number, "m": {f"k{(number * 3 + j) % 20_000}": {"price": j} for j in range(3)}}) + "\n"
            )
    done = call_job(
        "explode_json", "--source", tmp_path / "in.json", "--root", "doc", "--destination", tmp_path / "out"
    )
    assert done.exit_code == 0, done.stderr
    names = {table["name"]: [column["name"] for column in table["columns"]] for table in tables_of(tmp_path / "out")}
    assert names == {"doc": ["n"], "doc__m": ["price"]}
    assert [table["rows"] for table in tables_of(tmp_path / "out")] == [20_000, 60_000]
    assert sum(done.report["seconds"].values()) < 60


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--path", "e-mail=skip"], "--path e-mail=skip: no record has e-mail; near: email"),
        (["--only", "emial"], "--only emial: no record has emial; near: email"),
        (
            ["--path", "e-mail=skip", "--only", "ID"],
            "--path e-mail=skip: no record has e-mail; near: email; --only ID:",
        ),
        (["--path", "user.nam=json"], "--path user.nam=json: no record has user.nam; near: user.name"),
        (["--depth", "1", "--path", "user.name=skip"], "user is kept as JSON text"),
    ],
)
def test_a_choice_that_matches_nothing_ends_the_run_before_anything_is_published(
    call_job: Call, tmp_path: pathlib.Path, options: list[str], message: str
) -> None:
    source, out = tmp_path / "in.json", tmp_path / "out"
    source.write_text('{"id":1,"email":"a@x","user":{"name":"Ann"}}\n{"id":2,"email":"b@x"}\n')
    done = call_job("explode_json", "--source", source, "--destination", out, *options)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (out / "root.csv").exists()
    assert not (out / "tables.json").exists()


def test_a_key_that_is_named_in_a_map_is_skipped_there(call_job: Call, tmp_path: pathlib.Path) -> None:
    source, out = tmp_path / "in.json", tmp_path / "out"
    source.write_text('{"m":{"a":1,"secret":2,"b":3}}\n')
    options = ["--path", "m=map,m.secret=skip", "--destination", out, "--quiet"]
    done = call_job("explode_json", "--source", source, *options)
    assert done.exit_code == 0, done.stderr
    [entries] = [table for table in tables_of(out) if table["each"] == "entry"]
    assert [(row["_key"], row["value"]) for row in rows_of(out, entries)] == [("a", "1"), ("b", "3")]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_document_with_hundreds_of_arrays_is_as_many_tables_in_one_pass(
    call_job: Call, tmp_path: pathlib.Path, form: str
) -> None:
    document = {f"g{a}": {f"h{b}": {f"k{c}": [a, b, c] for c in range(5)} for b in range(10)} for a in range(8)}
    (tmp_path / "wide.json").write_text(json.dumps(document), encoding="utf-8")
    out = tmp_path / "out"
    done = call_job("explode_json", "--source", tmp_path / "wide.json", "--format", form, "--destination", out)
    assert done.exit_code == 0, done.stderr
    outputs = done.report["outputs"]
    assert len(outputs) == 1 + 8 * 10 * 5 + 3
    assert outputs[f"root__g7__h9__k4.{form}"]["rows"] == 3
    assert [name for name in done.report["seconds"] if name.startswith("write root")] == [
        f"write root.{form} and 400 more"
    ]


def test_a_document_without_a_record_is_excluded_and_counted(call_job: Call, tmp_path: pathlib.Path) -> None:
    lines = [{"op": "c", "after": {"id": 1}}, {"op": "d", "after": None}, {"op": "r", "after": []}, {"op": "x"}]
    (tmp_path / "changes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    options = ("--records", "after", "--max-rejected", "50%", "--destination", tmp_path / "out")
    done = call_job("explode_json", "--source", tmp_path / "changes.jsonl", *options)
    assert done.exit_code == 0, done.stderr
    assert done.report["inputs"]["source"] == {
        "read": 4, "used": 1, "excluded": {"null_record": 1, "empty_array": 1}, "rejected": {"missing_path": 1},
    }  # fmt: skip
    [excluded] = (tmp_path / "out").glob("_runs/*/excluded/source.jsonl")
    first = json.loads(excluded.read_text(encoding="utf-8").splitlines()[0])
    assert (first["position"], first["raw"]) == (32, '{"op": "d", "after": null}')


def test_brackets_in_paths_and_keys_are_shown_in_a_dry_run(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "[red].json").write_text('{"[/b]": [1]}\n')
    done = call_job("explode_json", "--source", tmp_path / "[red].json", "--destination", tmp_path / "out", "--dry-run")
    assert done.exit_code == 0, done.stderr
    assert f"Tables of {tmp_path}/[red].json" in done.output
    assert "[/b][] →" in done.output


def test_a_declared_key_that_is_null_or_absent_is_said_so(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.json").write_text('{"id":1}\n{"id":null}\n{"Id":3}\n')
    options = [
        "--source",
        tmp_path / "in.json",
        "--key",
        "id",
        "--max-rejected",
        "2",
        "--destination",
        tmp_path / "out",
    ]
    assert call_job("explode_json", *options).exit_code == 0
    [quarantine] = (tmp_path / "out" / "_runs").glob("*/quarantine/source.jsonl")
    details = [json.loads(line)["detail"] for line in quarantine.read_text().splitlines()]
    assert details == ["no value for the key id: null", "no value for the key id; near: Id"]
