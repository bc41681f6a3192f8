"""Random draws of a scene: one seed, many independent streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

Rng = np.random.Generator
Item = TypeVar("Item")


def stream(seed: int, *keys: int) -> Rng:
    """Return the generator of one part of a scene; the same keys give the same numbers on every platform."""
    return np.random.Generator(np.random.PCG64([seed, *keys]))


def between(rng: Rng, low: float, high: float) -> float:
    """Draw a number from [low, high)."""
    return low + (high - low) * float(rng.random())


def whole(rng: Rng, low: int, high: int) -> int:
    """Draw a whole number from low to high, both included."""
    return low + int(rng.random() * (high - low + 1))


def chance(rng: Rng, probability: float) -> bool:
    """Draw True with this probability."""
    return float(rng.random()) < probability


def pick(rng: Rng, items: Sequence[Item]) -> Item:
    """Draw one item, each as likely as the others."""
    return items[int(rng.random() * len(items))]


def weighted(rng: Rng, weights: Mapping[Item, float]) -> Item:
    """Draw one key with probability proportional to its value."""
    left = float(rng.random()) * sum(weights.values())
    for item, weight in weights.items():
        left -= weight
        if left < 0:
            return item
    return item
