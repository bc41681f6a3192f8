"""Checks of the path of a checkpoint file to write, before anything is read."""

from __future__ import annotations

import os
from os import PathLike
from pathlib import Path

from ..config import check_path, shown
from ..errors import InvalidInputError, OutputError


def checked_target(path: str | PathLike[str]) -> Path:
    """Return the path of a file to write; nothing is created.

    Raises:
        InvalidInputError: It is neither text nor a path object, or no file can have it.
    """
    check_path("path", path, "a file to write")
    try:
        is_valid = b"\0" not in os.fsencode(path)
    except (UnicodeEncodeError, TypeError):
        is_valid = False
    if not is_valid:
        raise InvalidInputError(f"path is {shown(path)}; expected the path of a file, without null characters.")
    return Path(path)


def check_free(target: Path, *, overwrite: bool) -> None:
    """Check that a file can be written without loss.

    Raises:
        OutputError: It is a folder or a device, or it exists and ``overwrite`` is False.
    """
    try:
        exists, is_file = os.path.lexists(target), target.is_file()
    except (OSError, ValueError):  # reported when it is written
        return
    if exists and not is_file and not target.is_symlink():
        kind = "a folder" if target.is_dir() else "a device or a pipe"
        raise OutputError(f"{target} is {kind}; expected the path of a file to write: name another one.")
    if exists and not overwrite:
        raise OutputError(f"{target} exists; expected a new file: name another one, or replace it (--overwrite).")


def check_apart(source: Path, target: Path) -> None:
    """Check that the file to write is not the one that is read, whatever links lead to it.

    Raises:
        OutputError: It is.
    """
    try:
        is_same = target.exists() and source.samefile(target)
    except (OSError, ValueError):
        return
    if is_same:
        raise OutputError(f"{target} is the file that is read; expected another file to write: name another one.")
