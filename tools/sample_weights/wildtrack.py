"""Areas of WILDTRACK's images in which people are unlabelled, from the ground where labelled feet were seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAX_RUN = 5  # cells of one area: a rotated image grows a wide area by its width times the sine of the angle


@dataclass(frozen=True, eq=False)
class TrustedGround:
    """Cells of a camera's image in which all people are labelled whose feet are there.

    Attributes:
        trusted: ``(rows, columns)`` bool.
        cell: Side of a cell, image px.
    """

    trusted: NDArray[np.bool_]
    cell: int

    @classmethod
    def read(cls, path: Path, camera: str) -> TrustedGround:
        """Read the cells of one camera from ``trusted_foot_grid.json``."""
        grid = json.loads(path.read_text("utf-8"))
        return cls(np.array([[cell == "1" for cell in row] for row in grid["trusted"][camera]]), grid["cell"])

    def untrusted_centres(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(M, 4)`` areas xyxy, image px, of the centres of people whose feet are outside the trusted cells.

        The heatmap is trained at centres, and the ground is marked at feet. On flat ground, the height of people in an
        image is a linear function of the height of their feet, so a line through the labelled boxes gives the height
        of a person in any cell. Each untrusted cell moves up by half of it. People differ from the line by about a
        quarter of their height, as children and loose boxes do; the areas do not cover that.

        Args:
            boxes: ``(N, 4)`` xyxy of all labelled people of the camera, image px.
        """
        slope, height_at_top = np.polyfit(boxes[:, 3], boxes[:, 3] - boxes[:, 1], 1)
        rows, columns = self.trusted.shape
        beyond = np.zeros((1, columns), bool)  # feet below the image
        areas = []
        for row, trusted in enumerate(np.concatenate([self.trusted, beyond])):
            top, bottom = (self._centre(number, slope, height_at_top) for number in (row, row + 1))
            bottom = bottom if row < rows else float(rows * self.cell)
            areas += [(first * self.cell, top, last * self.cell, bottom) for first, last in _runs(~trusted)]
        return np.array(areas, np.float32).reshape(-1, 4)

    def _centre(self, row: float, slope: float, height_at_top: float) -> float:
        """Return the vertical position of the centre of a person whose feet are at the upper side of a row."""
        foot = row * self.cell
        return float(foot - max(height_at_top + slope * foot, 0.0) / 2)


def _runs(cells: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and the end column of each run of True, at most `MAX_RUN` long."""
    runs: list[tuple[int, int]] = []
    for column in np.flatnonzero(cells).tolist():
        if runs and runs[-1][1] == column and column - runs[-1][0] < MAX_RUN:
            runs[-1] = runs[-1][0], column + 1
        else:
            runs.append((column, column + 1))
    return runs
