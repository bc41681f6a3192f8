"""The part of an image that student and teacher both see, at the network input of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ...config import InputSize


@dataclass(frozen=True)
class TeacherView:
    """The transform from the student's network px to the teacher's: a zoom, and grey bars if the shapes differ.

    Coordinates are continuous: 0 is the left edge of the first pixel.

    Attributes:
        student: Network input of the student.
        teacher: Network input of the teacher.
    """

    student: InputSize
    teacher: InputSize

    @property
    def zoom(self) -> float:
        """Teacher px per student px."""
        return min(self.teacher.width / self.student.width, self.teacher.height / self.student.height)

    @property
    def padding(self) -> tuple[float, float]:
        """Width of the bars at the left and at the top, teacher px."""
        zoom = self.zoom
        return (self.teacher.width - zoom * self.student.width) / 2, (
            self.teacher.height - zoom * self.student.height
        ) / 2

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The ``(3, 3)`` affine transform from student px to teacher px."""
        return np.array([[self.zoom, 0, self.padding[0]], [0, self.zoom, self.padding[1]], [0, 0, 1]])

    def to_student_px(self, points: Tensor) -> Tensor:
        """Convert ``(P, 2)`` points or ``(P, 4)`` xyxy boxes from teacher px to student px."""
        padding = torch.tensor(self.padding * (points.shape[1] // 2), dtype=points.dtype, device=points.device)
        return (points - padding) / self.zoom

    def align(self, maps: Tensor, rows: int, columns: int) -> Tensor:
        """Return a map of the teacher at the student's cells, interpolated between the centres of its own cells.

        Args:
            maps: ``(B, C, h, w)``; its cells divide the teacher's input evenly.
            rows: Rows of the student's map, whose cells divide the student's input evenly.
            columns: Columns of the student's map.

        Returns:
            ``(B, C, rows, columns)``; the map itself if its cells are those of the student.
        """
        if not any(self.padding) and tuple(maps.shape[2:]) == (rows, columns):
            return maps
        pad_x, pad_y = self.padding
        x = _positions(columns, self.zoom * self.student.width, pad_x, self.teacher.width)
        y = _positions(rows, self.zoom * self.student.height, pad_y, self.teacher.height)
        grid = torch.stack([x.expand(rows, columns), y[:, None].expand(rows, columns)], dim=2)  # (rows, columns, 2)
        grid = grid.to(maps).expand(len(maps), rows, columns, 2)
        return functional.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _positions(count: int, side: float, pad: float, whole: int) -> Tensor:
    """Return the ``(count,)`` centres of cells in an input, whose edges are -1 and 1."""
    return ((torch.arange(count, dtype=torch.float64) + 0.5) * (side / count) + pad) * (2 / whole) - 1
