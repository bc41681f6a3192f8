"""Random choice of cut-outs and backgrounds: a place by the square root of its number of them, then one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .index import Background, Cutout


@dataclass(frozen=True, eq=False)
class Pool:
    """Cut-outs of one kind.

    Attributes:
        places: Cut-outs by place, each place from small to large; places in the order of their names.
        heights: Heights of those in px, ascending.
    """

    places: tuple[tuple[Cutout, ...], ...]
    heights: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, cutouts: Iterable[Cutout]) -> Pool:
        """Return the pool of some cut-outs."""
        places: dict[str, list[Cutout]] = {}
        for cutout in cutouts:
            places.setdefault(cutout.place, []).append(cutout)
        ordered = [sorted(places[name], key=lambda cutout: (cutout.height, cutout.file)) for name in sorted(places)]
        heights = tuple(np.array([cutout.height for cutout in entries]) for entries in ordered)
        return cls(tuple(map(tuple, ordered)), heights)

    @property
    def largest(self) -> float:
        """Height of the largest cut-out in px; 0 if there is none."""
        return max((float(heights[-1]) for heights in self.heights), default=0.0)

    def draw(self, min_height: float, rng: np.random.Generator) -> Cutout | None:
        """Draw a cut-out of at least a height in px; None if there is none."""
        first = [int(np.searchsorted(heights, min_height)) for heights in self.heights]
        place_draw, draw = rng.random(2)
        counts = [len(entries) - start for entries, start in zip(self.places, first, strict=True)]
        if not any(counts):
            return None
        place = _place(counts, place_draw)
        return self.places[place][first[place] + int(draw * counts[place])]

    def few(self, rng: np.random.Generator, people: int) -> Pool:
        """Return the pool of a few random people; some may be drawn twice."""
        drawn: dict[str, list[Cutout]] = {}
        for place_draw, draw in rng.random((people, 2)):
            entries = self.places[_place([len(entries) for entries in self.places], place_draw)]
            keys = sorted({cutout.identity for cutout in entries})
            key = keys[int(draw * len(keys))]
            drawn[key] = [cutout for cutout in entries if cutout.identity == key]
        return Pool.of(cutout for person in drawn.values() for cutout in person)


def draw_background(backgrounds: Sequence[Background], rng: np.random.Generator) -> Background:
    """Draw one of the backgrounds; there is at least one."""
    places: dict[str, list[Background]] = {}
    for background in backgrounds:
        places.setdefault(background.place, []).append(background)
    place_draw, draw = rng.random(2)
    names = sorted(places)
    found = places[names[_place([len(places[name]) for name in names], place_draw)]]
    return found[int(draw * len(found))]


def _place(counts: Sequence[int], draw: float) -> int:
    """Return the place that a number in [0, 1) chooses by the square roots of the counts, one of which is above 0."""
    edges = np.cumsum(np.sqrt(counts))
    return int(np.searchsorted(edges, draw * edges[-1], side="right"))
