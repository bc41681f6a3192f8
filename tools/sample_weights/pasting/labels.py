"""Labels of a crop after pasting: pasted people are added, and people who are mostly hidden become ignored areas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.datasets import ImageLabels
from fairmot_dla34.synth.drawing import overlap

MIN_VISIBLE = 0.3  # people of whom less can be seen are ignored areas
BODY = 0.6  # share of the width of a box, in its middle, that stands for the body of a person without a mask
UNTOUCHED = 0.02  # a smaller hidden share leaves a label as it is


@dataclass(frozen=True, eq=False)
class Placed:
    """A cut-out at its place in a crop.

    Attributes:
        image: ``(h, w, 4)`` premultiplied BGRA.
        corner: (x, y) of the image's top left corner, crop px.
        box: ``(4,)`` float32 xyxy, crop px.
        identity: Identity of a person; None for a negative.
    """

    image: NDArray[np.uint8]
    corner: tuple[int, int]
    box: NDArray[np.float32]
    identity: int | None


def merged_labels(labels: ImageLabels, placed: list[Placed], size: int) -> ImageLabels:
    """Return the labels of a crop with the pasted people.

    Args:
        labels: Labels of the crop before.
        placed: Cut-outs in the order in which they are pasted: the last one covers all others.
        size: Side of the crop in px.
    """
    hidden = np.zeros((size, size), bool)
    people, areas = [], []
    for item in reversed(placed):
        alpha = item.image[..., 3]
        solid = _solid(alpha, size, item.corner)
        if item.identity is not None:
            seen = np.count_nonzero(solid & ~hidden) / max(int(np.count_nonzero(alpha > 127)), 1)
            if seen >= MIN_VISIBLE:
                people.append(item)
            elif solid.any():
                areas.append(np.clip(item.box, 0, size))
        hidden |= solid
    stay = np.array([_stays(box, hidden) for box in labels.boxes], bool)
    boxes = np.array([item.box for item in people], np.float32).reshape(-1, 4)
    gone = np.array([*np.clip(labels.boxes[~stay], 0, size), *areas], np.float32).reshape(-1, 4)
    return ImageLabels(
        np.concatenate([labels.boxes[stay], boxes]),
        np.concatenate([labels.ids[stay], np.array([item.identity for item in people], np.int64)]),
        np.concatenate([labels.class_ids[stay], np.zeros(len(people), np.int64)]),
        np.concatenate([labels.ignored, gone]),
    )


def _solid(alpha: NDArray[np.uint8], size: int, corner: tuple[int, int]) -> NDArray[np.bool_]:
    """Return ``(size, size)``: px of the crop that a cut-out hides."""
    found = np.zeros((size, size), bool)
    areas = overlap((size, size), alpha.shape, corner)
    if areas is not None:
        found[areas[0]] = alpha[areas[1]] > 127
    return found


def _stays(box: NDArray[np.float32], hidden: NDArray[np.bool_]) -> bool:
    """Return whether enough of a person without a mask is visible: of the middle of its box, within the crop."""
    middle, half = (box[0] + box[2]) / 2, BODY / 2 * (box[2] - box[0])
    body = np.array([middle - half, box[1], middle + half, box[3]])
    left, top, right, bottom = np.clip(np.rint(body), 0, hidden.shape[0]).astype(int)
    part = hidden[top:bottom, left:right]
    if part.size == 0:
        return True
    share = float(part.mean())
    inside = part.size / max(float((body[2] - body[0]) * (body[3] - body[1])), 1.0)
    return share <= UNTOUCHED or (1 - share) * min(inside, 1.0) >= MIN_VISIBLE
