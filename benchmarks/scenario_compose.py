"""Scenario `compose`: putting parts together into one named file, against writing the parts."""

from __future__ import annotations

import json
import shutil
import statistics

from benchmarks.harness import ROOT, Contender, Contest, Settings, setup, submit
from benchmarks.results import Section, Target

HEADERS = ["work", "seconds", "min-max", "MB/s", "to writing"]


def section(settings: Settings) -> Section:
    """Both times, in one process and in turn."""
    out = settings.work / "out_compose"
    given = ("--megabytes", str(settings.compose_megabytes), "--runs", str(settings.runs), "--out", str(out))
    command = submit(str(ROOT / "benchmarks" / "compose_parts.py"), *given)
    contest = Contest("compose", [Contender("parts", command, 0, out)], settings).run(1)
    rows: list[list[str]] = []
    targets = [Target("composing to writing the parts", 1.2, None)]
    if contest.equal:
        found = json.loads((out / "seconds.json").read_text(encoding="utf-8"))
        size, base = found[0]["bytes"] / 1e6, statistics.median(one["write"] for one in found)
        for name, shown in (("write", f"Spark writes {found[0]['parts']} parts"), ("compose", "one file of them")):
            seconds = [one[name] for one in found]
            middle = statistics.median(seconds)
            spread = f"{min(seconds):.2f}-{max(seconds):.2f}"
            rows.append([shown, f"{middle:.2f}", spread, f"{size / middle:.0f}", f"{middle / base:.2f}"])
            targets = [Target("composing to writing the parts", 1.2, middle / base)]
    shutil.rmtree(out, ignore_errors=True)
    return Section(
        "One named file from parts",
        "Spark writes lines as parts; they are put together, hashed with SHA-256 and synced to disk, which Spark's own parts"
        " are not. In a job this goes on behind the work that follows.",
        HEADERS,
        rows,
        targets,
        setup=setup(settings, f"{settings.compose_megabytes:.0f} MB of lines, on disk"),
        equal=contest.equal,
    )
