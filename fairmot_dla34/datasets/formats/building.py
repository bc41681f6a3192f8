"""Builds the labels of an image from the boxes of any format, with the checks that hold for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..values import NO_IDENTITY, ImageLabels, SourceImage
from .image_header import ImageHeader
from .reading import DropReport

NO_AREA = "boxes without area"
OUTSIDE = "boxes wholly outside their image"
HIDDEN = "people less visible than the minimum, now ignored areas"
MARKED = "areas marked as to be ignored"
_SHARED = 0.5  # share of neighbouring images with a common identity, from which a folder counts as a video


@dataclass
class Boxes:
    """Boxes of one image while they are collected.

    Attributes:
        boxes: xyxy of people, image px.
        ids: Identity of each.
        class_ids: Class of each.
        ignored: xyxy of ignored areas, image px.
    """

    boxes: list[Sequence[float]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    class_ids: list[int] = field(default_factory=list)
    ignored: list[Sequence[float]] = field(default_factory=list)

    def add(self, box: Sequence[float], class_id: int, identity: int = NO_IDENTITY) -> None:
        """Add a person."""
        self.boxes.append(box)
        self.ids.append(identity)
        self.class_ids.append(class_id)


def labelled_image(path: Path, header: ImageHeader, found: Boxes, report: DropReport, example: object) -> SourceImage:
    """Return an image with its labels.

    Boxes keep the parts that are outside the image. Boxes without area and boxes wholly outside are left out; ignored
    areas are clipped to the image.

    Args:
        path: Image file.
        header: Its size.
        found: Boxes with finite coordinates.
        report: Receives the boxes left out.
        example: Place of the labels, for the report.
    """
    boxes = _rows(found.boxes)
    kept = _with_area(boxes, report, example) & _inside(boxes, header, report, example)
    ignored = _rows(found.ignored)
    size = [header.width, header.height, header.width, header.height]
    ignored = np.clip(ignored, 0, size)
    ignored = ignored[(ignored[:, 2:] > ignored[:, :2]).all(axis=1)]
    labels = ImageLabels(
        boxes[kept].astype(np.float32),
        np.array(found.ids, np.int64)[kept],
        np.array(found.class_ids, np.int64)[kept],
        ignored.astype(np.float32),
    )
    return SourceImage(path, header.width, header.height, labels)


def from_corner(values: Sequence[float]) -> list[float]:
    """Convert left, top, width and height to xyxy."""
    left, top, width, height = values
    return [left, top, left + width, top + height]


def is_video(images: Sequence[SourceImage]) -> bool:
    """Return whether most images share an identity with the next one, as the frames of a video do."""
    identities = [set(image.labels.ids.tolist()) - {NO_IDENTITY} for image in images]
    pairs = [(first, second) for first, second in pairwise(identities) if first and second]
    return bool(pairs) and sum(bool(first & second) for first, second in pairs) >= _SHARED * len(pairs)


def _rows(boxes: list[Sequence[float]]) -> NDArray[np.float64]:
    return np.array(boxes, np.float64).reshape(-1, 4)


def _with_area(boxes: NDArray[np.float64], report: DropReport, example: object) -> NDArray[np.bool_]:
    kept: NDArray[np.bool_] = np.logical_and.reduce(boxes[:, 2:] > boxes[:, :2], axis=1)
    report.add(NO_AREA, int((~kept).sum()), example)
    return kept


def _inside(boxes: NDArray[np.float64], header: ImageHeader, report: DropReport, example: object) -> NDArray[np.bool_]:
    size = [header.width, header.height]
    kept: NDArray[np.bool_] = np.logical_and.reduce((boxes[:, :2] < size) & (boxes[:, 2:] > 0), axis=1)
    has_area = np.logical_and.reduce(boxes[:, 2:] > boxes[:, :2], axis=1)
    report.add(OUTSIDE, int((~kept & has_area).sum()), example)
    return kept
