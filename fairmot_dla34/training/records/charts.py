"""Line charts drawn with OpenCV: axes with ticks, a title, a legend, and lines with markers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]

WHITE, INK, GREY, GRID = (255, 255, 255), (50, 50, 50), (120, 120, 120), (225, 225, 225)
_SCALE = 2  # charts are drawn in double size and reduced, which makes OpenCV's text smooth
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 58, 42  # margins around the axes, px
_SUBPIXEL_BITS = 4
_MAX_COORDINATE = 1e6  # px; lines to points farther out are cut


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a chart.

    Attributes:
        x: ``(N,)`` positions, ascending.
        y: ``(N,)`` values, finite.
        colour: BGR.
        label: Text of the legend; empty for none.
        is_faint: Draw a thin pale line, and leave the range of the chart to the other lines.
        has_markers: Mark each point.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    colour: Colour
    label: str = ""
    is_faint: bool = False
    has_markers: bool = False


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart.

    Attributes:
        title: Text above it, ASCII.
        lines: Lines, drawn in this order; at least one.
        x_range: Smallest and largest position.
        x_label: Text below the axis.
        mark: Position of a dashed vertical line; None for none.
        mark_label: Text above that line.
    """

    title: str
    lines: Sequence[Line]
    x_range: tuple[float, float]
    x_label: str = ""
    mark: float | None = None
    mark_label: str = ""


def draw_chart(chart: Chart, width: int, height: int) -> NDArray[np.uint8]:
    """Return the chart as a ``(height, width, 3)`` uint8 BGR image."""
    image = np.full((height * _SCALE, width * _SCALE, 3), 255, np.uint8)
    area = (_LEFT, _TOP, width - _RIGHT, height - _BOTTOM)  # xyxy
    x_low, x_high = _widened(*chart.x_range)
    y_low, y_high = value_range(chart.lines)
    columns = _Axis(x_low, x_high, area[0], area[2])
    rows = _Axis(y_low, y_high, area[3], area[1])
    _draw_grid(image, area, columns, rows)
    left, top, right, bottom = (_SCALE * side for side in area)
    inside = image[top : bottom + 1, left : right + 1]  # a view: what leaves the axes is cut
    if chart.mark is not None:
        _draw_mark(image, float(columns(chart.mark)), area[1], area[3], chart.mark_label)
    for line in chart.lines:
        _draw_line(inside, line, np.column_stack([columns(line.x) - area[0], rows(line.y) - area[1]]))
    cv2.rectangle(image, (left, top), (right, bottom), GREY, 1, cv2.LINE_AA)
    put_text(image, chart.title, (area[0], 18), 0.5, INK)
    put_text(image, chart.x_label, ((area[0] + area[2]) / 2, height - 8), 0.4, GREY, align=0.5)
    _draw_legend(image, chart.lines, area[0])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def value_range(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the range of values that a chart shows: that of its lines, without the extremes of faint ones."""
    values = [line.y if not line.is_faint else np.percentile(line.y, (2, 98)) for line in lines if len(line.y)]
    together = np.concatenate([*values, np.empty(0)])
    if not len(together):
        return 0.0, 1.0
    low, high = _widened(float(together.min()), float(together.max()))
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def nice_ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers within a range, at most ``most`` of them, with steps of 1, 2 or 5 times a power of 10."""
    rough = (high - low) / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Return the ticks as texts of equal precision, such as ``20k`` or ``1.5``, or with exponents if they are tiny."""
    largest = max(map(abs, ticks), default=0.0)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else largest
    if largest and largest < 1e-3:
        return [f"{tick:.1e}".replace(".0e", "e").replace("e-0", "e-") if tick else "0" for tick in ticks]
    unit, suffix = next(((unit, text) for unit, text in ((1e6, "M"), (1e3, "k")) if largest >= 10 * unit), (1.0, ""))
    digits = max(0, -math.floor(math.log10(step / unit) + 1e-9)) if step else 0
    return [f"{tick / unit:.{digits}f}{suffix}" if tick else "0" for tick in ticks]


def put_text(
    image: NDArray[np.uint8],
    text: str,
    place: tuple[float, float],
    size: float,
    colour: Colour,
    *,
    align: float = 0.0,
) -> float:
    """Draw text into an image of double size, and return its width in px of the single size.

    Args:
        image: Image of double size, changed.
        text: Text, ASCII.
        place: Start of the base line in px of the single size.
        size: OpenCV's font scale.
        colour: BGR.
        align: Part of the width that is left of ``place``.
    """
    (width, _), _ = cv2.getTextSize(text, _FONT, size * _SCALE, _SCALE)
    corner = (round(place[0] * _SCALE - align * width), round(place[1] * _SCALE))
    cv2.putText(image, text, corner, _FONT, size * _SCALE, colour, _SCALE, cv2.LINE_AA)
    return width / _SCALE


class _Axis:
    """Linear map of values to px."""

    def __init__(self, low: float, high: float, start: int, end: int) -> None:
        self.low, self.high = low, high
        self._start, self._factor = start, (end - start) / (high - low)

    def __call__(self, values: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return self._start + (np.asarray(values, np.float64) - self.low) * self._factor


def _widened(low: float, high: float) -> tuple[float, float]:
    """Return a range that is not empty."""
    least = max(abs(low), abs(high), 1e-12) * 1e-6
    if high - low > least:
        return low, high
    half = 0.5 * max(abs(low), 1e-3)
    return low - half, high + half


def _draw_grid(image: NDArray[np.uint8], area: tuple[int, int, int, int], columns: _Axis, rows: _Axis) -> None:
    left, top, right, bottom = area
    ticks = nice_ticks(columns.low, columns.high, 6)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        x = float(columns(tick))
        _grid_line(image, (x, top), (x, bottom))
        put_text(image, label, (x, bottom + 15), 0.38, INK, align=0.5)
    ticks = nice_ticks(rows.low, rows.high, 7)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        y = float(rows(tick))
        _grid_line(image, (left, y), (right, y))
        put_text(image, label, (left - 6, y + 4), 0.38, INK, align=1.0)


def _grid_line(image: NDArray[np.uint8], start: tuple[float, float], end: tuple[float, float]) -> None:
    first, last = ((round(x * _SCALE), round(y * _SCALE)) for x, y in (start, end))
    cv2.line(image, first, last, GRID, _SCALE)


def _draw_line(inside: NDArray[np.uint8], line: Line, points: NDArray[np.float64]) -> None:
    colour = _paler(line.colour) if line.is_faint else line.colour
    scaled = np.clip(points * _SCALE, -_MAX_COORDINATE, _MAX_COORDINATE)
    shifted = np.rint(scaled * 2**_SUBPIXEL_BITS).astype(np.int32)
    width = _SCALE if line.is_faint else 2 * _SCALE
    cv2.polylines(inside, [shifted], isClosed=False, color=colour, thickness=width, lineType=cv2.LINE_AA, shift=4)
    if line.has_markers or len(points) == 1:
        for x, y in np.rint(scaled).astype(int).tolist():
            cv2.circle(inside, (x, y), 3 * _SCALE, colour, cv2.FILLED, cv2.LINE_AA)


def _draw_mark(image: NDArray[np.uint8], x: float, top: int, bottom: int, label: str) -> None:
    column = round(x * _SCALE)
    for row in range(top * _SCALE, bottom * _SCALE, 8 * _SCALE):
        cv2.line(image, (column, row), (column, row + 4 * _SCALE), GREY, _SCALE)
    put_text(image, label, (x, top - 4), 0.36, GREY, align=0.5)


def _draw_legend(image: NDArray[np.uint8], lines: Sequence[Line], left: float) -> None:
    """Draw a legend in one row, in smaller text if it is wider than the chart."""
    labelled = [line for line in lines if line.label]
    widths = [cv2.getTextSize(line.label, _FONT, 0.4 * _SCALE, _SCALE)[0][0] / _SCALE for line in labelled]
    free = image.shape[1] / _SCALE - left - 31 * len(widths)
    size = 0.4 * min(1.0, free / max(sum(widths), 1.0))
    x = left
    for line in labelled:
        first, last = ((round(end * _SCALE), 34 * _SCALE) for end in (x, x + 14))
        cv2.line(image, first, last, line.colour, 3 * _SCALE, cv2.LINE_AA)
        x += 19 + put_text(image, line.label, (x + 19, 38), size, INK) + 12


def _paler(colour: Colour) -> Colour:
    blue, green, red = (round(255 - 0.35 * (255 - part)) for part in colour)
    return blue, green, red
