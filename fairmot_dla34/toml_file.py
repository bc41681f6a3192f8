"""Reads a TOML file of settings that a user names: a regular file of bounded size; each fault is one sentence."""

from __future__ import annotations

import os
import stat
import sys
from importlib import import_module
from typing import Any

from .errors import FairMOTError


def read_toml(path: str, *, what: str, expected: str, most_bytes: int, error: type[FairMOTError]) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Args:
        path: Path of a regular file in UTF-8.
        what: Kind of the file in messages, such as ``Settings file``.
        expected: What is expected, as the end of every message.
        most_bytes: Largest size; it bounds the time of the parser.
        error: Kind of error that is raised.

    Raises:
        FairMOTError: The file cannot be read, is too large, or is not TOML; the exception is an ``error``.
    """
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    content = _content(path, what, expected, most_bytes, error)
    try:
        tables: dict[str, Any] = toml.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as fault:
        raise error(f"{what} {path} is not UTF-8 text (byte {fault.start}); {expected}.") from fault
    except (ValueError, RecursionError) as fault:  # nested too deeply
        raise error(f"{what} {path} is not valid TOML ({fault}); {expected}.") from fault
    return tables


def _content(path: str, what: str, expected: str, most_bytes: int, error: type[FairMOTError]) -> bytes:
    try:
        # A FIFO without a writer would block; what is not a regular file is refused below.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = file.read(most_bytes + 1) if regular else b""
    except (OSError, ValueError) as fault:  # ValueError: the text is not a path
        reason = getattr(fault, "strerror", None) or fault
        raise error(f"{what} {path!r} cannot be read ({reason}); {expected}.") from fault
    if not regular:
        raise error(f"{what} {path} is not a regular file; {expected}.")
    if len(content) > most_bytes:
        raise error(f"{what} {path} has more than {most_bytes} bytes; {expected}.")
    return content
