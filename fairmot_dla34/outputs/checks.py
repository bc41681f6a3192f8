"""Checks of the arguments that describe outputs: folder and formats."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import islice

from ..config import check_path, shown
from ..errors import InvalidInputError
from .registry import find_sink

_MAX_FORMATS = 100
_MAX_PATH_BYTES = 4096  # PATH_MAX of Linux; the limits of other systems are lower


def check_output_dir(value: object) -> None:
    """Check that ``value`` can be the path of a folder; nothing is created.

    Raises:
        InvalidInputError: It is neither text nor a path object, too long, or contains a character that no path has.
    """
    check_path("output_dir", value, "a folder")
    try:
        encoded = os.fsencode(value)  # type: ignore[arg-type]
    except (UnicodeEncodeError, TypeError) as error:
        raise InvalidInputError(f"output_dir is {shown(value)}; expected the path of a folder ({error}).") from error
    if b"\0" in encoded:
        raise InvalidInputError(f"output_dir is {shown(value)}; expected a path without null characters.")
    if len(encoded) > _MAX_PATH_BYTES:
        raise InvalidInputError(
            f"output_dir has {len(encoded)} bytes; expected a path of at most {_MAX_PATH_BYTES} bytes."
        )


def check_formats(value: object) -> tuple[str, ...]:
    """Return the names of outputs in ``value``.

    Raises:
        InvalidInputError: It is not a list of at most 100 registered names.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidInputError(f"formats is {shown(value)}; expected a list of names, such as ['mot', 'csv'].")
    names = tuple(islice(value, _MAX_FORMATS + 1))
    if len(names) > _MAX_FORMATS:
        raise InvalidInputError(f"formats has more than {_MAX_FORMATS} items; expected each output once.")
    for name in names:
        if not isinstance(name, str):
            raise InvalidInputError(
                f"formats contains a {type(name).__name__}; expected names of outputs, such as ['mot', 'csv']."
            )
        find_sink(name)
    return names
