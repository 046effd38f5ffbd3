"""A run's messages: sent when its files are published, counted in its report, shown while they go."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline import storage
from pipeline.job.context import JobContext
from pipeline.job.outputs import Delivery
from pipeline.reports.progress import log
from pipeline.sinks.sqs.delivery import THREADS, Outbox, deliver
from pipeline.sinks.sqs.ledger import Ledger, ledger_folder
from pipeline.sinks.sqs.queue import Queue, connect

_SECONDS_A_LINE = 10.0


def sqs(queue_url: str | None, *files: str, day: str, group_key: str) -> Delivery | None:
    """Sends the lines of published files to a queue; None without one.

    `files` are names under the destination; `group_key` is the JSON key whose value is the group on a FIFO queue. What
    could not be sent makes the run fail (`DeliveryError`) after everything else was sent; the files stay.
    """
    if not queue_url:
        return None
    url = queue_url

    def send(job: JobContext) -> None:
        """Delivers what was published, and puts into the report what became of it."""
        total = sum(job.report.outputs[name]["rows"] for name in files)
        paths = [path for name in files for path in _files(storage.join(job.published, name))]
        ledger = Ledger(ledger_folder(job.destination, day, url), job.run_id)
        with counted(job.job, "messages", total, job.options.quiet) as progress:
            queue = Queue(url, connect(url, THREADS))
            delivery = deliver(Outbox(paths, day, group_key), queue, ledger, progress=progress)
        job.metric("messages_sent", delivery.sent)
        job.metric("messages_sent_before", delivery.sent_before)
        job.metric("messages_refused", len(delivery.refused))
        if delivery.doubtful:
            job.note(
                f"{len(set(delivery.doubtful))} ids were in doubt and sent again: message_ids_in_doubt in report.json"
            )
            job.metric("message_ids_in_doubt", sorted(set(delivery.doubtful)))
        for message, reason in delivery.refused[:1000]:
            job.note(f"not sent: {message.place}, id {message.id}: {reason}")
        delivery.check()

    return Delivery("send messages", send)


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
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"{job}: {what}", total=total)
        yield lambda done: bar.update(task, completed=done)
