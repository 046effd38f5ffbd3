"""A run's messages: sent when its files are published, told in its report, shown while they go."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from pipeline import storage
from pipeline.job.progress import log
from pipeline.sinks.sqs.delivery import THREADS, Outbox, deliver
from pipeline.sinks.sqs.ledger import Ledger, ledger_folder
from pipeline.sinks.sqs.queue import Queue, connect

if TYPE_CHECKING:
    from pipeline.job.context import Run

_SECONDS_A_LINE = 10.0


def send_after_publish(run: Run, files: Sequence[str], queue_url: str, day: str, group_key: str) -> None:
    """Sends the lines of the published files to the queue when the run has published them.

    `files` are names under the destination; `group_key` is the JSON key whose value is the group on a FIFO queue. What
    could not be sent makes the run fail (`DeliveryError`) after everything else was sent; the files stay.
    """

    def send(run: Run) -> None:
        """Delivers what was published, and puts into the report what became of it."""
        total = sum(run.outputs.staged[name].rows for name in files)
        paths = [path for name in files for path in _files(storage.join(run.destination, name))]
        queue = Queue(queue_url, connect(queue_url, THREADS))
        ledger = Ledger(ledger_folder(run.destination, day, queue_url), run.run_id)
        with run.stage("send messages"), counted(run.job, "messages", total, run.options.quiet) as told:
            delivery = deliver(Outbox(paths, day, group_key), queue, ledger, told=told)
        run.figure("messages_sent", delivery.sent)
        run.figure("messages_sent_before", delivery.sent_before)
        run.figure("messages_refused", len(delivery.refused))
        if delivery.doubtful:
            run.note(
                f"{len(set(delivery.doubtful))} ids were in doubt and sent again: message_ids_in_doubt in report.json"
            )
        for message, reason in delivery.refused[:1000]:
            run.note(f"not sent: {message.place}, id {message.id}: {reason}")
        delivery.check()

    run.after_publish(send)


def _files(path: str) -> list[str]:
    """The file, or the parts of the folder that has its name."""
    return [path] if storage.exists(path) else [info.path for info in storage.list_files(path)]


@contextlib.contextmanager
def counted(job: str, what: str, total: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows how many of `total` are done: a bar with the time left on a terminal, a line now and then elsewhere."""
    if quiet:
        yield lambda done: None
        return
    if not sys.stderr.isatty():
        last = [time.monotonic()]

        def line(done: int) -> None:
            """A line of the log, unless the last one is younger than ten seconds."""
            if time.monotonic() - last[0] > _SECONDS_A_LINE:
                last[0] = time.monotonic()
                log(job, f"{done} of {total} {what}")

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{job}: {what}", total=total)
        yield lambda done: bar.update(task, completed=done)
