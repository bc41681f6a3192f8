"""Training targets of a batch: heatmaps of people's centres; sizes, offsets and identities at cells.

Source: ``Gt2FairMOTTarget`` in ``ppdet/data/transform/mot_operators.py`` of PaddleDetection 2.6, without its limit of
500 boxes an image; FairMOT, arXiv 2004.01888, section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config import InputSize
from ...datasets.values import ImageLabels
from ...errors import InvalidInputError
from .gaussians import draw_gaussian, gaussian_radius

NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1))  # rows, columns
PERSON_HEATMAP = 0.5  # above it, a cell counts although it is in an ignored area


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets of a batch of B images; P is the number of cells with a target.

    Attributes:
        heatmap: ``(B, classes, h, w)`` float32: 1 at centres, Gaussians around them.
        heatmap_mask: ``(B, h, w)`` bool: False in ignored areas, where the heatmap's loss counts centres only.
        cells: ``(P, 3)`` image, row and column of each centre, and of its neighbours if they are trained.
        sizes: ``(P, 4)`` distances left, top, right and bottom of the centre, in cells.
        offsets: ``(P, 2)`` x and y of the centre from the cell's corner, in cells.
        ids: ``(P,)`` identities, -1 for none.
        class_ids: ``(P,)`` classes.
        centres: ``(P,)`` bool: True for centres, False for their neighbours.
    """

    heatmap: Tensor
    heatmap_mask: Tensor
    cells: Tensor
    sizes: Tensor
    offsets: Tensor
    ids: Tensor
    class_ids: Tensor
    centres: Tensor

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Targets:
        """Return the targets on a device."""
        tensors = (getattr(self, field.name) for field in fields(self))
        return Targets(*(tensor.to(device, non_blocking=non_blocking) for tensor in tensors))

    def pin_memory(self) -> Targets:
        """Return the targets in memory that a GPU copies from without waiting."""
        return Targets(*(getattr(self, field.name).pin_memory() for field in fields(self)))


def make_targets(
    labels: Sequence[ImageLabels], input_size: InputSize, *, stride: int, num_classes: int, neighbours: bool = False
) -> Targets:
    """Return the targets of a batch.

    Args:
        labels: Labels of each image, network px. A centre beyond the image moves to its border; boxes without width or
            height have no target.
        input_size: Network input.
        stride: Network px per cell.
        num_classes: Channels of the heatmap.
        neighbours: Give targets also to the four cells around each centre, other centres excepted.

    Raises:
        InvalidInputError: A class is not below ``num_classes``.
    """
    images = [_image_targets(one, input_size, stride, num_classes, neighbours=neighbours) for one in labels]
    rows, columns = input_size.height // stride, input_size.width // stride
    heatmap = np.stack([image.heatmap for image in images] or [np.zeros((num_classes, rows, columns), np.float32)])
    mask = np.stack([image.mask for image in images] or [np.ones((rows, columns), bool)])
    cells = [np.insert(image.cells, 0, number, axis=1) for number, image in enumerate(images)]
    return Targets(
        heatmap=torch.from_numpy(heatmap[: len(labels)]),
        heatmap_mask=torch.from_numpy(mask[: len(labels)]),
        cells=torch.from_numpy(np.concatenate([*cells, np.empty((0, 3), np.int64)])),
        sizes=torch.from_numpy(np.concatenate([*(image.sizes for image in images), np.empty((0, 4), np.float32)])),
        offsets=torch.from_numpy(np.concatenate([*(image.offsets for image in images), np.empty((0, 2), np.float32)])),
        ids=torch.from_numpy(np.concatenate([*(image.ids for image in images), np.empty(0, np.int64)])),
        class_ids=torch.from_numpy(np.concatenate([*(image.class_ids for image in images), np.empty(0, np.int64)])),
        centres=torch.from_numpy(np.concatenate([*(image.centres for image in images), np.empty(0, bool)])),
    )


@dataclass(frozen=True, eq=False)
class _ImageTargets:
    """The fields of `Targets` for one image; ``cells`` are ``(P, 2)``."""

    heatmap: NDArray[np.float32]
    mask: NDArray[np.bool_]
    cells: NDArray[np.int64]
    sizes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    ids: NDArray[np.int64]
    class_ids: NDArray[np.int64]
    centres: NDArray[np.bool_]


def _image_targets(
    labels: ImageLabels, input_size: InputSize, stride: int, num_classes: int, *, neighbours: bool
) -> _ImageTargets:
    rows, columns = input_size.height // stride, input_size.width // stride
    boxes = labels.boxes.astype(np.float32) / np.float32(stride)  # (N, 4) in cells
    sides = boxes[:, 2:] - boxes[:, :2]
    has_area = (sides > 0).all(axis=1)
    boxes, sides, ids, class_ids = boxes[has_area], sides[has_area], labels.ids[has_area], labels.class_ids[has_area]
    if len(class_ids) and not (class_ids.min() >= 0 and class_ids.max() < num_classes):
        wrong = class_ids[(class_ids < 0) | (class_ids >= num_classes)][0]
        raise InvalidInputError(f"A label has class {wrong}; expected a class from 0 to {num_classes - 1}.")
    centres = np.clip((boxes[:, :2] + boxes[:, 2:]) / 2, 0, np.array([columns - 1, rows - 1], np.float32))
    corners = centres.astype(np.int64)  # (N, 2) column and row
    heatmap = np.zeros((num_classes, rows, columns), np.float32)
    for (column, row), (width, height), class_id in zip(
        corners.tolist(), np.ceil(sides).tolist(), class_ids.tolist(), strict=True
    ):
        draw_gaussian(heatmap[class_id], (column, row), gaussian_radius(height, width))
    mask = _outside(labels.ignored / np.float32(stride), rows, columns) | (heatmap > PERSON_HEATMAP).any(axis=0)
    cells, person = corners[:, ::-1], np.arange(len(corners))
    if neighbours:
        cells, person = _with_neighbours(cells, rows, columns)
    return _ImageTargets(
        heatmap=heatmap,
        mask=mask,
        cells=cells,
        sizes=np.concatenate((centres - boxes[:, :2], boxes[:, 2:] - centres), axis=1)[person],
        offsets=(centres[person] - cells[:, ::-1]).astype(np.float32),
        ids=ids[person].astype(np.int64),
        class_ids=class_ids[person].astype(np.int64),
        centres=np.arange(len(person)) < len(corners),
    )


def _with_neighbours(
    centres: NDArray[np.int64], rows: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the cells of centres and then of their neighbours ``(P, 2)``, and the number ``(P,)`` of each's person."""
    around = centres[:, None] + np.array(NEIGHBOURS)  # (N, 4, 2)
    taken = np.zeros((rows, columns), bool)
    taken[tuple(centres.T)] = True
    usable = ((around >= 0) & (around < (rows, columns))).all(axis=2)
    usable[usable] = ~taken[tuple(around[usable].T)]
    people = np.arange(len(centres))
    return np.concatenate((centres, around[usable])), np.concatenate((people, np.nonzero(usable)[0]))


def _outside(areas: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.bool_]:
    """Return ``(rows, columns)``: False for cells that an area ``(M, 4)``, in cells, touches."""
    outside = np.ones((rows, columns), bool)
    low, high = np.floor(areas[:, :2]), np.ceil(areas[:, 2:])
    limits = np.clip(np.concatenate((low, high), axis=1), 0, [columns, rows, columns, rows]).astype(np.int64)
    for left, top, right, bottom in limits.tolist():
        outside[top:bottom, left:right] = False
    return outside
