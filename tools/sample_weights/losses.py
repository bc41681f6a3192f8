"""Loss of the network's outputs against the training targets.

Source: ``CTFocalLoss`` and ``FairMOTLoss`` of PaddleDetection 2.6; FairMOT, arXiv 2004.01888, section 4.
"""

from __future__ import annotations

import math

import torch
from network import Outputs
from targets import Targets
from torch import Tensor, nn
from torch.nn import functional

from fairmot_dla34.architectures.base import HeadSizes

WEIGHTS = {"heatmap": 1.0, "size": 0.1, "offset": 1.0, "box": 2.0, "identity": 0.15}  # "box" is not in FairMOT


class FairMOTLoss(nn.Module):
    """Focal loss of the heatmap, L1 of sizes and offsets, GIoU of the resulting boxes, cross-entropy of identities.

    FairMOT learns the weights of its two tasks. Here they are fixed: with thousands of rendered identities, the
    embedding would take the larger part of a short training.

    Args:
        identities: Number of identities in the training data.
    """

    def __init__(self, identities: int) -> None:
        super().__init__()
        self.identities = nn.Linear(HeadSizes().embedding_size, identities)
        self.scale = math.sqrt(2) * math.log(identities - 1)

    def forward(self, outputs: Outputs, targets: Targets) -> tuple[Tensor, dict[str, float]]:
        """Return the loss and its unweighted parts by name."""
        unit = functional.normalize(outputs.embedding.float())
        offsets, sizes = outputs.offset.float(), outputs.size.float()
        parts = {
            "heatmap": focal_loss(outputs.heatmap[:, 0].float(), targets),
            "size": (sizes - targets.sizes).abs().mean(),
            "offset": (offsets - targets.offsets).abs().mean(),
            "box": giou_loss(_boxes(offsets, sizes), _boxes(targets.offsets, targets.sizes)),
            "identity": functional.cross_entropy(self.identities(self.scale * unit), targets.ids),
        }
        loss = torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum()
        return loss, {name: part.item() for name, part in parts.items()}


def _boxes(offsets: Tensor, sizes: Tensor) -> Tensor:
    """Return ``(P, 4)`` xyxy in cells, measured from the corner of each box's cell."""
    return torch.cat([offsets - sizes[:, :2], offsets + sizes[:, 2:]], dim=1)


def focal_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Return CenterNet's penalty-reduced focal loss (arXiv 1904.07850, equation 1) of ``(B, h, w)`` logits."""
    score = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = targets.heatmap == 1
    positive = (score.log() * (1 - score) ** 2)[centre].sum()
    negative = ((1 - score).log() * score**2 * (1 - targets.heatmap) ** 4)[~centre & targets.heatmap_mask].sum()
    return -(positive + negative) / max(int(centre.sum()), 1)


def giou_loss(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """Return the mean of 1 - GIoU (arXiv 1902.09630) over pairs of ``(P, 4)`` xyxy boxes."""
    low, high, true_low, true_high = boxes[:, :2], boxes[:, 2:], true_boxes[:, :2], true_boxes[:, 2:]
    intersection = _area((torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0))
    union = _area(high - low) + _area(true_high - true_low) - intersection
    hull = _area(torch.maximum(high, true_high) - torch.minimum(low, true_low))
    epsilon = 1e-7  # for boxes without an area
    return (1 - intersection / (union + epsilon) + (hull - union) / (hull + epsilon)).mean()


def _area(sides: Tensor) -> Tensor:
    return sides[:, 0] * sides[:, 1]
