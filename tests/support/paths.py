"""Where things are, seen from the tests."""

from __future__ import annotations

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
JOBS = ROOT / "jobs"
SAMPLES = ROOT / "data"
REAL_DATA = pathlib.Path(os.environ.get("REAL_DATA", ROOT.parent / "shared" / "data"))
