"""Reads the TOML file of ``watch``: settings for all cameras, and one table for each camera."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..analytics.config import AnalyticsConfig
from ..analytics.toml_text import check_keys
from ..config import shown
from ..errors import InvalidInputError, SourceError
from ..toml_file import read_toml
from ..video.locations import local_path
from ..video.names import redact_urls, url_identity
from ..weights import find_entry
from .camera import Camera
from .variables import with_variables

_MAX_BYTES = 256 * 1024  # a thousand cameras; bounds the time of the parser
_CAMERA_KEYS = ("name", "source", "weight", "max_fps", "analytics")
_EXPECTED = (
    'expected a TOML file with a table for each camera, such as:  [[camera]]  name = "door"  source = "rtsp://…"'
)


@dataclass(frozen=True)
class WatchFile:
    """Contents of a settings file.

    Attributes:
        settings: Settings for all cameras by name, not yet checked.
        cameras: Cameras in the order of the file; their names and sources are unique.
        analytics: Analyses by the name of the camera.
        sources: Sources of the cameras as the file has them, before variables are replaced.
    """

    settings: Mapping[str, Any]
    cameras: tuple[Camera, ...]
    analytics: Mapping[str, AnalyticsConfig]
    sources: tuple[str, ...]


def read_watch_file(path: str | os.PathLike[str], known: tuple[str, ...], environment: Mapping[str, str]) -> WatchFile:
    """Read a settings file. Relative paths in it start from its folder.

    Args:
        path: Path of a regular file in UTF-8 of at most 256 kB.
        known: Names of the settings for all cameras.
        environment: Environment variables, which sources name as ``${NAME}``.

    Raises:
        InvalidInputError: The file cannot be read, a key is unknown, or a camera is not accepted.
    """
    tables = read_toml(
        os.fspath(path), what="Settings file", expected=_EXPECTED, most_bytes=_MAX_BYTES, error=InvalidInputError
    )
    check_keys("The file", tables, (*known, "camera"))
    rows = tables.pop("camera", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInputError(
            "camera is not a list of tables; expected two brackets, [[camera]], because there may be several."
        )
    if not rows:
        raise InvalidInputError(f"The file has no camera; {_EXPECTED}.")
    folder = Path(path).absolute().parent
    cameras = tuple(_camera(row, number, folder, environment) for number, row in enumerate(rows, 1))
    check_unique(cameras)
    analytics = {
        camera.name: AnalyticsConfig.from_toml(_path(camera.name, row["analytics"], folder))
        for camera, row in zip(cameras, rows, strict=True)
        if "analytics" in row
    }
    return WatchFile(_from_folder(tables, folder), cameras, analytics, tuple(str(row["source"]) for row in rows))


def check_unique(cameras: Iterable[Camera]) -> None:
    """Check that no name and no source occurs twice.

    Raises:
        InvalidInputError: Two cameras have one name or one source. Names that differ in capital letters only count as
            one: some file systems do not tell them apart.
    """
    names: dict[str, Camera] = {}
    sources: dict[str, Camera] = {}
    for camera in cameras:
        same = names.setdefault(camera.name.casefold(), camera)
        if same is not camera:
            raise InvalidInputError(
                f"Two cameras have the name {camera.name!r}; expected different names, because files are named by "
                "them. A settings file gives a camera any name."
            )
        same = sources.setdefault(_identity(camera.source), camera)
        if same is not camera:
            raise InvalidInputError(
                f"Cameras {same.name!r} and {camera.name!r} have one source, {camera.redacted}; expected each source "
                "once."
            )


def _identity(source: str | os.PathLike[str] | int) -> str:
    text = os.fspath(source) if not isinstance(source, int) else str(source)
    path = local_path(text)
    if path is not None:
        return os.path.realpath(path)
    return url_identity(text) if "://" in text else str(int(text))


def _camera(row: Mapping[str, Any], number: int, folder: Path, environment: Mapping[str, str]) -> Camera:
    where = f"[[camera]] number {number}"
    check_keys(where, row, _CAMERA_KEYS, ("name", "source"))
    name, source = row["name"], row["source"]
    if isinstance(source, int) and not isinstance(source, bool):
        source = str(source)
    if not isinstance(source, str):  # the value is not shown: it may contain a password
        raise InvalidInputError(f"{where}: source is a {type(source).__name__}; expected text, such as a URL.")
    try:
        limits = {key: row[key] for key in ("weight", "max_fps") if key in row}
        return Camera(name, _source(with_variables(source, environment), folder), **limits)
    except (InvalidInputError, SourceError) as error:
        raise InvalidInputError(redact_urls(f"{where}: {error}")) from None


def _source(text: str, folder: Path) -> str:
    """Return a source with the full path of a local file."""
    try:
        path = local_path(text) if text.strip() and "\0" not in text else None
    except RuntimeError:
        return text
    return text if path is None or path.is_absolute() else str(folder / path)


def _path(name: str, value: object, folder: Path) -> Path:
    if not isinstance(value, str) or not value or re.search(r"[\x00\ud800-\udfff]", value):
        raise InvalidInputError(f"Camera {name!r}: analytics is {shown(value)}; expected the path of a TOML file.")
    return folder / Path(value)


def _from_folder(settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return settings with full paths in place of paths that are relative to a folder."""
    found = dict(settings)
    output_dir, weights = found.get("output_dir"), found.get("weights")
    if isinstance(output_dir, str):
        found["output_dir"] = str(folder / output_dir) if "\0" not in output_dir else output_dir
    if (
        isinstance(weights, str)
        and "\0" not in weights
        and find_entry(weights) is None
        and (folder / weights).is_file()
    ):
        found["weights"] = str(folder / weights)
    return found
