"""Plots of an evaluation: tracks per frame, ids over time, and HOTA over IoU thresholds.

Figures are drawn without pyplot, so the state of the caller's matplotlib does not change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..files import output_error
from .id_plot import draw_ids, figure_height
from .matching import Span, matched_spans
from .scoring import ALPHAS, Measures
from .sequence import Sequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MAX_IN_LEGEND = 12


def plot_sequence(sequence: Sequence, data: dict[str, Any], folder: Path) -> None:
    """Write ``<name>_tracks.png`` and ``<name>_ids.png``.

    Args:
        sequence: Sequence as read from its files.
        data: Data of the sequence from `prepare`.
        folder: Folder of the plots.

    Raises:
        OutputError: A plot cannot be written.
    """
    spans = matched_spans(data)
    figure = _figure(11, 4)
    _draw_tracks(figure.add_subplot(), sequence, data, spans)
    _save(figure, folder / f"{sequence.name}_tracks.png")
    figure = _figure(15, figure_height(data["num_gt_ids"]))
    draw_ids(figure.add_subplot(), sequence, data, spans)
    _save(figure, folder / f"{sequence.name}_ids.png")


def plot_alphas(measures: dict[str, Measures], combined: Measures, folder: Path) -> None:
    """Write ``hota_over_alpha.png``: HOTA and its factors at each IoU threshold, by sequence and combined.

    Args:
        measures: Metrics of each sequence, by name.
        combined: Metrics of all sequences together.
        folder: Folder of the plot.

    Raises:
        OutputError: The plot cannot be written.
    """
    figure = _figure(13, 4.8)
    few = len(measures) <= _MAX_IN_LEGEND
    for position, field in enumerate(("HOTA", "DetA", "AssA"), 1):
        axes = figure.add_subplot(1, 3, position)
        for name, of_sequence in measures.items():
            values = of_sequence["HOTA"][field]
            colour = None if few else "0.75"
            axes.plot(ALPHAS, 100 * values, color=colour, linewidth=1, label=f"{name} {100 * np.mean(values):.1f}")
        values = combined["HOTA"][field]
        label = f"COMBINED {100 * np.mean(values):.1f}"
        (line,) = axes.plot(ALPHAS, 100 * values, color="black", linewidth=2.5, label=label)
        axes.set(title=field, xlabel="alpha (IoU threshold)", ylabel="per cent", xlim=(0, 1), ylim=(0, 101))
        axes.grid(alpha=0.3)
        axes.legend(handles=None if few else [line], fontsize=7, loc="lower left")
    _save(figure, folder / "hota_over_alpha.png")


def _draw_tracks(axes: Axes, sequence: Sequence, data: dict[str, Any], spans: list[Span]) -> None:
    """Draw the number of people, results and matches in each frame."""
    frames = _drawn_frames(data["frames"], sequence.frames)
    matched, truth, results = np.zeros((3, len(frames)), int)
    for span in spans:
        matched[np.searchsorted(frames, span.first) : np.searchsorted(frames, span.last) + 1] += 1
    with_rows = np.searchsorted(frames, data["frames"])
    truth[with_rows] = [len(ids) for ids in data["gt_ids"]]
    results[with_rows] = [len(ids) for ids in data["tracker_ids"]]
    axes.plot(frames, truth, color="black", linewidth=1.5, label="ground truth")
    axes.plot(frames, results, color="tab:red", linewidth=1, label="results")
    axes.fill_between(
        frames, matched, color="tab:green", alpha=0.35, linewidth=0, step="mid", label="matched (IoU 0.5)"
    )
    axes.set(
        title=f"{sequence.name}: tracks per frame", xlabel="frame", ylabel="tracks", xlim=(1, max(sequence.frames, 2))
    )
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _drawn_frames(with_rows: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return the frames with rows, their neighbours, and both ends: between them, all numbers are 0."""
    frames = np.unique(np.concatenate([with_rows - 1, with_rows, with_rows + 1, [1, length]]))
    drawn: NDArray[np.int64] = frames[(frames >= 1) & (frames <= length)]
    return drawn


def _figure(width: float, height: float) -> Figure:
    """Return a figure of ``width`` x ``height`` inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=100, layout="constrained")


def _save(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path, format="png")
    except OSError as error:
        raise output_error(path, error) from error
