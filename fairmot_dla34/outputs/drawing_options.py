"""Values of the options that decide how tracks are drawn, and their checks."""

from __future__ import annotations

from ..config import check_choice, is_whole, shown
from ..errors import InvalidInputError

LABELS = ("auto", "id", "score", "none")
MAX_LINE_WIDTH = 100  # px


def check_labels(value: object) -> str:
    """Return ``value`` if it is a kind of label.

    Raises:
        InvalidInputError: It is none of ``auto``, ``id``, ``score`` and ``none``.
    """
    check_choice("labels", value, LABELS)
    return str(value)


def check_line_width(value: object) -> int | None:
    """Return ``value`` if it is a width of lines in px, or None.

    Raises:
        InvalidInputError: It is neither None nor a whole number from 1 to 100.
    """
    if value is not None and not is_whole(value, 1, MAX_LINE_WIDTH):
        raise InvalidInputError(
            f"line_width is {shown(value)}; expected a whole number of px from 1 to {MAX_LINE_WIDTH}, or None."
        )
    return value
