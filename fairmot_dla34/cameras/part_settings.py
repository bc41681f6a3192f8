"""Checks the settings of outputs in parts: each has an effect, and names of files are not too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..file_names import MAX_NAME_BYTES, MAX_NAME_CHARS, check_file_name

if TYPE_CHECKING:
    from ..tracking.options import OutputOptions
    from .keep import Keep
    from .segment import Segment

_LONGEST_END = f"_{'0' * 16}_{'0' * 4}"  # the time of a part and its number within a second


def check_settings(camera_name: str, options: OutputOptions, segment: Segment | None, keep: Keep | None) -> None:
    """Check the settings of a `PartWriter`, which explains them.

    Raises:
        InvalidInputError: A setting has no effect, or the camera's name is no file name or too long.
    """
    check_file_name(camera_name)
    longest = f"{camera_name}{_LONGEST_END}"
    if len(longest) > MAX_NAME_CHARS or len(longest.encode()) > MAX_NAME_BYTES:
        raise InvalidInputError(
            f"Camera name {camera_name!r} has {len(camera_name)} characters; expected at most"
            f" {MAX_NAME_CHARS - len(_LONGEST_END)}, and {MAX_NAME_BYTES - len(_LONGEST_END)} bytes in UTF-8, because a"
            " time follows in the names of its files."
        )
    if options.name is not None:
        raise InvalidInputError(f"name is {options.name!r}; expected None, because parts have the name of the camera.")
    if options.overwrite:
        raise InvalidInputError("overwrite is True; expected False, because a part never replaces a file.")
    if options.show:
        raise InvalidInputError("show is True; expected False: parts of a camera have no window.")
    if keep is not None and segment is None:
        raise InvalidInputError(
            "keep is given without a segment; expected a segment such as hour or day, because whole parts are deleted."
        )
