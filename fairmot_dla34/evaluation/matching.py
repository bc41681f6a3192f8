"""Who is followed by which id, frame by frame: the matches that TrackEval's CLEAR counts but does not give out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..association.assignment import assign

_MIN_IOU = 0.5
_CONTINUITY = 1000.0  # outweighs any IoU: a match of the frame before is kept first, as in TrackEval's clear.py


@dataclass(frozen=True)
class Span:
    """Frames in a row in which one person is matched with one result id.

    Attributes:
        person: Index of the ground-truth id.
        result_id: As in the file of results.
        first: First frame, from 1.
        last: Last frame, included.
        switched: Whether the person had another id before: an id switch.
    """

    person: int
    result_id: int
    first: int
    last: int
    switched: bool


def spans(data: dict[str, Any]) -> list[Span]:
    """Return every span of a sequence, in the order of their ends.

    Args:
        data: What `prepare` returns, with the results' own ids in place of confidences.
    """
    running: dict[int, Span] = {}
    done: list[Span] = []
    for frame, pairs in enumerate(_matches(data), 1):
        for person, result_id in pairs:
            span = running.get(person)
            if span and (span.result_id, span.last) == (result_id, frame - 1):
                running[person] = Span(person, result_id, span.first, frame, span.switched)
            else:
                done += [span] if span else []
                switched = span is not None and span.result_id != result_id
                running[person] = Span(person, result_id, frame, frame, switched)
    return done + list(running.values())


def _matches(data: dict[str, Any]) -> list[list[tuple[int, int]]]:
    """Pairs of (person, result id) of each frame."""
    found: list[list[tuple[int, int]]] = []
    previous: NDArray[np.int64] = np.full(data["num_gt_ids"], -1)  # the id each person had in the frame before
    for people, ids, iou in zip(data["gt_ids"], data["tracker_confidences"], data["similarity_scores"], strict=True):
        if not len(people) or not len(ids):  # such a frame does not end continuity
            found.append([])
            continue
        score = iou + _CONTINUITY * (ids[np.newaxis, :] == previous[people][:, np.newaxis])  # (people, results)
        cost = np.where(iou < _MIN_IOU - np.finfo(float).eps, np.inf, -score)
        matched = assign(cost, 0.0)
        previous[:] = -1
        previous[people[matched.rows]] = ids[matched.columns]
        found.append(list(zip(people[matched.rows].tolist(), ids[matched.columns].tolist(), strict=True)))
    return found
