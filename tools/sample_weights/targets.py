"""Training targets of crops: heatmaps of people's centres; sizes, offsets and identities at cells.

Source: ``Gt2FairMOTTarget`` in ``ppdet/data/transform/operators.py`` of PaddleDetection 2.6; FairMOT, arXiv 2004.01888,
section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from data import People
from numpy.typing import NDArray
from torch import Tensor

from fairmot_dla34.architectures.dla34.structure import HEADS

MIN_OVERLAP = 0.7  # IoU with the true box that a box keeps if its centre moves by the Gaussian's radius
CENTRE_CELLS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # rows, columns: a peak may be one cell off the centre


@dataclass(frozen=True)
class Targets:
    """Targets of a batch of B crops; P is the number of cells with a target.

    Attributes:
        heatmap: ``(B, h, w)`` float32: 1 at centres, Gaussians around them.
        heatmap_mask: ``(B, h, w)`` bool: False around people to ignore, where the heatmap's loss is not computed.
        cells: ``(P, 3)`` crop, row and column of each centre and of the four cells around it.
        sizes: ``(P, 4)`` distances left, top, right and bottom of the centre, in cells.
        offsets: ``(P, 2)`` x and y of the centre from the cell's corner, in cells.
        ids: ``(P,)`` identities.
    """

    heatmap: Tensor
    heatmap_mask: Tensor
    cells: Tensor
    sizes: Tensor
    offsets: Tensor
    ids: Tensor


def make_targets(batch: list[People], size: int) -> Targets:
    """Return the targets of a batch of crops.

    Args:
        batch: People of each crop, boxes in crop px.
        size: Side of the crops in px.
    """
    side = size // HEADS.stride
    heatmap = np.zeros((len(batch), side, side), np.float32)
    mask = np.ones((len(batch), side, side), bool)
    cells, sizes, offsets, ids = [], [], [], []
    for crop, people in enumerate(batch):
        for box, identity in zip(people.boxes / HEADS.stride, people.ids.tolist(), strict=True):
            # Centres beyond the crop move to its border; distances to the box's sides are measured from there.
            centre = np.clip((box[:2] + box[2:]) / 2, 0, side - 1e-3)
            column, row = (int(value) for value in centre)
            width, height = box[2:] - box[:2]
            if identity < 0:
                top, bottom = max(int(row - height / 4), 0), int(row + height / 4) + 1
                left, right = max(int(column - width / 4), 0), int(column + width / 4) + 1
                mask[crop, top:bottom, left:right] = False
                continue
            _draw_gaussian(heatmap[crop], (column, row), _gaussian_radius(math.ceil(height), math.ceil(width)))
            for down, right in CENTRE_CELLS:
                if 0 <= row + down < side and 0 <= column + right < side:
                    cells.append((crop, row + down, column + right))
                    sizes.append((*(centre - box[:2]), *(box[2:] - centre)))
                    offsets.append(centre - (column + right, row + down))
                    ids.append(identity)
    mask |= heatmap > 0.5  # a visible person in front of an ignored one counts
    return Targets(
        torch.from_numpy(heatmap),
        torch.from_numpy(mask),
        torch.from_numpy(np.array(cells, np.int64).reshape(-1, 3)),
        torch.from_numpy(np.array(sizes, np.float32).reshape(-1, 4)),
        torch.from_numpy(np.array(offsets, np.float32).reshape(-1, 2)),
        torch.from_numpy(np.array(ids, np.int64)),
    )


def _gaussian_radius(height: float, width: float) -> int:
    """Return how many cells a centre may move while the box keeps an IoU of `MIN_OVERLAP` (CornerNet's three cases)."""
    cases = (
        (1, height + width, width * height * (1 - MIN_OVERLAP) / (1 + MIN_OVERLAP)),
        (4, 2 * (height + width), (1 - MIN_OVERLAP) * width * height),
        (4 * MIN_OVERLAP, -2 * MIN_OVERLAP * (height + width), (MIN_OVERLAP - 1) * width * height),
    )
    return max(0, int(min((b + math.sqrt(b * b - 4 * a * c)) / 2 for a, b, c in cases)))


def _draw_gaussian(heatmap: NDArray[np.float32], centre: tuple[int, int], radius: int) -> None:
    """Raise ``heatmap``, in place, to a Gaussian around ``centre`` (column, row)."""
    column, row = centre
    sigma = (2 * radius + 1) / 6
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    gaussian = np.exp(-(x * x + y * y) / (2 * sigma * sigma)).astype(np.float32)
    height, width = heatmap.shape
    left, right = min(column, radius), min(width - column, radius + 1)
    top, bottom = min(row, radius), min(height - row, radius + 1)
    window = heatmap[row - top : row + bottom, column - left : column + right]
    np.maximum(window, gaussian[radius - top : radius + bottom, radius - left : radius + right], out=window)
