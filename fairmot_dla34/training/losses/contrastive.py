"""Supervised contrastive loss between the embeddings of a batch, for identities without a classifier.

Source: Khosla et al., Supervised Contrastive Learning, arXiv 2004.11362, equation 2 (L_out).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .targets import Targets
from .terms import SMALLEST_NORM, single

TEMPERATURE = 0.1  # the paper's choice; it finds lower ones better up to a point, and very low ones unstable


def anchor_cells(targets: Targets) -> Tensor:
    """Return ``(P,)`` bool: whether the identity of a cell is in another image of the batch, too."""
    identified = targets.ids >= 0
    people_of_images = torch.stack([targets.ids, targets.cells[:, 0]], dim=1)[identified]
    people, images = people_of_images.unique(dim=0)[:, 0].unique(return_counts=True)
    return torch.isin(targets.ids, people[images > 1])


def contrastive_loss(embeddings: Tensor, targets: Targets) -> Tensor:
    """Return the sum of the losses of all anchors; 0, with gradients of 0, if there are none.

    An anchor is a cell whose identity is in another image, too. Its positives are the cells of its identity in other
    images, its negatives the cells of other identities in all images. Cells of its identity in its own image, such as
    the neighbours of a centre, are neither. Cells without an identity have no part in the loss.

    Args:
        embeddings: ``(P, E)`` embeddings of any length.
        targets: Targets of the batch; identities are any numbers from 0.
    """
    identified = targets.ids >= 0
    anchors = anchor_cells(targets)[identified]
    ids, images = targets.ids[identified], targets.cells[identified, 0]
    unit = functional.normalize(single(embeddings[identified]), eps=SMALLEST_NORM)  # (N, E)
    logits = unit[anchors] @ unit.T / TEMPERATURE  # (A, N)
    same_person = ids[anchors, None] == ids
    same_image = images[anchors, None] == images
    positive = same_person & ~same_image
    compared = logits.masked_fill(same_person & same_image, -torch.inf)
    mean_positive = (logits * positive).sum(dim=1) / positive.sum(dim=1)
    return (compared.logsumexp(dim=1) - mean_positive).sum()
