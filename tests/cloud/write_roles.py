"""Writes roles.txt anew: `python -m tests.cloud.write_roles`; look at the difference before it is kept."""

from __future__ import annotations

import pathlib
import tempfile

from tests.cloud.policies import listing, read_layout

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = listing(read_layout(pathlib.Path(folder)).roles())
    pathlib.Path(__file__).with_name("roles.txt").write_text(text, encoding="utf-8")
