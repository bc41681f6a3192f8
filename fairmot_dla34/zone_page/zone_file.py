"""The analytics file that the page edits: read at the start, checked and replaced at each save."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..analytics.config import AnalyticsConfig
from ..analytics.lines import Line
from ..analytics.toml_text import MAX_BYTES, check_keys, read_toml
from ..analytics.zones import Zone
from ..config import check_path, shown
from ..errors import InvalidInputError, OutputError
from ..files import file_digest, output_error, write_whole
from .toml_writing import to_toml

_HEADER = "# Drawn with fairmot_dla34 draw-zones; positions are px of the frame of {width}x{height} px.\n\n"
_DEFAULTS = {
    "line": {"forward": Line.forward, "backward": Line.backward, "anchor": Line.anchor},
    "zone": {"anchor": Zone.anchor},
}


class ZoneFile:
    """An analytics file. Its lines and zones are edited; all other tables are kept, comments are not.

    Args:
        path: Path of the file. Its folder must exist.
        frame_size: Width and height of the frame, px.
        overwrite: Whether an existing file may be read, edited and replaced.

    Attributes:
        path: Path of the file.
        frame_size: Width and height of the frame, px.
        has_comments: Whether the file may have comments, which a save removes.

    Raises:
        InvalidInputError: The existing file cannot be read or does not fit the frame.
        OutputError: The file exists and ``overwrite`` is False, or its folder does not exist.
    """

    def __init__(self, path: str | os.PathLike[str], frame_size: tuple[int, int], *, overwrite: bool = False) -> None:
        self.path = check_target(path, overwrite=overwrite)
        self.frame_size = frame_size
        self._saving = threading.Lock()
        self._digest = _digest(self.path)
        self._tables: dict[str, Any] = {}
        if self._digest is not None:
            self._tables = read_toml(self.path)
            AnalyticsConfig.from_toml(self.path).check_frame(frame_size)
        self.has_comments = self._digest is not None and _has_comments(self.path)

    @property
    def shapes(self) -> dict[str, Any]:
        """Lines and zones as the tables ``line`` and ``zone`` of the file, with defaults."""
        return {name: [_DEFAULTS[name] | row for row in self._tables.get(name, [])] for name in _DEFAULTS}

    def save(self, shapes: object) -> None:
        """Check lines and zones and write the file; it is replaced as a whole or not changed.

        Args:
            shapes: The tables ``line`` and ``zone``.

        Raises:
            InvalidInputError: A line or a zone is not accepted.
            OutputError: The file cannot be written, or another program changed it.
        """
        tables = self._tables | dict(check_keys("The drawing", shapes, ("line", "zone"), ("line", "zone")))
        AnalyticsConfig.from_mapping(tables).check_frame(self.frame_size)
        header = _HEADER.format(width=self.frame_size[0], height=self.frame_size[1])
        content = f"{header}{to_toml(_whole(tables))}".encode()
        if len(content) > MAX_BYTES:
            raise InvalidInputError(
                f"The drawing has {len(content)} bytes as TOML; expected at most {MAX_BYTES}. Remove some corners."
            )
        with self._saving:
            if _digest(self.path) != self._digest:
                raise OutputError(
                    f"{self.path} was changed by another program; expected the file as it was read. Move that file, or "
                    "start draw-zones again."
                )
            try:
                write_whole(self.path, content)
            except OSError as error:
                raise output_error(self.path, error) from error
            self._digest = _digest(self.path)
            self._tables = tables
            self.has_comments = False

    def wait(self) -> None:
        """Wait for a save in progress, for at most five seconds."""
        if self._saving.acquire(timeout=5.0):
            self._saving.release()


def check_target(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Return the path of a file that may be written.

    Raises:
        InvalidInputError: ``path`` is not a path.
        OutputError: The file exists and ``overwrite`` is False, it is not a regular file, or its folder does not exist.
    """
    target = check_name(path)
    try:
        if not target.parent.is_dir():
            raise OutputError(
                f"{target} is in a folder that does not exist; expected an existing folder. Create it first."
            )
        exists, is_file = os.path.lexists(target), target.is_file()
    except OSError as error:
        raise error if isinstance(error, OutputError) else output_error(target, error) from error
    if exists and not is_file:
        raise OutputError(f"{target} is not a regular file; expected the path of a TOML file: name another one.")
    if exists and not overwrite:
        raise OutputError(
            f"{target} exists; expected the path of a new file: name another one, or edit this one (--overwrite)."
        )
    return target


def check_name(path: str | os.PathLike[str]) -> Path:
    """Return a path that the operating system can have.

    Raises:
        InvalidInputError: It is not text, empty, or has characters that no path has.
    """
    check_path("analytics", path, "the path of a TOML file")
    text = os.fspath(path)
    try:
        possible = bool(text.strip()) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise InvalidInputError(f"analytics is {shown(text)}; expected the path of a TOML file, such as shop.toml.")
    return Path(text)


def _has_comments(path: Path) -> bool:
    """Return whether a file may have comments other than the header of this module."""
    lines = path.read_text("utf-8-sig").splitlines()
    own = bool(lines) and lines[0].startswith(_HEADER.split("{", maxsplit=1)[0])
    return any("#" in line for line in lines[own:])


def _digest(path: Path) -> bytes | None:
    """Return the digest of a file, None if it does not exist."""
    try:
        return file_digest(path, "sha256")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise output_error(path, error) from error


def _whole(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tables in the order of the documentation, without empty lists."""
    order = ("line", "zone", "heatmap", "ground", "settings")
    return {name: tables[name] for name in order if name in tables and tables[name] != []}
