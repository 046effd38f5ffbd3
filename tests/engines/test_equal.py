"""Every job on the embedded engine, on Spark 3.5.6, on two executor processes and on Spark 4.1: equal in every byte."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scenario_cores import spark_home
from tests.engines.inputs import damaged_day, documents, wrong_pages
from tests.engines.published import left_by
from tests.support.jobs import clean_environment, sample_args, sampled_jobs
from tests.support.paths import REAL_DATA, ROOT

LOCAL, CLUSTER = {"SPARK_MASTER": "local[2]"}, {"SPARK_MASTER": "local-cluster[2,1,1024]"}
ENGINES: dict[str, tuple[str, Mapping[str, str]]] = {
    "embedded": (".venv-embedded", {}),
    "Spark 3.5.6": (".venv", LOCAL),
    "two executor processes": (".venv", CLUSTER),
    "Spark 4.1": (".venv-spark4", LOCAL),
}


def runs(folder: Path) -> dict[str, list[str]]:
    """Name to job and arguments."""
    damaged_day(folder / "day")
    wrong_pages(folder / "pages.jsonl")
    documents(folder / "documents.jsonl")
    codes = str(ROOT / "data" / "restaurants" / "country_codes.csv")
    pages = ["restaurants", "--restaurants", str(folder / "pages.jsonl"), "--country-codes", codes]
    explode = ["explode_json", "--source", str(folder / "documents.jsonl")]
    found = {f"sample of {job}": [job, *sample_args(job)] for job in sampled_jobs()}
    found |= {
        "a damaged day": ["customer_orders", "--source", str(folder / "day"), "--max-rejected", "100%"],
        "a damaged day as parts": [
            *("customer_orders", "--source", str(folder / "day"), "--max-rejected", "100%", "--files", "parts"),
        ],
        "a day with too many damaged lines": ["customer_orders", "--source", str(folder / "day")],
        "pages with wrong values": [*pages, "--max-rejected", "100%"],
        "documents to csv": explode,
        "documents to jsonl": [*explode, "--format", "jsonl"],
        "documents to parquet": [*explode, "--format", "parquet"],
    }
    return found | (real_runs() if REAL_DATA.is_dir() else {})


def real_runs() -> dict[str, list[str]]:
    """The same for real inputs."""
    real = {path.name: str(path) for path in REAL_DATA.glob("*/*")}
    days = str(REAL_DATA / "customer_orders")
    carparks = [real["HDBCarparkInformation.csv"], "--availability", real["carpark-availability.json"]]
    pages, codes = real["restaurant_data.json"], real["Country-Code.xlsx"]
    given = {
        "customer_orders": ["--source", days],
        "restaurants": ["--restaurants", pages, "--country-codes", codes],
        "race_stats": ["--races", real["races.csv"], "--results", real["results.csv"]],
        "carparks": ["--information", *carparks],
        "people": ["--people", real["sample.csv"]],
        "explode_json": ["--source", pages, "--format", "parquet"],
    }
    return {f"real {job}": [job, *arguments, "--max-rejected", "100%"] for job, arguments in given.items()}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Engine to what each run left."""
    folder = tmp_path_factory.mktemp("engines")
    listed = runs(folder)
    (folder / "runs.json").write_text(json.dumps(listed), encoding="utf-8")
    found = {}
    for number, (engine, (place, more)) in enumerate(ENGINES.items()):
        python, out = ROOT / place / "bin" / "python", folder / str(number)
        out.mkdir()
        own = {**more, "PYSPARK_PYTHON": str(python), "PYSPARK_DRIVER_PYTHON": str(python)}
        own["PATH"] = f"{python.parent}:{clean_environment()['PATH']}"
        if more is CLUSTER:
            own["SPARK_HOME"] = spark_home(folder / "spark_home")
        command = [str(python), str(ROOT / "tests" / "engines" / "run_all.py"), str(folder / "runs.json"), str(out)]
        done = subprocess.run(
            command, env=clean_environment(own), cwd=folder, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, (engine, done.stdout[-2000:], done.stderr[-4000:])
        codes = json.loads((out / "exit_codes.json").read_text(encoding="utf-8"))
        found[engine] = {name: {"exit code": codes[name], **left_by(out / name)} for name in listed}
    return found


@pytest.mark.engines
@pytest.mark.parametrize("engine", list(ENGINES)[1:])
def test_an_engine_leaves_what_the_embedded_one_leaves(engine: str, left: dict[str, dict[str, Any]]) -> None:
    for name, expected in left["embedded"].items():
        assert left[engine][name] == expected, name


@pytest.mark.engines
def test_the_runs_compared_are_what_they_are_called(left: dict[str, dict[str, Any]]) -> None:
    found = left["embedded"]
    codes = {name: one["exit code"] for name, one in found.items()}
    assert codes.pop("a day with too many damaged lines") == 3
    assert set(codes.values()) == {0}
    items = found["a damaged day"]["report"]["inputs"]["items"]
    assert items["rejected"].keys() >= {"too_few_fields", "too_many_fields", "wrong_type", "unclosed_quote", "not_utf8"}
    assert items["rejected"].keys() >= {"too_few_pieces", "unknown_order"}
    assert sum(items["rejected"].values()) >= 26_000
