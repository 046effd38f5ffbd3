"""Refuses words that readers stumble over: `python tools/words.py [FOLDER]` prints `file:line: word`, exit code 1.

Reads .py, .md, .tf and .sh files and Makefiles, text and names alike: `_told` and `settleRows` count too.
"""

from __future__ import annotations

import pathlib
import re
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
ENDINGS = {".py", ".md", ".tf", ".sh"}
# What is made or installed here, apart from folders whose name begins with a dot.
MADE = {"build", "dist", "out", "__pycache__", "node_modules"}

BANNED = (
    "told",
    "stands",
    "settle",
    "settles",
    "settled",
    "beside",
    "twice",
    "keeper",
    "keepers",
    "look again",
    "looks again",
    "looked again",
    "hangs on",
    "nothing doubles",
)

# Files that may hold a word, and why.
EXCEPTIONS = {
    "tools/words.py": "the list itself",
    "tests/tools/test_words.py": "texts that the check must refuse",
}

_WORD = re.compile(r"\b(?:" + "|".join(word.replace(" ", r"\s+") for word in BANNED) + r")\b", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def banned_words(text: str) -> Iterator[tuple[int, str]]:
    """The banned words of a text, each with its line, from 1; parts of names joined by _ or capitals are words.

    >>> list(banned_words("def settle_rows():\\n    wasTold = 'twice, untold'"))
    [(1, 'settle'), (2, 'told'), (2, 'twice')]
    """
    plain = _HUMP.sub(" ", text.replace("_", " "))
    for match in _WORD.finditer(plain):
        yield plain.count("\n", 0, match.start()) + 1, " ".join(match[0].lower().split())


def files(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """The files below a folder that the check reads, sorted."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in MADE or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from files(path)
        elif path.suffix in ENDINGS or path.name == "Makefile":
            yield path


def main(folder: pathlib.Path) -> int:
    """Prints every banned word below the folder; 1 when there is one."""
    lines = []
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        if name not in EXCEPTIONS:
            lines += [f"{name}:{line}: {word}" for line, word in banned_words(path.read_text(encoding="utf-8"))]
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
