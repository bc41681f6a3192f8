"""A teacher that is a FairMOT network of any architecture."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ...architectures import Checkpoint, HeadSizes, find_architecture
from ...config import InputSize
from ...weights import find_entry, input_size_for, load_checkpoint, resolve_weights
from ..network.fairmot import FairMOTNetwork
from ..network.layers import gather_neighbourhoods
from .teacher import TeacherOutputs

SURE_SCORE = 0.4  # conf_thres of the tracker: of lower peaks, most are nobody
MAX_PEOPLE = 200  # in an image


class _Peaks(NamedTuple):
    """Peaks of a heatmap: ``(P,)`` int64 images, classes, rows and columns, and ``(P,)`` scores."""

    images: Tensor
    class_ids: Tensor
    rows: Tensor
    columns: Tensor
    scores: Tensor


class FairMOTTeacher:
    """A frozen FairMOT network; its peaks above `SURE_SCORE` are the people of whom it is sure.

    Args:
        checkpoint: Weights.
        input_size: Images that it takes.
        precision: ``fp32``, or ``bf16`` for the layers below the heads.
        name: Name in messages and on the model card.

    Attributes:
        name: Name in messages and on the model card.
        digest: SHA-256 of the checkpoint, hexadecimal.
        input_size: Images that it takes.
        num_classes: Channels of the heatmap.
    """

    def __init__(self, checkpoint: Checkpoint, input_size: InputSize, *, precision: str = "fp32", name: str) -> None:
        offsets = [array for array_name, array in checkpoint.arrays.items() if ".conv_offset." in array_name]
        plain_neck = bool(offsets) and not any(array.any() for array in offsets)  # the same numbers, in less time
        sizes = HeadSizes(checkpoint.sizes.num_classes, checkpoint.sizes.embedding_size)
        network = FairMOTNetwork(checkpoint.architecture, sizes, plain_neck=plain_neck)
        network.load_arrays(network.heads.with_ltrb_sizes(checkpoint.arrays))
        self.name, self.digest, self.input_size = name, checkpoint.digest, input_size
        self.num_classes = checkpoint.sizes.num_classes
        self._network = network.eval().requires_grad_(requires_grad=False)
        self._uses_bf16 = precision == "bf16"

    def to(self, device: torch.device | str) -> FairMOTTeacher:
        """Move the network to a device; return the teacher."""
        self._network.to(device)
        return self

    def __call__(self, images: Tensor) -> TeacherOutputs:
        """Return the heatmap, the feature map, and boxes and embeddings at the peaks; see `Teacher`."""
        network, heads = self._network, self._network.heads
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._uses_bf16):
            layers, features = network.features(images)
        features = features.float()  # the heads are cheap, and boxes need more than bf16's 8 bits
        heatmap = layers.dense_head(features, heads.heatmap).sigmoid()
        peaks = _sure_peaks(heatmap)
        cells = torch.stack([peaks.images, peaks.rows, peaks.columns], dim=1)
        neighbourhoods = gather_neighbourhoods(features, cells)
        sizes, offsets, embeddings = (
            layers.cell_head(neighbourhoods, prefix) for prefix in (heads.size, heads.offset, heads.embedding)
        )
        corners = torch.stack([peaks.columns, peaks.rows], dim=1).to(offsets.dtype)
        centres = corners + offsets
        return TeacherOutputs(
            heatmap=heatmap,
            features=features,
            boxes=heads.stride * torch.cat([centres - sizes[:, :2], centres + sizes[:, 2:]], dim=1),
            images=peaks.images,
            scores=peaks.scores,
            class_ids=peaks.class_ids,
            points=heads.stride * (corners + 0.5),
            embeddings=embeddings,
        )


def load_teacher(
    weights: str | os.PathLike[str], input_size: InputSize | None, *, precision: str = "fp32"
) -> FairMOTTeacher:
    """Load a teacher by the registered name of its weights, or from a checkpoint file.

    Args:
        weights: Registered name or file.
        input_size: Images that it takes; None: the size that it was trained for, as `track` chooses it.
        precision: ``fp32`` or ``bf16``.

    Raises:
        WeightsError: The weights cannot be found, downloaded or read.
        InvalidInputError: Their architecture has no features to learn from.
    """
    entry = find_entry(weights)
    path = resolve_weights(weights)
    checkpoint = load_checkpoint(path, find_architecture(entry.architecture) if entry else None)
    size = input_size_for(entry, input_size, path)
    return FairMOTTeacher(checkpoint, size, precision=precision, name=entry.name if entry else path.name)


def _sure_peaks(heatmap: Tensor) -> _Peaks:
    """Return the cells of ``(B, classes, h, w)`` scores that are sure and the highest of their 3x3 neighbourhood."""
    highest = functional.max_pool2d(heatmap, 3, stride=1, padding=1)
    rows, columns = heatmap.shape[2:]
    flat = torch.where((heatmap == highest) & (heatmap >= SURE_SCORE), heatmap, 0).flatten(1)
    scores, places = flat.topk(min(MAX_PEOPLE, flat.shape[1]), dim=1)
    images = torch.arange(len(heatmap), device=heatmap.device)[:, None].expand_as(places)
    is_sure = scores > 0
    scores, places, images = scores[is_sure], places[is_sure], images[is_sure]
    class_ids, cells = places // (rows * columns), places % (rows * columns)
    return _Peaks(images, class_ids, cells // columns, cells % columns, scores)
