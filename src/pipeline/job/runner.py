"""A job: its command line and its life from options to exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline import errors
from pipeline.errors import PipelineError
from pipeline.job import options as options_module
from pipeline.job.options import Input, Option

if TYPE_CHECKING:
    from pipeline.job.context import Run

__all__ = ["Input", "Job", "Option"]


def new_run_id() -> str:
    """Time (UTC) and a short random tail."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + secrets.token_hex(3)


def raised_by_a_task(error: BaseException) -> PipelineError | None:
    """The project's own error when a task of an executor raised it (Spark hands it on as text), else None."""
    found = re.search(r"pipeline\.errors\.(\w+Error): (.*)", str(error))
    kind = getattr(errors, found[1], None) if found else None
    return kind(found[2].strip()) if kind and found else None


def one_line(error: BaseException) -> str:
    """An error's kind and its telling line: the last one of a Python worker's trace, the first one of anything else."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kind = type(error).__name__
    return f"{kind}: {lines[-1 if kind == 'PythonException' else 0]}" if lines else kind


@dataclass(frozen=True)
class Job:
    """A job's name, inputs, options and what its session needs (`needs` gives names for its options, beside `s3a`)."""

    name: str
    summary: str
    inputs: Sequence[Input]
    options: Sequence[Option] = ()
    check: Callable[[argparse.Namespace], None] = lambda options: None
    needs: Callable[[argparse.Namespace], Sequence[str]] = lambda options: ()

    def parser(self) -> argparse.ArgumentParser:
        """The job's command line."""
        return options_module.build_parser(self.name, self.summary, self.inputs, self.options)

    def main(self, body: Callable[[Run], None]) -> None:
        """Runs the job from the process's arguments. On Glue a failed run raises, elsewhere the process exits."""
        code, message, glue = self._run(sys.argv[1:], body)
        if code and glue:
            raise SystemExit(f"exit code {code}: {message}")
        if code:
            sys.exit(code)

    def run(self, argv: Sequence[str], body: Callable[[Run], None]) -> int:
        """Runs the job with these arguments and returns the exit code; messages go to stderr."""
        return self._run(argv, body)[0]

    def _run(self, argv: Sequence[str], body: Callable[[Run], None]) -> tuple[int, str, bool]:
        glue = bool({"--JOB_NAME", "--JOB_RUN_ID"} & set(argv))
        try:
            chosen = options_module.parse(self.parser(), self.inputs, argv)
            self.check(chosen)
            self._execute(chosen, body)
        except PipelineError as error:
            message = " ".join(str(error).split())
            print(f"{self.name}: {message}", file=sys.stderr, flush=True)
            return error.exit_code, message, glue
        except KeyboardInterrupt:
            print(f"{self.name}: stopped; published files are as the last complete run left them", file=sys.stderr)
            return 1, "stopped", glue
        except Exception as error:  # the last resort of a process: told in one line, trace above it
            told = raised_by_a_task(error)
            if told:
                print(f"{self.name}: {told}", file=sys.stderr, flush=True)
                return told.exit_code, str(told), glue
            traceback.print_exc()
            message = f"unexpected failure: {one_line(error)}"
            print(f"{self.name}: {message}", file=sys.stderr, flush=True)
            return 1, message, glue
        return 0, "", glue

    def _execute(self, chosen: argparse.Namespace, body: Callable[[Run], None]) -> None:
        from pipeline.job.context import Run
        from pipeline.job.report import Report, print_report
        from pipeline.publish.lock import Lock
        from pipeline.publish.outputs import Outputs

        run_id = chosen.run_id or new_run_id()
        told = Report(self.name, run_id)
        outputs = Outputs(chosen.destination or "", run_id, self.name, chosen.files == "single", chosen.dry_run)
        run = Run(self.name, chosen, run_id, outputs, told)
        with contextlib.ExitStack() as stack:
            if not chosen.dry_run:
                run.before_publish = stack.enter_context(Lock(chosen.destination, run_id)).check
            try:
                with self._recorded(run):
                    self._start(run)
                    body(run)
                    run.finish()
            finally:
                if not chosen.quiet:
                    print_report(told, "" if chosen.dry_run else chosen.destination)

    @contextlib.contextmanager
    def _recorded(self, run: Run) -> Iterator[None]:
        """Whatever happens, the report says it."""
        report = run.report
        try:
            yield
            report.status = "dry run" if run.dry_run else "succeeded"
        except BaseException as error:
            report.status = "failed"
            cause = error if isinstance(error, PipelineError) else raised_by_a_task(error) or error
            report.exit_code = cause.exit_code if isinstance(cause, PipelineError) else 1
            report.message = " ".join(str(cause).split())[:2000] or type(cause).__name__
            with contextlib.suppress(Exception):
                run.outputs.discard()
            raise
        finally:
            run.release()
            if not run.dry_run:
                self._write_report(run)

    @staticmethod
    def _write_report(run: Run) -> None:
        from pipeline import storage

        content = run.report.as_json()
        for folder in (run.outputs.run_folder, run.destination):
            try:
                storage.write_bytes(storage.join(folder, "report.json"), content)
            except (PipelineError, OSError) as error:
                print(f"{run.job}: report.json was not written to {folder}: {error}", file=sys.stderr)

    def _start(self, run: Run) -> None:
        from pipeline.engines import session

        paths = [run.destination, *(p for i in self.inputs for p in getattr(run.options, i.name.replace("-", "_")))]
        needs = list(self.needs(run.options)) + (
            ["s3a"] if any(path.startswith(("s3://", "s3a://")) for path in paths) else []
        )
        # A missing input is told before Spark takes its seconds to start.
        given = [item.name for item in self.inputs if getattr(run.options, item.name.replace("-", "_"))]
        size = sum(info.size for name in given for info in run.files(name))
        with run.stage("start Spark"):
            run.spark = session.start(self.name, needs=needs)
            session.tune(run.spark, size)
        run.report.versions |= {"spark": run.spark.version, "glue": os.environ.get("GLUE_VERSION", "no")}
