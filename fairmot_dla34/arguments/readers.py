"""Conversion of the text of an option to a value, checked by the settings that will hold it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..config import InputSize, check_choice
from ..outputs.checks import check_output_dir


def checked_by(settings: Callable[..., Any], name: str, convert: Callable[[str], Any] = str) -> Callable[[str], Any]:
    """Return a reader that converts text and has the value checked by a class of settings.

    Args:
        settings: Class with the attribute ``name``, whose constructor checks it.
        name: Name of the attribute.
        convert: Conversion of the text. Text that it cannot convert is checked as it is, and so refused.
    """

    def read(text: str) -> Any:
        value: Any = text
        try:
            value = convert(text)
        except ValueError:
            value = text
        settings(**{name: value})
        return value

    return read


def one_of(what: str, names: Callable[[], tuple[str, ...]]) -> Callable[[str], str]:
    """Return a reader that accepts one of the names that a function returns when the option is read."""

    def read(text: str) -> str:
        check_choice(what, text, names())
        return text

    return read


def folder(text: str) -> str:
    """Read the path of an output folder, which need not exist."""
    check_output_dir(text)
    return text


def input_size(text: str) -> InputSize:
    """Read the size of the network input."""
    return InputSize.parse(text)
