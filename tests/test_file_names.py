"""Names of output files: what a user may choose, and what is made of the name of a source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.file_names import MAX_NAME_BYTES, MAX_NAME_CHARS, check_file_name, safe_file_name


@pytest.mark.parametrize(
    "name", ["a", "inputimages", "cam.v2", "street 3", "相机", "é" * 100, "x" * 120, "console", "a:b"]
)
def test_plain_names_are_kept(name: str) -> None:
    assert check_file_name(name) == name
    assert safe_file_name(name, "video") == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b\\c", "a_b_c"),
        ("a\nb\x1b[2J", "a_b_[2J"),
        (" a. ", "a"),
        (".hidden", "hidden"),
        ("con", "con_"),
        ("LPT1.x", "LPT1_.x"),
        ("caf\udce9", "caf_"),
        ("\u202eevil", "_evil"),
        ("", "video"),
        ("...", "video"),
        ("x" * 500, "x" * 120),
        ("漢" * 100, "漢" * 66),
    ],
)
def test_other_names_are_made_safe(text: str, name: str) -> None:
    assert safe_file_name(text, "video") == name
    with pytest.raises(InvalidInputError, match="name"):
        check_file_name(text)


@given(st.text(max_size=300) | st.text("./\\ conCON1\ud800\0\n", max_size=20))
def test_a_safe_name_passes_the_check(text: str) -> None:
    name = safe_file_name(text, "video")
    assert check_file_name(name) == name
    assert len(name) <= MAX_NAME_CHARS
    assert len(name.encode()) <= MAX_NAME_BYTES
