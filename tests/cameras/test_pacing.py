"""Rate at which the frames of a recording are delivered."""

from __future__ import annotations

import pytest

from fairmot_dla34.cameras.pacing import Pacer


def test_frames_are_due_at_their_times() -> None:
    pacer = Pacer()
    assert pacer.wait_s(3.0, 100.0) == 0  # the first one at once
    assert pacer.wait_s(3.5, 100.1) == pytest.approx(0.4)
    assert pacer.wait_s(4.0, 101.2) == 0  # late


def test_a_pause_of_the_consumer_is_not_made_up_for() -> None:
    pacer = Pacer()
    pacer.wait_s(0.0, 100.0)
    assert pacer.wait_s(0.1, 160.0) == 0
    assert pacer.wait_s(0.2, 160.0) == pytest.approx(0.1)


def test_a_jump_of_the_time_stamps_is_waited_for_at_most_five_seconds() -> None:
    pacer = Pacer()
    pacer.wait_s(0.0, 100.0)
    assert pacer.wait_s(86400.0, 100.0) == 5
    assert pacer.wait_s(86400.1, 105.0) == pytest.approx(0.1)
