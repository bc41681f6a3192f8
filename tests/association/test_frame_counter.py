"""Frame numbers from the time stamps of real cameras: jittery, repeated, decreasing, missing, hours apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.association.frame_counter import FrameCounter


def steps(times: list[float | None], frame_rate: float = 30.0, max_step: int = 100) -> list[int]:
    counter = FrameCounter(frame_rate, max_step)
    return [counter.advance(time_s) for time_s in times]


def test_without_times_every_update_is_the_next_frame() -> None:
    assert steps([None] * 4) == [1, 1, 1, 1]


def test_skipped_frames_are_counted() -> None:
    assert steps([0.0, 1 / 30, 6 / 30, 16 / 30]) == [1, 1, 5, 10]


def test_the_first_frame_is_frame_one_at_any_time() -> None:
    counter = FrameCounter(30.0, 100)
    assert (counter.advance(3600.0), counter.frame) == (1, 1)


@pytest.mark.parametrize("rate", [14, 23.976, 25, 29.97, 30, 59.94])
def test_times_rounded_to_milliseconds_are_still_consecutive_frames(rate: float) -> None:
    assert steps([round(index / rate, 3) for index in range(500)], rate) == [1] * 500


def test_times_that_repeat_or_go_back_count_one_frame() -> None:
    assert steps([0.0, 0.0, 5.0, 1.0, 1.1]) == [1, 1, 100, 1, 3]


def test_a_step_is_at_most_the_maximum() -> None:
    assert steps([0.0, 3600.0, 1e300, -1e300, 1e300]) == [1, 100, 100, 1, 100]


def test_times_may_be_missing_for_some_frames() -> None:
    assert steps([0.0, None, 5 / 30, None, None, 8 / 30]) == [1, 1, 4, 1, 1, 1]
    assert steps([None, 0.5, 1.0]) == [1, 1, 15]


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=30))
def test_every_step_is_at_least_one_frame_and_at_most_the_maximum(times: list[float | None]) -> None:
    counter = FrameCounter(30.0, 50)
    for time_s in times:
        before = counter.frame
        step = counter.advance(time_s)
        assert 1 <= step <= 50
        assert counter.frame == before + step
