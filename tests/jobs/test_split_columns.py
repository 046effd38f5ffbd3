"""split_columns on small files: everything a packed column can be, from the command line."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable

import pyarrow.parquet as pq
import pytest

from pipeline.errors import UsageError
from pipeline.job.options import parse
from pipeline.readers import splits
from tests.support.jobs import JobResult, job_module
from tests.support.paths import SAMPLES

SAMPLE = SAMPLES / "split_columns"
Call = Callable[..., JobResult]


def test_pieces_lists_and_pairs_of_one_file(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    done = call_job("split_columns", *sample_args("split_columns"), "--destination", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == (
        "sku,size,colour,stock,tags,info\n"
        'A-1,XL,dark blue,12,"[""new"",""sale""]",'
        '"{""weight"":[""1.2""],""fragile"":[null],""colour"":[""blue"",""navy""]}"\n'
        'A-2,M,red,0,"[""sale""]","{""weight"":[""0.5""]}"\n'
        "A-3,S,forest green light,7,,\n"
    )
    quarantine = next((tmp_path / "_runs").glob("*/quarantine/source.jsonl")).read_text(encoding="utf-8")
    found = [json.loads(line) for line in quarantine.splitlines()]
    assert [(one["position"], one["reason"], one["raw"]) for one in found] == [
        (5, "wrong_type", "A-4,L grey many,new,weight=2"),
        (6, "too_few_pieces", "A-5,XS,,fragile"),
    ]
    assert found[1]["detail"] == "pieces found: 1, expected: 3 (size colour stock)"


def test_a_packed_first_header_with_values_and_flags_next_to_it(call_job: Call, tmp_path: pathlib.Path) -> None:
    options = [
        "--source",
        SAMPLE / "rates.tsv",
        "--delimiter",
        "\\t",
        "--separator",
        ",",
        "--flag",
        "value flag",
        "--max-rejected",
        "1",
    ]
    narrow = call_job("split_columns", *options, "--destination", tmp_path / "narrow")
    assert narrow.exit_code == 0, narrow.output
    assert narrow.read("rows.csv") == (
        "unit,sex,age,geo,time,value,flag\n"
        "PC,T,Y15,AT,2019,79.8,e\n"
        "PC,T,Y15,AT,2018,,\n"
        "PC,F,Y15,BE,2019,,c\n"
        "PC,F,Y15,BE,2018,81.25,\n"
    )
    assert narrow.report["inputs"]["source"]["rejected"] == {"too_few_pieces": 1}
    wide = call_job("split_columns", *options, "--shape", "wide", "--destination", tmp_path / "wide")
    assert wide.read("rows.csv").splitlines()[:2] == [
        "unit,sex,age,geo,2019 value,2019 flag,2018 value,2018 flag",
        "PC,T,Y15,AT,79.8,e,,",
    ]


def test_rows_whose_address_was_not_quoted_are_put_together_again(call_job: Call, tmp_path: pathlib.Path) -> None:
    done = call_job(
        "split_columns",
        "--source",
        SAMPLE / "addresses.csv",
        "--elastic",
        "address",
        "--max-rejected",
        "1",
        "--destination",
        tmp_path,
    )
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == (
        "id,name,address,postcode\n"
        '1,Ann Lee,"12 High Street, York",YO1 7EP\n'
        '2,Bo Ek,"3 Low Road, Leeds",LS1 4AP\n'
        "3,Cy Day,Mill Lane 4,HD1 1AA\n"
    )


def test_a_list_to_rows_and_pairs_to_columns_as_json_lines(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "films.csv").write_text("id,genres,info\n1,Drama|War,DP=14;DB\n2,,DP=1;DP=2\n", encoding="utf-8")
    done = call_job(
        "split_columns", "--source", tmp_path / "films.csv", "--list", "genres=rows", "--pairs", "info=columns",
        "--keys", "DP,DB", "--types", "id=int,DB=boolean", "--format", "jsonl", "--destination", tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.read("rows.jsonl").splitlines() == [
        '{"id":1,"genres":"Drama","DP":"14","DB":true}',
        '{"id":1,"genres":"War","DP":"14","DB":true}',
        '{"id":2,"genres":null,"DP":"1;2","DB":null}',
    ]


def test_keys_that_do_not_become_columns_are_noted_with_their_rows(call_job: Call, tmp_path: pathlib.Path) -> None:
    rows = "1,DP=1;AC=2;AC=3\n2,DP=4;AN=5; AC =6\n3,\n4,DP=many;XX=1\n5,DP=7\n"
    (tmp_path / "in.csv").write_text("id,info\n" + rows, encoding="utf-8")
    options = ["--source", tmp_path / "in.csv", "--keys", "DP", "--types", "DP=int", "--max-rejected", "1"]
    done = call_job("split_columns", *options, "--pairs", "info=columns", "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.report["notes"] == [
        "--pairs info=columns leaves out keys that --keys does not name, with the rows that have them: AC (2), AN (1);"
        " --pairs info=map keeps all"
    ]
    assert done.read("rows.csv") == "id,DP\n1,1\n2,4\n3,\n5,7\n"


def test_a_note_has_twenty_of_the_keys_that_do_not_become_columns(call_job: Call, tmp_path: pathlib.Path) -> None:
    keys = ";".join(f"k{number:02}=1" for number in range(30))
    (tmp_path / "in.csv").write_text(f"id,info\n1,DP=1;{keys}\n", encoding="utf-8")
    options = ["--source", tmp_path / "in.csv", "--pairs", "info=columns", "--keys", "DP"]
    done = call_job("split_columns", *options, "--destination", tmp_path / "out")
    [note] = done.report["notes"]
    assert "have them: k00 (1), k01 (1), " in note
    assert note.endswith(", k19 (1) and more; --pairs info=map keeps all")


def test_rows_keep_the_order_of_the_file_and_of_the_list(call_job: Call, tmp_path: pathlib.Path) -> None:
    lines = [f"{number},{number % 7}|b|a" for number in range(3000, 0, -1)]
    (tmp_path / "films.csv").write_text("id,genres\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    options = ["--source", tmp_path / "films.csv", "--list", "genres=rows"]
    done = call_job("split_columns", *options, "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    split = [f"{line.split(',')[0]},{item}" for line in lines for item in line.split(",")[1].split("|")]
    assert done.read("rows.csv").splitlines() == ["id,genres", *split]


def test_parquet_has_the_columns_and_the_order_of_the_file(call_job: Call, tmp_path: pathlib.Path) -> None:
    options = ["--source", SAMPLE / "addresses.csv", "--elastic", "address", "--max-rejected", "1"]
    done = call_job("split_columns", *options, "--format", "parquet", "--destination", tmp_path)
    assert done.exit_code == 0, done.output
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.column_names == ["id", "name", "address", "postcode"]
    assert table.column("id").to_pylist() == ["1", "2", "3"]


def test_a_dry_run_shows_the_columns_found_and_the_first_misfits(call_job: Call, tmp_path: pathlib.Path) -> None:
    done = call_job(
        "split_columns", "--source", SAMPLE / "products.csv", "--types", "stock=int", "--dry-run", "--max-rejected", "5"
    )
    assert done.exit_code == 0, done.output
    shown = " ".join(done.output.split())
    assert "size colour stock" in shown
    assert "too_many_pieces" in shown
    assert "products.csv, line 2" in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--column", "colour size"], "missing column colour size; have sku, size colour stock, tags, info"),
        (["--elastic", "colour,size"], "one greedy piece, not size and colour"),
        (["--separator", ";"], "nothing to split: no header holds ';'"),
        (["--types", "stock=money"], "--types stock=money: unknown type 'money'"),
        (["--types", "stock"], "--types stock: expected NAME=TYPE"),
        (["--list", "tags=maybe"], "--list tags=maybe: expected NAME=rows|array"),
        (["--pairs", "info=columns"], "--pairs NAME=columns needs --keys"),
        (["--table", "products"], "--table goes with --format iceberg"),
    ],
)
def test_what_does_not_fit_the_header_is_reported_in_one_line(
    call_job: Call, tmp_path: pathlib.Path, options: list[str], message: str
) -> None:
    done = call_job("split_columns", "--source", SAMPLE / "products.csv", "--destination", tmp_path, *options)
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_a_header_with_another_delimiter_is_one_packed_column_where_that_is_said(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "in.csv").write_text("id;first name;age\n1;Ann Lee;30\n", encoding="utf-8")
    given = ["--source", tmp_path / "in.csv", "--destination", tmp_path / "out"]
    for options in (["--separator", ";"], ["--column", "id;first name;age"]):
        assert call_job("split_columns", *given, *options).exit_code == 0
    assert (tmp_path / "out/rows.csv").read_text(encoding="utf-8") == "id;first,name;age\n1;Ann,Lee;30\n"


def test_inch_marks_are_text_and_rows_keep_their_order(call_job: Call, tmp_path: pathlib.Path) -> None:
    rows = [f'{n},ab"i"cd 3' if n % 3 else f'{n},"a,""b"",5"" 1' + '"' for n in range(6)]
    (tmp_path / "in.csv").write_text("\n".join(["id,name size", *rows, '6,5"pipe 2', '7,"x 1']) + "\n")
    args = ("--source", tmp_path / "in.csv", "--destination", tmp_path / "out", "--max-rejected", "1")
    done = call_job("split_columns", *args)
    assert done.exit_code == 0, done.output
    expected = ['0,"a,""b"",5""",1', *['1,"ab""i""cd",3', '2,"ab""i""cd",3', '3,"a,""b"",5""",1'], '4,"ab""i""cd",3']
    assert (tmp_path / "out" / "rows.csv").read_text().splitlines() == [
        "id,name,size",
        *expected,
        '5,"ab""i""cd",3',
        '6,"5""pipe",2',
    ]
    assert done.report["inputs"]["source"]["rejected"] == {"unclosed_quote": 1}


def test_a_tab_file_whose_texts_hold_quotes_is_read_whole(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.tsv").write_text('id\tname size\n1\t"a 3\n2\t"b"c 4\n')
    args = ("--source", tmp_path / "in.tsv", "--delimiter", "\\t", "--quote", "none", "--elastic", "name")
    call_job("split_columns", *args, "--destination", tmp_path / "out")
    assert (tmp_path / "out" / "rows.csv").read_text() == 'id,name,size\n1,"""a",3\n2,"""b""c",4\n'


CHOICES = [
    (["--types", "stok=int"], "--types: missing column stok; have sku, tags, info, size, colour, stock"),
    (
        ["--types", "size colour stock=int"],
        "--types: column size colour stock is packed in size, colour, stock; types are for sku, tags, info, size",
    ),
    (["--types", "stok=int"], "near: stock"),
    (["--list", "tag=rows"], "--list: missing column tag; have sku, size colour stock, tags, info; near: tags"),
    (["--pairs", "inof=map"], "--pairs: missing column inof; have sku, size colour stock, tags, info; near: info"),
    (["--column", "size color stock"], "near: size colour stock"),
    (["--elastic", "color"], "near: colour"),
    (["--separator", "(", "--regex"], "the separator '(' is not a regular expression: missing )"),
    (["--column", "tags", "--list", "tags=rows"], "--column tags: --list and --pairs name their columns alone"),
]


@pytest.mark.parametrize(("options", "message"), CHOICES)
def test_a_choice_that_matches_nothing_is_refused_before_an_engine_starts(
    tmp_path: pathlib.Path, options: list[str], message: str
) -> None:
    split = job_module("split_columns")
    given = ["--source", str(SAMPLE / "products.csv"), "--destination", str(tmp_path), *options]
    with pytest.raises(UsageError) as caught:
        parse("split_columns", split.Options, given).prepare()
    assert message in str(caught.value)


def test_a_key_that_no_row_has_is_refused_with_the_nearest(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.csv").write_text("id,info\n1,weight=14;db\n2,weight=1\n")
    options = ["--source", tmp_path / "in.csv", "--pairs", "info=columns", "--keys", "wieght,db"]
    done = call_job("split_columns", *options, "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert "--keys: no row has wieght; have weight, db; near: weight" in " ".join(done.output.split())
    assert not (tmp_path / "out" / "rows.csv").exists()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Expense,Expense Area", "piece Expense of column 'Expense Area' is the name of another column; --column says"),
        ("a b,,c,", "column 2, 4 of 4 has no name in the header; --skip-lines 1 --header a,b,c gives the columns"),
        ("a b,c,c", "duplicate column c in the header; --skip-lines 1 --header a,b,c gives the columns"),
        ("a b,_source_file,_ERROR", "column _source_file, _ERROR: rows have a column of this name in the job; --skip"),
        ("a _part,c", "column _part: rows have a column of this name in the job"),
    ],
)
def test_headers_that_give_no_columns_are_refused_in_plain_words(
    call_job: Call, tmp_path: pathlib.Path, header: str, message: str
) -> None:
    (tmp_path / "in.csv").write_text(header + "\n1,2\n")
    done = call_job("split_columns", "--source", tmp_path / "in.csv", "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())


def test_columns_with_blanks_in_their_names_stay_when_another_is_named(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.csv").write_text("Expense,Expense Area,name size\nfood,Fixed costs,shirt 3\n")
    args = ("--source", tmp_path / "in.csv", "--destination", tmp_path / "out", "--column", "name size")
    assert call_job("split_columns", *args).exit_code == 0
    assert (tmp_path / "out" / "rows.csv").read_text() == "Expense,Expense Area,name,size\nfood,Fixed costs,shirt,3\n"


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_that_begin_with_an_underscore_are_published(call_job: Call, tmp_path: pathlib.Path, form: str) -> None:
    (tmp_path / "in.csv").write_text("_id,_rest,_place_0,_raw,size colour\n1,e,f,g,L red\n")
    args = ("--source", tmp_path / "in.csv", "--destination", tmp_path / "out", "--format", form)
    done = call_job("split_columns", *args)
    assert done.exit_code == 0, done.output
    if form == "csv":
        assert done.read("rows.csv") == "_id,_rest,_place_0,_raw,size,colour\n1,e,f,g,L,red\n"
    else:
        [row] = pq.read_table(tmp_path / "out" / "rows.parquet").to_pylist()
        assert row == {"_id": "1", "_rest": "e", "_place_0": "f", "_raw": "g", "size": "L", "colour": "red"}


def test_a_column_with_the_name_of_the_place_in_a_list_is_refused_only_where_there_is_a_list_of_rows(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "in.csv").write_text("_place_0,tags\na,x|y\n")
    args = ("--source", tmp_path / "in.csv", "--destination", tmp_path / "out")
    done = call_job("split_columns", *args, "--list", "tags=rows")
    assert (done.exit_code, "column _place_0: rows have a column" in done.output) == (2, True)
    renamed = call_job("split_columns", *args, "--list", "tags=rows", "--skip-lines", "1", "--header", "place,tags")
    assert renamed.read("rows.csv") == "place,tags\na,x\na,y\n"
    assert call_job("split_columns", *args, "--list", "tags=array").read("rows.csv").startswith("_place_0,tags\na,")


def test_pieces_that_the_header_does_not_name(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.csv").write_text("id,Ticket,Cabin\n1,A/5 21171,C 85\n2,,\n3,113803,\n4,PC 17599,D 56\n")
    options = ["--column", "Ticket=prefix Ticket", "--column", "Cabin=deck place", "--types", "Ticket=int"]
    done = call_job(
        "split_columns", "--source", tmp_path / "in.csv", *options, "--max-rejected", "2", "--destination",
        tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == "id,prefix,Ticket,deck,place\n1,A/5,21171,C,85\n4,PC,17599,D,56\n"
    assert done.report["inputs"]["source"]["rejected"] == {"too_few_pieces": 2}


@pytest.mark.parametrize("length", [150, 700, 4 << 20])
def test_a_file_cut_anywhere_gives_the_same_bytes_with_quotes_inside_unquoted_values(
    call_job: Call, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(splits, "RANGE_BYTES", length)
    monkeypatch.setattr(splits, "SMALL_BYTES", length)
    rows = [(f'{n},ab"i"cd 3', f'{n},"ab""i""cd",3') if n % 50 == 0 else (f"{n},x 4", f"{n},x,4") for n in range(400)]
    (tmp_path / "in.csv").write_text("\n".join(["id,name size", *[row for row, _ in rows]]) + "\n")
    done = call_job("split_columns", "--source", tmp_path / "in.csv", "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == "\n".join(["id,name,size", *[row for _, row in rows]]) + "\n"


def test_columns_taken_for_packed_ones_by_mistake_are_named(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.csv").write_text("id,Expense Area,Total cost\n1,food,3\n")
    done = call_job("split_columns", "--source", tmp_path / "in.csv", "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert "packed by their headers: Expense Area, Total cost; --column names others" in " ".join(done.output.split())


@pytest.mark.each_engine
def test_days_are_held_against_the_locked_schema(call_job: Call, tmp_path: pathlib.Path) -> None:
    lock = tmp_path / "schema.json"
    (tmp_path / "monday.csv").write_text("id,name stock,tags\n1,pen 5,a|b\n", encoding="utf-8")
    (tmp_path / "tuesday.csv").write_text(
        "name stock,shop,id\nink 7,Oslo,2\nnib many,,3\ncap 9,Kiel,4\n", encoding="utf-8"
    )

    def day(name: str, *how: str) -> JobResult:
        given = ("--source", tmp_path / f"{name}.csv", "--list", "tags=array", "--schema", lock, "--max-rejected", "1")
        return call_job("split_columns", *given, "--destination", tmp_path / "out", *how)

    first = day("monday", "--types", "stock=int")
    assert (first.exit_code, first.report["notes"]) == (0, []), first.stderr
    written = lock.read_bytes()
    assert [(one["name"], one["type"]) for one in json.loads(written)["tables"][0]["columns"]] == [
        ("id", "string"), ("name", "string"), ("stock", "int"), ("tags", "array<string>"),
    ]  # fmt: skip

    again = day("monday", "--on-drift", "fail")
    assert (again.exit_code, again.report["notes"], again.report["outputs"]) == (0, [], first.report["outputs"])
    failed = day("tuesday", "--on-drift", "fail")
    assert (failed.exit_code, failed.stderr.strip().splitlines()[-1]) == (
        2,
        "split_columns: the records do not match the locked schema: new field rows.shop: string",
    )
    held = day("tuesday", "--on-drift", "report")
    assert held.exit_code == 0, held.stderr
    assert held.read("rows.csv") == (
        'id,name,stock,tags,_rest\n2,ink,7,,"{""/shop"":""Oslo""}"\n4,cap,9,,"{""/shop"":""Kiel""}"\n'
    )
    differences = [
        "schema: new field rows.shop: string",
        "schema: lost field rows.tags: array<string>",
        "schema: changed type rows.stock: int -> something else in 1 row",
    ]
    assert (held.report["notes"], held.report["figures"]) == (differences, {"schema differences": 3})
    assert lock.read_bytes() == written

    added = day("tuesday", "--format", "jsonl")
    assert added.exit_code == 0, added.stderr
    assert added.read("rows.jsonl").splitlines() == [
        '{"id":"2","name":"ink","stock":7,"tags":null,"shop":"Oslo"}',
        '{"id":"4","name":"cap","stock":9,"tags":null,"shop":"Kiel"}',
    ]
    assert json.loads(lock.read_bytes())["tables"][0]["columns"][-1]["name"] == "shop"
    grown = day("tuesday", "--on-drift", "fail")  # the column is known now, the value is not
    assert grown.exit_code == 2
    assert "locked schema: changed type rows.stock: int -> something else in 1 row" in grown.stderr


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("{}", [], "schema.json is not a schema that this job wrote: 'root'"),
        ('{"root": "doc", "tables": []}', [], "schema.json is of --root doc, not of rows"),
        (None, ["--types", "b=bigint"], "column b is int in the locked schema, bigint by the options"),
        (None, ["--column", "a c"], "--column: missing column a c; have a b, n; near: a b"),
    ],
)
def test_a_schema_that_does_not_fit_is_refused_before_an_engine_starts(
    tmp_path: pathlib.Path, content: str | None, options: list[str], message: str
) -> None:
    columns = [{"name": name, "path": [name], "type": kind, "holds": kind} for name, kind in [("b", "int")]]
    table = {"name": "rows", "parent": None, "at": [], "each": "row", "columns": columns, "rest": False}
    (tmp_path / "schema.json").write_text(content or json.dumps({"format": 1, "root": "rows", "tables": [table]}))
    (tmp_path / "in.csv").write_text("a b,n\nx 1,2\n")
    given = ["--source", str(tmp_path / "in.csv"), "--schema", str(tmp_path / "schema.json"), "--destination", "out"]
    job = job_module("split_columns").JOB
    with pytest.raises(UsageError, match=re.escape(message)):
        parse(job.name, job.options, [*given, *options]).prepare()


def test_a_column_that_only_a_later_file_has_is_not_left_out(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_text("id,name size\n1,pen 2\n")
    (tmp_path / "b.csv").write_text("colour,name size,id\nred,ink 3,2\n")
    done = call_job("split_columns", "--source", tmp_path / "*.csv", "--destination", tmp_path / "out")
    assert done.exit_code == 2
    expected = f"{tmp_path}/b.csv, line 1: column colour is not in the first header ({tmp_path}/a.csv, line 1): files"
    assert expected in " ".join(done.output.split())


def test_a_column_that_a_later_file_lacks_is_named_with_the_file_that_has_it(
    call_job: Call, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "a.csv").write_text("id,colour,name size\n1,red,pen 2\n")
    (tmp_path / "b.csv").write_text("name size,id\nink 3,2\n")
    done = call_job("split_columns", "--source", tmp_path / "*.csv", "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert done.output.strip().endswith(
        f"split_columns: {tmp_path}/b.csv, line 1: missing column colour, as in {tmp_path}/a.csv, line 1: files with"
        " other columns need a run of their own (--schema FILE keeps one set of columns)"
    )


def test_a_message_on_a_wide_file_has_the_first_of_its_columns(call_job: Call, tmp_path: pathlib.Path) -> None:
    names = ",".join(f"c{number}" for number in range(500))
    (tmp_path / "in.csv").write_text(f"a b,{names}\n", encoding="utf-8")
    given = ["--source", tmp_path / "in.csv", "--types", "c499x=int", "--destination", tmp_path / "out"]
    assert call_job("split_columns", *given).output.endswith(", c28, c29 and 472 more; near: c499, c99, c49\n")


def test_rows_whose_values_were_not_quoted_need_one_order_of_columns(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_text("id,name,address\n1,Ann,12 High Street, York\n")
    (tmp_path / "b.csv").write_text("name,id,address\nBob,2,3 Low Road, Leeds\n")
    options = ["--source", tmp_path / "*.csv", "--elastic", "address", "--destination", tmp_path / "out"]
    done = call_job("split_columns", *options)
    assert done.exit_code == 2
    assert f"{tmp_path}/b.csv, line 1: have name, id, address, expected id, name, address as in" in done.output


def test_files_of_one_run_may_have_another_order_of_columns(call_job: Call, tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.csv").write_text("id,name size\n1,pen 2\n")
    (tmp_path / "b.csv").write_text("name size,id\nink 3,2\n")
    done = call_job("split_columns", "--source", tmp_path / "*.csv", "--destination", tmp_path / "out")
    assert done.read("rows.csv") == "id,name,size\n1,pen,2\n2,ink,3\n"
