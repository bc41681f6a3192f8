"""Parts of a training batch, for the search for a damaged image and for a batch that fits into memory."""

from __future__ import annotations

from dataclasses import fields, replace

import torch

from .source import Batch


def first_images(batch: Batch, size: int) -> Batch:
    """Return the first images of a batch, with their targets."""
    return _selected(batch, slice(0, size))


def single_image(batch: Batch, number: int) -> Batch:
    """Return one image of a batch, with its targets."""
    return _selected(batch, slice(number, number + 1))


def _selected(batch: Batch, images: slice) -> Batch:
    targets = batch.targets
    start, stop = images.start, images.stop
    cells = (targets.cells[:, 0] >= start) & (targets.cells[:, 0] < stop)
    by_cell = {
        field.name: getattr(targets, field.name)[cells]
        for field in fields(targets)
        if field.name not in {"heatmap", "heatmap_mask"}
    }
    by_cell["cells"] = by_cell["cells"] - torch.tensor([start, 0, 0])
    selected = replace(targets, heatmap=targets.heatmap[images], heatmap_mask=targets.heatmap_mask[images], **by_cell)
    return replace(
        batch,
        images=batch.images[images],
        targets=selected,
        names=batch.names[images],
        teacher_images=None if batch.teacher_images is None else batch.teacher_images[images],
        taught=None if batch.taught is None else batch.taught.of_images(start, stop),
    )
