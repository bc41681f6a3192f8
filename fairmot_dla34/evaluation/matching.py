"""Matches between people and result ids over time, which TrackEval's CLEAR counts but does not return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..association.assignment import assign

_MIN_IOU = 0.5
_CONTINUITY = 1000.0  # outweighs any IoU, so that matches of the previous frame are kept: TrackEval's clear.py


@dataclass(frozen=True)
class Span:
    """Consecutive frames in which one person is matched with one result id.

    Attributes:
        person: Index of the ground-truth id.
        result_id: Id in the file of results.
        first: First frame, counted from 1.
        last: Last frame, inclusive.
        switched: Whether the person was matched with another id before, which is an id switch.
    """

    person: int
    result_id: int
    first: int
    last: int
    switched: bool


def matched_spans(data: dict[str, Any]) -> list[Span]:
    """Return every span of a sequence, ordered by the frame in which it ended.

    Args:
        data: Data of the sequence from `prepare`, with the ids of the result file in place of confidences.
    """
    current: dict[int, Span] = {}  # by person
    ended: list[Span] = []
    for frame, pairs in zip(data["frames"].tolist(), _matches(data), strict=True):
        for person, result_id in pairs:
            span = current.get(person)
            if span and (span.result_id, span.last) == (result_id, frame - 1):
                current[person] = Span(person, result_id, span.first, frame, span.switched)
            else:
                ended += [span] if span else []
                switched = span is not None and span.result_id != result_id
                current[person] = Span(person, result_id, frame, frame, switched)
    return ended + list(current.values())


def _matches(data: dict[str, Any]) -> list[list[tuple[int, int]]]:
    """Return the matched pairs (person, result id) of each frame."""
    found: list[list[tuple[int, int]]] = []
    previous: NDArray[np.int64] = np.full(data["num_gt_ids"], -1)  # result id of each person in the previous frame
    for people, ids, iou in zip(data["gt_ids"], data["tracker_confidences"], data["similarity_scores"], strict=True):
        if not len(people) or not len(ids):  # continuity survives such a frame
            found.append([])
            continue
        score = iou + _CONTINUITY * (ids[np.newaxis, :] == previous[people][:, np.newaxis])  # (people, results)
        cost = np.where(iou < _MIN_IOU - np.finfo(float).eps, np.inf, -score)
        matched = assign(cost, 0.0)
        previous[:] = -1
        previous[people[matched.rows]] = ids[matched.columns]
        found.append(list(zip(people[matched.rows].tolist(), ids[matched.columns].tolist(), strict=True)))
    return found
