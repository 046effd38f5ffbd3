"""Runs functions and jobs of the stand-in as processes of this machine, the way Lambda and Glue would start them."""

from __future__ import annotations

import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.bare import bare_spark, lambda_python

REGION = "eu-west-1"

_FUNCTION = """
import importlib, json, sys
module, name = sys.argv[1].rsplit(".", 1)
event = json.load(sys.stdin)
try:
    answer = getattr(importlib.import_module(module), name)(event, None)
except Exception as error:
    import traceback
    traceback.print_exc()
    answer, failed = {"errorMessage": str(error), "errorType": type(error).__name__}, True
else:
    failed = False
with open(sys.argv[2], "w") as out:
    json.dump({"answer": answer, "failed": failed}, out)
"""


def environment(endpoint: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a process of the stand-in sees: dummy credentials, the stand-in's address, nothing of other AWS settings."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_", "PYTHON", "SPARK_"))
    }
    return {
        **kept,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", "")]),
        **bare_spark(),
        **(extra or {}),
    }


def run_function(
    code: bytes, handler: str, event: str, seconds: float, variables: Mapping[str, str], endpoint: str
) -> tuple[str, bool, str]:
    """Calls a function's handler with its own package only on the path: (answer as JSON, failed, log)."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(code)).extractall(folder)
        out = pathlib.Path(folder) / ".answer.json"
        program, brought = lambda_python(variables.get("AWS_LAMBDA_RUNTIME", ""))
        known = environment(
            endpoint, {**variables, "PYTHONPATH": f"{folder}{os.pathsep}{brought}", "PYTHONDONTWRITEBYTECODE": "1"}
        )
        try:
            done = subprocess.run(
                [program, "-S", "-c", _FUNCTION, handler, str(out)],
                input=event, env=known, cwd=folder, timeout=seconds, capture_output=True, text=True, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return json.dumps({"errorMessage": f"timed out after {seconds} seconds"}), True, ""
        log = done.stdout + done.stderr
        if not out.exists():
            return json.dumps({"errorMessage": f"the process ended with {done.returncode}"}), True, log
        written = json.loads(out.read_text())
        return json.dumps(written["answer"]), written["failed"], log


@dataclass(frozen=True)
class JobEnd:
    """How a run of a job ended."""

    state: str
    message: str


def job_command(
    script: pathlib.Path, code: list[pathlib.Path], name: str, run_id: str, arguments: Mapping[str, str]
) -> list[str]:
    """The command line: Glue gives the script its own arguments too, each as one string."""
    spark = [
        "--master",
        "local[1]",
        "--driver-memory",
        "1g",
        "--conf",
        "spark.ui.enabled=false",
        "--conf",
        "spark.driver.bindAddress=127.0.0.1",
        "--conf",
        "spark.driver.host=127.0.0.1",
    ]
    if code:
        spark += ["--py-files", ",".join(map(str, code))]
    # Glue takes its --conf for itself: the first pair as it is, each further one after a --conf of its own.
    spark += [part for pair in arguments.get("--conf", "").split(" --conf ") if pair for part in ("--conf", pair)]
    given = {"--JOB_NAME": name, "--JOB_ID": f"j_{name}", "--JOB_RUN_ID": run_id, **arguments}
    given.pop("--conf", None)
    return ["spark-submit", *spark, str(script), *[part for pair in sorted(given.items()) for part in pair]]


def run_job(
    script: pathlib.Path,
    code: list[pathlib.Path],
    name: str,
    run_id: str,
    arguments: Mapping[str, str],
    seconds: float,
    endpoint: str,
    log: pathlib.Path,
) -> JobEnd:
    """Runs a job's script with Spark, its code on the path as --extra-py-files puts it."""
    variables = dict(
        pair.split("=", 1) for pair in arguments.get("--customer-driver-env-vars", "").split(",") if "=" in pair
    )
    variables["PYTHONPATH"] = os.pathsep.join(map(str, code))
    command = job_command(script, code, name, run_id, arguments)
    known = environment(endpoint, variables)
    # A worker of Glue says no region of its own accord that is documented: a job has what its arguments give it.
    for region in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        known.pop(region)
    with log.open("w") as out:
        try:
            done = subprocess.run(
                command, env=known, cwd=script.parent, timeout=seconds,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return JobEnd("TIMEOUT", f"Execution timed out after {seconds:.0f} seconds")
    if done.returncode == 0:
        return JobEnd("SUCCEEDED", "")
    # The last thing that the script itself said; Spark's own log lines begin with a date.
    lines = [
        line
        for line in log.read_text(errors="replace").splitlines()
        if line.strip() and not re.match(r"\d\d/\d\d/\d\d ", line)
    ]
    return JobEnd("FAILED", (lines[-1] if lines else f"the process ended with {done.returncode}")[:1000])
