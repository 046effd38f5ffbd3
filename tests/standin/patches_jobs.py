"""Glue's runs really run: the script from the artifacts bucket, with Spark, as Glue would start it."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import threading
import zipfile
from typing import Any
from urllib.parse import urlparse

from tests.standin import runtime
from tests.standin.patches_events import client, in_background


def e4_jobs(logs: pathlib.Path) -> None:
    """Glue: runs succeed without anything being run. Run the script with Spark, one run of a job at a time."""
    from moto.glue import models

    job_init, run_init, run_dict = models.FakeJob.__init__, models.FakeJobRun.__init__, models.FakeJobRun.as_dict

    def init_job(self: Any, *given: Any, **named: Any) -> None:
        job_init(self, *given, **named)
        # Runs wait for one another as in Glue's queue.
        self.turn = threading.Lock()
        self.execution_property = {"MaxConcurrentRuns": 1, **self.execution_property}

    def init_run(self: Any, *given: Any, **named: Any) -> None:
        run_init(self, *given, **named)
        self.end = runtime.JobEnd("WAITING", "")

    def start_job_run(self: Any, *given: Any, **named: Any) -> str:
        limit, self.execution_property["MaxConcurrentRuns"] = self.execution_property["MaxConcurrentRuns"], 1000
        try:
            run_id: str = plain_start(self, *given, **named)
        finally:
            self.execution_property["MaxConcurrentRuns"] = limit
        run = next(run for run in self.job_runs if run.job_run_id == run_id)
        in_background(_run_job, self, run, logs)
        return run_id

    def as_dict(self: Any) -> dict[str, Any]:
        return {**run_dict(self), "ErrorMessage": self.end.message} if self.end.message else run_dict(self)

    plain_start = models.FakeJob.start_job_run
    models.FakeJob.__init__, models.FakeJob.start_job_run = init_job, start_job_run
    models.FakeJobRun.__init__, models.FakeJobRun.as_dict = init_run, as_dict
    models.FakeJobRun.status = property(lambda self: self.end.state, lambda self, value: None)


def _fetch(location: str, folder: pathlib.Path) -> pathlib.Path:
    found = urlparse(location)
    target = folder / pathlib.PurePosixPath(found.path).name
    client("s3").download_file(found.netloc, found.path.lstrip("/"), str(target))
    return target


def _run_job(job: Any, run: Any, logs: pathlib.Path) -> None:
    with job.turn, tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        run.end = runtime.JobEnd("RUNNING", "")
        arguments = {"--SECURITY_CONFIGURATION": job.security_configuration, **run.arguments}
        log = logs / f"{job.name}-{run.job_run_id[:12]}.log"
        try:
            script = _fetch(job.command["ScriptLocation"], folder)
            code = [_fetch(item, folder) for item in arguments.get("--extra-py-files", "").split(",") if item]
            for item in arguments.get("--additional-python-modules", "").split(","):
                if item:  # the environment has these packages; that the file is there and whole is what can be shown
                    zipfile.ZipFile(_fetch(item, folder)).testzip()
            minutes = float(run.timeout or 5)
            end = runtime.run_job(
                script, code, job.name, run.job_run_id, arguments, minutes * 60, os.environ["AWS_ENDPOINT_URL"], log
            )
        except Exception as error:
            end = runtime.JobEnd("FAILED", f"{type(error).__name__}: {error}")
        run.end = end
        print(f"[job {job.name}] {end.state} {end.message}", flush=True)
        detail = {
            "jobName": job.name,
            "severity": "INFO",
            "state": end.state,
            "jobRunId": run.job_run_id,
            "message": end.message or "Job run succeeded",
        }
        client("events").put_events(
            Entries=[{"Source": "aws.glue", "DetailType": "Glue Job State Change", "Detail": json.dumps(detail)}]
        )
