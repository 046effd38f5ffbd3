"""`make run`: runs the jobs on their small samples, one after the other in this process, with outputs under out/JOB.

A job takes part when data/JOB/args exists. That file holds the arguments of `partner-jobs JOB` as in a shell, over as
many lines as one likes, `#` begins a comment; paths are from the root of the repository, and `--destination out/JOB` is
added.

    # data/restaurants/args
    --restaurants data/restaurants/pages.json
    --country-codes data/restaurants/country-codes.csv

Usage: run_jobs.py [JOB ...] [-- MORE ARGUMENTS]      (these replace those of the sample with the same option)
"""

from __future__ import annotations

import importlib
import os
import pathlib
import shlex
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]


def known_jobs() -> list[str]:
    """The jobs that have a sample; restaurants, the main one, first."""
    names = [path.parent.name for path in ROOT.glob("data/*/args")]
    return sorted(names, key=lambda name: (name != "restaurants", name))


def arguments(job: str) -> list[str]:
    """What data/JOB/args says."""
    return shlex.split((ROOT / "data" / job / "args").read_text(encoding="utf-8"), comments=True)


def without(given: list[str], more: list[str]) -> list[str]:
    """The arguments but for options that are among others, with their values."""
    options = {word.partition("=")[0] for word in more if word.startswith("--")}
    kept, is_kept = list[str](), True
    for word in given:
        is_kept = word.partition("=")[0] not in options if word.startswith("--") else is_kept
        kept += [word] if is_kept else []
    return kept


def run(job: str, more: list[str]) -> int:
    """Runs one job, on the engine that runs already, and returns its exit code."""
    given = [*without([*arguments(job), "--destination", f"out/{job}"], more), *more]
    print(f"\n$ partner-jobs {job} {shlex.join(given)}", flush=True)
    code: int = importlib.import_module(f"jobs.{job}").JOB.call(given)
    return code


def main(words: list[str]) -> int:
    """Runs the named jobs, or all; returns the first exit code that is not 0."""
    cut = words.index("--") if "--" in words else len(words)
    names, more = words[:cut], words[cut + 1 :]
    known = known_jobs()
    if unknown := [name for name in names if name not in known]:
        print(
            f"no job {', '.join(unknown)} with a sample (data/JOB/args); there are: {', '.join(known)}", file=sys.stderr
        )
        return 2
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    rows = []
    for name in names or known:
        started = time.monotonic()
        rows.append((name, run(name, more), time.monotonic() - started))
    print()
    for name, code, seconds in rows:
        print(f"{name:16} {'done' if code == 0 else f'exit code {code}':14} {seconds:5.1f} s   out/{name}/")
    return next((code for _, code, _ in rows if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
