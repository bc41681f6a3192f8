"""Terms of the training loss: focal loss of the heatmap, GIoU of boxes, length of embeddings.

Source: ``CTFocalLoss``, ``CenterNetHead.get_loss`` and ``FairMOTEmbeddingHead`` of PaddleDetection 2.6.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .targets import Targets

LOWEST_SCORE = 1e-4  # CenterNetHead.get_loss clips scores to this and 1 minus this
SMALLEST_NORM = 1e-6  # a shorter embedding is divided by this, which bounds its gradient


def identity_scale(num_identities: int) -> float:
    """Return the length of the embeddings that the classifier sees (FairMOTEmbeddingHead.emb_scale).

    PaddleDetection's is 0 for two identities, so that nothing is learned. Here it is 1, as for one.
    """
    return math.sqrt(2) * math.log(num_identities - 1) if num_identities > 2 else 1.0


def focal_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Return the sum of CenterNet's penalty-reduced focal loss (arXiv 1904.07850, equation 1) over ``(B, C, h, w)``."""
    score = logits.sigmoid().clamp(LOWEST_SCORE, 1 - LOWEST_SCORE)
    centre = targets.heatmap == 1
    counted = targets.heatmap_mask[:, None] & ~centre
    positive = (score.log() * (1 - score) ** 2)[centre].sum()
    negative = (torch.log(1 - score) * score**2 * (1 - targets.heatmap) ** 4 * counted).sum()
    return -(positive + negative)


def giou_loss(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """Return 1 - GIoU (arXiv 1902.09630) of each of P pairs of ``(P, 4)`` xyxy boxes, 0 to 2.

    A network's box whose sides have changed places has no area. It is enclosed by the hull all the same, because a loss
    that took its area as negative would fall without limit while the box grows.
    """
    low, high, true_low, true_high = boxes[:, :2], boxes[:, 2:], true_boxes[:, :2], true_boxes[:, 2:]
    intersection = _area((torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0))
    union = _area((high - low).clamp(min=0)) + _area(true_high - true_low) - intersection
    corners = torch.stack([low, high, true_low, true_high])
    hull = _area(corners.amax(dim=0) - corners.amin(dim=0))
    epsilon = 1e-7  # for boxes without an area
    return 1 - intersection / (union + epsilon) + (hull - union) / (hull + epsilon)


def single(values: Tensor) -> Tensor:
    """Return values of less than float32's precision in float32, others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def local_boxes(offsets: Tensor, sizes: Tensor) -> Tensor:
    """Return ``(P, 4)`` xyxy in cells, measured from the corner of each box's cell."""
    return torch.cat([offsets - sizes[:, :2], offsets + sizes[:, 2:]], dim=1)


def _area(sides: Tensor) -> Tensor:
    return sides[:, 0] * sides[:, 1]
