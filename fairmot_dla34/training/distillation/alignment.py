"""Maps, points and boxes of a teacher, moved to the network input of the student."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .view import TeacherView


def to_student_px(view: TeacherView, points: Tensor) -> Tensor:
    """Convert ``(P, 2)`` points or ``(P, 4)`` xyxy boxes from teacher px to student px."""
    padding = torch.tensor(view.padding * (points.shape[1] // 2), dtype=points.dtype, device=points.device)
    return (points - padding) / view.zoom


def aligned(view: TeacherView, maps: Tensor, rows: int, columns: int) -> Tensor:
    """Return a map of the teacher at the student's cells, interpolated between the centres of its own cells.

    Args:
        view: Transform between the two inputs.
        maps: ``(B, C, h, w)``; its cells divide the teacher's input evenly.
        rows: Rows of the student's map, whose cells divide the student's input evenly.
        columns: Columns of the student's map.

    Returns:
        ``(B, C, rows, columns)``; the map itself if its cells are those of the student.
    """
    if not any(view.padding) and tuple(maps.shape[2:]) == (rows, columns):
        return maps
    pad_x, pad_y = view.padding
    x = _positions(columns, view.zoom * view.student.width, pad_x, view.teacher.width)
    y = _positions(rows, view.zoom * view.student.height, pad_y, view.teacher.height)
    grid = torch.stack([x.expand(rows, columns), y[:, None].expand(rows, columns)], dim=2)  # (rows, columns, 2)
    grid = grid.to(maps).expand(len(maps), rows, columns, 2)
    return functional.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _positions(count: int, side: float, pad: float, whole: int) -> Tensor:
    """Return the ``(count,)`` centres of cells in an input, whose edges are -1 and 1."""
    return ((torch.arange(count, dtype=torch.float64) + 0.5) * (side / count) + pad) * (2 / whole) - 1
