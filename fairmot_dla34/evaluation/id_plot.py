"""Plot of the result id that each person is matched with over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..outputs.colours import colour_of, text_colour_on
from .matching import Span
from .sequence import Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_INCHES, _MAX_INCHES = 0.16, 40.0  # height of one person's row, largest height of all rows
_LABEL_INCHES = 0.12  # height of a line of text; of thinner rows, only some are labelled
_DIGIT_INCHES = 0.055  # width of a digit of the ids within the bars
_AXES_INCHES = 13.5  # width of the axes
_GREY = (0.82, 0.82, 0.82)

_Colour = tuple[float, float, float]  # RGB, 0 to 1
_Bar = tuple[int, int, int, _Colour]  # first and last frame, row, colour


def figure_height(people: int) -> float:
    """Return the height in inches of a figure for this number of people."""
    return people * _row_height(people) + 1.2


def draw_ids(axes: Axes, sequence: Sequence, data: dict[str, Any], spans: list[Span]) -> None:
    """Draw one row per person: grey if missed, else the colour of the result id, and a mark at each id switch.

    Args:
        axes: Axes to draw on.
        sequence: Sequence as read from its files.
        data: Data of the sequence from `prepare`.
        spans: Spans of the sequence from `matched_spans`.
    """
    frames_of = _frames_of_people(data)
    order = sorted(range(len(frames_of)), key=lambda person: int(frames_of[person][0]))
    row_of = {person: row for row, person in enumerate(order)}
    height = _row_height(len(order))
    annotated = [(*run, row, _GREY) for person, row in row_of.items() for run in _runs(frames_of[person])]
    _draw_bars(axes, annotated + [_bar(span, row_of[span.person]) for span in spans])
    if height >= _LABEL_INCHES:
        for span in spans:
            _draw_id(axes, span, row_of[span.person], sequence.frames)
    switches = [(span.first - 0.5, row_of[span.person]) for span in spans if span.switched]
    _draw_switches(axes, switches)
    step = int(np.ceil(_LABEL_INCHES / height))
    labels = np.unique(sequence.truth.ids[sequence.scored_truth])
    axes.set_yticks(range(0, len(order), step), [str(labels[person]) for person in order[::step]], fontsize=6)
    axes.set(xlabel="frame", ylabel="ground-truth id", xlim=(0.5, sequence.frames + 0.5), ylim=(len(order) - 0.4, -0.6))
    axes.set_title(
        f"{sequence.name}: result id of each person (in its colour; grey: missed; black mark: one of the "
        f"{len(switches)} id switches)",
        fontsize=10,
    )


def _row_height(people: int) -> float:
    return min(_ROW_INCHES, _MAX_INCHES / people)


def _bar(span: Span, row: int) -> _Bar:
    return span.first, span.last, row, _rgb(colour_of(span.result_id))


def _draw_bars(axes: Axes, bars: list[_Bar]) -> None:
    """Draw all bars as one artist, because one artist each takes many times as long."""
    from matplotlib.collections import PolyCollection

    corners = [
        [(first - 0.5, row - 0.4), (last + 0.5, row - 0.4), (last + 0.5, row + 0.4), (first - 0.5, row + 0.4)]
        for first, last, row, _ in bars
    ]
    axes.add_collection(PolyCollection(corners, facecolors=[bar[3] for bar in bars], linewidths=0), autolim=False)


def _draw_id(axes: Axes, span: Span, row: int, frames: int) -> None:
    """Draw the result id within its bar if there is room."""
    text = str(span.result_id)
    if (span.last - span.first + 1) / frames * _AXES_INCHES > _DIGIT_INCHES * (len(text) + 1):
        colour = _rgb(text_colour_on(colour_of(span.result_id)))
        axes.text((span.first + span.last) / 2, row, text, color=colour, fontsize=6, ha="center", va="center_baseline")


def _draw_switches(axes: Axes, switches: list[tuple[float, int]]) -> None:
    """Draw a mark at each (x, row)."""
    axes.vlines(
        [x for x, _ in switches],
        [row - 0.5 for _, row in switches],
        [row + 0.5 for _, row in switches],
        color="black",
        linewidth=1.6,
    )


def _rgb(bgr: tuple[int, int, int]) -> _Colour:
    return bgr[2] / 255, bgr[1] / 255, bgr[0] / 255


def _frames_of_people(data: dict[str, Any]) -> list[list[int]]:
    """Return the frames of each ground-truth id, counted from 1."""
    frames: list[list[int]] = [[] for _ in range(data["num_gt_ids"])]
    for frame, people in zip(data["frames"].tolist(), data["gt_ids"], strict=True):
        for person in people:
            frames[person].append(frame)
    return frames


def _runs(frames: list[int]) -> list[tuple[int, int]]:
    """Return the first and last frame of each run of consecutive frames."""
    numbers = np.array(frames)
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2) > 1)
    ends = np.append(starts[1:], len(numbers)) - 1
    return list(zip(numbers[starts].tolist(), numbers[ends].tolist(), strict=True))
