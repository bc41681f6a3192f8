"""Identities of a dataset: made compact over all sequences, those of the training part first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .splitting import PartSequence
from .values import NO_IDENTITY, ImageLabels


@dataclass(frozen=True)
class IdentityCounts:
    """Counts of the identities in a sequence.

    Attributes:
        present: Number of different identities in it.
        new: Number of identities that no earlier sequence has.
    """

    present: int
    new: int


def compact_identities(parts: Sequence[PartSequence]) -> tuple[list[PartSequence], list[IdentityCounts]]:
    """Number the identities from 0 over all sequences, in the order of their first appearance.

    An identity belongs to its source sequence: equal numbers in two sequences are two people, and a video of which one
    stretch is in each part has the same people in both. `NO_IDENTITY` stays.

    Args:
        parts: Sequences, in the order in which they are numbered.

    Returns:
        The sequences with new ids, and the counts of each.
    """
    numbers: dict[tuple[int, int], int] = {}
    renumbered, counts = [], []
    for part in parts:
        before = len(numbers)
        images = [
            replace(image, labels=_renumbered(image.labels, part.origin, numbers)) for image in part.sequence.images
        ]
        renumbered.append(replace(part, sequence=replace(part.sequence, images=images)))
        present = len(_distinct(image.labels.ids for image in images))
        counts.append(IdentityCounts(present, len(numbers) - before))
    return renumbered, counts


def _renumbered(labels: ImageLabels, origin: int, numbers: dict[tuple[int, int], int]) -> ImageLabels:
    ids = [
        numbers.setdefault((origin, identity), len(numbers)) if identity != NO_IDENTITY else NO_IDENTITY
        for identity in labels.ids.tolist()
    ]
    return replace(labels, ids=np.array(ids, np.int64))


def _distinct(ids: Iterable[NDArray[np.int64]]) -> set[int]:
    return {identity for array in ids for identity in array.tolist()} - {NO_IDENTITY}
