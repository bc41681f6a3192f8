"""Pictures of an evaluation. Figures are drawn without pyplot, so the caller's matplotlib keeps its state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outputs.colours import colour_of, text_colour_on
from ..files import output_error
from .matching import Span, spans
from .scoring import ALPHAS, Measures
from .sequence import Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW_INCHES, _MOST_INCHES = 0.16, 40.0  # of one person in the time line; of all of them
_LABEL_INCHES = 0.12  # a row of text; rows thinner than that are labelled now and then
_DIGIT_INCHES = 0.055  # of the ids within the bars
_AXES_INCHES = 13.5  # width of the time line
_MOST_IN_LEGEND = 12
_GREY = (0.82, 0.82, 0.82)

_Colour = tuple[float, float, float]  # RGB, 0 to 1
_Bar = tuple[int, int, int, _Colour]  # first and last frame, row, colour


def plot_sequence(sequence: Sequence, data: dict[str, Any], folder: Path) -> None:
    """Write ``<name>_tracks.png`` and ``<name>_ids.png``.

    Args:
        sequence: As read.
        data: What `prepare` made of it.
        folder: Where to write.
    """
    found = spans(data)
    _plot_tracks(sequence.name, data, found, folder / f"{sequence.name}_tracks.png")
    _plot_ids(sequence, data, found, folder / f"{sequence.name}_ids.png")


def plot_alphas(measures: dict[str, Measures], combined: Measures, folder: Path) -> None:
    """Write ``hota_over_alpha.png``: HOTA and its parts at each IoU threshold, by sequence and combined."""
    figure = _figure(13, 4.8)
    few = len(measures) <= _MOST_IN_LEGEND
    for place, field in enumerate(("HOTA", "DetA", "AssA"), 1):
        axes = figure.add_subplot(1, 3, place)
        for name, one in measures.items():
            values = one["HOTA"][field]
            colour = None if few else "0.75"
            axes.plot(ALPHAS, 100 * values, color=colour, linewidth=1, label=f"{name} {100 * np.mean(values):.1f}")
        values = combined["HOTA"][field]
        label = f"COMBINED {100 * np.mean(values):.1f}"
        (line,) = axes.plot(ALPHAS, 100 * values, color="black", linewidth=2.5, label=label)
        axes.set(title=field, xlabel="alpha (IoU threshold)", ylabel="per cent", xlim=(0, 1), ylim=(0, 101))
        axes.grid(alpha=0.3)
        axes.legend(handles=None if few else [line], fontsize=7, loc="lower left")
    _save(figure, folder / "hota_over_alpha.png")


def _plot_tracks(name: str, data: dict[str, Any], found: list[Span], path: Path) -> None:
    """People and results per frame, and how many of them match."""
    frames = np.arange(1, data["num_timesteps"] + 1)
    matched = np.zeros(len(frames), int)
    for span in found:
        matched[span.first - 1 : span.last] += 1
    figure = _figure(11, 4)
    axes = figure.add_subplot()
    truth = [len(ids) for ids in data["gt_ids"]]
    axes.plot(frames, truth, color="black", linewidth=1.5, label="ground truth")
    axes.plot(frames, [len(ids) for ids in data["tracker_ids"]], color="tab:red", linewidth=1, label="results")
    axes.fill_between(
        frames, matched, color="tab:green", alpha=0.35, linewidth=0, step="mid", label="matched (IoU 0.5)"
    )
    axes.set(title=f"{name}: tracks per frame", xlabel="frame", ylabel="tracks", xlim=(1, max(len(frames), 2)))
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _save(figure, path)


def _plot_ids(sequence: Sequence, data: dict[str, Any], found: list[Span], path: Path) -> None:
    """One row a person: grey where annotated, coloured by the result id that follows, a mark where that changes."""
    frames_of = _frames_of_people(data)
    order = sorted(range(len(frames_of)), key=lambda person: int(frames_of[person][0]))
    row_of = {person: row for row, person in enumerate(order)}
    height = min(_ROW_INCHES, _MOST_INCHES / len(order))
    figure = _figure(15, len(order) * height + 1.2)
    axes = figure.add_subplot()
    missed = [(*run, row, _GREY) for person, row in row_of.items() for run in _runs(frames_of[person])]
    _draw_bars(axes, missed + [_bar(span, row_of[span.person]) for span in found])
    if height >= _LABEL_INCHES:
        for span in found:
            _draw_id(axes, span, row_of[span.person], sequence.frames)
    switches = [(span.first - 0.5, row_of[span.person]) for span in found if span.switched]
    axes.vlines(
        [x for x, _ in switches],
        [row - 0.5 for _, row in switches],
        [row + 0.5 for _, row in switches],
        color="black",
        linewidth=1.6,
    )
    every = int(np.ceil(_LABEL_INCHES / height))
    labels = np.unique(sequence.truth.ids[sequence.counting])
    axes.set_yticks(range(0, len(order), every), [str(labels[person]) for person in order[::every]], fontsize=6)
    axes.set(xlabel="frame", ylabel="ground-truth id", xlim=(0.5, sequence.frames + 0.5), ylim=(len(order) - 0.4, -0.6))
    axes.set_title(
        f"{sequence.name}: the id that follows each person (in its colour; grey: missed; black mark: one of the "
        f"{len(switches)} id switches)",
        fontsize=10,
    )
    _save(figure, path)


def _bar(span: Span, row: int) -> _Bar:
    return span.first, span.last, row, _rgb(colour_of(span.result_id))


def _draw_bars(axes: Axes, bars: list[_Bar]) -> None:
    """All as one artist: one each takes many times as long."""
    from matplotlib.collections import PolyCollection

    corners = [
        [(first - 0.5, row - 0.4), (last + 0.5, row - 0.4), (last + 0.5, row + 0.4), (first - 0.5, row + 0.4)]
        for first, last, row, _ in bars
    ]
    axes.add_collection(PolyCollection(corners, facecolors=[bar[3] for bar in bars], linewidths=0), autolim=False)


def _draw_id(axes: Axes, span: Span, row: int, frames: int) -> None:
    """The result id within its bar, where there is room."""
    text = str(span.result_id)
    if (span.last - span.first + 1) / frames * _AXES_INCHES > _DIGIT_INCHES * (len(text) + 1):
        ink = _rgb(text_colour_on(colour_of(span.result_id)))
        axes.text((span.first + span.last) / 2, row, text, color=ink, fontsize=6, ha="center", va="center_baseline")


def _rgb(bgr: tuple[int, int, int]) -> _Colour:
    return bgr[2] / 255, bgr[1] / 255, bgr[0] / 255


def _frames_of_people(data: dict[str, Any]) -> list[list[int]]:
    """Frames, from 1, of each ground-truth id."""
    frames: list[list[int]] = [[] for _ in range(data["num_gt_ids"])]
    for frame, people in enumerate(data["gt_ids"], 1):
        for person in people:
            frames[person].append(frame)
    return frames


def _runs(frames: list[int]) -> list[tuple[int, int]]:
    """First and last of frames in a row."""
    at = np.array(frames)
    starts = np.flatnonzero(np.diff(at, prepend=at[0] - 2) > 1)
    ends = np.append(starts[1:], len(at)) - 1
    return list(zip(at[starts].tolist(), at[ends].tolist(), strict=True))


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise output_error(path, error) from error
