"""Targets of a batch that a teacher gives, at the student's cells."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn import functional

from ..losses.targets import NEIGHBOURS
from ..losses.terms import SMALLEST_NORM
from .alignment import aligned, to_student_px
from .teacher import TeacherOutputs
from .view import TeacherView


@dataclass(frozen=True, eq=False)
class TeacherTargets:
    """Targets of B images from a teacher; P is the number of cells at which it is sure of a person.

    Attributes:
        cells: ``(P, 3)`` image, row and column.
        boxes: ``(P, 4)`` xyxy in cells, from the corner of each box's cell.
        scores: ``(P,)`` the teacher's scores of the boxes, in [0, 1].
        peaks: ``(P,)`` bool: True for peaks, False for their neighbours.
        heatmap: ``(B, classes, rows, columns)`` scores in [0, 1]; None: the teacher has none.
        features: ``(B, C, rows, columns)`` feature map; None: the teacher has none.
        embeddings: ``(P, E)`` unit embeddings; None: the teacher has none.
    """

    cells: Tensor
    boxes: Tensor
    scores: Tensor
    peaks: Tensor
    heatmap: Tensor | None = None
    features: Tensor | None = None
    embeddings: Tensor | None = None

    @property
    def pairs(self) -> int:
        """Number of ordered pairs of different peaks."""
        number = int(self.peaks.sum())
        return number * (number - 1)

    def to(self, device: torch.device | str) -> TeacherTargets:
        """Return the targets on a device."""
        tensors = (getattr(self, field.name) for field in fields(self))
        return TeacherTargets(*(None if tensor is None else tensor.to(device) for tensor in tensors))

    def of_images(self, start: int, stop: int) -> TeacherTargets:
        """Return the targets of the images from ``start`` to the one before ``stop``."""
        chosen = (self.cells[:, 0] >= start) & (self.cells[:, 0] < stop)
        return replace(
            self,
            cells=self.cells[chosen] - torch.tensor([start, 0, 0], device=self.cells.device),
            boxes=self.boxes[chosen],
            scores=self.scores[chosen],
            peaks=self.peaks[chosen],
            heatmap=None if self.heatmap is None else self.heatmap[start:stop],
            features=None if self.features is None else self.features[start:stop],
            embeddings=None if self.embeddings is None else self.embeddings[chosen],
        )


def teacher_targets(
    outputs: TeacherOutputs, view: TeacherView, *, stride: int, neighbours: bool = False
) -> TeacherTargets:
    """Return the targets that a teacher's outputs give at the student's cells.

    A box belongs to the cell in which its point lies. Boxes without an area, and those outside the student's view, have
    no target. The heatmap there is at least the score of the box: a peak
    between two of the student's cells would be interpolated to less.

    Args:
        outputs: Outputs of the teacher.
        view: Transform from the student's px to the teacher's.
        stride: Student px per cell.
        neighbours: Give the targets of a cell also to the four cells around it, other peaks excepted.
    """
    rows, columns = view.student.height // stride, view.student.width // stride
    heatmap = None if outputs.heatmap is None else aligned(view, outputs.heatmap, rows, columns)
    features = None if outputs.features is None else aligned(view, outputs.features, rows, columns)
    if outputs.boxes is None or outputs.images is None:
        device = next(map_.device for map_ in (heatmap, features, torch.empty(0)) if map_ is not None)
        cells = torch.empty((0, 3), dtype=torch.int64, device=device)
        none = torch.empty(0, device=device)
        return TeacherTargets(cells, torch.empty((0, 4), device=device), none, none.bool(), heatmap, features)
    boxes = to_student_px(view, outputs.boxes.float()) / stride  # (N, 4) in cells
    points = (boxes[:, :2] + boxes[:, 2:]) / 2
    if outputs.points is not None:
        points = to_student_px(view, outputs.points.float()) / stride
    corners = points.floor().long()
    inside = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    inside &= ((corners >= 0) & (corners < torch.tensor([columns, rows], device=corners.device))).all(dim=1)
    scores = torch.ones(len(boxes), device=boxes.device) if outputs.scores is None else outputs.scores.float()
    cells = torch.cat([outputs.images[:, None], corners.flip(1)], dim=1)  # (N, 3)
    if heatmap is not None:
        class_ids = torch.zeros_like(cells[:, 0]) if outputs.class_ids is None else outputs.class_ids
        heatmap = _raised(heatmap, cells[inside], class_ids[inside], scores[inside])
    people = torch.arange(len(boxes), device=boxes.device)[inside]
    cells, peaks = cells[inside], torch.ones(len(people), dtype=torch.bool, device=boxes.device)
    if neighbours:
        cells, people, peaks = _with_neighbours(cells, people, rows, columns)
    embeddings = outputs.embeddings
    return TeacherTargets(
        cells=cells,
        boxes=boxes[people] - cells[:, [2, 1, 2, 1]],
        scores=scores[people],
        peaks=peaks,
        heatmap=heatmap,
        features=features,
        embeddings=None if embeddings is None else functional.normalize(embeddings[people].float(), eps=SMALLEST_NORM),
    )


def _raised(heatmap: Tensor, cells: Tensor, class_ids: Tensor, scores: Tensor) -> Tensor:
    """Return a heatmap that is at least the score of each box in its cell."""
    _, classes, rows, columns = heatmap.shape
    place = ((cells[:, 0] * classes + class_ids) * rows + cells[:, 1]) * columns + cells[:, 2]
    return heatmap.flatten().scatter_reduce(0, place, scores.to(heatmap), "amax").view_as(heatmap)


def _with_neighbours(cells: Tensor, people: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the cells of peaks and then of their neighbours, the number of each's person, and which are peaks."""
    steps = torch.tensor([(0, *step) for step in NEIGHBOURS], device=cells.device)
    around = cells[:, None] + steps  # (N, 4, 3)
    usable = (around[..., 1] >= 0) & (around[..., 1] < rows) & (around[..., 2] >= 0) & (around[..., 2] < columns)
    taken = {tuple(cell) for cell in cells.tolist()}
    free = [tuple(cell) not in taken for cell in around.flatten(0, 1).tolist()]
    usable &= torch.tensor(free, dtype=torch.bool, device=cells.device).view_as(usable)
    who = people[:, None].expand(usable.shape)[usable]
    is_peak = torch.arange(len(people) + len(who), device=cells.device) < len(people)
    return torch.cat([cells, around[usable]]), torch.cat([people, who]), is_peak
