"""AWS Glue: a run is known by the arguments that Glue adds to a job's own, an explicit list of names."""

from __future__ import annotations

import os
from collections.abc import MutableMapping, Sequence

# What AWS Glue adds to the arguments of a job's script by itself, or takes for itself and still passes on.
_NAMES = """
    JOB_NAME JOB_ID JOB_RUN_ID TempDir SECURITY_CONFIGURATION encryption-type RedshiftTempDir WORKFLOW_NAME
    WORKFLOW_RUN_ID job-bookmark-option job-bookmark-from job-bookmark-to job-language class scriptLocation
    extra-py-files extra-jars extra-files user-jars-first use-postgres-driver conf python-modules-installer-option
    additional-python-modules python-version library-set datalake-formats continuous-log-logGroup
    continuous-log-logStreamPrefix continuous-log-conversionPattern continuous-log-logLevel customer-driver-env-vars
    customer-executor-env-vars custom-logGroup-prefix spark-event-logs-path write-shuffle-files-to-s3
    write-shuffle-spills-to-s3 executor-cores number-of-workers worker-type disable-proxy-v2 executionClass
"""
GLUE_ARGUMENTS = frozenset(_NAMES.split())


def is_glue_run(argv: Sequence[str]) -> bool:
    """True when Glue started the job: it passes the job's name and the run's id."""
    return bool({"--JOB_NAME", "--JOB_RUN_ID"} & set(argv))


def take_variables(environment: MutableMapping[str, str] = os.environ) -> None:
    """Glue hands variables on to a job only under names that begin with CUSTOMER_: gives them their own names too."""
    for name, value in list(environment.items()):
        if name.startswith("CUSTOMER_"):
            environment.setdefault(name.removeprefix("CUSTOMER_"), value)


def without_glue_arguments(argv: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Splits Glue's own arguments (known names and `enable-*`) from the job's: (the job's, Glue's by name)."""
    kept: list[str] = []
    glue: dict[str, str] = {}
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not (name in GLUE_ARGUMENTS or name.startswith("enable-")):
            kept.append(word)
            continue
        # The installer's options are dashes themselves; everything else that begins so is the next option.
        if not has_value and rest and (not rest[0].startswith("--") or name == "python-modules-installer-option"):
            value = rest.pop(0)
        glue[name] = value
    return kept, glue
