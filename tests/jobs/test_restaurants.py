"""The restaurants job through its command line: published figures, every form of input, damage, limits."""

from __future__ import annotations

import csv
import io
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.jobs.restaurant_forms import OUTPUTS, damaged_lines, pages_of, restaurant, write_forms
from tests.support.jobs import JobResult

Call = Callable[..., JobResult]
SHEET = "Country Code,Country\n1,India\n"


def written(result: JobResult) -> dict[str, bytes]:
    assert result.destination is not None
    return {name: (result.destination / name).read_bytes() for name in OUTPUTS}


def side_file(result: JobResult, folder: str, name: str) -> list[dict[str, Any]]:
    assert result.destination is not None
    path = result.destination / "_runs" / result.report["run_id"] / folder / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def sheet(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "codes.csv"
    path.write_text(SHEET, encoding="utf-8")
    return path


@pytest.fixture
def real_job(real_data: pathlib.Path, tmp_path: pathlib.Path, call_job: Call) -> Call:
    """Runs the job on a form of the real pages with the real country sheet."""

    def run(pages: object, *options: object) -> JobResult:
        codes = real_data / "restaurants" / "Country-Code.xlsx"
        return call_job(
            "restaurants", "--restaurants", pages, "--country-codes", codes, "--destination", tmp_path / "out", *options
        )

    return run


def test_the_real_pages_give_the_published_figures(real_job: Call, real_data: pathlib.Path) -> None:
    result = real_job(real_data / "restaurants" / "restaurant_data.json")
    assert result.exit_code == 0, result.stderr
    assert result.report["inputs"] == {
        "country_codes": {"read": 15, "used": 15, "excluded": {}, "rejected": {}},
        "restaurants": {"read": 79, "used": 65, "excluded": {"empty_page": 14}, "rejected": {}},
        "restaurants.restaurant": {"read": 1300, "used": 1280, "excluded": {"unknown_country": 20}, "rejected": {}},
        "restaurants.event": {"read": 184, "used": 182, "excluded": {"outside_period": 2}, "rejected": {}},
    }
    assert result.read("rating_thresholds.csv") == (
        "Rating,Lowest,Highest,Mean,Count\n"
        "Excellent,4.5,4.9,4.667347,441\n"
        "Very Good,4.0,4.4,4.216032,630\n"
        "Good,3.5,3.9,3.776552,145\n"
        "Average,2.5,3.4,3.193333,60\n"
        "Poor,2.2,2.2,2.200000,1\n"
        "Not rated,NA,NA,NA,23\n"
    )
    details = list(csv.DictReader(io.StringIO(result.read("restaurant_details.csv"), newline="")))
    events = list(csv.DictReader(io.StringIO(result.read("restaurant_events.csv"), newline="")))
    assert (len(details), len(events)) == (1280, 182)
    assert details[0] == {
        "Restaurant Id": "8913",
        "Restaurant Name": "Pirates of Grill",
        "Country": "India",
        "City": "Gurgaon",
        "User Rating Votes": "5760",
        "User Aggregate Rating": "4.9",
        "Cuisines": "North Indian, Mughlai, Continental",
        "Event Date": "NA",
    }
    assert {row["Country"] for row in details}.isdisjoint({"NA", ""})
    assert [int(row["Restaurant Id"]) for row in details] == sorted(int(row["Restaurant Id"]) for row in details)
    assert {row["reason"] for row in side_file(result, "excluded", "restaurants.restaurant")} == {"unknown_country"}
    for title in ("Rating texts as sent", "Rating texts folded into English", "Rating thresholds"):
        assert title in result.stdout
    assert result.stdout.count("Skvělá volba") == 1


@pytest.mark.slow
def test_every_form_of_the_real_pages_gives_equal_bytes(
    real_job: Call, real_data: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    original = real_data / "restaurants" / "restaurant_data.json"
    expected = written(real_job(original))
    for name, source in write_forms(pages_of(original), tmp_path / "forms").items():
        result = real_job(source)
        assert result.exit_code == 0, (name, result.stderr)
        assert result.report["inputs"]["restaurants"]["read"] == 79, name
        assert written(result) == expected, name


def test_forms_of_the_sample_give_equal_bytes(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    words = sample_args("restaurants")
    forms = write_forms(pages_of(pathlib.Path(words[1])), tmp_path / "forms")
    results = []
    for name in ("pretty.json", "lines.jsonl.gz", "folder"):
        result = call_job("restaurants", "--restaurants", forms[name], *words[2:], "--destination", tmp_path / "out")
        assert result.exit_code == 0, (name, result.stderr)
        results.append(written(result))
    assert results[0] == results[1] == results[2]


def test_the_sample_keeps_titles_with_commas_quotes_line_breaks_and_emoji(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    result = call_job("restaurants", *sample_args("restaurants"), "--destination", tmp_path)
    rows = list(csv.DictReader(io.StringIO(result.read("restaurant_events.csv"), newline="")))
    assert [row["Event Title"] for row in rows] == [
        "Latte art, for two",
        'Malam musik "akustik"\ndi teras',
        "Harvest dinner 🌾",
    ]
    assert [row["Photo URL"] for row in rows] == ["https://img.example/9001a.jpg", "NA", "https://img.example/9003.jpg"]


def test_damage_is_kept_record_by_record_and_the_rest_is_used(
    call_job: Call, sheet: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = tmp_path / "damaged.jsonl"
    source.write_bytes(damaged_lines())
    words = ["--restaurants", source, "--country-codes", sheet, "--destination", tmp_path / "out"]
    refused = call_job("restaurants", *words)
    assert refused.exit_code == 3
    assert "more than --max-rejected 5%" in refused.stderr
    assert not (tmp_path / "out" / "restaurant_details.csv").exists()
    assert refused.report["exit_code"] == 3

    result = call_job("restaurants", *words, "--max-rejected", "100%")
    assert result.exit_code == 0, result.stderr
    inputs = result.report["inputs"]
    assert inputs["restaurants"] == {
        "read": 11,
        "used": 3,
        "excluded": {"empty_page": 1},
        "rejected": {
            "api_error": 1, "garbage": 1, "malformed_json": 1, "not_an_object": 1, "not_utf8": 1, "truncated": 1,
            "wrong_type": 1,
        },
    }  # fmt: skip
    assert inputs["restaurants.restaurant"]["read"] == 8
    assert inputs["restaurants.restaurant"]["used"] == 4
    assert inputs["restaurants.restaurant"]["rejected"] == {"missing_value": 1, "not_a_restaurant": 1, "wrong_type": 2}
    assert inputs["restaurants.event"] == {"read": 1, "used": 0, "excluded": {}, "rejected": {"wrong_type": 1}}
    lines = damaged_lines().split(b"\n")
    kept = side_file(result, "quarantine", "restaurants")
    for record in kept:
        raw = next(line for line in lines if damaged_lines().index(line) == record["position"])
        assert record["file"] == str(source)
        assert record["raw"] in (raw.decode("utf-8", "backslashreplace"),)
    assert len(kept) == 7
    damaged = json.loads(lines[8])["restaurants"]
    as_sent = {record["raw"] for record in side_file(result, "quarantine", "restaurants.restaurant")}
    assert as_sent == {json.dumps(damaged[i]) for i in (0, 1, 2, 4)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "pages.json: empty, there is no record"),
        (b"[{}]", "input restaurants: no usable record (1 read, 1 excluded (empty_page 1), 0 rejected)"),
        (b"[]", "input restaurants: no usable record (nothing to read in"),
        (b"not json at all", "input restaurants: no usable record (1 read, 0 excluded, 1 rejected"),
        (
            '[{"restaurants": []}]'.encode("utf-16"),
            "input restaurants: no usable record (1 read, 1 excluded (empty_page 1), 0 rejected)",
        ),
    ],
)
def test_an_input_without_any_usable_page_exits_2_in_one_line(
    call_job: Call, sheet: pathlib.Path, tmp_path: pathlib.Path, content: bytes, message: str
) -> None:
    source = tmp_path / "pages.json"
    source.write_bytes(content)
    result = call_job(
        "restaurants", "--restaurants", source, "--country-codes", sheet, "--destination", tmp_path / "out"
    )
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_pages_without_any_event_give_an_events_file_with_its_header(
    call_job: Call, sheet: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = tmp_path / "pages.json"
    source.write_text(json.dumps([{"restaurants": [restaurant(1)]}]), encoding="utf-8")
    result = call_job(
        "restaurants", "--restaurants", source, "--country-codes", sheet, "--destination", tmp_path / "out"
    )
    assert result.exit_code == 0, result.stderr
    assert result.read("restaurant_events.csv") == (
        "Event Id,Restaurant Id,Restaurant Name,Photo URL,Event Title,Event Start Date,Event End Date\n"
    )


def test_an_unknown_colour_is_reported_and_not_guessed(
    call_job: Call, sheet: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    source = tmp_path / "pages.json"
    strange = {"aggregate_rating": "4.0", "votes": 1, "rating_text": "Superb", "rating_color": "305D02"}
    source.write_text(
        json.dumps([{"restaurants": [restaurant(1), restaurant(2, user_rating=strange)]}]), encoding="utf-8"
    )
    result = call_job(
        "restaurants", "--restaurants", source, "--country-codes", sheet, "--destination", tmp_path / "out"
    )
    assert result.report["notes"] == ["rating colour 305D02 has no class: 1 restaurants are not in the thresholds"]
    assert "Very Good,4.1,4.1,4.100000,1\n" in result.read("rating_thresholds.csv")


def test_a_country_sheet_without_its_column_exits_2_with_what_is_there(call_job: Call, tmp_path: pathlib.Path) -> None:
    source, codes = tmp_path / "pages.json", tmp_path / "codes.csv"
    source.write_text(json.dumps([{"restaurants": [restaurant(1)]}]), encoding="utf-8")
    codes.write_text("Code,Country\n1,India\n", encoding="utf-8")
    result = call_job(
        "restaurants", "--restaurants", source, "--country-codes", codes, "--destination", tmp_path / "out"
    )
    assert result.exit_code == 2
    assert f"restaurants: {codes}, line 1: missing column Country Code; have Code, Country" in result.stderr


def test_a_missing_file_exits_2_before_spark_starts(
    call_job: Call, sheet: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = call_job(
        "restaurants",
        "--restaurants",
        tmp_path / "absent.json",
        "--country-codes",
        sheet,
        "--destination",
        tmp_path / "out",
    )
    assert result.exit_code == 2
    assert "absent.json" in result.stderr


def test_a_dry_run_reads_everything_and_writes_nothing(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    result = call_job("restaurants", *sample_args("restaurants"), "--destination", tmp_path / "out", "--dry-run")
    assert result.exit_code == 0, result.stderr
    assert not (tmp_path / "out").exists()
    for words in ("restaurant_details.csv", "duplicate_restaurant 1", "empty_page 1", "dry run"):
        assert words in result.stdout


def test_outputs_as_parts_hold_the_same_rows(
    call_job: Call, sample_args: Callable[[str], list[str]], tmp_path: pathlib.Path
) -> None:
    single = call_job("restaurants", *sample_args("restaurants"), "--destination", tmp_path / "one")
    parts = call_job("restaurants", *sample_args("restaurants"), "--destination", tmp_path / "many", "--files", "parts")
    assert parts.exit_code == 0, parts.stderr
    texts = [p.read_text(encoding="utf-8") for p in sorted((tmp_path / "many" / "restaurant_details.csv").iterdir())]
    header = single.read("restaurant_details.csv").split("\n", 1)[0]
    assert all(text.startswith(header + "\n") for text in texts)
    assert "".join(text.split("\n", 1)[1] for text in texts) == single.read("restaurant_details.csv").split("\n", 1)[1]
