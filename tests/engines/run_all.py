"""Runs jobs one after the other in this process: run_all.py LIST FOLDER.

LIST is a JSON file, an object of names with job and arguments. FOLDER gets what each writes, under its name, and
exit_codes.json.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))


def main(listed: Path, folder: Path) -> None:
    """Runs them all."""
    codes = {}
    for name, (job, *arguments) in json.loads(listed.read_text(encoding="utf-8")).items():
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            module = importlib.import_module(f"jobs.{job}")
            codes[name] = module.JOB.call([*arguments, "--destination", str(folder / name), "--quiet"])
        print(f"{name}: {codes[name]}", flush=True)
    (folder / "exit_codes.json").write_text(json.dumps(codes), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
