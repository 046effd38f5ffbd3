"""Fixtures that every test may use, and the two rules on tests that do not run: see docs/development.md."""

from __future__ import annotations

import importlib.util
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.support.paths import REAL_DATA

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.support.jobs import JobResult
    from tests.support.postgres import PrivatePostgres


# A shared machine has slow moments: no deadline for a single example. Unattended runs repeat the same examples.
hypothesis.settings.register_profile("attended", deadline=None)
hypothesis.settings.register_profile("unattended", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("unattended" if os.environ.get("CI") else "attended")


# What imports Spark itself: it is not there where the engine is the embedded one.
collect_ignore = ["pipeline/engines/test_session.py"] if importlib.util.find_spec("pysail") else []


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One session for all tests, ANSI, UTC: the embedded engine's where that is installed, else Spark's, local[2]."""
    from tests.support.sessions import own_session

    session = own_session(tmp_path_factory.mktemp("spark"))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def real_data() -> pathlib.Path:
    """The folder of real inputs; tests that ask for it are deselected where it is absent."""
    return REAL_DATA


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivatePostgres]:
    """A PostgreSQL of the tests' own; a test makes its own tables in it."""
    from tests.support.postgres import private_postgres

    with private_postgres("fsync=off") as server:
        yield server


@pytest.fixture
def run_job() -> Callable[..., JobResult]:
    """`run_job("restaurants", "--restaurants", path, ..., env={}, submit=[])`: the job in a process of its own."""
    from tests.support.jobs import submit_job

    return submit_job


@pytest.fixture
def call_job(spark: SparkSession) -> Callable[..., JobResult]:
    """As `run_job`, in this process and the session that runs already: for the many small cases."""
    from tests.support.jobs import call_job

    return call_job


@pytest.fixture(scope="session")
def sample_args() -> Callable[[str], list[str]]:
    """`sample_args("restaurants")`: the arguments in data/restaurants/args."""
    from tests.support.jobs import sample_args

    return sample_args


JOBS = pathlib.Path(__file__).parent / "jobs"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests of whole jobs and on real inputs; leaves out the latter where these are absent."""
    real = [item for item in items if "real_data" in getattr(item, "fixturenames", ())]
    for item in items:
        if JOBS in item.path.parents:
            item.add_marker("jobs")
    for item in real:
        item.add_marker("real_data")
    if REAL_DATA.is_dir():
        return

    config.hook.pytest_deselected(items=real)
    items[:] = [item for item in items if item not in set(real)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line when the real inputs are not here."""
    if not REAL_DATA.is_dir():
        terminalreporter.write_line(f"tests on real inputs are left out: there is no {REAL_DATA}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure: everything it could need is installed by the project itself."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
