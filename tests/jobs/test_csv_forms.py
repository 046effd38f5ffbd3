"""CSV files as people send them, through a job: a right result, or one line and exit code 2."""

from __future__ import annotations

import bz2
import gzip
import json
import pathlib
from collections.abc import Callable

import pyarrow as pa
import pytest

from tests.support.jobs import JobResult

Read = Callable[..., JobResult]
SPLIT = "first,last,age,location\nAnn,Lee,30,Zürich\nBo,Ek,41,Rome\n"
NAMES = ("--column", "first last")


@pytest.fixture
def split(call_job: Read, tmp_path: pathlib.Path) -> Read:
    """split_columns on one file of these bytes."""

    def run(data: bytes, *options: str, name: str = "in.csv") -> JobResult:
        (tmp_path / name).write_bytes(data)
        return call_job(
            "split_columns", "--source", tmp_path / name, "--destination", tmp_path / "out", *options
        )  # fmt: skip

    return run


def _zstd(data: bytes) -> bytes:
    return pa.compress(data, "zstd", asbytes=True)


PEOPLE = "first last,age,location\nAnn Lee,30,Zürich\nBo Ek,41,Rome\n"
HALVES = (PEOPLE[:40].encode(), PEOPLE[40:].encode())


@pytest.mark.parametrize(
    ("data", "options", "name"),
    [
        (PEOPLE.replace("\n", "\r").encode(), [], "in.csv"),
        (PEOPLE.replace("\n", "\r\n").encode("utf-16"), [], "in.csv"),
        (b"\xfe\xff" + PEOPLE.encode("utf-16-be"), [], "in.csv"),
        (PEOPLE.replace("\n", "\r").encode("utf-16"), [], "in.csv"),
        (PEOPLE.encode("utf-32"), [], "in.csv"),
        (PEOPLE.encode("utf-16-le"), ["--encoding", "utf-16-le"], "in.csv"),
        (PEOPLE.encode("utf-8-sig"), ["--encoding", "latin-1"], "in.csv"),
        (PEOPLE.encode("cp1252"), ["--encoding", "cp1252"], "in.csv"),
        (b"".join(map(_zstd, HALVES)), [], "in.csv"),
        (b"".join(map(bz2.compress, HALVES)), [], "in.csv.bz2"),
        (b"".join(map(gzip.compress, HALVES)), [], "in.csv"),
        (gzip.compress(PEOPLE.encode("utf-16")), [], "in.CSV.GZ"),
        (b"\n\n" + PEOPLE.encode(), [], "in.csv"),
        (("\ufeffReport of 2024\n\n" + PEOPLE).encode(), ["--skip-lines", "2"], "in.csv"),
        (("Report of 2024\r\r" + PEOPLE.replace("\n", "\r")).encode(), ["--skip-lines", "2"], "in.csv"),
        (_zstd(("Report of 2024\n" + PEOPLE).encode("utf-16")), ["--skip-lines", "1"], "in.csv"),
    ],
    ids=[
        "lines that end with CR", "UTF-16 of Windows", "UTF-16, big end first", "UTF-16 with CR", "UTF-32",
        "UTF-16 without mark", "a mark wins", "cp1252", "zstd in two frames", "bzip2 in two streams",
        "gzip without .gz", "gzip of UTF-16 named .GZ", "empty lines first", "a preamble", "a preamble with CR",
        "all at once",
    ],
)  # fmt: skip
def test_forms_that_are_read(split: Read, data: bytes, options: list[str], name: str) -> None:
    done = split(data, *options, name=name)
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == SPLIT


def test_a_carriage_return_in_quotes_stays_where_carriage_returns_end_lines(split: Read) -> None:
    done = split(b'id,first last,note\r1,Ann Lee,"two\rlines, ""said"""\r2,Bo Ek,one\r', "--multi-line")
    assert done.exit_code == 0, done.output
    assert done.destination is not None
    assert (done.destination / "rows.csv").read_bytes() == (
        b'id,first,last,note\n1,Ann,Lee,"two\rlines, ""said"""\n2,Bo,Ek,one\n'
    )


@pytest.mark.parametrize(
    ("data", "options"),
    [
        ("Ann Lee,30,Zürich\nBo Ek,41,Rome\n", ["--header", "first last,age,location"]),
        ("\ufeffAnn Lee;30;Zürich\nBo Ek;41;Rome", ["--header", "first last,age,location", "--delimiter", ";"]),
        ("# made by hand\n" + PEOPLE + "#\nTotal,2,\n(2 rows)\n", ["--comment", "#,Total,("]),
        (PEOPLE.replace("Bo", "B\\o").replace("Rome", '"\\Rom\\e"'), ["--escape", "\\"]),
    ],
    ids=["no header", "no header, but a mark", "comments and footer lines", "escapes"],
)
def test_forms_that_an_option_tells(split: Read, data: str, options: list[str]) -> None:
    done = split(data.encode(), *options)
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == SPLIT


def test_an_escape_makes_text_of_what_is_behind_it_and_marks_nothing_by_n(split: Read) -> None:
    done = split(
        b'a b,c,d\n1 2,x\\,y,\\N\n3 4,"\\"q\\\\",\\\\N\n5 6,"x\\",y\n', "--escape", "\\", "--max-rejected", "1"
    )
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == 'a,b,c,d\n1,2,"x,y",\n3,4,"""q\\",\\N\n'
    assert done.report["inputs"]["source"]["rejected"] == {"unclosed_quote": 1}


def test_a_file_with_a_comma_in_its_name_is_an_input_as_are_others(split: Read, tmp_path: pathlib.Path) -> None:
    (tmp_path / "more.csv").write_text("a b\n3 4\n")
    done = split(b"a b\n1 2\n", "--source", str(tmp_path / "more.csv"), name="in, first.csv")
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == "a,b\n1,2\n3,4\n"


def test_numbers_with_a_decimal_comma_and_thousands(split: Read) -> None:
    data = "a b;price;n;text\n1 2;1.234,50;1.000;1.000,5\n3 4;-,5; 7 ;\n5 6;1.23,4;1;\n7 8;1234.5;1;\n9 0;1;10.00;\n"
    options = ["--delimiter", ";", "--decimal", ",", "--thousands", ".", "--types", "price=decimal(9,2),n=int"]
    done = split(data.encode(), *options, "--max-rejected", "3")
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == 'a,b,price,n,text\n1,2,1234.50,1000,"1.000,5"\n3,4,-0.50,7,\n'
    assert done.report["inputs"]["source"]["rejected"] == {"wrong_type": 3}


def test_the_marks_of_numbers_count_in_pieces_pairs_and_cells_too(split: Read) -> None:
    data = "id;item quantity price;info\n1;Blue ink 1.000 1.234,50;w=2,5|n=3\n2;Pen 2 ,5;n=1.000\n3;Pen 2 1.5;w=1\n"
    options = ["--delimiter", ";", "--decimal", ",", "--thousands", ".", "--pairs", "info=columns", "--keys", "w,n"]
    types = "quantity=int,price=decimal(9,2),w=double,n=int"
    done = split(data.encode(), *options, "--pairs-separator", "|", "--types", types, "--max-rejected", "1")
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == ("id,item,quantity,price,w,n\n1,Blue ink,1000,1234.50,2.5,3\n2,Pen,2,0.50,,1000\n")
    assert done.report["inputs"]["source"]["rejected"] == {"wrong_type": 1}


def test_the_types_of_pieces_decide_with_the_marks_of_numbers(split: Read) -> None:
    data = b"item quantity shop\nblue ink 1.000 York\nsize 4 3 York\n"
    options = [
        "--delimiter",
        ";",
        "--decimal",
        ",",
        "--thousands",
        ".",
        "--types",
        "quantity=int",
        "--max-rejected",
        "1",
    ]
    done = split(data, *options)
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == "item,quantity,shop\nblue ink,1000,York\n"


LONG = "x" * 131_073


def test_a_header_field_of_any_length(split: Read) -> None:
    done = split(f"a b,{LONG}\n1 2,3\n".encode())
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == f"a,b,{LONG}\n1,2,3\n"


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (b"a b,c\r1 2,3\r\n4 5,6\n", [], r"line 1: the header holds a \r: 'a b,c\r1 2,3'; line ends are mixed"),
        (b"a b,c\r" + b"1 2,3\r" * 700_000 + b"4 5,6\n", [], r"end with \r at first, and with \n at byte 4200011"),
        (PEOPLE.encode("utf-16-le"), [], "line 1: the header holds zero bytes"),
        ("größe name,c\n1 2,3\n".encode("latin-1"), [], r"gr\xf6\xdfe name,c"),
        ("größe name,c\n1 2,3\n".encode("latin-1"), [], "not UTF-8; for --encoding cp1252"),
        (b"PK\x03\x04rest", [], "in.csv: a zip archive; unpack it first"),
        (b"id;year;a b\n1;2;3 4\n", ["--column", "a b"], "the header is 'id;year;a b': for --delimiter ';'"),
        (
            b"id;first name;age\n1;Ann Lee;30\n",
            [],
            "the only column seems to be several; the header is 'id;first name;age': for --",
        ),
        (b"id\tyear\n1\t2\n", [], r"for --delimiter '\t'"),
        (b"Report\nid,a b\n1,2 3\n", ["--column", "a b"], "the header is 'Report': --skip-lines N"),
        (b'{"id":1,"a b":2}\n', [], '(stray_quote): {"id":1,"a b":2}; JSON, where CSV is expected'),
        (b'[\n{"a b":1}]\n', ["--column", "a b"], "have [; the header is '[': JSON, where CSV is expected"),
        (gzip.compress(b"first name,age\n")[:18], [], "in.csv: truncated_gzip, in its header line"),
        (gzip.compress(b"first name,age\n")[:10], [], "in.csv: truncated_gzip, in its header line"),
        (b"a\n", ["--skip-lines", "5"], "empty, there is not even a header line"),
        (b"", [], "empty, there is not even a header line"),
        (b"a b\n1 2\n", ["--encoding", "utf-7000"], "unknown encoding 'utf-7000'"),
        (b"a b\n1 2\n", ["--encoding", "base64"], "'base64' is no encoding of text"),
        (b"a b\n1 2\n", ["--skip-lines", "-1"], "'-1' is not a whole number"),
        (b"a b\n1 2\n", ["--decimal", ",", "--thousands", ","], "--decimal and --thousands are both ','"),
    ],
)
def test_forms_that_are_refused_in_one_line(split: Read, data: bytes, options: list[str], message: str) -> None:
    done = split(data, *options)
    assert done.exit_code == 2, done.output
    assert message in " ".join(done.output.split())
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"id,a b\n1,J\xfcrgen M\n2,x y\n", "; not_utf8: for --encoding cp1252 or another; first "),
        (
            b'id,a b\n1,"x\ny"\n2,x y\n',
            "; unclosed_quote: for --multi-line where values hold line breaks, or --quote none; first ",
        ),
    ],
)
def test_rejected_lines_come_with_the_option_that_may_help(split: Read, data: bytes, hint: str) -> None:
    done = split(data, "--column", "a b")
    assert done.exit_code == 3
    assert f", more than --max-rejected 5%{hint}" in done.output


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (lambda data: bz2.compress(data)[:-40], "truncated_bzip2"),
        (lambda data: _zstd(data)[:-40], "truncated_zstd"),
        (lambda data: bz2.compress(data) + b"BZh91AY&SY" + bytes(4000), "bad_bzip2"),
        (lambda data: _zstd(data) + b"no frame", "bad_zstd"),
    ],
)
def test_what_comes_before_the_damage_of_a_compressed_file_is_used(
    split: Read, damaged: Callable[[bytes], bytes], reason: str
) -> None:
    data = b"a b\n" + b"".join(b"%d %d\n" % (n, n * 7919 % 10007) for n in range(100_000))
    done = split(damaged(data), "--max-rejected", "1")
    assert done.exit_code == 0, done.output
    assert done.report["inputs"]["source"]["rejected"] == {reason: 1}
    assert done.report["inputs"]["source"]["used"] > 50_000
    assert done.read("rows.csv").startswith("a,b\n0,0\n1,7919\n")


def test_too_many_rejected_names_every_such_input_with_its_first_record(call_job: Read, tmp_path: pathlib.Path) -> None:
    (tmp_path / "races.csv").write_text(
        "raceId,year,name,round,date,time,x\n1,MMXX," + "long " * 30 + ",1,,,\n2,2020,b,1,,,\n"
    )
    (tmp_path / "results.csv").write_text("resultId,raceId,driverId,position,fastestLapTime\n1,2,3,4,5\n2,2,3\n")
    inputs = ("--races", tmp_path / "races.csv", "--results", tmp_path / "results.csv", "--run-id", "r1")
    done = call_job("race_stats", *inputs, "--destination", tmp_path / "out")
    assert done.exit_code == 3
    text = "1,MMXX," + "long " * 10 + "lon"
    assert f"races.csv, line 2: wrong_type (column year: [\"MMXX\"] is not integer): '{text}'" in done.output
    assert "results.csv, line 3: too_few_fields (3 fields, expected 5): '2,2,3'; all in " in done.output
    assert done.output.count("_runs/r1/quarantine/races.jsonl") == 1


@pytest.mark.parametrize("job", ["race_stats", "customer_orders"])
def test_a_header_of_another_delimiter_is_shown_with_the_option(
    call_job: Read, tmp_path: pathlib.Path, job: str
) -> None:
    (tmp_path / "in.csv").write_text("raceId;year;name\n1;2020;a\n")
    names = ["--races", "--results"] if job == "race_stats" else ["--customers", "--orders", "--items"]
    inputs = [text for name in names for text in (name, str(tmp_path / "in.csv"))]
    done = call_job(job, *inputs, "--destination", tmp_path / "out")
    assert done.exit_code == 2
    assert "the header is 'raceId;year;name': for --delimiter ';'" in " ".join(done.output.split())


def test_a_file_damaged_from_its_first_bytes_is_one_line(split: Read) -> None:
    done = split(_zstd(b"a b\n1 2\n")[:-3])
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_bytes_that_the_encoding_does_not_have_reject_their_row_with_exact_text_and_line(
    split: Read, tmp_path: pathlib.Path
) -> None:
    done = split(
        b"Report\n\nh\xe9 b\n# 0\n1 \xe9\n2 \x81\n3 d\n", "--encoding", "cp1252", "--max-rejected", "1",
        "--skip-lines", "1", "--comment", "#",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.read("rows.csv") == "hé,b\n1,é\n3,d\n"
    [quarantine] = (tmp_path / "out" / "_runs").glob("*/quarantine/source.jsonl")
    [row] = [json.loads(line) for line in quarantine.read_text(encoding="utf-8").splitlines()]
    assert (row["position"], row["reason"], row["raw"]) == (6, "not_utf8", "2 \\x81")


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, _zstd])
def test_json_is_read_whatever_compresses_it(
    call_job: Read, tmp_path: pathlib.Path, packed: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "in.json").write_bytes(packed(b'{"a":1}\n{"a":2}\n') + packed(b'{"a":3}\n'))
    done = call_job("explode_json", "--source", tmp_path / "in.json", "--destination", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.report["inputs"]["source"]["used"] == 3


def test_a_zip_archive_as_json_is_one_line(call_job: Read, tmp_path: pathlib.Path) -> None:
    (tmp_path / "in.json").write_bytes(b"PK\x03\x04rest")
    done = call_job("explode_json", "--source", tmp_path / "in.json", "--destination", tmp_path / "out")
    assert done.exit_code == 2, done.output
    assert "in.json: a zip archive; unpack it first" in done.output
    assert "Traceback" not in done.output
