"""Conversion of array names between other projects' checkpoints and canonical names, which are PaddleDetection's."""

from __future__ import annotations

from collections.abc import Mapping

from ..formats.stored import StoredArray
from . import ifzhang
from .family import Family
from .mindspore import MINDSPORE, MINDSPORE_ZJUT

__all__ = ["FAMILIES", "Family", "canonical_names"]

FAMILIES: tuple[Family, ...] = (ifzhang, MINDSPORE, MINDSPORE_ZJUT)  # other names are taken as canonical
_WRAPPERS = ("module.", "_layers.")  # what data-parallel training of PyTorch and of Paddle puts before each name


def canonical_names(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """Rename arrays to canonical names; the names themselves show which project wrote the file.

    Args:
        arrays: Arrays by the file's names.

    Returns:
        The arrays in the file's order by canonical name. Names that belong to no family stay as they are, except for
        the prefix that a data-parallel wrapper puts before all of them.

    Raises:
        FormatError: The arrays belong to a network that has no canonical names.
    """
    unwrapped = _without_wrapper(arrays)
    for family in FAMILIES:
        if family.matches(unwrapped.keys()):
            return family.to_canonical(unwrapped)
    return unwrapped


def _without_wrapper(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    for prefix in _WRAPPERS:
        if arrays and all(name.startswith(prefix) for name in arrays):
            return {name.removeprefix(prefix): array for name, array in arrays.items()}
    return dict(arrays)
