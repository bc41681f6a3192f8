"""What the network should say about a crop, and how wrong it was.

Source: ``Gt2FairMOTTarget`` in ``ppdet/data/transform/operators.py``, ``CTFocalLoss`` and ``FairMOTLoss``
(PaddleDetection 2.6); FairMOT, arXiv 2004.01888, section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from data import People
from network import Outputs
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import generalized_box_iou_loss

from fairmot_dla34.architectures.peaks import STRIDE

MIN_OVERLAP = 0.7  # of a box moved by the Gaussian's radius with the true one
WEIGHTS = {"heatmap": 1.0, "size": 0.1, "offset": 1.0, "box": 2.0, "identity": 0.15}  # "box" is not FairMOT's
CROSS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # rows, columns: a peak may lie beside the centre


@dataclass(frozen=True)
class Targets:
    """Of a batch of B crops with P people in all.

    Attributes:
        heatmap: ``(B, h, w)``: 1 at centres, Gaussians around them.
        counted: ``(B, h, w)`` False where people to ignore stand.
        cells: ``(P, 3)`` crop, row, column of each centre and of the four cells around it.
        sizes: ``(P, 4)`` left, top, right, bottom of the centre, in cells.
        offsets: ``(P, 2)`` x, y of the centre from the cell's corner.
        ids: ``(P,)`` identities.
    """

    heatmap: Tensor
    counted: Tensor
    cells: Tensor
    sizes: Tensor
    offsets: Tensor
    ids: Tensor


def targets_of(batch: list[People], size: int) -> Targets:
    """Draw the targets of crops of ``size`` px."""
    side = size // STRIDE
    heatmap = np.zeros((len(batch), side, side), np.float32)
    counted = np.ones((len(batch), side, side), bool)
    cells, sizes, offsets, ids = [], [], [], []
    for crop, people in enumerate(batch):
        for box, identity in zip(people.boxes / STRIDE, people.ids.tolist(), strict=True):
            # Centres beyond the crop move to its border; distances to the sides are taken from there.
            centre = np.clip((box[:2] + box[2:]) / 2, 0, side - 1e-3)
            column, row = (int(value) for value in centre)
            width, height = box[2:] - box[:2]
            if identity < 0:
                top, bottom = max(int(row - height / 4), 0), int(row + height / 4) + 1
                left, right = max(int(column - width / 4), 0), int(column + width / 4) + 1
                counted[crop, top:bottom, left:right] = False
                continue
            _draw_gaussian(heatmap[crop], (column, row), _radius(math.ceil(height), math.ceil(width)))
            for down, right in CROSS:
                if 0 <= row + down < side and 0 <= column + right < side:
                    cells.append((crop, row + down, column + right))
                    sizes.append((*(centre - box[:2]), *(box[2:] - centre)))
                    offsets.append(centre - (column + right, row + down))
                    ids.append(identity)
    counted |= heatmap > 0.5  # somebody visible in front of somebody hidden counts
    return Targets(
        torch.from_numpy(heatmap),
        torch.from_numpy(counted),
        torch.from_numpy(np.array(cells, np.int64).reshape(-1, 3)),
        torch.from_numpy(np.array(sizes, np.float32).reshape(-1, 4)),
        torch.from_numpy(np.array(offsets, np.float32).reshape(-1, 2)),
        torch.from_numpy(np.array(ids, np.int64)),
    )


def _radius(height: float, width: float) -> int:
    """Cells that a centre may move while the box keeps an IoU of ``MIN_OVERLAP`` (CornerNet's three cases)."""
    cases = (
        (1, height + width, width * height * (1 - MIN_OVERLAP) / (1 + MIN_OVERLAP)),
        (4, 2 * (height + width), (1 - MIN_OVERLAP) * width * height),
        (4 * MIN_OVERLAP, -2 * MIN_OVERLAP * (height + width), (MIN_OVERLAP - 1) * width * height),
    )
    return max(0, int(min((b + math.sqrt(b * b - 4 * a * c)) / 2 for a, b, c in cases)))


def _draw_gaussian(heatmap: NDArray[np.float32], centre: tuple[int, int], radius: int) -> None:
    column, row = centre
    sigma = (2 * radius + 1) / 6
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    gaussian = np.exp(-(x * x + y * y) / (2 * sigma * sigma)).astype(np.float32)
    height, width = heatmap.shape
    left, right = min(column, radius), min(width - column, radius + 1)
    top, bottom = min(row, radius), min(height - row, radius + 1)
    window = heatmap[row - top : row + bottom, column - left : column + right]
    np.maximum(window, gaussian[radius - top : radius + bottom, radius - left : radius + right], out=window)


class FairMOTLoss(nn.Module):
    """Focal loss on the heatmap, L1 on sizes and offsets, GIoU of the boxes they make, cross-entropy on identities.

    The paper learns the weights of the two tasks. Here they are fixed: thousands of rendered identities would take the
    larger part of a short training.
    """

    def __init__(self, identities: int) -> None:
        super().__init__()
        self.identities = nn.Linear(128, identities)
        self.scale = math.sqrt(2) * math.log(identities - 1)

    def forward(self, outputs: Outputs, targets: Targets) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and its parts."""
        unit = functional.normalize(outputs.embedding.float())
        parts = {
            "heatmap": focal_loss(outputs.heatmap[:, 0].float(), targets),
            "size": (outputs.size.float() - targets.sizes).abs().mean(),
            "offset": (outputs.offset.float() - targets.offsets).abs().mean(),
            "box": generalized_box_iou_loss(
                _boxes(outputs.offset.float(), outputs.size.float()),
                _boxes(targets.offsets, targets.sizes),
                reduction="mean",
            ),
            "identity": functional.cross_entropy(self.identities(self.scale * unit), targets.ids),
        }
        loss = torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum()
        return loss, {name: part.item() for name, part in parts.items()}


def _boxes(offsets: Tensor, sizes: Tensor) -> Tensor:
    """``(P, 4)`` xyxy in cells, from the corner of each one's cell."""
    return torch.cat([offsets - sizes[:, :2], offsets + sizes[:, 2:]], dim=1)


def focal_loss(logits: Tensor, targets: Targets) -> Tensor:
    """CenterNet's penalty-reduced focal loss (arXiv 1904.07850, equation 1) on ``(B, h, w)`` logits."""
    score = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = targets.heatmap == 1
    hit = (score.log() * (1 - score) ** 2)[centre].sum()
    missed = ((1 - score).log() * score**2 * (1 - targets.heatmap) ** 4)[~centre & targets.counted].sum()
    return -(hit + missed) / max(int(centre.sum()), 1)
