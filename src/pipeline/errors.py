"""One root for all errors of this project: each carries the exit code and a message for a person."""

from __future__ import annotations


class PipelineError(Exception):
    """Root of all errors of this project; `exit_code` is what the job's process returns."""

    exit_code = 1


class UsageError(PipelineError):
    """Wrong options: exit code 2."""

    exit_code = 2


class MemoryLimitError(UsageError):
    """The inputs need more memory than there is, as was found on the way: exit code 2."""


class InputError(PipelineError):
    """An input that is missing, unreadable, empty or lacks a column: exit code 2."""

    exit_code = 2


class BusyError(PipelineError):
    """Another run works on the same destination: exit code 2."""

    exit_code = 2


class RejectedError(PipelineError):
    """More records were rejected than `--max-rejected` allows: exit code 3."""

    exit_code = 3


class AccountingError(PipelineError):
    """Records read differ from used + excluded + rejected: a fault of the job itself, exit code 1."""


class DeliveryError(PipelineError):
    """Files are published, but something after them (messages, database, lookup table) was not: exit code 1."""
