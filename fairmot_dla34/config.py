"""Default values and checks of arguments that several parts of the package share."""

from __future__ import annotations

import math
import os
import re
import reprlib
from dataclasses import dataclass
from numbers import Real
from typing import TypeGuard

from .errors import InvalidInputError

DEFAULT_WEIGHTS = "fairmot_dla34_30e_1088x608"
DEFAULT_FRAME_RATE = 30.0  # frames/s of a source that states none; PaddleDetection's --frame_rate fallback
_MAX_STRIDE = 10**9
_REPR = reprlib.Repr()  # bounds depth, length and digits
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 80


@dataclass(frozen=True)
class InputSize:
    """Size of the network input in px.

    Attributes:
        width: Multiple of 32. Default 1088: fairmot_dla34_30e_1088x608.yml.
        height: Multiple of 32. Default 608: the same file.

    Raises:
        InvalidInputError: A side is not a positive multiple of 32 (the backbone's largest stride).
    """

    width: int = 1088
    height: int = 608

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            side = getattr(self, name)
            if not is_whole(side, 1) or side % 32:
                raise InvalidInputError(
                    f"Input {name} is {shown(side)}; expected a positive multiple of 32, as in 1088x608 or 576x320."
                )

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def parse(cls, value: InputSize | str | tuple[int, int]) -> InputSize:
        """Read ``"1088x608"``, ``(1088, 608)`` or an ``InputSize`` (width first).

        Raises:
            InvalidInputError: The value has another form, or a side is not a positive multiple of 32.
        """
        if isinstance(value, InputSize):
            return value
        if isinstance(value, str):
            sides = read_size(value)
            if sides:
                return cls(*sides)
        elif isinstance(value, tuple) and len(value) == 2:
            return cls(*value)
        raise InvalidInputError(f"Input size is {shown(value)}; expected WIDTHxHEIGHT, such as 1088x608.")


def read_size(text: str) -> tuple[int, int] | None:
    """Parse ``"960x540"``, width first; return None for any other text."""
    match = re.fullmatch(r"\s*(\d{1,9})\s*[xX*]\s*(\d{1,9})\s*", text)
    return (int(match[1]), int(match[2])) if match else None


def check_fraction(name: str, value: object) -> float:
    """Return ``value`` as a float in [0, 1].

    Raises:
        InvalidInputError: It is not a number, NaN, or outside [0, 1].
    """
    if not is_number(value) or not 0.0 <= float(value) <= 1.0:
        raise InvalidInputError(f"{name} is {shown(value)}; expected a number from 0 to 1.")
    return float(value)


def check_amount(name: str, value: object) -> float:
    """Return ``value`` as a float >= 0.

    Raises:
        InvalidInputError: It is not a number, NaN, infinite, or below 0.
    """
    if not is_number(value) or float(value) < 0:
        raise InvalidInputError(f"{name} is {shown(value)}; expected a number >= 0.")
    return float(value)


def check_frame_rate(value: object) -> float:
    """Return ``value`` as frames per second.

    Raises:
        InvalidInputError: It is not a number from 0.001 to 100000.
    """
    if not is_number(value) or not 1e-3 <= float(value) <= 1e5:
        raise InvalidInputError(
            f"frame_rate is {shown(value)}; expected frames per second, a number from 0.001 to 100000."
        )
    return float(value)


def check_frame_stride(value: object) -> int:
    """Return ``value`` as a stride: every n-th frame is used.

    Raises:
        InvalidInputError: It is not a whole number from 1 to 10^9.
    """
    if not is_whole(value, 1, _MAX_STRIDE):
        raise InvalidInputError(f"frame_stride is {shown(value)}; expected a whole number >= 1, 1 for all frames.")
    return value


def is_whole(value: object, smallest: int, largest: float = math.inf) -> TypeGuard[int]:
    """Return whether ``value`` is an integer from ``smallest`` to ``largest``; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= largest


def check_flag(name: str, value: object) -> None:
    """Check that ``value`` is a truth value: the text ``"False"`` would count as true.

    Raises:
        InvalidInputError: It is none of True, False, 1 and 0.
    """
    try:
        valid = value in (True, False)
    except (TypeError, ValueError):  # an array, which is compared element by element
        valid = False
    if not valid:
        raise InvalidInputError(f"{name} is {shown(value)}; expected True or False.")


def check_path(name: str, value: object, expected: str) -> None:
    """Check that ``value`` is a text or a path object.

    Args:
        name: Name of the argument in the message.
        value: Value of the argument.
        expected: Description of a valid value in the message.

    Raises:
        InvalidInputError: It is neither, or the path of the object is not text.
    """
    try:
        is_text = isinstance(os.fspath(value), str)  # type: ignore[call-overload]
    except Exception:  # noqa: BLE001 (of any kind: a path object is code of the caller)
        is_text = False
    if not is_text:
        raise InvalidInputError(f"{name} is {shown(value)}; expected {expected}, as text or a path object.")


def check_choice(what: str, value: object, choices: tuple[str, ...]) -> None:
    """Check that ``value`` is one of ``choices``.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(value, str) or value not in choices:
        raise InvalidInputError(f"{what} is {shown(value)}; expected one of {', '.join(choices)}.")


def is_number(value: object) -> TypeGuard[float]:
    """Return whether ``value`` is a finite number that a float can hold; True and False are not numbers."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer such as 10**400
        return False


def shown(value: object) -> str:
    """Return a short representation of any value for a message.

    Representations may be long (a list of a million numbers), fail (an integer of more than 4,300 digits) or be code
    of the caller that raises; then the type is named instead.
    """
    try:
        text = _REPR.repr(value)
    except Exception:  # noqa: BLE001 (of any kind: the representation is code of the caller)
        return f"a value of type {type(value).__name__}"
    return text
