"""Limits of the labels that a prepared dataset holds: boxes near their image, and each identity once per image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..formats.reading import DropReport
from ..prepared.label_text import FARTHEST
from ..values import NO_IDENTITY, ImageLabels, SourceImage, SourceSequence

FAR = "boxes cut off where they reach more than one image size beyond their image"
REPEATED = "boxes whose identity is twice in the image, now without identity"


def limit_labels(sequences: Sequence[SourceSequence], report: DropReport, *, use_ids: bool) -> list[SourceSequence]:
    """Return the sequences with labels that a prepared dataset can hold.

    Args:
        sequences: Sequences that a reader returned.
        report: Receives what is changed.
        use_ids: Whether identities are kept.
    """
    return [
        replace(sequence, images=[_limited(image, report, use_ids=use_ids) for image in sequence.images])
        for sequence in sequences
    ]


def _limited(image: SourceImage, report: DropReport, *, use_ids: bool) -> SourceImage:
    labels = image.labels
    size = np.array([image.width, image.height] * 2, np.float32)
    boxes = np.clip(labels.boxes, -FARTHEST * size, (1 + FARTHEST) * size)
    report.add(FAR, int((boxes != labels.boxes).any(axis=1).sum()), image.path)
    kept = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)  # False for a number that is not finite
    report.add("boxes without area", int((~kept).sum()), image.path)
    ids = labels.ids[kept] if use_ids else np.full(int(kept.sum()), NO_IDENTITY, np.int64)
    first = np.zeros(len(ids), bool)
    first[np.unique(ids, return_index=True)[1]] = True
    repeated = ~first & (ids != NO_IDENTITY)
    report.add(REPEATED, int(repeated.sum()), image.path)
    ids = np.where(repeated, NO_IDENTITY, ids)
    ignored = np.clip(labels.ignored, -FARTHEST * size, (1 + FARTHEST) * size)
    ignored = ignored[(ignored[:, 2:] > ignored[:, :2]).all(axis=1)]
    return replace(image, labels=ImageLabels(boxes[kept], ids, labels.class_ids[kept], ignored))
