"""Numbers that no trained network has are refused, and those near real ones are not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.architectures import Checkpoint
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.architectures.peaks import NOT_A_PEAK, RawPeaks
from fairmot_dla34.architectures.soundness import sound_float32
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import BackendError, CheckpointError


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("conv.weight", [-1e6, 1e6]),
        ("norm._mean", [-5e4, 5e4]),
        ("norm._variance", [0, 1e-30, 1e8]),
        ("norm._variance", [-1e-7]),  # rounding
        ("norm._variance", []),
    ],
)
def test_numbers_within_the_bounds_are_kept(name: str, numbers: list[float]) -> None:
    array = np.array(numbers, np.float32)
    assert sound_float32(array, name, "file") is array


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("conv.weight", 2e6, "has the number 2e+06, which no trained network has; expected numbers <= 1e+06"),
        ("conv.weight", -1e30, "has the number -1e+30, which no trained network has; expected numbers >= -1e+06"),
        ("norm._variance", 1e9, "has the number 1e+09, which no trained network has; expected numbers <= 1e+08"),
        ("norm._variance", -0.5, "has the number -0.5, which no trained network has; expected numbers >= 0"),
    ],
)
def test_numbers_beyond_the_bounds_are_refused_with_the_array_and_the_bound(
    name: str, number: float, message: str
) -> None:
    with pytest.raises(CheckpointError) as caught:
        sound_float32(np.array([0.5, number]), name, "file")
    assert f"file: array {name} {message}: " in str(caught.value)


@pytest.mark.parametrize("factor", [0, 1e-30])
def test_a_network_that_does_not_see_the_image_is_refused(factor: float) -> None:
    arrays: dict[str, Any] = dict(random_checkpoint().arrays)
    arrays["detector.head.heatmap.2.conv.weight"] = np.full((1, 256, 1, 1), factor, np.float32)
    with pytest.raises(CheckpointError, match=r"heatmap\.2\.conv\.weight has no number beyond 1e-06"):
        Checkpoint(DLA34, arrays)


@pytest.mark.serial
def test_the_check_of_20_million_numbers_takes_less_than_a_third_of_a_second() -> None:
    arrays = random_checkpoint().arrays
    seconds = []
    for _ in range(3):
        start_s = time.perf_counter()
        Checkpoint(DLA34, arrays)
        seconds.append(time.perf_counter() - start_s)
    assert min(seconds) < 0.3


def raw_peaks(**changes: Any) -> RawPeaks:
    sound = RawPeaks(
        logits=np.array([1.0, NOT_A_PEAK], np.float32),
        cells=np.array([5, 0], np.int64),
        sizes=np.ones((2, 4), np.float32),
        offsets=np.zeros((2, 2), np.float32),
        embeddings=np.ones((2, 8), np.float32),
    )
    return sound._replace(**changes)


def filled(value: float) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    return lambda array: np.full_like(array, value)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("logits", NOT_A_PEAK, "the heatmap has no peak"),
        ("logits", np.nan, "the heatmap has no peak"),  # a NaN heatmap
        ("logits", np.inf, "a score is NaN or infinite"),
        ("sizes", np.nan, "a box is NaN, infinite"),
        ("sizes", np.inf, "a box is NaN, infinite"),
        ("sizes", 3.4e38, "a box is NaN, infinite"),
        ("offsets", 1e6, "far larger than the image"),
    ],
)
def test_outputs_that_no_working_network_gives_are_an_error_and_not_an_empty_result(
    field: str, value: float, problem: str
) -> None:
    size = InputSize(96, 64)
    assert len(DLA34.decode(raw_peaks(), size)) == 1
    changed = filled(value)(getattr(raw_peaks(), field))
    with pytest.raises(BackendError, match=problem):
        DLA34.decode(raw_peaks(**{field: changed}), size)
