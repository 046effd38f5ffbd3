"""`make lint` refuses imports against the layers, and circles: the contracts are in pyproject.toml."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT, SRC


def check_imports(folder: Path, module: str, line: str) -> subprocess.CompletedProcess[str]:
    """Checks a copy of src/ in which the module has one more line."""
    shutil.copytree(SRC, folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    with (folder / "src" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_imports_as_they_are_keep_all_contracts(tmp_path: Path) -> None:
    done = check_imports(tmp_path, "transforms/text.py", "import datetime")
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("transforms/text.py", "import pipeline.errors", "transforms import only each other"),
        ("pipeline/errors.py", "import services.availability", "the pipeline imports no service and no job"),
        ("pipeline/job/runner.py", "import jobs.people", "the pipeline imports no service and no job"),
        ("services/lookup/data.py", "import pipeline.readers.spans", "services run without an engine"),
        ("services/lookup/data.py", "import pyspark", "services run without an engine"),
        ("pipeline/publish/lock/__init__.py", "import pipeline.job.context", "layers of the pipeline"),
        ("pipeline/readers/spans.py", "import pipeline.sinks.dynamodb", "layers of the pipeline"),
        ("pipeline/readers/csv/lines.py", "import pipeline.readers.csv.reader", "no circles"),
        ("pipeline/readers/splits.py", "import pipeline.readers.json.tasks", "no circles"),
        ("transforms/row_errors.py", "import transforms.checks", "no circles"),
    ],
)
def test_an_import_against_a_contract_is_refused(tmp_path: Path, module: str, line: str, broken: str) -> None:
    done = check_imports(tmp_path, module, line)
    assert done.returncode == 1, done.stderr
    assert f"{broken} BROKEN" in done.stdout


def test_the_start_of_a_job_loads_nothing_for_s3_and_nothing_for_sheets() -> None:
    command = [sys.executable, "-X", "importtime", ROOT / "jobs" / "explode_json.py", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "pyarrow" in done.stderr
    assert "boto3" not in done.stderr
    assert "openpyxl" not in done.stderr
