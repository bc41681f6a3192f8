"""A teacher that is a FairMOT network of any architecture."""

from __future__ import annotations

import os
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ...architectures import Checkpoint, find_architecture
from ...config import InputSize
from ...errors import InvalidInputError
from ...weights import find_entry, input_size_for, load_checkpoint, resolve_weights
from ..network.layers import TensorLayers, gather_neighbourhoods
from ..network.norms import frozen_norm
from .maps import CompiledMaps, TorchMaps
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
        precision: ``fp32`` or ``bf16``; size, offset and embedding are computed in fp32.
        name: Name in messages and on the model card.

    Attributes:
        name: Name in messages and on the model card.
        digest: SHA-256 of the checkpoint, hexadecimal.
        input_size: Images that it takes.
        num_classes: Channels of the heatmap.
    """

    def __init__(self, checkpoint: Checkpoint, input_size: InputSize, *, precision: str = "fp32", name: str) -> None:
        heads = checkpoint.architecture.heads
        if heads is None:
            raise InvalidInputError(
                f"Teacher {name} is of architecture {checkpoint.architecture.name}; expected one that defines features "
                "and heads."
            )
        self.name, self.digest, self.input_size = name, checkpoint.digest, input_size
        self.num_classes = checkpoint.sizes.num_classes
        self._checkpoint, self._heads, self._precision = checkpoint, heads, precision
        self._layers: TensorLayers | None = None
        self._maps: CompiledMaps | TorchMaps | None = None

    def to(self, device: torch.device) -> FairMOTTeacher:
        """Prepare the network for a device; return the teacher."""
        checkpoint, heads = self._checkpoint, self._heads
        arrays = heads.with_ltrb_sizes(checkpoint.arrays)
        tensors = {name: torch.tensor(arrays[name], device=device) for name in heads.array_shapes(checkpoint.sizes)}
        self._layers = TensorLayers(tensors, lambda _: frozen_norm, plain_neck=False, head_activation=heads.activation)
        if device.type == "cpu":
            threads = torch.get_num_threads()
            self._maps = CompiledMaps(checkpoint, self.input_size, precision=self._precision, threads=threads)
        else:
            self._maps = TorchMaps(checkpoint, device, precision=self._precision)
        return self

    def __call__(self, images: Tensor) -> TeacherOutputs:
        """Return the heatmap, the feature map, and boxes and embeddings at the peaks; see `Teacher`."""
        if self._maps is None:
            self.to(images.device)
        layers, maps, heads = self._layers, self._maps, self._heads
        assert layers is not None and maps is not None  # noqa: S101, PT018 (`to` has set them)
        heatmap, features = maps(images)
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
