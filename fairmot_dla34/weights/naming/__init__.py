"""Conversion of a checkpoint's array names to canonical ones, which are PaddleDetection's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

_WRAPPERS = ("module.", "_layers.")  # what data-parallel training of PyTorch and of Paddle puts before each name


def canonical_names(arrays: Mapping[str, T]) -> dict[str, T]:
    """Rename arrays to canonical names.

    Names are PaddleDetection's already, except that a data-parallel wrapper puts one prefix before all of them.

    Args:
        arrays: Arrays, or their descriptions, by the file's names.

    Returns:
        The same arrays in the same order by canonical name.
    """
    for prefix in _WRAPPERS:
        if arrays and all(name.startswith(prefix) for name in arrays):
            return {name.removeprefix(prefix): array for name, array in arrays.items()}
    return dict(arrays)
