from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.cursor import PATTERN, Cursor, parse

KNOWN = Cursor(uuid.UUID("00000000-0000-0000-0000-000000000001"), 10)


@given(st.uuids(), st.integers(0, 65535))
def test_a_cursor_comes_back_from_its_text(after: uuid.UUID, num_records: int) -> None:
    cursor = Cursor(after, num_records)
    assert re.fullmatch(PATTERN, str(cursor))
    assert parse(str(cursor)) == cursor


@given(st.text(max_size=40) | st.from_regex(PATTERN, fullmatch=True))
def test_a_text_that_was_not_given_is_no_cursor(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("at", range(32))
def test_a_cursor_with_one_letter_changed_is_no_cursor(at: int) -> None:
    text = str(KNOWN)
    changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
    assert parse(changed) is None
