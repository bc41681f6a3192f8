"""Anchor points: the point of a box that stands for the person in lines, zones, heat maps and paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..config import check_choice
from ..values import Track

Anchor: TypeAlias = Literal["foot", "centre", "head"]
ANCHORS = ("foot", "centre", "head")

_HEIGHT = {"foot": 1.0, "centre": 0.5, "head": 0.0}  # share of the box above the point


def anchor_points(tracks: Sequence[Track], anchor: Anchor = "foot") -> NDArray[np.float64]:
    """Return one point for each track.

    The box is taken as the tracker reports it: unclipped, and without a guess where hidden feet are.

    Args:
        tracks: N tracks.
        anchor: ``foot`` (bottom centre), ``centre`` or ``head`` (top centre).

    Returns:
        ``(N, 2)`` x and y, image px.

    Raises:
        InvalidInputError: The anchor is unknown.
    """
    boxes = np.array([track.box for track in tracks], np.float64).reshape(-1, 4)
    return points_of_boxes(boxes, anchor)


def points_of_boxes(boxes: NDArray[np.float64], anchor: str) -> NDArray[np.float64]:
    """Return the ``(N, 2)`` anchor points of ``(N, 4)`` xyxy boxes.

    Raises:
        InvalidInputError: The anchor is unknown.
    """
    check_anchor(anchor)
    share = _HEIGHT[anchor]
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    y = boxes[:, 1] + share * (boxes[:, 3] - boxes[:, 1])
    return np.stack([x, y], axis=1)


def check_anchor(anchor: object) -> None:
    """Check the name of an anchor.

    Raises:
        InvalidInputError: It is unknown.
    """
    check_choice("anchor", anchor, ANCHORS)
