"""The life of a run: its exit code, the one line that says why, what is published, and report.json."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from pipeline import storage
from pipeline.errors import DeliveryError, InputError, PipelineError, RejectedError, UsageError
from pipeline.job.context import JobContext
from pipeline.job.failures import one_line, raised_by_a_task
from pipeline.job.options import JobOptions
from pipeline.job.outputs import Delivery, Outputs, csv, data
from pipeline.job.runner import Job
from pipeline.publish.outputs import RunFiles
from tests.pipeline.job.prices import Options, make, read_prices, write
from tests.support.jobs import JobResult, call
from transforms.row_errors import valid

# printf 'id,price\n1,9.50\n' | sha256sum
SHA256 = "3902c7bc87717e64556244f48832ab471cc1cd52d9330de33c3258f6b535d651"
ROWS = ("id,price", "1,9.50", "2,0", "x,1")


class RefusedOptions(Options):
    """Options that never fit together."""

    def prepare(self) -> Self:
        raise UsageError("--from-year 2024 is after --to-year 2020")


def never(job: JobContext, options: JobOptions) -> Outputs:
    raise AssertionError("a job that is refused does not start")


def publish_prices(job: JobContext, options: Options) -> Outputs:
    kept = job.record("prices", read_prices(job, options))
    job.metric("currencies", 2)
    job.note("prices are in EUR")
    return Outputs(csv("prices.csv", valid(kept), order=["id"], row_count=job.used("prices")))


def call_prices(folder: Path, run: Any, *arguments: object, run_id: str = "r1") -> JobResult:
    words = ("--prices", folder / "p.csv", "--destination", folder / "out", "--run-id", run_id)
    return call(make(run), *words, *arguments)


def files_of(folder: Path) -> list[str]:
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in found if name != "_runs/.lock"]


def test_refused_options_exit_2_with_one_line_before_anything_starts(tmp_path: Path) -> None:
    job = Job("example", RefusedOptions, never)
    done = call(job, "--prices", "x.csv", "--destination", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (2, "example: --from-year 2024 is after --to-year 2020\n")
    assert not (tmp_path / "out").exists()


def test_an_unknown_option_exits_2_with_the_nearest_known_one() -> None:
    done = call(Job("example", Options, never), "--pricse", "x.csv")
    assert done.exit_code == 2
    assert done.stderr == "example: unknown option --pricse; did you mean --prices? See example --help\n"


def test_a_missing_file_exits_2_before_the_job_starts(tmp_path: Path) -> None:
    done = call_prices(tmp_path, never, "--quiet")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"prices: {tmp_path / 'p.csv'}: no such file or folder; ")
    assert (done.report["status"], done.report["exit_code"], done.report["inputs"]) == ("failed", 2, {})


@pytest.mark.usefixtures("spark")
def test_a_run_that_succeeds_exits_0_and_reports_all_of_itself(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    done = call_prices(tmp_path, publish_prices, "--max-rejected", "1")
    assert (done.exit_code, done.stderr.count("Traceback")) == (0, 0)
    report = done.report
    seconds, versions = report.pop("seconds"), report.pop("versions")
    assert report == {
        "job": "prices",
        "run_id": "r1",
        "status": "succeeded",
        "exit_code": 0,
        "message": None,
        "inputs": {"prices": {"read": 3, "used": 1, "excluded": {"free": 1}, "rejected": {"wrong_type": 1}}},
        "outputs": {"prices.csv": {"rows": 1, "bytes": 16, "sha256": SHA256}},
        "figures": {"currencies": 2},
        "notes": ["prices are in EUR"],
    }
    assert list(seconds) == [
        "start the engine", "plan prices", "read prices", "write quarantine", "write prices.csv", "publish",
    ]  # fmt: skip
    assert all(isinstance(value, float) and value >= 0 for value in seconds.values())
    engine = {"embedded": ["sail"], "spark": ["glue", "spark"]}[versions["engine"]]
    assert sorted(versions) == sorted(["engine", "pipeline", "python", *engine])
    assert versions["python"].split(".")[0] == "3"
    assert list(json.loads(done.read("report.json"))) == [
        *("job", "run_id", "status", "exit_code", "message", "inputs", "outputs", "figures", "notes"),
        *("seconds", "versions"),
    ]
    assert done.read("prices.csv") == "id,price\n1,9.50\n"
    assert done.read("_runs/r1/report.json") == done.read("report.json")
    assert json.loads(done.read("_manifest.json")) == {
        "run_id": "r1",
        "job": "prices",
        "files": {"prices.csv": {"rows": 1, "bytes": 16, "sha256": SHA256}},
        "kept": {},
    }
    assert files_of(tmp_path / "out") == [
        *("_manifest.json", "_runs/r1/excluded/prices.jsonl", "_runs/r1/quarantine/prices.jsonl"),
        *("_runs/r1/report.html", "_runs/r1/report.json", "prices.csv", "report.html", "report.json"),
    ]


@pytest.mark.usefixtures("spark")
def test_more_rejected_than_allowed_exits_3_with_quarantine_and_nothing_published(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    done = call_prices(tmp_path, publish_prices, "--max-rejected", "33%", "--quiet")
    message = (
        "input prices: 1 of 3 records rejected (wrong_type 1), more than --max-rejected 33%; first"
        f" {tmp_path}/p.csv, line 4: wrong_type (column id: [\"x\"] is not integer): 'x,1'; all in"
        f" {tmp_path}/out/_runs/r1/quarantine/prices.jsonl"
    )
    assert (done.exit_code, done.stdout, done.stderr) == (3, "", f"prices: {message}\n")
    report = done.report
    report.pop("seconds")
    report.pop("versions")
    assert report == {
        "job": "prices",
        "run_id": "r1",
        "status": "failed",
        "exit_code": 3,
        "message": message,
        "inputs": {"prices": {"read": 3, "used": 1, "excluded": {"free": 1}, "rejected": {"wrong_type": 1}}},
        "outputs": {},
        "figures": {"currencies": 2},
        "notes": ["prices are in EUR"],
    }
    assert files_of(tmp_path / "out") == [
        *("_runs/r1/excluded/prices.jsonl", "_runs/r1/quarantine/prices.jsonl"),
        *("_runs/r1/report.html", "_runs/r1/report.json", "report.html", "report.json"),
    ]


@pytest.mark.usefixtures("spark")
def test_an_unexpected_error_exits_1_with_a_trace_and_what_was_published_stays(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    assert call_prices(tmp_path, publish_prices, "--max-rejected", "1", "--quiet").exit_code == 0

    def fail(job: JobContext, options: Options) -> Outputs:
        publish_prices(job, options)
        raise ValueError("not a price\n9")

    done = call_prices(tmp_path, fail, "--max-rejected", "1", "--quiet", run_id="r2")
    assert done.exit_code == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert done.stderr.splitlines()[-1] == "prices: unexpected failure: ValueError: not a price"
    report = done.report
    assert (report["run_id"], report["status"], report["exit_code"]) == ("r2", "failed", 1)
    assert (report["message"], report["outputs"]) == ("not a price 9", {})
    assert done.read("prices.csv") == "id,price\n1,9.50\n"
    assert json.loads(done.read("_manifest.json"))["run_id"] == "r1"


@pytest.mark.usefixtures("spark")
def test_a_file_with_another_number_of_rows_than_expected_makes_the_run_fail(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)

    def run(job: JobContext, options: Options) -> Outputs:
        kept = valid(job.record("prices", read_prices(job, options)))
        return Outputs(data("note.txt", b"x\n", rows=1), csv("prices.csv", kept, row_count=2))

    done = call_prices(tmp_path, run, "--max-rejected", "1", "--quiet")
    assert (done.exit_code, done.stderr) == (1, "prices: prices.csv: 1 rows written, 2 expected\n")
    assert files_of(tmp_path / "out") == [
        *("_runs/r1/excluded/prices.jsonl", "_runs/r1/quarantine/prices.jsonl"),
        *("_runs/r1/report.html", "_runs/r1/report.json", "report.html", "report.json"),
    ]


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(
    ("files", "one_after_the_other"),
    [pytest.param("single", False, marks=pytest.mark.spark_only), ("parts", True)],
)
def test_outputs_in_parts_are_written_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: str, one_after_the_other: bool
) -> None:
    threads: list[threading.Thread] = []

    def write_data(self: RunFiles, name: str, content: bytes, rows: int) -> None:
        threads.append(threading.current_thread())

    monkeypatch.setattr(RunFiles, "write_data", write_data)

    def run(job: JobContext, options: Options) -> Outputs:
        return Outputs(data("a.txt", b"a\n", rows=1), data("b.txt", b"b\n", rows=1))

    done = call(make(run), "--destination", tmp_path / "out", "--files", files, "--quiet")
    assert done.exit_code == 0, done.output
    assert [thread is threading.current_thread() for thread in threads] == [one_after_the_other] * 2


@pytest.mark.usefixtures("spark")
def test_a_delivery_comes_after_publishing_and_files_stay_when_it_fails(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    published: list[str] = []

    def deliver(job: JobContext) -> None:
        published.append((Path(job.destination) / "prices.csv").read_text(encoding="utf-8"))
        job.metric("messages_sent", 1)
        raise DeliveryError("1 of 2 messages was not sent")

    def run(job: JobContext, options: Options) -> Outputs:
        return Outputs(Delivery("send messages", deliver), *publish_prices(job, options).files, None)

    done = call_prices(tmp_path, run, "--max-rejected", "1", "--quiet")
    assert (done.exit_code, done.stderr) == (1, "prices: 1 of 2 messages was not sent\n")
    assert published == ["id,price\n1,9.50\n"]
    assert done.read("prices.csv") == "id,price\n1,9.50\n"
    report = done.report
    assert (report["status"], report["figures"]) == ("failed", {"currencies": 2, "messages_sent": 1})
    assert report["outputs"] == {"prices.csv": {"rows": 1, "bytes": 16, "sha256": SHA256}}
    assert list(report["seconds"])[-2:] == ["publish", "send messages"]


@pytest.mark.usefixtures("spark")
def test_a_dry_run_reads_and_counts_and_writes_and_sends_nothing(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)

    def deliver(job: JobContext) -> None:
        raise AssertionError("nothing is sent in a dry run")

    def run(job: JobContext, options: Options) -> Outputs:
        return Outputs(*publish_prices(job, options).files, Delivery("send messages", deliver))

    done = call_prices(tmp_path, run, "--max-rejected", "1", "--dry-run")
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert "prices 3 1 free 1 wrong_type 1" in shown
    assert "Files (dry run, nothing written)" in shown
    assert "prices.csv 1" in shown
    assert [line for line in shown if line.startswith("prices dry run in ") and line.endswith("; run r1")]
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("spark")
def test_a_dry_run_exits_as_the_run_would(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    assert call_prices(tmp_path, publish_prices, "--max-rejected", "0", "--dry-run", "--quiet").exit_code == 3
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("spark")
def test_a_stopped_run_exits_130_with_one_line_and_a_report_of_itself(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)

    def stop(job: JobContext, options: Options) -> Outputs:
        raise KeyboardInterrupt

    done = call_prices(tmp_path, stop, "--quiet")
    message = "stopped; published files are as the last complete run left them"
    assert (done.exit_code, done.stderr) == (130, f"prices: {message}\n")
    report = done.report
    assert (report["status"], report["exit_code"], report["message"]) == ("stopped", 130, message)


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize("full", ["report.json", "_runs/r1/report.json"])
def test_a_run_whose_report_cannot_be_written_fails_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    write(tmp_path / "p.csv", *ROWS)
    before = storage.write_bytes

    def write_bytes(path: str, content: bytes) -> None:
        if path == str(tmp_path / "out" / full):
            raise PipelineError(f"{path}: cannot be written: No space left on device")
        before(path, content)

    monkeypatch.setattr(storage, "write_bytes", write_bytes)
    done = call_prices(tmp_path, publish_prices, "--max-rejected", "1", "--quiet")
    message = f"report.json was not written: {tmp_path / 'out' / full}: cannot be written: No space left on device"
    assert (done.exit_code, done.stderr) == (1, f"prices: {message}\n")
    other = "_runs/r1/report.json" if full == "report.json" else "report.json"
    report = json.loads(done.read(other))
    assert (report["status"], report["exit_code"], report["message"]) == ("failed", 1, message)


@pytest.mark.usefixtures("spark")
def test_the_deepest_telling_cause_is_the_one_line_and_in_the_report(tmp_path: Path) -> None:
    def run(job: JobContext, options: Options) -> Outputs:
        try:
            raise OSError(28, "No space left on device")
        except OSError as error:
            raise RuntimeError("Job aborted due to stage failure\nat x") from error

    write(tmp_path / "p.csv", *ROWS)
    done = call_prices(tmp_path, run, "--quiet")
    line = "[Errno 28] No space left on device"
    assert (done.exit_code, done.stderr) == (1, f"prices: unexpected failure: RuntimeError: {line}\n")
    assert done.report["message"] == line


@pytest.mark.usefixtures("spark")
def test_a_report_shows_figures_as_words_and_no_empty_brackets(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)

    def run(job: JobContext, options: Options) -> Outputs:
        job.metric("table people", {"inserted": 2, "updated": 1})
        job.metric("ids in doubt", ["a", "b"])
        return Outputs(data("a.txt", b"a\n", rows=1))

    shown = [" ".join(line.split()) for line in call_prices(tmp_path, run).stdout.splitlines()]
    assert "table people inserted 2, updated 1" in shown
    assert "ids in doubt a, b" in shown
    assert not [line for line in shown if "()" in line]


@pytest.mark.usefixtures("spark")
def test_a_dry_run_names_its_stages_by_what_it_does(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    done = call_prices(tmp_path, publish_prices, "--max-rejected", "1", "--dry-run")
    stages = [line.partition(": ")[2] for line in done.stderr.splitlines()]
    assert stages == ["plan prices", "read prices", "count rejected", "count prices.csv"]


@pytest.mark.usefixtures("spark")
def test_json_prints_what_report_json_holds_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    done = call_prices(tmp_path, publish_prices, "--max-rejected", "1", "--json")
    assert (done.exit_code, done.stdout, done.stderr) == (0, done.read("report.json"), "")


@pytest.mark.usefixtures("spark")
def test_keep_runs_removes_older_runs_and_is_refused_on_s3(tmp_path: Path) -> None:
    write(tmp_path / "p.csv", *ROWS)
    (tmp_path / "out/_runs/r0").mkdir(parents=True)
    (tmp_path / "out/_runs/r0/report.json").write_text("{}")
    done = call_prices(tmp_path, publish_prices, "--max-rejected", "1", "--keep-runs", "1", "--quiet")
    assert (done.exit_code, (tmp_path / "out/_runs/r0").exists(), (tmp_path / "out/_runs/r1").exists()) == (
        0,
        False,
        True,
    )
    refused = call(make(publish_prices), "--destination", "s3://b/out", "--keep-runs", "1")
    assert (refused.exit_code, "on S3 a lifecycle rule" in refused.stderr) == (2, True)


def test_a_failed_process_exits_with_the_code_and_on_glue_with_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job("example", RefusedOptions, never)
    monkeypatch.setattr(sys, "argv", ["example.py", "--prices", "x.csv", "--destination", "out"])
    with pytest.raises(SystemExit) as caught:
        job.main()
    assert caught.value.code == 2
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--JOB_NAME", "example", "--JOB_RUN_ID", "jr_1"])
    with pytest.raises(SystemExit) as caught:
        job.main()
    assert caught.value.code == "exit code 2: --from-year 2024 is after --to-year 2020"
    assert capsys.readouterr().err == "example: --from-year 2024 is after --to-year 2020\n" * 2


def test_an_error_of_ours_that_a_task_raised_keeps_its_exit_code() -> None:
    trace = "An exception was thrown\n  File x\npipeline.errors.InputError: a.json changed while it was read\n"
    found = raised_by_a_task(RuntimeError(trace))
    assert isinstance(found, InputError)
    assert str(found) == "a.json changed while it was read"
    assert raised_by_a_task(RuntimeError("nothing of ours")) is None
    assert isinstance(raised_by_a_task(RuntimeError("pipeline.errors.RejectedError: too many")), RejectedError)


def test_an_unexpected_error_is_reported_by_its_most_useful_line() -> None:
    class PythonException(Exception):  # noqa: N818  (the name that Spark gives it)
        pass

    assert one_line(PythonException("\n thrown\nTrace\nValueError: bad\n")) == "PythonException: ValueError: bad"
    assert one_line(RuntimeError("[NO_COLUMN] x\n'Project a\n")) == "RuntimeError: [NO_COLUMN] x"
    assert one_line(KeyError()) == "KeyError"
