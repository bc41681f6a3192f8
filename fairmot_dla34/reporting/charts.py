"""Charts as inline SVG: bars per minute, people over time, and bars of the time in view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .markup import number, tag, text

_WIDTH, _HEIGHT = 420, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 404, 26, 176
_WIDEST_BAR = 36.0
_MOST_LABELS = 8
_LINE_BINS = 600
_MARK_BINS = 250
_LONGEST_MARK = 18.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)  # minutes between two labels


class Series(NamedTuple):
    """One colour of bars.

    Attributes:
        name: Name in the legend.
        values: A number for each bin.
    """

    name: str
    values: tuple[float, ...]


def nice_top(largest: float) -> tuple[float, float]:
    """Return the upper end of an axis from 0 and the step of its labels, both "round", at most 5 steps."""
    if largest <= 0:
        return 1.0, 1.0
    raw = largest / 5
    power = 10 ** math.floor(math.log10(raw))
    step = max(1.0, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9)))
    return math.ceil(largest / step - 1e-9) * step, step


def bar_chart(
    series: Sequence[Series], starts_min: Sequence[int], bin_min: int, *, label: str, unit: str, axis: str
) -> str:
    """Return bars grouped by bin, with labelled axes.

    Args:
        series: One to three series.
        starts_min: Start of each bin, whole minutes, rising.
        bin_min: Length of a bin, minutes.
        label: Description for screen readers.
        unit: Unit of the values, above the axis.
        axis: Title of the axis of time.
    """
    top, step = nice_top(max((max(one.values, default=0) for one in series), default=0))
    first = starts_min[0] if starts_min else 0
    end = (starts_min[-1] if starts_min else 0) + bin_min
    per_minute = (_RIGHT - _LEFT) / (end - first)
    parts = [tag("text", text(unit), x=2, y=14, cls="axis")]
    for tick in range(round(top / step) + 1):
        y = _BOTTOM - (_BOTTOM - _TOP) * tick * step / top
        parts += [
            tag("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, cls="base" if tick == 0 else "grid"),
            tag("text", number(tick * step), x=_LEFT - 6, y=y + 4, cls="tick end"),
        ]
    spacing = next((s for s in _STEPS if (end - first) / s <= _MOST_LABELS), max(_STEPS[-1], (end - first) // 4))
    spacing = max(spacing, bin_min)
    for minute in range(math.ceil(first / spacing) * spacing, end + 1, spacing):
        x = _LEFT + (minute - first) * per_minute
        parts += [
            tag("line", x1=x, x2=x, y1=_BOTTOM, y2=_BOTTOM + 4, cls="base"),
            tag("text", number(minute), x=x, y=_BOTTOM + 18, cls="tick middle"),
        ]
    parts.append(tag("text", text(axis), x=(_LEFT + _RIGHT) / 2, y=_HEIGHT - 6, cls="axis middle"))
    room = per_minute * bin_min
    bar = min(_WIDEST_BAR, 0.78 * room / len(series))
    for row, start in enumerate(starts_min):
        middle = _LEFT + (start - first + bin_min / 2) * per_minute
        for place, one in enumerate(series):
            height = (_BOTTOM - _TOP) * one.values[row] / top
            if height <= 0:
                continue
            title = tag("title", text(f"{start}–{start + bin_min} min · {one.name}: {number(one.values[row])}"))
            x = middle + (place - len(series) / 2) * bar
            gap = min(1.0, bar / 8)
            parts.append(
                tag("rect", title, x=x + gap / 2, y=_BOTTOM - height, width=bar - gap, height=height, cls=f"s{place}")
            )
    return tag("svg", "".join(parts), cls="chart", viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", aria_label=label)


def people_line(
    times_s: NDArray[np.float64], people: NDArray[np.int64], length_s: float, marks_s: Sequence[float], *, label: str
) -> str:
    """Return the number of people over the whole video as an area that fills its place, with marks for events.

    A mark is as long as there are events at its time.

    Args:
        times_s: ``(F,)`` times of the tracked frames.
        people: ``(F,)`` people in them.
        length_s: Length of the video.
        marks_s: Times of events.
        label: Description for screen readers.
    """
    bins = max(1, min(_LINE_BINS, len(times_s)))
    largest = np.zeros(bins, np.int64)
    places = np.clip((times_s / length_s * bins).astype(np.intp), 0, bins - 1)
    np.maximum.at(largest, places, people)
    known = np.isin(np.arange(bins), places)  # bins between two tracked frames keep the number before them
    source = np.maximum.accumulate(np.where(known, np.arange(bins), 0))
    heights = 100 - 92 * largest[source] / max(1, int(largest.max()))
    points = ["M0 100"]
    for place, y in enumerate(heights.tolist()):
        points.append(f"L{number(1000 * place / bins)} {number(y)}L{number(1000 * (place + 1) / bins)} {number(y)}")
    shapes = tag("path", d="".join(points) + "L1000 100Z", cls="area")
    places = np.clip((np.array(marks_s) / length_s * _MARK_BINS).astype(np.intp), 0, _MARK_BINS - 1)
    counts = np.bincount(places, minlength=1)
    if len(marks_s):
        shapes += tag("path", d="".join(_mark(int(place), counts) for place in np.flatnonzero(counts)), cls="marks")
    shapes += tag("line", id="playhead", x1=0, x2=0, y1=0, y2=100, cls="playhead")
    return tag(
        "svg", shapes, cls="timeline", viewBox="0 0 1000 100", preserveAspectRatio="none", role="img", aria_label=label
    )


def _mark(place: int, counts: NDArray[np.intp]) -> str:
    """Return the path of one mark, at least about half as long as the longest one."""
    x = 1000 * (place + 0.5) / _MARK_BINS
    return f"M{number(x)} 0V{number(_LONGEST_MARK * max(0.45, float(counts[place] / counts.max())))}"


def time_bar(runs_s: Sequence[tuple[float, float]], length_s: float, *, label: str) -> str:
    """Return the times in view as parts of a bar that stands for the whole video."""
    shapes = tag("rect", x=0, y=3, width=1000, height=4, cls="track")
    for start, end in runs_s:
        x = 1000 * start / length_s
        shapes += tag("rect", x=x, y=0, width=max(6.0, 1000 * (end - start) / length_s), height=10, cls="run")
    return tag(
        "svg", shapes, cls="bar", viewBox="0 0 1000 10", preserveAspectRatio="none", role="img", aria_label=label
    )
