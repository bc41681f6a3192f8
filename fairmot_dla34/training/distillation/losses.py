"""Losses of a student's outputs against a teacher's; each is a sum, to be divided by a count over all processes."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..losses.terms import LOWEST_SCORE, SMALLEST_NORM, giou_loss, single

TEMPERATURE = 1.0  # of the softmax over the cells of a channel, as in the authors' code


def heatmap_loss(logits: Tensor, scores: Tensor, truth: Tensor) -> Tensor:
    """Return the sum of the divergences of ``(B, classes, h, w)`` scores from the teacher's.

    A cell is weighted by the larger of the teacher's score and the true heatmap, and at least by the square of the
    student's error, which is the focal weight of soft targets (arXiv 2006.04388, equation 6): a false alarm counts
    although neither the teacher nor the labels have a person there. The entropy of the teacher's scores is subtracted,
    so that the loss of equal scores is 0.

    Args:
        logits: The student's heatmap before the sigmoid.
        scores: The teacher's scores, in [0, 1].
        truth: Heatmap of the labels; 0 without labels.
    """
    found = logits.sigmoid().clamp(LOWEST_SCORE, 1 - LOWEST_SCORE)
    wanted = scores.clamp(LOWEST_SCORE, 1 - LOWEST_SCORE)
    divergence = wanted * (wanted / found).log() + (1 - wanted) * ((1 - wanted) / (1 - found)).log()
    weight = torch.maximum(torch.maximum(wanted, truth), (found - wanted) ** 2)
    return (weight * divergence).sum()


def feature_loss(adapted: Tensor, features: Tensor) -> Tensor:
    """Return the sum over images of the channel-wise divergence of two feature maps.

    Source: Shu et al., Channel-wise Knowledge Distillation for Dense Prediction, arXiv 2011.13256: a softmax over the
    cells of each channel, and the mean divergence of the channels, times the temperature squared.

    Args:
        adapted: ``(B, C, h, w)`` map of the student, with the teacher's channels.
        features: ``(B, C, h, w)`` map of the teacher.
    """
    found = (single(adapted).flatten(2) / TEMPERATURE).log_softmax(dim=2)
    wanted = (single(features).flatten(2) / TEMPERATURE).log_softmax(dim=2)
    divergence = functional.kl_div(found, wanted, reduction="sum", log_target=True)
    return divergence * TEMPERATURE**2 / features.shape[1]


def cosine_loss(adapted: Tensor, embeddings: Tensor) -> Tensor:
    """Return the sum of 1 - cosine of ``(P, E)`` embeddings with the teacher's, which have unit length."""
    unit = functional.normalize(single(adapted), eps=SMALLEST_NORM)
    return (1 - (unit * embeddings).sum(dim=1)).sum()


def relation_loss(own: Tensor, embeddings: Tensor) -> Tensor:
    """Return the sum over pairs of the squared difference of their cosines; the sizes of the embeddings may differ.

    Source: the similarity-preserving loss, Tung and Mori, arXiv 1907.09682, on unit embeddings of people.

    Args:
        own: ``(P, E)`` embeddings of the student, of any length.
        embeddings: ``(P, F)`` unit embeddings of the teacher.
    """
    unit = functional.normalize(single(own), eps=SMALLEST_NORM)
    difference = unit @ unit.T - embeddings @ embeddings.T
    return (difference.fill_diagonal_(0) ** 2).sum()


def box_loss(boxes: Tensor, wanted: Tensor, scores: Tensor) -> Tensor:
    """Return the sum of the losses of ``(P, 4)`` xyxy boxes against the teacher's, weighted by the teacher's scores.

    The loss of a box is 1 - GIoU and the mean distance of its sides from the teacher's, relative to the teacher's width
    and height. GIoU alone has hardly a gradient for a box without an area, with which an untrained network starts
    (both are added in DETR, too, arXiv 2005.12872).
    """
    sides = (wanted[:, 2:] - wanted[:, :2]).repeat(1, 2)
    distance = ((boxes - wanted).abs() / sides).mean(dim=1)
    return ((giou_loss(boxes, wanted) + distance) * scores).sum()
