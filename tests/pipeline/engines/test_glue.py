from __future__ import annotations

import pytest

from pipeline.engines.glue import is_glue_run, take_variables


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["people.py", "--JOB_NAME", "people"], True),
        (["people.py", "--people", "a.csv", "--JOB_RUN_ID", "jr_1"], True),
        (["people.py", "--people", "JOB_NAME"], False),
        (["people.py"], False),
    ],
)
def test_a_run_of_glue_is_known_by_its_arguments(argv: list[str], expected: bool) -> None:
    assert is_glue_run(argv) is expected


def test_variables_that_glue_hands_on_get_their_own_names_and_replace_none() -> None:
    environment = {"CUSTOMER_AWS_DEFAULT_REGION": "eu-west-1", "CUSTOMER_PATH": "/x", "PATH": "/bin", "HOME": "/"}
    take_variables(environment)
    assert environment == {
        "CUSTOMER_AWS_DEFAULT_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
        "CUSTOMER_PATH": "/x", "PATH": "/bin", "HOME": "/",
    }  # fmt: skip
