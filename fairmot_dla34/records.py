"""Checks of records that come from JSON: every field is known, present and of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .config import is_number, is_whole, shown
from .errors import InvalidInputError

LARGEST = 2**53  # larger whole numbers are not exact in the JSON of other languages


@dataclass(frozen=True)
class Field:
    """One field of a record.

    Attributes:
        accepts: Function that returns whether a value is valid.
        expected: Description of a valid value, for the message.
        default: Value if the record lacks the field; None: the field is required.
    """

    accepts: Callable[[object], bool]
    expected: str
    default: object = None


def whole(smallest: int, largest: int = LARGEST) -> Field:
    """Return a field for whole numbers from ``smallest`` to ``largest``."""
    return Field(lambda value: is_whole(value, smallest, largest), f"a whole number from {smallest} to {largest}")


def number() -> Field:
    """Return a field for finite numbers."""
    return Field(is_number, "a finite number")


def numbers(count: int, meaning: str) -> Field:
    """Return a field for a list of ``count`` finite numbers, which ``meaning`` names."""

    def accepts(value: object) -> bool:
        return isinstance(value, list | tuple) and len(value) == count and all(map(is_number, value))

    return Field(accepts, f"{count} finite numbers: {meaning}")


def flag() -> Field:
    """Return a field for true and false, which is false if it is absent."""
    return Field(lambda value: isinstance(value, bool), "true or false", default=False)


def items() -> Field:
    """Return a field for a list of any values."""
    return Field(lambda value: isinstance(value, list | tuple), "a list")


def read_record(what: str, record: object, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Return the values of a record by field, with defaults for those that are absent.

    Args:
        what: Name of the record in messages.
        record: A dictionary, as `json.loads` returns it.
        fields: All fields that the record may have.

    Raises:
        InvalidInputError: It is not a dictionary, a field is unknown or missing, or a value is not valid.
    """
    if not isinstance(record, Mapping):
        raise InvalidInputError(f"{what} is {shown(record)}; expected a dictionary with {', '.join(fields)}.")
    unknown = [key for key in record if key not in fields]
    if unknown:
        raise InvalidInputError(f"{what} has the key {shown(unknown[0])}; expected only {', '.join(fields)}.")
    values = {}
    for name, field in fields.items():
        if name not in record and field.default is None:
            raise InvalidInputError(f"{what} has no {name!r}; expected {field.expected}.")
        value = record.get(name, field.default)
        if not field.accepts(value):
            raise InvalidInputError(f"{what} has {name}={shown(value)}; expected {field.expected}.")
        values[name] = value
    return values
