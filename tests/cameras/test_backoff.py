"""Waits between attempts to connect: their range, their growth and their jitter."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.cameras.backoff import ACCESS_S, LONGEST_S, SHORTEST_S, Backoff


@given(st.integers(), st.integers(1, 60))
def test_waits_grow_from_half_a_second_to_thirty(seed: int, failures: int) -> None:
    backoff = Backoff(seed)
    waits = [backoff.next_s() for _ in range(failures)]
    assert all(SHORTEST_S <= wait <= LONGEST_S for wait in waits)
    for earlier, later in itertools.pairwise(waits):  # each is drawn from the upper half of a doubled range
        assert later >= min(earlier, LONGEST_S / 2)
    assert waits[0] <= 2 * SHORTEST_S
    assert all(wait >= LONGEST_S / 2 for wait in waits[6:])
    backoff.reset()
    assert backoff.next_s() <= 2 * SHORTEST_S


def test_cameras_do_not_connect_at_the_same_moment() -> None:
    first = {round(Backoff(seed).next_s(), 3) for seed in range(20)}
    assert len(first) > 10
    assert max(first) - min(first) > 0.25 * SHORTEST_S


@given(st.integers())
def test_refused_access_is_tried_again_after_about_five_minutes(seed: int) -> None:
    assert 0.9 * ACCESS_S <= Backoff(seed).next_access_s() <= ACCESS_S == 300


def test_a_camera_that_is_away_for_a_year_is_tried_again_twice_a_minute() -> None:
    backoff = Backoff(1)
    for _ in range(1_000_000):
        assert backoff.next_s() <= LONGEST_S
