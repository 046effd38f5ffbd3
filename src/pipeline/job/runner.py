"""A job: its name, its options, its `run`, and the life of a run from command line to exit code.

JOB = Job("prices", Options, run)

if __name__ == "__main__":
    JOB.main()
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from pipeline import engines, storage
from pipeline.engines.glue import is_glue_run, take_variables
from pipeline.errors import MemoryLimitError, PipelineError
from pipeline.job import options as job_options
from pipeline.job.context import JobContext
from pipeline.job.early import check_inputs
from pipeline.job.failures import MOST_MESSAGE, one_line, raised_by_a_task, telling_cause
from pipeline.job.interrupt import Interrupt
from pipeline.job.new_files import check_destination, keep_new_files, remove_unfinished
from pipeline.job.options import JobOptions, Options
from pipeline.job.outputs import FileOutput, Outputs, ParquetOutput, TablesOutput, TextOutput
from pipeline.job.own_files import check_not_own, check_not_replaced, check_reports
from pipeline.job.rejected_rows import write_rejected
from pipeline.publish.lock import Lock
from pipeline.publish.outputs import RunFiles, SideFiles
from pipeline.reports.counts import check_counts
from pipeline.reports.html import render
from pipeline.reports.report import Report, print_report, write_json
from pipeline.reports.terminal import open_missing_streams

_STOPPED = "stopped; published files are as the last complete run left them"
_STOPPED_CODE = 130  # as a shell shows a program that Ctrl-C ended


def new_run_id() -> str:
    """Time (UTC) and a short random tail."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()) + "-" + secrets.token_hex(3)


@dataclass(frozen=True)
class Job(Generic[Options]):
    """A job's name, the class of its options, and what it does with them; `batch_rows`: rows in an Arrow batch."""

    name: str
    options: type[Options]
    run: Callable[[JobContext, Options], Outputs]
    batch_rows: int = engines.BATCH_ROWS

    def main(self) -> None:
        """Runs the job from the process's arguments. On Glue a failed run raises, elsewhere the process exits."""
        open_missing_streams()
        glue = is_glue_run(sys.argv)
        if glue:
            take_variables()
        code, message, at_once = self._call(sys.argv[1:])
        if at_once:
            os._exit(code)  # now: tasks in threads of this process would go on to their ends
        if code and glue:
            raise SystemExit(f"exit code {code}: {message}")
        if code:
            sys.exit(code)

    def call(self, argv: Sequence[str]) -> int:
        """Runs the job with these arguments and returns the exit code; messages go to stderr."""
        return self._call(argv)[0]

    def _call(self, argv: Sequence[str]) -> tuple[int, str, bool]:
        """Exit code, message, and whether the process is to end at once."""
        try:
            self._execute(job_options.parse(self.name, self.options, argv).prepare())
        except KeyboardInterrupt:
            print(f"{self.name}: {_STOPPED}", file=sys.stderr, flush=True)
            return _STOPPED_CODE, _STOPPED, True
        except Exception as error:  # the last resort of a process: one line, and a trace where it is not our own error
            known = error if isinstance(error, PipelineError) else raised_by_a_task(error)
            if known is None and not telling_cause(error):
                traceback.print_exc()
            message = f"unexpected failure: {one_line(error)}" if known is None else " ".join(str(known).split())
            print(f"{self.name}: {message}", file=sys.stderr, flush=True)
            return (1 if known is None else known.exit_code), message, isinstance(known, MemoryLimitError)
        return 0, "", False

    def _execute(self, options: Options) -> None:
        run_id = options.run_id or new_run_id()
        report = Report(self.name, run_id)
        folder = f"run={run_id}" if options.new_only else ""
        single = options.files == "single"
        files = RunFiles(options.destination or "", run_id, self.name, single, options.dry_run, folder)
        with contextlib.ExitStack() as stack:
            lock = None if options.dry_run else stack.enter_context(Lock(options.destination, run_id))
            # Before there is a report, which might replace an input.
            check_reports(options, files)
            try:
                with _recorded(report, files), Interrupt() as interrupt:
                    self._run(options, report, files, lock, interrupt)
            finally:
                if options.json:
                    write_json(report)
                elif not options.quiet and report.exit_code != _STOPPED_CODE:
                    print_report(report, "" if options.dry_run else options.destination)

    def _run(self, options: Options, report: Report, files: RunFiles, lock: Lock | None, interrupt: Interrupt) -> None:
        """Reads, writes quarantine, checks, writes outputs, publishes, delivers."""
        # What is wrong with inputs is reported before an engine takes its seconds to start.
        size = _check(options, report, files, lock)
        if files.idle:
            return
        with report.timed("start the engine"):
            engine = engines.start(options.engine, self.name, size, self.batch_rows)
            interrupt.listen(engine)
        engines.watch_memory(engine, self.name, size, interrupt.end_with, interrupt.over)
        report.versions |= engine.versions
        context = JobContext(self.name, report.run_id, options.destination, files.published, options, report, engine)
        try:
            outputs = self.run(context, options)
            check_not_replaced(options, files, outputs)
            context.close()
            with context.stage("count rejected" if options.dry_run else "write quarantine"):
                write_rejected(context.rejected, report.run_id, self.name, SideFiles(files))
            run_folder = "" if options.dry_run else files.run_folder
            check_counts(list(report.counts.values()), options.max_rejected, run_folder)
            for delivery in outputs.deliveries:
                if delivery.check and lock:
                    delivery.check(context)
            _write(context, outputs.files, files)
            report.notes += files.notes
            if lock is None:
                report.outputs = {name: {"rows": one.rows, "bytes": None} for name, one in files.staged.items()}
                return
            lock.check()
            _publish(context, outputs, options, files)
        finally:
            if not interrupt.received:  # else the engine is in the middle of an answer, or gone
                context.release()


def _check(options: JobOptions, report: Report, files: RunFiles, lock: Lock | None) -> int:
    """Refuses what is wrong with inputs and destination, and chooses new files; the bytes that are to be read."""
    size = check_inputs(options)
    check_destination(options, files)
    check_not_own(options, files)
    if options.new_only:
        report.notes += keep_new_files(options, files)
        files.idle = not files.read
        if not files.idle:
            size = check_inputs(options)
            if lock:
                remove_unfinished(files)
    return size


def _publish(context: JobContext, outputs: Outputs, options: JobOptions, files: RunFiles) -> None:
    """Publishes the files, delivers them, and says that all is done."""
    with context.stage("publish"):
        context.report.outputs = files.publish()
    for delivery in outputs.deliveries:
        with context.stage(delivery.stage):
            delivery.deliver(context)
    files.finish()
    if options.keep_runs:
        with context.stage("remove old runs"):
            files.remove_old_runs(options.keep_runs)


def _write(context: JobContext, outputs: Sequence[FileOutput], files: RunFiles) -> None:
    """Stages all outputs, those of rows side by side: on a small input their plans are made at the same time.

    Outputs in parts are written one after the other: where Spark cuts a sorted one depends on the jobs before it, and
    the same input must give the same bytes.
    """

    def writer(one: FileOutput) -> Callable[[], None]:
        def write() -> None:
            with context.stage(f"{'count' if files.dry_run else 'write'} {one.file}"):
                if isinstance(one, TextOutput):
                    files.write_lines(one.file, one.frame, one.render, one.order, one.header, one.row_count)
                elif isinstance(one, TablesOutput):
                    files.write_tables(one.files, one.frame, one.into)
                elif isinstance(one, ParquetOutput):
                    files.write_parquet(one.file, one.frame, one.columns, one.order, one.row_count, one.into)
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
        if problems := _write_report(report, files):
            raise PipelineError("; ".join(problems))
    except BaseException as error:
        _note_failure(report, error)
        with contextlib.suppress(Exception):
            files.discard()
        for problem in _write_report(report, files):
            if problem not in (report.message or ""):
                print(f"{report.job}: {problem}", file=sys.stderr)
        raise


def _note_failure(report: Report, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        report.status, report.exit_code, report.message = "stopped", _STOPPED_CODE, _STOPPED
        return
    cause = error if isinstance(error, PipelineError) else raised_by_a_task(error) or error
    report.status = "failed"
    report.exit_code = cause.exit_code if isinstance(cause, PipelineError) else 1
    own = "" if isinstance(cause, PipelineError) else telling_cause(cause)
    report.message = own or " ".join(str(cause).split())[:MOST_MESSAGE] or type(cause).__name__


def _write_report(report: Report, files: RunFiles) -> list[str]:
    """Writes both reports to both places, not in a dry run; says where report.json was not written, and why."""
    if files.dry_run or files.idle:
        return []
    content, problems = report.as_json(), []
    for folder in (files.run_folder, files.destination):
        try:
            storage.write_bytes(storage.join(folder, "report.json"), content)
        except (PipelineError, OSError) as error:
            problems.append(f"report.json was not written: {error}")
    if not problems:
        # A run does not fail for the page that shows the same to a person.
        with contextlib.suppress(Exception):
            page = render(report, files.run_folder, files.destination)
            for folder in (files.run_folder, files.destination):
                storage.write_bytes(storage.join(folder, "report.html"), page)
    return problems
