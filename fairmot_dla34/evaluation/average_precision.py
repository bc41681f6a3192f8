"""Average precision of detections in images, by the matching rules of COCO; needs no TrackEval."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MIN_IOU = 0.5  # of a detection and the person it finds; of a detection and an ignored area: share of the detection
_MOST_IOU = 1 - 1e-10  # COCOeval's: a threshold of 1 would ask for more than rounding leaves


@dataclass(frozen=True, eq=False)
class ImageMatches:
    """Detections of one image after the matching with its people.

    Attributes:
        scores: ``(D,)`` float32 scores of the detections that count, best first.
        right: ``(D,)`` whether each of them finds a person.
        people: Number of people that count.
    """

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    people: int


def match_detections(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    people: NDArray[np.float32],
    ignored: NDArray[np.float32] | None = None,
    *,
    min_area: float = 0.0,
    min_iou: float = MIN_IOU,
) -> ImageMatches:
    """Match the detections of one image with its people, best score first, as ``COCOeval.evaluateImg`` does.

    A detection takes the person of the highest IoU that is still free. Without one, it is left out if it lies in an
    ignored area, and is wrong otherwise.

    Args:
        boxes: ``(N, 4)`` detections, xyxy, image px.
        scores: ``(N,)`` their scores.
        people: ``(M, 4)`` people, xyxy, image px.
        ignored: ``(A, 4)`` areas, xyxy, image px, COCO's ``iscrowd``; None: no areas. A detection lies in an area if
            the share of its own box in it is at least ``min_iou``.
        min_area: Area in px below which people and detections do not count.
        min_iou: Smallest IoU of a detection and a person.

    Returns:
        The detections that count, best first.
    """
    order = np.argsort(-scores, kind="stable")
    found, truth = boxes[order].astype(np.float64), people.astype(np.float64)
    small = _areas(truth) < min_area
    truth = np.concatenate([truth[~small], truth[small]])
    areas = np.empty((0, 4)) if ignored is None else ignored.astype(np.float64)
    matched = _greedy(_iou(found, truth), _share_inside(found, areas), int((~small).sum()), min(min_iou, _MOST_IOU))
    left_out = (matched == _LEFT_OUT) | ((matched == _WRONG) & (_areas(found) < min_area))
    return ImageMatches(scores[order][~left_out].astype(np.float32), matched[~left_out] == _RIGHT, int((~small).sum()))


def lies_in(boxes: NDArray[np.float32], areas: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return ``(N,)`` whether at least half of each box lies in one of the areas; both are xyxy, image px."""
    inside = _share_inside(boxes.astype(np.float64), areas.astype(np.float64))
    lies: NDArray[np.bool_] = np.logical_or.reduce(inside >= MIN_IOU, axis=1)
    return lies


def overlap(boxes: NDArray[np.float32], people: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return ``(N, M)`` IoU of boxes of continuous sides, as COCO and TrackEval compute it; both are xyxy."""
    return _iou(boxes.astype(np.float64), people.astype(np.float64))


@dataclass
class AveragePrecision:
    """Detections of a set of images, and their average precision. Memory grows by 5 bytes with each detection.

    Attributes:
        images: Number of images so far.
        people: Number of people that count so far.
    """

    images: int = 0
    people: int = 0
    _scores: list[NDArray[np.float32]] = field(default_factory=list)
    _right: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, matches: ImageMatches) -> None:
        """Add an image. The order of the images decides between detections of equal score."""
        self.images += 1
        self.people += matches.people
        self._scores.append(matches.scores)
        self._right.append(matches.right)

    def value(self) -> float | None:
        """Return the area under the curve of precision over recall in per cent; None if no person counts.

        All-point interpolation: the precision at a recall is the highest one at this recall or above it
        (PASCAL VOC 2010, section 3.4.1 of its development kit).
        """
        if not self.people:
            return None
        scores, right = self._joined()
        right = right[np.argsort(-scores, kind="stable")]
        found = np.cumsum(right)
        precision = found / np.arange(1, len(right) + 1)
        highest = np.maximum.accumulate(precision[::-1])[::-1]
        return 100 * float(highest[right].sum() / self.people)

    def recall_and_precision(self, min_score: float) -> tuple[float, float]:
        """Return recall and precision in per cent of the detections with at least this score; 0 for no people."""
        scores, right = self._joined()
        chosen = right[scores >= min_score]
        found = int(chosen.sum())
        return 100 * found / max(self.people, 1), 100 * found / max(len(chosen), 1)

    def _joined(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return scores, and whether they are right, of all detections."""
        return np.concatenate([np.empty(0, np.float32), *self._scores]), np.concatenate(
            [np.empty(0, bool), *self._right]
        )


_WRONG, _RIGHT, _LEFT_OUT = range(3)


def _greedy(iou: NDArray[np.float64], inside: NDArray[np.float64], people: int, min_iou: float) -> NDArray[np.int8]:
    """Return ``(N,)`` for each detection whether it is wrong, right, or left out.

    Args:
        iou: ``(N, M)`` IoU with the boxes of the truth: first the people, then boxes that do not count.
        inside: ``(N, A)`` share of each detection in each ignored area.
        people: Number of people.
        min_iou: Smallest overlap.
    """
    overlaps = np.concatenate([iou, inside], axis=1)
    boxes = iou.shape[1]  # each may be taken once, an area any number of times
    matched = np.full(len(overlaps), _WRONG, np.int8)
    for row in np.flatnonzero((overlaps >= min_iou).any(axis=1)):
        for columns, outcome in ((slice(0, people), _RIGHT), (slice(people, None), _LEFT_OUT)):
            candidates = overlaps[row, columns]
            if candidates.size and candidates.max() >= min_iou:
                last = len(candidates) - 1 - int(np.argmax(candidates[::-1]))  # of equal ones COCOeval takes the last
                column = last + (columns.start or 0)
                matched[row] = outcome
                if column < boxes:
                    overlaps[:, column] = -1
                break
    return matched


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return areas


def _shared(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N, M)`` areas of the intersections."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    shared: NDArray[np.float64] = np.prod(np.maximum(high - low, 0), axis=2)
    return shared


def _iou(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N, M)`` IoU; sides are ``right - left``, whereas `geometry.iou` counts whole pixels."""
    shared = _shared(boxes, others)
    union = _areas(boxes)[:, None] + _areas(others)[None] - shared
    iou: NDArray[np.float64] = shared / np.maximum(union, np.finfo(np.float64).tiny)
    return iou


def _share_inside(boxes: NDArray[np.float64], areas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N, A)`` share of each box in each area."""
    share: NDArray[np.float64] = _shared(boxes, areas) / np.maximum(_areas(boxes)[:, None], np.finfo(np.float64).tiny)
    return share
