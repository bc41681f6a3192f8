"""Choice of the classes to train on, by name or number, and their new numbers from 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import DatasetError

PEOPLE = frozenset({"person", "persons", "people", "pedestrian", "pedestrians", "human"})
_PERSON = "person"  # one name for people, so that datasets can be combined
_MAX_LISTED = 8


@dataclass(frozen=True)
class ClassChoice:
    """Classes to train on.

    Attributes:
        names: Name of each class, by its new number.
        numbers: New number by the number of the source; classes that are left out are absent.
        standard: Whether the numbers of the source are those of its benchmark, and not of the dataset itself.
    """

    names: tuple[str, ...]
    numbers: Mapping[int, int]
    standard: bool = True


def choose_classes(available: Mapping[int, str], wanted: tuple[str, ...] | None, path: Path) -> ClassChoice:
    """Return the classes to read.

    Args:
        available: Name by number in the source; the number as text if it has no name.
        wanted: Names, in any case, or numbers; None: the only class, else all classes of people, as one class.
        path: File or folder that states the classes, for messages.

    Raises:
        DatasetError: A class does not exist, is named twice, or none is named and none is one of people.
    """
    if wanted is not None:
        return _named(available, wanted, path)
    if len(available) == 1:
        ((number, name),) = available.items()
        return ClassChoice((_PERSON if _is_people(name) or name == str(number) else name,), {number: 0})
    people = {number: name for number, name in available.items() if _is_people(name)}
    if not people:
        raise DatasetError(
            f"{path} has the classes {listed(available)}, none of them of people; expected --classes with the names or"
            " numbers of those to train on."
        )
    return ClassChoice((_PERSON,), dict.fromkeys(people, 0))


def listed(available: Mapping[int, str]) -> str:
    """Return classes in one line, such as ``0 person, 1 car``."""
    items = [f"{number} {name}" if name != str(number) else name for number, name in sorted(available.items())]
    return ", ".join(items[:_MAX_LISTED]) + (
        f" and {len(items) - _MAX_LISTED} more" if len(items) > _MAX_LISTED else ""
    )


def _is_people(name: str) -> bool:
    return name.strip().casefold() in PEOPLE


def _named(available: Mapping[int, str], wanted: tuple[str, ...], path: Path) -> ClassChoice:
    names: list[str] = []
    numbers: dict[int, int] = {}
    for text in wanted:
        name = text.strip().casefold()
        matches = [number for number, known in available.items() if known.strip().casefold() == name]
        if not matches and name.isdecimal() and name.isascii():
            matches = [number for number in available if str(number) == name]
        if not matches:
            raise DatasetError(f"{path} has no class {text!r}; it has {listed(available)}. Name one of these.")
        if any(number in numbers for number in matches):
            raise DatasetError(f"--classes names the class {text!r} twice; expected each class once.")
        numbers.update(dict.fromkeys(matches, len(names)))
        names.append(available[matches[0]])
    return ClassChoice(tuple(names), numbers)
