"""The car park lookup as a conversation on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pathlib
import pty
import select
import subprocess
import sys
import termios

import pytest

from tests.services.lookup.sample_data import write
from tests.support.paths import ROOT


@pytest.fixture
def data(tmp_path: pathlib.Path) -> str:
    return write(tmp_path)


CONTROL = {"\x03": "interrupt", "\x04": "end of input"}


def terminal(data: str, *typed: str) -> str:
    """What a person sees who types these lines (or, for a control character, that key) on a terminal."""
    leader, follower = pty.openpty()
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb"}
    command = [sys.executable, "-m", "services.lookup", "--data", data]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # its own terminal, so that Ctrl-C reaches it
    )  # fmt: skip
    os.close(follower)
    seen = ""
    for line in typed:
        seen = _until(leader, seen, seen.count("or quit: ") + 1)
        if line in CONTROL:
            seen = _press(leader, line, seen)
        else:
            os.write(leader, line.encode() + b"\n")
    seen = _until(leader, seen, None)
    os.close(leader)
    assert process.wait(timeout=20) == 0
    return seen.replace("\r\n", "\n")


def _press(leader: int, key: str, seen: str) -> str:
    """What is seen up to the end of the program, which the key brings about."""
    # Between the prompt and the reading there is a moment in which Python takes note of a signal and goes on to wait.
    for _ in range(20):
        os.write(leader, key.encode())
        while select.select([leader], [], [], 1)[0]:
            try:
                seen += os.read(leader, 65536).decode()
            except OSError:
                return seen
    raise AssertionError(f"the program goes on after {seen!r}")


def _until(leader: int, seen: str, prompts: int | None) -> str:
    while prompts is None or seen.count("or quit: ") < prompts:
        assert select.select([leader], [], [], 20)[0], f"nothing more came after {seen!r}"
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the program has ended and closed the terminal
            return seen
        seen += chunk.decode()
    return seen


def test_a_conversation(data: str) -> None:
    seen = terminal(data, "", " he12", "kio mo", "a1", "angg mo", "QUIT")
    assert [line.strip() for line in seen.splitlines() if line.strip()] == [
        "3 car parks.",
        "Number, part of an address, or quit:",
        "Number, part of an address, or quit:  he12",
        "HE12 (no information)",
        "Free lots  50 of 1 (odd readings included)",
        "Lots                 Free   Total   Updated (+08:00)",
        "───────────────────────────────────────────────────────────────────────────",
        "H (heavy vehicles)     50       1   2016-02-15 21:52:35   stale, impossible",
        "Number, part of an address, or quit: kio mo",
        "Number   Address                        Type                 Free lots",
        "─────────────────────────────────────────────────────────────────────────",
        "A10      BLK 101, ANG MO KIO AVENUE 3   SURFACE CAR PARK      22 of 91",
        "A11      BLK 5 ANG MO KIO STREET 61     BASEMENT CAR PARK   no reading",
        "2 car parks.",
        "Number, part of an address, or quit: a1",
        "No car park 'a1'. An address takes 3 characters or more, got 'a1'.",
        "numbers like it: A11, A10",
        "Number, part of an address, or quit: angg mo",
        "No car park number and no address with 'angg mo'.",
        "addresses with: ang mo",
        "Number, part of an address, or quit: QUIT",
    ]


@pytest.mark.parametrize("key", CONTROL, ids=CONTROL.values())
def test_a_conversation_ends_without_a_trace(data: str, key: str) -> None:
    assert "Traceback" not in terminal(data, "A10", key)
