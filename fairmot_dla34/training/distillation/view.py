"""Geometry of the part of an image that student and teacher both see. Importing this module needs no PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
