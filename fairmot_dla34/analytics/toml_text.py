"""Reads a TOML file of settings, and reports keys that are not known together with the nearest known one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from .. import toml_file
from ..config import check_path, shown
from ..errors import InvalidInputError

MAX_BYTES = 256 * 1024  # hundreds of zones; bounds the time of the parser
_EXPECTED = "expected a TOML file with tables such as [[line]], [[zone]], [heatmap] and [ground]"


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Args:
        path: Path of a regular file in UTF-8 of at most 256 kB.

    Raises:
        InvalidInputError: The file cannot be read, or is not TOML.
    """
    check_path("path", path, "the path of a TOML file")
    name = os.fspath(path)
    return toml_file.read_toml(
        name, what="Analytics file", expected=_EXPECTED, most_bytes=MAX_BYTES, error=InvalidInputError
    )


def check_keys(where: str, table: object, known: Sequence[str], required: Sequence[str] = ()) -> Mapping[str, Any]:
    """Return a table whose keys are all known.

    Args:
        where: Name of the table in messages, such as ``[heatmap]``.
        table: The table.
        known: Keys that may be there.
        required: Keys that must be there.

    Raises:
        InvalidInputError: It is not a table, has a key that is not known, or lacks one.
    """
    if not isinstance(table, Mapping):
        raise InvalidInputError(f"{where} is {shown(table)}; expected a table with {', '.join(known)}.")
    for key in table:
        if key not in known:
            near = get_close_matches(str(key)[:80], known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise InvalidInputError(f"{where} has the unknown key {shown(key)}; expected {', '.join(known)}.{hint}")
    for key in required:
        if key not in table:
            raise InvalidInputError(f"{where} has no key {key!r}; expected {', '.join(required)}.")
    return table
