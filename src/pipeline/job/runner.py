"""A job: its name, its options, its `run`, and the life of a run from command line to exit code.

JOB = Job("prices", Options, run)

if __name__ == "__main__":
    JOB.main()
"""

from __future__ import annotations

import contextlib
import re
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from pipeline import engines, errors, storage
from pipeline.engines.glue import is_glue_run, take_variables
from pipeline.errors import PipelineError
from pipeline.job import options as job_options
from pipeline.job.context import JobContext
from pipeline.job.options import Options
from pipeline.job.outputs import FileOutput, GroupedLines, Outputs, ParquetOutput, TextOutput
from pipeline.job.rejected_rows import write_rejected
from pipeline.job.report import Report, print_report
from pipeline.publish.lock import Lock
from pipeline.publish.outputs import RunFiles, SideFiles


def new_run_id() -> str:
    """Time (UTC) and a short random tail."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + secrets.token_hex(3)


def raised_by_a_task(error: BaseException) -> PipelineError | None:
    """The project's own error when a task of an executor raised it (Spark hands it on as text), else None."""
    found = re.search(r"pipeline\.errors\.(\w+Error): (.*)", str(error))
    kind = getattr(errors, found[1], None) if found else None
    return kind(found[2].strip()) if kind and found else None


def one_line(error: BaseException) -> str:
    """An error's kind and its most useful line: the last one of a Python worker's trace, else the first one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kind = type(error).__name__
    return f"{kind}: {lines[-1 if kind == 'PythonException' else 0]}" if lines else kind


@dataclass(frozen=True)
class Job(Generic[Options]):
    """A job's name, the class of its options, and what it does with them; `batch_rows`: rows in an Arrow batch."""

    name: str
    options: type[Options]
    run: Callable[[JobContext, Options], Outputs]
    batch_rows: int = engines.BATCH_ROWS

    def main(self) -> None:
        """Runs the job from the process's arguments. On Glue a failed run raises, elsewhere the process exits."""
        glue = is_glue_run(sys.argv)
        if glue:
            take_variables()
        code, message = self._call(sys.argv[1:])
        if code and glue:
            raise SystemExit(f"exit code {code}: {message}")
        if code:
            sys.exit(code)

    def call(self, argv: Sequence[str]) -> int:
        """Runs the job with these arguments and returns the exit code; messages go to stderr."""
        return self._call(argv)[0]

    def _call(self, argv: Sequence[str]) -> tuple[int, str]:
        try:
            self._execute(job_options.parse(self.name, self.options, argv).prepare())
        except KeyboardInterrupt:
            print(f"{self.name}: stopped; published files are as the last complete run left them", file=sys.stderr)
            return 1, "stopped"
        except Exception as error:  # the last resort of a process: one line, and a trace where it is not our own error
            known = error if isinstance(error, PipelineError) else raised_by_a_task(error)
            if known is None:
                traceback.print_exc()
            message = f"unexpected failure: {one_line(error)}" if known is None else " ".join(str(known).split())
            print(f"{self.name}: {message}", file=sys.stderr, flush=True)
            return (1 if known is None else known.exit_code), message
        return 0, ""

    def _execute(self, options: Options) -> None:
        run_id = options.run_id or new_run_id()
        report = Report(self.name, run_id)
        files = RunFiles(options.destination or "", run_id, self.name, options.files == "single", options.dry_run)
        with contextlib.ExitStack() as stack:
            lock = None if options.dry_run else stack.enter_context(Lock(options.destination, run_id))
            try:
                with _recorded(report, files):
                    self._run(options, report, files, lock)
            finally:
                if not options.quiet:
                    print_report(report, "" if options.dry_run else options.destination)

    def _run(self, options: Options, report: Report, files: RunFiles, lock: Lock | None) -> None:
        """Reads, writes quarantine, checks, writes outputs, publishes, delivers."""
        # A missing input is reported before an engine takes its seconds to start.
        size = sum(info.size for source in options.inputs() if source for info in source.files())
        with report.timed("start the engine"):
            engine = engines.start(options.engine, self.name, size, self.batch_rows)
        report.versions |= engine.versions
        context = JobContext(self.name, report.run_id, options.destination, options, report, engine)
        try:
            outputs = self.run(context, options)
            context.close()
            with context.stage("write quarantine"):
                write_rejected(context.rejected, report.run_id, self.name, SideFiles(files))
            for counts in report.counts.values():
                counts.check(options.max_rejected)
            _write(context, outputs.files, files)
            if lock is None:
                report.outputs = {name: {"rows": one.rows, "bytes": None} for name, one in files.staged.items()}
                return
            lock.check()
            with context.stage("publish"):
                report.outputs = files.publish()
            for delivery in outputs.deliveries:
                with context.stage(delivery.stage):
                    delivery.deliver(context)
        finally:
            context.release()


def _write(context: JobContext, outputs: Sequence[FileOutput], files: RunFiles) -> None:
    """Stages all outputs, those of rows side by side: on a small input their plans are made at the same time.

    Outputs in parts are written one after the other: where Spark cuts a sorted one depends on the jobs before it, and
    the same input must give the same bytes.
    """

    def writer(one: FileOutput) -> Callable[[], None]:
        def write() -> None:
            with context.stage(f"write {one.file}"):
                if isinstance(one, TextOutput):
                    files.write_lines(one.file, one.frame, one.render, one.order, one.header, one.row_count)
                elif isinstance(one, GroupedLines):
                    files.write_grouped([(file.file, file.header, file.row_count) for file in one.files], one.frame)
                elif isinstance(one, ParquetOutput):
                    files.write_parquet(one.file, one.frame, one.columns, one.order, one.row_count)
                else:
                    files.write_data(one.file, one.content, one.rows)

        return write

    steps = [writer(one) for one in outputs]
    if files.single:
        context.engine.run_parallel(steps)
    else:
        for step in steps:
            step()


@contextlib.contextmanager
def _recorded(report: Report, files: RunFiles) -> Iterator[None]:
    """Whatever happens, the report says it."""
    try:
        yield
        report.status = "dry run" if files.dry_run else "succeeded"
    except BaseException as error:
        report.status = "failed"
        cause = error if isinstance(error, PipelineError) else raised_by_a_task(error) or error
        report.exit_code = cause.exit_code if isinstance(cause, PipelineError) else 1
        report.message = " ".join(str(cause).split())[:2000] or type(cause).__name__
        with contextlib.suppress(Exception):
            files.discard()
        raise
    finally:
        if not files.dry_run:
            _write_report(report, files)


def _write_report(report: Report, files: RunFiles) -> None:
    content = report.as_json()
    for folder in (files.run_folder, files.destination):
        try:
            storage.write_bytes(storage.join(folder, "report.json"), content)
        except (PipelineError, OSError) as error:
            print(f"{report.job}: report.json was not written to {folder}: {error}", file=sys.stderr)
