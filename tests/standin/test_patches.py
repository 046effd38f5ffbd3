"""Every patch is still needed (plain moto does it wrong) and works (the stand-in does it right).

When a test fails on `plain`, moto has learned it: remove the patch and its probe.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import botocore.exceptions
import pytest

from tests.standin.control import standin
from tests.standin.probes import PROBES
from tests.standin.probes_events import EVENT_PROBES
from tests.support.servers import Endpoint, moto_server

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def plain() -> Iterator[Endpoint]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with standin(tmp_path_factory.mktemp("standin")) as endpoint:
        yield endpoint


def outcome(probe: Callable[[Endpoint], bool], aws: Endpoint) -> bool:
    try:
        return probe(aws)
    except (botocore.exceptions.ClientError, botocore.exceptions.HTTPClientError):
        return False


@pytest.mark.parametrize("probe", PROBES + EVENT_PROBES, ids=lambda probe: probe.__name__)
def test_the_patch_is_still_needed(probe: Callable[[Endpoint], bool], plain: Endpoint) -> None:
    assert not outcome(probe, plain), f"moto does this by itself now: remove the patch {probe.__name__}"


@pytest.mark.parametrize("probe", PROBES + EVENT_PROBES, ids=lambda probe: probe.__name__)
def test_the_patch_works(probe: Callable[[Endpoint], bool], mended: Endpoint) -> None:
    assert probe(mended)


def test_the_patch_of_sync_tasks_is_still_needed() -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback

    source = inspect.getsource(state_task_service_callback)
    assert "\n            callback_endpoint.interrupt_all()" in source, "moto has changed: look at e2_sync_tasks"


def test_the_patch_of_failures_in_maps_is_still_needed() -> None:
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker

    source = inspect.getsource(iteration_worker)
    assert "CustomErrorName(error_name=error_name)" in source, "moto has changed: look at e7_failures_in_maps"
    with pytest.raises(ValueError, match="MUST NOT begin"):
        CustomErrorName("States.TaskFailed")
