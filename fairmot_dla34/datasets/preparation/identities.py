"""Identities of a dataset: made compact over all sequences, those of the training part first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..values import NO_IDENTITY, ImageLabels, SourceSequence
from .splitting import PartSequence


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


def with_box_identities(sequences: Sequence[SourceSequence]) -> list[SourceSequence]:
    """Give each box without an identity an identity of its own, in stills; videos stay as they are.

    FairMOT trains the embedding on CrowdHuman in this way (arXiv 2004.01888, section 5.1): the variations of an image
    show one person in different ways. In a video, the boxes of one person would become different people.
    """
    return [sequence if sequence.is_video else _with_box_identities(sequence) for sequence in sequences]


def _with_box_identities(sequence: SourceSequence) -> SourceSequence:
    following = max((int(image.labels.ids.max(initial=NO_IDENTITY)) for image in sequence.images), default=-1) + 1
    images = []
    for image in sequence.images:
        ids = image.labels.ids.copy()
        unknown = ids == NO_IDENTITY
        ids[unknown] = following + np.arange(unknown.sum())
        following += int(unknown.sum())
        images.append(replace(image, labels=replace(image.labels, ids=ids)))
    return replace(sequence, images=images)


def _renumbered(labels: ImageLabels, origin: int, numbers: dict[tuple[int, int], int]) -> ImageLabels:
    ids = [
        numbers.setdefault((origin, identity), len(numbers)) if identity != NO_IDENTITY else NO_IDENTITY
        for identity in labels.ids.tolist()
    ]
    return replace(labels, ids=np.array(ids, np.int64))


def _distinct(ids: Iterable[NDArray[np.int64]]) -> set[int]:
    return {identity for array in ids for identity in array.tolist()} - {NO_IDENTITY}
