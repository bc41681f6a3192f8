"""Matching of detections in still images with people, boxes that do not count, and ignored areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from aims import Figure
from stills_reading import Still

from fairmot_dla34 import Detections
from fairmot_dla34.association.config import DEFAULT_CONF_THRES
from fairmot_dla34.evaluation.average_precision import (
    MIN_IOU,
    AveragePrecision,
    ImageMatches,
    match_detections,
    overlap,
)

DEFAULT_THRESHOLD = DEFAULT_CONF_THRES


def match_still(still: Still, found: Detections) -> ImageMatches:
    """Match the detections of one image with its people.

    A detection that finds no person is left out if its IoU with a labelled box that does not count is at least 0.5, or
    half of it lies in an ignored area; so is one without an area, which a network gives where it sees nobody.
    """
    order = np.argsort(-found.scores, kind="stable")
    order = order[(found.boxes[order, 2:] > found.boxes[order, :2]).all(axis=1)]
    boxes, scores = found.boxes[order], found.scores[order]
    right = match_detections(boxes, scores, still.people).right  # without ignored areas: in the order of `boxes`
    left_out = (overlap(boxes, still.others) >= MIN_IOU).any(axis=1) & ~right
    return match_detections(boxes[~left_out], scores[~left_out], still.people, still.areas)


def precision_of(stills: Sequence[Still], found: Sequence[Detections]) -> AveragePrecision:
    """Return the matched detections of images."""
    precision = AveragePrecision()
    for still, detections in zip(stills, found, strict=True):
        precision.add(match_still(still, detections))
    return precision


def ap50(precision: AveragePrecision) -> float:
    """Return AP50 in percent.

    Raises:
        ValueError: No person counts.
    """
    value = precision.value()
    if value is None:
        raise ValueError(f"None of {precision.images} images has a person that counts; expected labelled people.")
    return value


def threshold_figures(place: str, precision: AveragePrecision) -> list[Figure]:
    """Return recall and precision of the detections that start tracks."""
    recall, share = precision.recall_and_precision(DEFAULT_THRESHOLD)
    return [Figure(place, "recall", recall), Figure(place, "precision", share)]


def false_alarms(stills: Sequence[Still], found: Sequence[Detections]) -> int:
    """Return the number of detections, with at least the default threshold, that are wrong."""
    matches = [match_still(still, detections) for still, detections in zip(stills, found, strict=True)]
    return sum(int((~match.right[match.scores >= DEFAULT_THRESHOLD]).sum()) for match in matches)
