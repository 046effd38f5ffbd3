"""The mark of a table: which load its rows are of, for readers that keep answers (the cache of the read API).

A load takes the mark away, waits WAIT_SECONDS, changes rows, and sets a mark of its own last. A reader that saw a mark
goes by it for LEASE_SECONDS at most, and keeps nothing while there is none. So nobody goes by the old mark when the
first row changes, and an answer that was kept under it is not given after that. A load that was killed leaves no mark:
answers come from the table until the next load is done.
"""

from __future__ import annotations

import secrets

LEASE_SECONDS = 1.0
# Longer than the lease, for clocks that do not run alike.
WAIT_SECONDS = 1.25
# The item of a DynamoDB table that holds its mark as `load`; no key of a row begins so.
ITEM_ID = "#load"


def load_id(run_id: str) -> str:
    """The run's id and a random end: a run that is repeated is another load."""
    return f"{run_id}-{secrets.token_hex(4)}"
