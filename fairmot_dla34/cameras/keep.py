"""Limits of age and size after which old parts of a camera are deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import is_number, is_whole, shown
from ..errors import InvalidInputError

if TYPE_CHECKING:
    from typing_extensions import Self

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_UNITS_BYTES = {
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}
_MAX_AGE_S = 100 * 366 * 86_400
_MIN_BYTES, _MAX_BYTES = 1000, 10**18
_EXPECTED = "expected an age such as 7d, 12h or 4w, a size such as 50GB or 500MB, or both: 7d,50GB"


@dataclass(frozen=True)
class Keep:
    """Limits of the outputs that one camera keeps; the oldest parts are deleted first.

    Attributes:
        age_s: Seconds after the end of a part at which it is deleted, from 1 to 100 years; None: no limit.
        bytes: Size of all files of one camera at which its oldest parts are deleted, from 1000; None: no limit.

    Raises:
        InvalidInputError: A number is out of its range, or both are None.
    """

    age_s: float | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        if self.age_s is None and self.bytes is None:
            raise InvalidInputError("keep has neither an age nor a size; expected one of them, or None for no limit.")
        if self.age_s is not None and (not is_number(self.age_s) or not 1 <= self.age_s <= _MAX_AGE_S):
            raise InvalidInputError(
                f"keep has the age {shown(self.age_s)}; expected seconds, from 1 to {_MAX_AGE_S} (100 years)."
            )
        if self.bytes is not None and not is_whole(self.bytes, _MIN_BYTES, _MAX_BYTES):
            raise InvalidInputError(
                f"keep has the size {shown(self.bytes)}; expected a whole number of bytes, from {_MIN_BYTES} to"
                f" {_MAX_BYTES}."
            )

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read ``"7d"``, ``"50GB"``, or both: ``"7d,50GB"``.

        Raises:
            InvalidInputError: The text has another form, names an age or a size twice, or a limit is out of its range.
        """
        words = [word.strip() for word in text.split(",", 2)] if isinstance(text, str) else [""]
        ages = [age for word in words if (age := _age_s(word)) is not None]
        sizes = [size for word in words if (size := _bytes(word)) is not None]
        if len(ages) + len(sizes) != len(words) or len(ages) > 1 or len(sizes) > 1:
            raise InvalidInputError(f"keep is {shown(text)}; {_EXPECTED}.")
        return cls(ages[0] if ages else None, sizes[0] if sizes else None)


def _age_s(word: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,7})([smhdw])", word)
    return int(match[1]) * _UNITS_S[match[2]] if match else None


def _bytes(word: str) -> int | None:
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s?([kmgt]i?b)", word, re.IGNORECASE)
    factor = _UNITS_BYTES[match[2].lower()] if match else 0
    return round(float(match[1]) * factor) if match else None
