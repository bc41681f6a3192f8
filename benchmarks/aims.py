"""Figures of weights, the aims they are compared with, and the mean that recipes are chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Aim:
    """A limit that a figure should reach.

    Attributes:
        value: The limit, in the unit of the figure.
        at_most: Whether the figure should be at most the limit; else at least.
    """

    value: float
    at_most: bool = False

    def is_reached(self, value: float) -> bool:
        """Return whether a figure reaches the limit."""
        return value <= self.value if self.at_most else value >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.value:g}"


@dataclass(frozen=True)
class Figure:
    """A measured number.

    Attributes:
        place: Place it was measured in.
        name: Name in the table; a place has no two figures of one name.
        value: The number, in percent unless the name has another unit.
        aim: What should be reached; None: the figure is for information.
        percent: The figure in the mean of all figures, from 0 to 100, more is better; None: it is not part of it.
        weight: Weight in the mean.
        digits: Decimals in the table.
    """

    place: str
    name: str
    value: float
    aim: Aim | None = None
    percent: float | None = None
    weight: float = 1.0
    digits: int = 1

    def __str__(self) -> str:
        text = f"{self.value:.{self.digits}f}"
        return f"**{text}**" if self.aim and self.aim.is_reached(self.value) else text


def at_least(place: str, name: str, value: float, aim: float, *, weight: float = 1.0) -> Figure:
    """Return a figure in percent that is part of the mean."""
    return Figure(place, name, value, Aim(aim), value, weight)


def at_most(place: str, name: str, value: float, aim: float, *, share: float, digits: int = 1) -> Figure:
    """Return a number of false alarms that is part of the mean as ``100 - 100 * min(1, share)``.

    Args:
        place: Place it was measured in.
        name: Name in the table.
        value: The number.
        aim: Largest number that is wanted.
        share: False alarms for each image, or for each person if the images are full of people.
        digits: Decimals in the table.
    """
    return Figure(place, name, value, Aim(aim, at_most=True), 100 - 100 * min(1.0, share), digits=digits)


def mean_of_figures(figures: Sequence[Figure]) -> float:
    """Return the weighted mean, in percent, of all figures that are part of it.

    Raises:
        ValueError: None of them is part of it.
    """
    parts = [(figure.percent, figure.weight) for figure in figures if figure.percent is not None]
    if not parts:
        raise ValueError("No figure has an aim in percent; measure a place that has aims, such as pennfudan.")
    return sum(percent * weight for percent, weight in parts) / sum(weight for _, weight in parts)


def has_mean(figures: Sequence[Figure]) -> bool:
    """Return whether a figure is part of the mean."""
    return any(figure.percent is not None for figure in figures)


def table(columns: Sequence[tuple[str, Sequence[Figure]]]) -> str:
    """Return figures as Markdown, one column for each run; figures that reach their aims are bold.

    Args:
        columns: Header and figures of each run. All runs have figures of the same places and names.

    Raises:
        ValueError: The runs have different figures.
    """
    names = [[(figure.place, figure.name) for figure in figures] for _, figures in columns]
    if any(other != names[0] for other in names[1:]):
        raise ValueError("The runs have different figures; expected the same places and names in all of them.")
    lines = [f"| place | figure | aim | {' | '.join(header for header, _ in columns)} |"]
    lines.append("|" + "---|" * (3 + len(columns)))
    for row in zip(*(figures for _, figures in columns), strict=True):
        cells = [row[0].place, row[0].name, str(row[0].aim or ""), *map(str, row)]
        lines.append(f"| {' | '.join(cells)} |")
    if has_mean(columns[0][1]):
        count = sum(figure.weight for figure in columns[0][1] if figure.percent is not None)
        means = [f"{mean_of_figures(figures):.1f}" for _, figures in columns]
        lines.append(f"| mean of all figures | {count:g} figures | | {' | '.join(means)} |")
    return "\n".join(lines)
