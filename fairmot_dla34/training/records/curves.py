"""``curves.png``: losses, validation figures, learning rate and speed of a run, drawn from its ``metrics.jsonl``.

The drawing needs OpenCV only, so that every run has the same curves whether or not matplotlib is installed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...console.progress import duration_text
from ...files import output_error, write_whole
from .charts import INK, WHITE, Chart, Colour, Line, draw_chart, put_text
from .metrics import METRICS_FILE, read_metrics
from .wording import FIGURES, LOSSES, figure_text, number_text

CURVES_FILE = "curves.png"
_WIDTH, _HEIGHT, _COLUMNS, _HEADER = 420, 270, 3, 44  # px of a chart; charts in a row; px of the header
_MAX_POINTS = 2000  # of a line, many times the width of a chart
_LARGEST = 1e30  # a loss beyond it is one that diverged; so are NaN and infinity
_SMOOTHING = 0.04  # part of the run over which the thick line is a mean
_COLOURS: tuple[Colour, ...] = ((180, 119, 31), (14, 127, 255), (44, 160, 44), (40, 39, 214))  # BGR
_VALIDATION = {  # title: figures that share a chart
    "tracking, validation, %": ("hota", "mota", "idf1"),
    "detection and identity, validation, %": ("ap50", "map_id", "tpr_far"),
    "ID switches, validation": ("id_switches",),
    "loss, validation": ("loss",),
}

Records = Sequence[Mapping[str, Any]]


def write_curves(folder: Path) -> None:
    """Write ``curves.png`` from the ``metrics.jsonl`` of the same folder; without records, nothing is written.

    Args:
        folder: Folder of the run.

    Raises:
        OutputError: The image cannot be written, or the metrics cannot be read.
    """
    records = read_metrics(folder / METRICS_FILE)
    if not records:
        return
    path = folder / CURVES_FILE
    _, encoded = cv2.imencode(".png", draw_curves(records))
    try:
        write_whole(path, encoded.tobytes())
    except OSError as error:
        raise output_error(path, error) from error


def draw_curves(records: Records) -> NDArray[np.uint8]:
    """Return the curves as a BGR image.

    Args:
        records: Records as `read_metrics` returns them; at least one.
    """
    charts = _charts(records)
    rows = math.ceil(len(charts) / _COLUMNS)
    image = np.full((_HEADER + rows * _HEIGHT, _COLUMNS * _WIDTH, 3), WHITE, np.uint8)
    header = np.full((2 * _HEADER, 2 * image.shape[1], 3), WHITE, np.uint8)
    put_text(header, _headline(records), (62, 28), 0.6, INK)
    image[:_HEADER] = cv2.resize(header, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for number, chart in enumerate(charts):
        row, column = divmod(number, _COLUMNS)
        top, left = _HEADER + row * _HEIGHT, column * _WIDTH
        image[top : top + _HEIGHT, left : left + _WIDTH] = draw_chart(chart, _WIDTH, _HEIGHT)
    return image


def smoothed(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean of each value and up to ``window`` neighbours on each side."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    positions = np.arange(len(values))
    first, end = np.maximum(positions - window, 0), np.minimum(positions + window + 1, len(values))
    means: NDArray[np.float64] = (sums[end] - sums[first]) / (end - first)
    return means


def _charts(records: Records) -> list[Chart]:
    steps = [record for record in records if record["kind"] == "step"]
    validations = [record for record in records if record["kind"] == "validation"]
    x_range = (min(0, *(record["step"] for record in records)), max(record["step"] for record in records))
    best = max((record["step"] for record in validations if record.get("is_best")), default=None)
    charts = []
    for title, names in _VALIDATION.items():
        lines = [_figure_line(validations, name, colour) for name, colour in zip(names, _COLOURS, strict=False)]
        lines = [line for line in lines if len(line.x)]
        if lines:
            charts.append(Chart(title, lines, x_range, "step", best, "best"))
    parts = [*(name for name in LOSSES if any(f"loss_{name}" in record for record in steps))]
    named = [(f"loss_{name}", f"loss: {LOSSES[name]} ({name})") for name in parts]
    for key, title in (*named, ("loss", "loss that is minimised (weighted sum)")):
        charts.extend(_smoothed_chart(steps, key, title, x_range))
    rate = _points(steps, "lr")
    if len(rate[0]):
        charts.append(Chart("learning rate", [Line(*rate, _COLOURS[0], number_text(rate[1][-1]))], x_range, "step"))
    charts.extend(_smoothed_chart(steps, "images_per_s", "speed, images/s", x_range))
    return charts


def _figure_line(validations: Records, name: str, colour: Colour) -> Line:
    x, y = _points(validations, name)
    label = f"{FIGURES[name]} {figure_text(name, y[-1])}" if len(y) else ""
    return Line(x, y, colour, label, has_markers=True)


def _smoothed_chart(steps: Records, key: str, title: str, x_range: tuple[float, float]) -> list[Chart]:
    x, y = _points(steps, key)
    if not len(x):
        return []
    mean = smoothed(y, round(_SMOOTHING * len(y) / 2))
    thinned = slice(None, None, math.ceil(len(x) / _MAX_POINTS))
    raw = Line(x[thinned], y[thinned], _COLOURS[0], is_faint=True)
    line = Line(x[thinned], mean[thinned], _COLOURS[0], f"now {number_text(mean[-1])}")
    return [Chart(title, [raw, line], x_range, "step")]


def _points(records: Records, key: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return steps and values, without the records that lack a number that can be drawn."""
    pairs = [(record["step"], record[key]) for record in records if isinstance(record.get(key), (int, float))]
    points = np.array([pair for pair in pairs if abs(pair[1]) < _LARGEST], np.float64).reshape(-1, 2)
    return points[:, 0], points[:, 1]


def _headline(records: Records) -> str:
    last = records[-1]
    parts = [f"step {last['step']}"]
    if isinstance(last.get("epoch"), int):
        parts.append(f"{last['epoch']} epochs")
    if isinstance(last.get("elapsed_s"), (int, float)):
        parts.append(duration_text(last["elapsed_s"]))
    return "Training: " + ", ".join(parts)
