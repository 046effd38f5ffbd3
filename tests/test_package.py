"""What `make package` makes: the same bytes each time, and enough for a job that lies alone in another folder."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bare import bare_python, bare_spark
from tests.support.jobs import JobResult
from tests.support.paths import JOBS, SRC
from tools import package


def test_the_zip_holds_every_module_as_it_is_imported(tmp_path: Path) -> None:
    package.write_zip(tmp_path / "a.zip")
    expected = {
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*.py")
        if path.relative_to(SRC).parts[0] in ("pipeline", "services", "transforms")
    }
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
    assert names == sorted(names)
    assert expected <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    package.main(tmp_path / "first")
    package.main(tmp_path / "second")
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "second")
    )
    assert sorted(first) == ["partner_data_jobs-1.0.0-py3-none-any.whl", "partner_data_jobs-1.0.0.zip"]
    assert first == second


@pytest.fixture
def lonely_job(tmp_path: Path) -> Path:
    """A job's file in a folder that has no src/ next to it."""
    folder = tmp_path / "elsewhere" / "scripts"
    folder.mkdir(parents=True)
    return Path(shutil.copy(JOBS / "restaurants.py", folder))


CLUSTER = "local-cluster[2,1,1024]"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("master", "is_installed"),
    [
        pytest.param("local[1]", False, id="with the zip"),
        pytest.param(CLUSTER, False, id="with the zip and executors in other processes"),
        pytest.param(CLUSTER, True, id="installed, and executors in other processes that have it not"),
    ],
)
def test_a_job_alone_in_another_folder_runs(
    master: str,
    is_installed: bool,
    lonely_job: Path,
    run_job: Callable[..., JobResult],
    sample_args: Callable[[str], list[str]],
    tmp_path: Path,
) -> None:
    package.write_zip(tmp_path / "packages.zip")
    py_files = [] if is_installed else ["--py-files", str(tmp_path / "packages.zip")]
    python = {"PYSPARK_PYTHON": bare_python()} if is_installed else bare_spark()
    done = run_job(
        lonely_job,
        *sample_args("restaurants"),
        *("--destination", tmp_path / "out"),
        submit=["--master", master, *py_files],
        env=python,
        cwd=lonely_job.parent,
    )
    assert done.exit_code == 0, done.output
    assert done.read("restaurant_details.csv").startswith("Restaurant Id,Restaurant Name,")


def test_without_the_zip_and_not_installed_the_missing_package_is_named(
    lonely_job: Path, run_job: Callable[..., JobResult]
) -> None:
    done = run_job(lonely_job, "--help", env=bare_spark(), cwd=lonely_job.parent)
    assert done.exit_code == 1
    assert "No module named 'pipeline'" in done.output
