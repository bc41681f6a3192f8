"""Reads the settings of the association from a TOML file, with errors that name the file and the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..association import TrackerConfig
from ..association.registry import check_used
from ..errors import InvalidInputError
from ..toml_file import read_toml
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
    tables = read_toml(path, what="Settings file", expected=_EXPECTED, most_bytes=_MAX_BYTES, error=SettingsFileError)
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
        SettingsFileError: A setting is unknown, of the wrong type or out of its range, does not suit the method, or is
            not used by it.
    """
    for name, value in table.items():
        try:
            config = TrackerConfig.from_mapping({"method": method, name: value})
            check_used(config.method, {name: value})
        except InvalidInputError as error:
            raise SettingsFileError(f"Settings file {path}, [{TABLE}]: {error}") from error
