"""Index and time of frames over the connections of a camera."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34 import Frame
from fairmot_dla34.cameras.timeline import Timeline

IMAGE = np.zeros((2, 2, 3), np.uint8)


def frame(index: int, time_s: float) -> Frame:
    return Frame(index, time_s, IMAGE)


def test_the_first_frame_after_a_gap_has_the_next_index_and_the_time_of_the_gap() -> None:
    timeline = Timeline()
    timeline.place(frame(0, 0.0), connection=1, received_s=100.0, is_live=True)
    before = timeline.place(frame(1, 0.04), connection=1, received_s=100.05, is_live=True)
    after = timeline.place(frame(0, 0.0), connection=2, received_s=117.45, is_live=True)
    following = timeline.place(frame(2, 0.08), connection=2, received_s=117.46, is_live=True)
    assert (before.index, after.index, following.index) == (1, 2, 4)  # the source skipped one that was damaged
    assert after.time_s - before.time_s == pytest.approx(17.4)
    assert following.time_s - after.time_s == pytest.approx(0.08)


def test_frames_lost_at_the_start_of_a_connection_leave_no_gap_in_the_indices() -> None:
    timeline = Timeline()
    timeline.place(frame(4, 0.2), connection=1, received_s=1.0, is_live=True)
    assert timeline.place(frame(9, 7.0), connection=2, received_s=3.0, is_live=True).index == 5


@pytest.mark.parametrize("stamp_s", [3600.0, 1e9])
def test_time_stamps_of_a_live_stream_that_jump_ahead_do_not(stamp_s: float) -> None:
    timeline = Timeline()
    timeline.place(frame(0, 0.0), connection=1, received_s=1.0, is_live=True)
    jumped = timeline.place(frame(1, stamp_s), connection=1, received_s=1.04, is_live=True)
    following = timeline.place(frame(2, stamp_s + 0.04), connection=1, received_s=1.08, is_live=True)
    assert (jumped.time_s, following.time_s) == pytest.approx((0.04, 0.08))


def test_a_recording_keeps_its_pauses() -> None:
    timeline = Timeline()
    timeline.place(frame(0, 0.0), connection=1, received_s=1.0, is_live=False)
    assert timeline.place(frame(1, 3600.0), connection=1, received_s=1.04, is_live=False).time_s == 3600


def test_a_burst_after_a_pause_of_the_network_keeps_the_times_of_the_camera() -> None:
    timeline = Timeline()
    timeline.place(frame(0, 0.0), connection=1, received_s=1.0, is_live=True)
    burst = [timeline.place(frame(i, i / 25), connection=1, received_s=4.0, is_live=True) for i in range(1, 75)]
    assert [item.time_s for item in burst] == pytest.approx([i / 25 for i in range(1, 75)])


def test_a_frame_that_was_held_back_until_the_silence_ended_does_not_shorten_the_gap() -> None:
    """FFmpeg's parser returns the last frame when the wait for the next packet is given up, here after 5 s."""
    timeline = Timeline()
    timeline.place(frame(0, 0.0), connection=1, received_s=100.0, is_live=True)
    held = timeline.place(frame(1, 0.04), connection=1, received_s=105.04, is_live=True)
    after = timeline.place(frame(0, 0.0), connection=2, received_s=107.04, is_live=True)
    assert held.time_s == pytest.approx(0.04)
    assert after.time_s == pytest.approx(7.04)


steps = st.lists(
    st.tuples(
        st.booleans(),  # a new connection
        st.integers(-3, 10),  # step of the source's index
        st.floats(-1e6, 1e6, width=32),  # step of its time stamps
        st.floats(0, 1e6),  # step of the arrivals
        st.booleans(),
    ),
    max_size=20,
)


@given(steps)
def test_index_and_time_always_increase_whatever_a_server_sends(
    faults: list[tuple[bool, int, float, float, bool]],
) -> None:
    timeline = Timeline()
    connection, index, time_s, received_s = 1, 0, 0.0, 5.0
    placed = [timeline.place(frame(0, 0.0), connection=1, received_s=received_s, is_live=True)]
    gaps = [0.0]
    for reconnects, index_step, stamp_step_s, arrival_step_s, is_live in faults:
        index, time_s = (0, 0.0) if reconnects else (max(0, index + index_step), time_s + stamp_step_s)
        connection += reconnects
        received_s += arrival_step_s
        placed.append(
            timeline.place(frame(index, time_s), connection=connection, received_s=received_s, is_live=is_live)
        )
        gaps.append(arrival_step_s if reconnects else -1.0)
    for (earlier, later), gap_s in zip(itertools.pairwise(placed), gaps[1:], strict=True):
        assert later.index > earlier.index
        assert later.time_s > earlier.time_s
        if gap_s >= 0:
            assert later.index == earlier.index + 1
            step_s = later.time_s - earlier.time_s
            assert 0.999 * gap_s <= step_s <= 1.001 * gap_s + 10.01  # with the time for which a frame was held back
