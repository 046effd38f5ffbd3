"""What a run left behind, to be compared with what another one left."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

# What tells of the run itself: when, how long, with which versions.
_OF_THE_RUN = ("report.html", ".lock")


def left_by(folder: Path) -> dict[str, Any]:
    """Path to digest of every file of a run, its id aside; of its report the counts, the messages and the outputs."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    run = report["run_id"]
    found: dict[str, Any] = {
        "report": {name: report[name] for name in ("status", "exit_code", "inputs", "figures")},
    }
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix().replace(run, "RUN")
        if path.is_file() and path.name not in _OF_THE_RUN and path.name != "report.json":
            found[name] = hashlib.sha256(path.read_bytes().replace(run.encode(), b"RUN")).hexdigest()
    return found
