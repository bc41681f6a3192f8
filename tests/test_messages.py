"""Text from outside, in errors and logs: what a terminal shows is what was meant."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34 import errors
from fairmot_dla34.messages import MAX_MESSAGE_CHARS, plain_line


@given(st.text(st.characters(), max_size=400))
def test_every_text_becomes_one_printable_line_of_bounded_length(text: str) -> None:
    line = plain_line(text)
    assert len(line) <= MAX_MESSAGE_CHARS
    assert len(line.splitlines()) <= 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in line)
    line.encode()  # no lone surrogate
    assert plain_line(line) == line


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("街道.mp4 does not exist; expected a video.", "C:\\videos\\a.avi", "naïve 👨‍👩‍👧 name"):
        assert plain_line(text) == text


def test_terminal_escapes_and_direction_overrides_are_visible() -> None:
    assert plain_line("a\x1b[2Jb\x07\u202ec\udcff") == "a\\x1b[2Jb\\x07\\u202ec\\udcff"
    assert plain_line("two\n  lines\tand a tab\n") == "two lines and a tab"


def test_a_long_message_keeps_cause_and_remedy() -> None:
    message = plain_line(f"weights is {'x' * 5000}; expected a name. Run fairmot_dla34 weights list.")
    assert len(message) == MAX_MESSAGE_CHARS
    assert message.startswith("weights is xxx")
    assert message.endswith("expected a name. Run fairmot_dla34 weights list.")


def test_messages_of_many_megabytes_take_no_time() -> None:
    assert len(plain_line(" \n" * 50_000_000)) < MAX_MESSAGE_CHARS


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_cleans_its_message(name: str) -> None:
    error = getattr(errors, name)("a\nb\x1b[31m" + "c" * 1000)
    assert str(error).startswith("a b\\x1b[31mccc")
    assert len(str(error)) == MAX_MESSAGE_CHARS
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
