"""Curves of a run: they are drawn from any metrics, and show what the metrics say."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.errors import OutputError
from fairmot_dla34.training.records.charts import Chart, Line, draw_chart, nice_ticks, tick_labels, value_range
from fairmot_dla34.training.records.curves import smoothed, write_curves

BLUE = (180, 119, 31)


def write_metrics(folder: Path, *records: dict[str, Any]) -> None:
    text = "".join(f"{json.dumps(record)}\n" for record in records)
    (folder / "metrics.jsonl").write_text(text, "utf-8")


def step(number: int, **values: Any) -> dict[str, Any]:
    return {"kind": "step", "step": number, "epoch": 1, "elapsed_s": 1.0, **values}


def image_of(folder: Path) -> NDArray[Any]:
    image = cv2.imread(str(folder / "curves.png"))
    assert image is not None
    return image


def test_every_number_gets_a_chart_in_rows_of_three(tmp_path: Path) -> None:
    steps = [step(n, loss=-n, loss_heatmap=1 / n, loss_size=2.0, lr=1e-4, images_per_s=3.0) for n in range(1, 60)]
    figures = {
        "kind": "validation",
        "step": 30,
        "epoch": 1,
        "elapsed_s": 1.0,
        "hota": 40.0,
        "mota": -20.0,
        "ap50": 60.0,
    }
    write_metrics(tmp_path, *steps, {**figures, "is_best": True}, {**figures, "step": 50, "is_best": False})
    write_curves(tmp_path)
    assert image_of(tmp_path).shape == (44 + 3 * 270, 3 * 420, 3)  # 7 charts


@pytest.mark.parametrize(
    "records",
    [
        [step(1, loss=1.0)],
        [step(5, loss_heatmap=None, loss=math.nan, lr=1e-4)],
        [step(5), step(6)],
        [step(1, loss=1e300), step(2, loss=-1e300), step(3, loss=2.0)],
        [step(number, loss=0.0, loss_size=5.0) for number in range(3)],
        [{"kind": "validation", "step": 0, "mota": 10.0}],
        [{"kind": "other", "step": 0}],
        [{"kind": "step", "step": 0, "loss": "text", "epoch": None, "elapsed_s": None}],
    ],
)
def test_any_metrics_are_drawn(records: list[dict[str, Any]], tmp_path: Path) -> None:
    write_metrics(tmp_path, *records)
    write_curves(tmp_path)
    assert image_of(tmp_path).shape[1] == 1260


def test_without_metrics_nothing_is_written(tmp_path: Path) -> None:
    write_curves(tmp_path)
    (tmp_path / "metrics.jsonl").write_bytes(b"\0" * 100)
    write_curves(tmp_path)
    assert not (tmp_path / "curves.png").exists()


def test_a_chart_shows_its_line_where_the_axes_say(tmp_path: Path) -> None:
    """A falling line starts at the upper left corner of the axes and ends at the lower right one."""
    x = np.linspace(0.0, 100.0, 50)
    chart = draw_chart(Chart("falling", [Line(x, 100 - x, BLUE)], (0.0, 100.0)), 420, 270)
    rows, columns = np.nonzero(np.abs(chart.astype(int) - BLUE).max(axis=2) < 40)
    assert np.corrcoef(rows, columns)[0, 1] > 0.99
    assert abs(columns.min() - 62) <= 3
    assert abs(columns.max() - 400) <= 3
    assert rows[columns == columns.min()].mean() < 80
    assert rows[columns == columns.max()].mean() > 210


def test_outliers_of_single_steps_do_not_set_the_range() -> None:
    x = np.arange(100.0)
    noisy = np.where(x == 50, 1e6, 1.0)
    low, high = value_range([Line(x, noisy, BLUE, is_faint=True), Line(x, np.linspace(1.0, 2.0, 100), BLUE)])
    assert 0.5 < low < 1.0
    assert 2.0 < high < 2.5


@given(low=st.floats(-1e6, 1e6), part=st.floats(1e-6, 1e3), most=st.integers(4, 8))
def test_ticks_are_round_and_within_the_range(low: float, part: float, most: int) -> None:
    size = part * max(abs(low), 1e-3)  # draw_chart widens smaller ranges
    high = low + size
    ticks = nice_ticks(low, high, most)
    assert 1 <= len(ticks) <= most
    assert low - 1e-6 * size <= ticks[0] <= ticks[-1] <= high + 1e-6 * size
    assert len(tick_labels(ticks)) == len(ticks)


@pytest.mark.parametrize(
    ("ticks", "labels"),
    [
        ([0.0, 500.0, 1000.0], ["0", "500", "1000"]),
        ([0.0, 20000.0, 40000.0], ["0", "20k", "40k"]),
        ([-0.5, 0.0, 0.5], ["-0.5", "0", "0.5"]),
        ([0.0, 2e-5, 1.2e-4], ["0", "2e-5", "1.2e-4"]),
        ([0.25], ["0.2"]),
        ([], []),
    ],
)
def test_tick_labels_are_short(ticks: list[float], labels: list[str]) -> None:
    assert tick_labels(ticks) == labels


def test_smoothing_is_the_mean_of_neighbours() -> None:
    np.testing.assert_allclose(smoothed(np.array([0.0, 3.0, 6.0, 0.0]), 1), [1.5, 3.0, 3.0, 3.0])
    np.testing.assert_allclose(smoothed(np.array([5.0, 7.0]), 0), [5.0, 7.0])


def test_a_folder_in_place_of_the_image_is_reported(tmp_path: Path) -> None:
    write_metrics(tmp_path, step(1, loss=1.0))
    (tmp_path / "curves.png").mkdir()
    with pytest.raises(OutputError, match=r"curves\.png cannot be written"):
        write_curves(tmp_path)
