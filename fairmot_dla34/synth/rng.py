"""Seeded random streams for the parts of a scene, and the draws made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TypeVar

import numpy as np

Rng = np.random.Generator
Item = TypeVar("Item")


class Part(IntEnum):
    """Parts of a scene that have a random stream each. Changing a value changes every scene."""

    CAMERA = 1
    PEOPLE = 2
    BACKGROUND = 3
    PROPS = 4
    EFFECTS = 5
    FRAME = 6
    NOISE = 7


def random_stream(seed: int, *keys: int) -> Rng:
    """Return an independent generator; the same seed and keys give the same numbers on every platform."""
    return np.random.Generator(np.random.PCG64([seed, *keys]))


def uniform(rng: Rng, low: float, high: float) -> float:
    """Draw a number from [low, high)."""
    return low + (high - low) * float(rng.random())


def integer(rng: Rng, low: int, high: int) -> int:
    """Draw an integer from low to high, both included."""
    return low + int(rng.random() * (high - low + 1))


def chance(rng: Rng, probability: float) -> bool:
    """Draw True with the given probability."""
    return float(rng.random()) < probability


def choice(rng: Rng, items: Sequence[Item]) -> Item:
    """Draw one item; all are equally likely."""
    return items[int(rng.random() * len(items))]


def weighted_choice(rng: Rng, weights: Mapping[Item, float]) -> Item:
    """Draw one key with a probability proportional to its value."""
    left = float(rng.random()) * sum(weights.values())
    for item, weight in weights.items():
        left -= weight
        if left < 0:
            return item
    return item
