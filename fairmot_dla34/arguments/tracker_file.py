"""Reads the settings of the association from a TOML file, with errors that name the file and the key."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from ..association import TrackerConfig
from ..errors import InvalidInputError
from .parser import SettingsFileError

TABLE = "tracker"
_MAX_BYTES = 16 * 1024  # ample, and bounds the time of the parser, which grows with the square of some texts
_EXPECTED = f"expected a TOML file with a table [{TABLE}], such as:  [{TABLE}]  conf_thres = 0.3"


def read_tracker_table(path: str) -> dict[str, Any]:
    """Return the table ``[tracker]`` of a TOML file: values by the names of `TrackerConfig`, not yet checked.

    Args:
        path: Path of a regular file in UTF-8 of at most 16 kB.

    Raises:
        SettingsFileError: The file cannot be read, is not TOML, or has other contents than that table.
    """
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = _read(path)
    try:
        tables = toml.loads(text)
    except (ValueError, RecursionError) as error:  # nested too deeply
        raise SettingsFileError(f"Settings file {path} is not valid TOML ({error}); {_EXPECTED}.") from error
    others = [name for name in tables if name != TABLE]
    if others:
        raise SettingsFileError(f"Settings file {path} has {others[0]!r} beside the table [{TABLE}]; {_EXPECTED}.")
    if not isinstance(tables.get(TABLE), dict):
        raise SettingsFileError(f"Settings file {path} has no table [{TABLE}]; {_EXPECTED}.")
    table: dict[str, Any] = tables[TABLE]
    return table


def check_table(path: str, table: Mapping[str, Any], method: object) -> None:
    """Check each setting of a file, so that the message of an error names the file.

    Args:
        path: Path of the file.
        table: Settings of the file by name; see `read_tracker_table`.
        method: Association method that the settings are for.

    Raises:
        SettingsFileError: A setting is unknown, of the wrong type or out of its range, or does not suit the method.
    """
    for name, value in table.items():
        try:
            TrackerConfig.from_mapping({"method": method, name: value})
        except InvalidInputError as error:
            raise SettingsFileError(f"Settings file {path}, [{TABLE}]: {error}") from error


def _read(path: str) -> str:
    try:
        # A FIFO without a writer would block; what is not a regular file is refused below.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            content = file.read(_MAX_BYTES + 1) if regular else b""
    except (OSError, ValueError) as error:  # ValueError: the text is not a path
        reason = getattr(error, "strerror", None) or error
        raise SettingsFileError(f"Settings file {path!r} cannot be read ({reason}); {_EXPECTED}.") from error
    if not regular:
        raise SettingsFileError(f"Settings file {path} is not a regular file; {_EXPECTED}.")
    if len(content) > _MAX_BYTES:
        raise SettingsFileError(f"Settings file {path} has more than {_MAX_BYTES} bytes; {_EXPECTED}.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsFileError(f"Settings file {path} is not UTF-8 text (byte {error.start}); {_EXPECTED}.") from error
