"""Choice of keyframes: interpolation between them gives every other box within the tolerance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairmot_dla34.interchange.keyframes import MAX_DISTANCE, choose_keyframes, split_runs


def interpolated(
    frames: NDArray[np.int64], boxes: NDArray[np.float64], chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    columns = [np.interp(frames, frames[chosen], boxes[chosen, side]) for side in range(4)]
    return np.stack(columns, axis=1)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.5, 3.0, 50.0]),
)
def test_interpolation_stays_within_the_tolerance(steps: list[int], seed: int, tolerance: float) -> None:
    frames = np.cumsum(steps)
    rng = np.random.default_rng(seed)
    boxes = np.cumsum(rng.normal(0, 2, (len(steps), 4)), axis=0)
    chosen = choose_keyframes(frames, boxes, tolerance)
    assert chosen[0]
    assert chosen[-1]
    assert np.abs(interpolated(frames, boxes, chosen) - boxes).max() <= tolerance + 1e-6
    if tolerance == 0:
        assert chosen.sum() >= len(steps) - 1


def test_a_straight_track_needs_few_keyframes() -> None:
    frames = np.arange(1, 1001)
    boxes = frames[:, None] * np.array([1.0, 0.5, 1.0, 0.5]) + np.array([0, 0, 30, 60])
    chosen = choose_keyframes(frames, boxes, 0.1)
    assert chosen.sum() == 1 + -(-999 // MAX_DISTANCE)


def test_a_track_is_divided_where_it_is_absent_from_a_tracked_frame() -> None:
    runs = split_runs(np.array([1, 4, 10, 13]), np.array([1, 4, 7, 10, 13]))
    assert runs == [slice(0, 2), slice(2, 4)]
    assert split_runs(np.array([7]), np.array([1, 7])) == [slice(0, 1)]
