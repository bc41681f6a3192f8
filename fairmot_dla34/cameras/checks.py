"""Checks of single settings of a watch, and the names of cameras that are given by their sources."""

from __future__ import annotations

from ..config import is_number, is_whole, shown
from ..errors import InvalidInputError
from ..video.locations import check_location, named_path
from ..video.names import file_name, url_name


def source_name(source: str) -> str:
    """Return the name of a camera from its source: host and path of a URL, stem of a file, ``camera0`` of an index.

    Raises:
        InvalidInputError, SourceNotFoundError: It is no source; see `Camera`.
    """
    check_location(source)
    text, path = named_path(source)
    if path is not None:
        return file_name(path)
    return f"camera{text}" if text.isdecimal() else url_name(text)


def check_give_up(value: object) -> float:
    """Return the seconds without a frame after which a camera ends.

    Raises:
        InvalidInputError: It is not a number above 0.
    """
    if not is_number(value) or value <= 0:
        raise InvalidInputError(f"give_up_after_s is {shown(value)}; expected seconds, a number above 0.")
    return float(value)


def check_metrics_port(value: object) -> int:
    """Return the port of the metrics.

    Raises:
        InvalidInputError: It is not a whole number from 0 to 65535.
    """
    if not is_whole(value, 0, 65535):
        raise InvalidInputError(
            f"metrics is {shown(value)}; expected a port, a whole number from 1 to 65535, or 0 for a free one."
        )
    return value
