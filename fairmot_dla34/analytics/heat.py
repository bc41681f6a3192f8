"""Heat map: person-seconds on a grid over the image, exact for any frame rate and for missing frames."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..config import check_choice, is_number, is_whole, shown
from ..errors import InvalidInputError
from ..values import FrameResult
from .anchors import ANCHORS
from .observation import Observation
from .walks import DEFAULT_GAP_S, Walks

Floats = NDArray[np.float64]
HeatOf: TypeAlias = Literal["foot", "centre", "head", "boxes"]

DEFAULT_CELL_PX = 16.0
_CHOICES = (*ANCHORS, "boxes")
_MOST_CELLS = 4_000_000
_MOST_PARTS = 256  # parts of one step


def check_heat(cell_px: object, of: object) -> None:
    """Check the settings of a heat map.

    Raises:
        InvalidInputError: The cells are smaller than 1 px, or ``of`` is unknown.
    """
    if not is_number(cell_px) or cell_px < 1:
        raise InvalidInputError(f"Heat map, cell_px is {shown(cell_px)}; expected the side of a cell, px >= 1.")
    check_choice("Heat map, of", of, _CHOICES)


def check_frame_size(size: object) -> tuple[int, int]:
    """Return the width and height of frames.

    Raises:
        InvalidInputError: It is not a pair of whole numbers >= 1.
    """
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(is_whole(side, 1, 1e6) for side in size):
        raise InvalidInputError(f"frame_size is {shown(size)}; expected width and height in px, such as (1920, 1080).")
    return size[0], size[1]


@dataclass
class _Place:
    """Row of a track in the previous arrays, and the time."""

    last_s: float
    box: list[float]


class HeatMap:
    """Seconds that people spent in each cell.

    Between two frames in which a track is seen, its box moves straight and evenly, and the time goes to the cells on
    its way. The sum over all cells is the time that all tracks were followed within the image.

    Args:
        size: Width and height of the frames, px.
        cell_px: Side of a cell, px. Cells at the right and lower edge may be cut by the image.
        of: Point of the box, see `anchor_points`, or ``boxes``: the time is spread evenly over the part of the box that
            is within the image.
        gap_s: Longest time between two sights of a track that is counted.

    Attributes:
        seconds: ``(rows, columns)`` float64, person-seconds.

    Raises:
        InvalidInputError: A value is not accepted, or there would be more than 4 million cells.
    """

    def __init__(
        self,
        size: tuple[int, int],
        cell_px: float = DEFAULT_CELL_PX,
        *,
        of: HeatOf = "foot",
        gap_s: float = DEFAULT_GAP_S,
    ) -> None:
        check_heat(cell_px, of)
        self.size = check_frame_size(size)
        self.cell_px = float(cell_px)
        self.of = of
        columns, rows = (math.ceil(side / self.cell_px) for side in self.size)
        if rows * columns > _MOST_CELLS:
            raise InvalidInputError(
                f"Heat map has {rows * columns} cells; expected at most {_MOST_CELLS}. Make cell_px larger than "
                f"{self.cell_px:g}."
            )
        self.seconds: Floats = np.zeros((rows, columns))
        self._places: Walks[_Place] = Walks(gap_s)

    @property
    def total_s(self) -> float:
        """Sum over all cells, person-seconds."""
        return float(self.seconds.sum())

    def update(self, result: FrameResult | Observation) -> None:
        """Take the next frame.

        Raises:
            InvalidInputError: The frame is before the previous one, or a box is not finite.
        """
        seen = Observation.of(result)
        self._places.advance(seen.time_s)
        rows: list[int] = []
        before: list[list[float]] = []
        lasted: list[float] = []
        boxes = seen.boxes.tolist()
        for row, (track_id, box) in enumerate(zip(seen.ids, boxes, strict=True)):
            place = self._places.take(track_id)
            if place is not None:
                rows.append(row)
                before.append(place.box)
                lasted.append(seen.time_s - place.last_s)
            self._places.put(track_id, _Place(seen.time_s, box))
        if rows:
            self._add(np.array(before), seen.boxes[rows], np.array(lasted))

    def _add(self, before: Floats, after: Floats, lasted: Floats) -> None:
        """Add the seconds of steps from boxes to boxes, ``(N, 4)``, that lasted ``(N,)`` s."""
        if self.of == "boxes":
            self._add_boxes(*_parts(before, after, lasted, self.cell_px))
            return
        share = {"foot": 1.0, "centre": 0.5, "head": 0.0}[self.of]
        pick = np.array([[0.5, 0], [0, 1 - share], [0.5, 0], [0, share]])
        self._add_points(before @ pick / self.cell_px, after @ pick / self.cell_px, lasted)

    def _add_points(self, before: Floats, after: Floats, lasted: Floats) -> None:
        """Add steps from point to point, ``(N, 2)`` in cells, each part of a step to its cell."""
        limits = self._limits()
        kept = ((np.floor(before) == np.floor(after)) & ((before < limits) == (after < limits))).all(axis=1)
        places, seconds = (before[kept] + after[kept]) / 2, lasted[kept]
        if len(places) < len(before):
            before, after = before[~kept], after[~kept]
            steps, low, high = _divided(before, after, limits)
            more = before[steps] + ((low + high) / 2)[:, None] * (after - before)[steps]
            places, seconds = np.append(places, more, axis=0), np.append(seconds, (high - low) * lasted[~kept][steps])
        inside = ((places >= 0) & (places < limits)).all(axis=1)
        columns, rows = places[inside].astype(np.intp).T
        np.add.at(self.seconds, (rows, columns), seconds[inside])

    def _limits(self) -> Floats:
        """Width and height of the image, in cells."""
        return np.array(self.size) / self.cell_px

    def _add_boxes(self, boxes: Floats, seconds: Floats) -> None:
        """Spread ``(N,)`` seconds evenly over the parts of ``(N, 4)`` boxes within the image."""
        across = _overlap(boxes[:, 0], boxes[:, 2], self.size[0], self.cell_px, self.seconds.shape[1])
        down = _overlap(boxes[:, 1], boxes[:, 3], self.size[1], self.cell_px, self.seconds.shape[0])
        self.seconds += (down * seconds[:, None]).T @ across


def _divided(before: Floats, after: Floats, limits: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Divide ``(N, 2)`` steps, in cells, where they meet borders of cells or of the image.

    Returns:
        For each part, the number of its step and the shares of the step, from 0 to 1, where it starts and ends.
    """
    count = len(before)
    steps, shares = [np.arange(count), np.arange(count)], [np.zeros(count), np.ones(count)]
    for axis in (0, 1):
        start, end = before[:, axis], after[:, axis]
        first = np.maximum(np.ceil(np.minimum(start, end)), 0)
        last = np.minimum(np.floor(np.maximum(start, end)), np.ceil(limits[axis]))
        borders = np.where(start == end, 0, np.maximum(last - first + 1, 0)).astype(np.intp)
        rows = np.repeat(np.arange(count), borders)
        place = first[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(borders) - borders, borders)
        edge = np.flatnonzero((start < limits[axis]) != (end < limits[axis]))
        rows, place = np.append(rows, edge), np.append(place, np.full(len(edge), limits[axis]))
        steps.append(rows)
        shares.append(np.clip((place - start[rows]) / (end[rows] - start[rows]), 0.0, 1.0))
    rows, share = np.concatenate(steps), np.concatenate(shares)
    order = np.lexsort((share, rows))
    rows, share = rows[order], share[order]
    same = rows[1:] == rows[:-1]
    return rows[1:][same], share[:-1][same], share[1:][same]


def _parts(before: Floats, after: Floats, lasted: Floats, cell_px: float) -> tuple[Floats, Floats]:
    """Divide steps of boxes into parts of at most about one cell; return the boxes in their middles and the seconds."""
    reach = np.abs(after - before).max(axis=1)
    counts = np.clip(np.ceil(reach / cell_px), 1, _MOST_PARTS).astype(np.intp)
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    share = ((np.arange(len(rows)) - first) + 0.5) / counts[rows]
    return before[rows] + share[:, None] * (after - before)[rows], (lasted / counts)[rows]


def _overlap(low: Floats, high: Floats, side: float, cell_px: float, cells: int) -> Floats:
    """Return ``(N, cells)``: the share of each interval's part within the image that is in each cell; rows sum to 1.

    Rows of intervals outside the image are 0. An interval without length counts as a thousandth of a px.
    """
    low, high = np.minimum(low, high), np.maximum(high, low + 1e-3)
    borders = np.minimum(np.arange(cells + 1) * cell_px, side)
    covered = np.clip(borders, low[:, None], high[:, None])
    shared = np.diff(covered, axis=1)
    total = shared.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(shared, total, out=np.zeros_like(shared), where=total > 0))
