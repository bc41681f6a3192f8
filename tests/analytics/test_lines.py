"""Lines: dithering, turning round, passing beside the ends, gaps, re-used ids, ends of tracks, and wrong settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from analytics.walkers import frames, person
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.analytics import Crossing, Line, LineCounter
from fairmot_dla34.errors import InvalidInputError

LINE = Line("door", (100, 200), (300, 200), dead_band_px=5.0)


def crossings(points: Sequence[tuple[float, float] | None], line: Line = LINE, *, gap_s: float = 2.5) -> list[Crossing]:
    counter = LineCounter(line, gap_s=gap_s)
    found = [crossing for result in frames(points) for crossing in counter.update(result)]
    return found + counter.finish()


def directions(ys: list[float]) -> list[str]:
    return [crossing.direction for crossing in crossings([(200.0, y) for y in ys])]


def test_down_across_a_line_from_left_to_right_is_forward() -> None:
    (crossing,) = crossings([(200.0, 190.0), (200.0, 210.0)])
    assert crossing == Crossing(0.05, 1, 1, "door", "in", (200.0, 200.0), 0.05)
    assert directions([210, 190]) == ["out"]
    assert crossing.to_dict()["frame"] == 2  # files count from 1


def test_a_line_drawn_the_other_way_swaps_the_directions() -> None:
    line = Line("door", LINE.end, LINE.start, forward="north", backward="south")
    assert [one.direction for one in crossings([(200.0, 150.0), (200.0, 250.0)], line)] == ["south"]


def test_a_person_who_dithers_on_the_line_counts_once() -> None:
    assert directions([180, 197, 203, 198, 204, 196, 203, 220]) == ["in"]


@given(st.lists(st.floats(195.5, 204.5), min_size=1, max_size=40))
def test_a_person_who_turns_round_within_the_band_never_counts(ys: list[float]) -> None:
    assert directions([180, *ys, 180]) == []


@given(st.lists(st.floats(195.5, 204.5), min_size=1, max_size=40))
def test_a_person_who_waits_on_the_line_and_goes_on_counts_once(ys: list[float]) -> None:
    assert directions([180, *ys, 220]) == ["in"]


def test_a_person_who_goes_in_and_later_out_counts_once_each() -> None:
    assert directions([180, 220, 260, 220, 180]) == ["in", "out"]


def test_people_who_pass_beside_the_ends_do_not_count() -> None:
    assert crossings([(99.0, 180.0), (99.0, 220.0)]) == []
    assert crossings([(301.0, 180.0), (301.0, 220.0)]) == []


def test_a_person_who_goes_in_and_returns_beside_the_line_counts_in_only() -> None:
    path = [(200.0, 180.0), (200.0, 220.0), (350.0, 220.0), (350.0, 180.0), (200.0, 180.0), (200.0, 220.0)]
    assert [one.direction for one in crossings(path)] == ["in", "in"]


def test_the_path_must_pass_the_segment_not_only_change_its_side() -> None:
    """Both ends are beside the middle of the line, but the way leads round its end."""
    assert crossings([(280.0, 180.0), (330.0, 190.0), (330.0, 210.0), (280.0, 220.0)]) == []


def test_a_person_lost_on_one_side_and_found_on_the_other_crossed_in_between() -> None:
    (crossing,) = crossings([(200.0, 150.0), *[None] * 9, (200.0, 250.0)])
    assert crossing.time_s == pytest.approx(0.5)
    assert crossing.frame == 10


def test_an_id_that_returns_after_the_gap_is_a_new_walk() -> None:
    path = [(200.0, 150.0), *[None] * 11, (200.0, 250.0)]
    assert crossings(path, gap_s=1.0) == []
    assert len(crossings(path, gap_s=1.2)) == 1


def test_the_age_starts_anew_with_a_new_walk() -> None:
    path = [(200.0, 150.0), *[None] * 30, (200.0, 150.0), (200.0, 250.0)]
    (crossing,) = crossings(path, gap_s=1.0)
    assert crossing.age_s == pytest.approx(0.05)


def test_a_person_who_disappears_behind_the_line_counts_when_the_walk_has_ended() -> None:
    """People who leave through a door are last seen just behind it."""
    counter = LineCounter(LINE, gap_s=1.0)
    results = frames([(200.0, 150.0), (200.0, 203.0), *[None] * 12])
    found = [counter.update(result) for result in results]
    assert [len(one) for one in found].index(1) == 12
    assert found[12][0].frame == 1


def test_a_person_who_appears_just_before_the_line_counts() -> None:
    assert directions([198, 220]) == ["in"]


def test_a_track_that_never_leaves_the_band_does_not_count() -> None:
    assert directions([198, 203]) == []


def test_a_point_on_the_line_belongs_to_the_side_it_came_from() -> None:
    assert directions([180, 200, 200, 220]) == ["in"]
    assert directions([180, 200, 200, 180]) == []
    assert directions([200, 220]) == []


def test_the_default_band_grows_with_the_height_of_the_box() -> None:
    line = Line("door", LINE.start, LINE.end)
    path = [(200.0, 150.0), (200.0, 206.0), (200.0, 150.0)]
    for height, expected in ((20.0, 2), (200.0, 0)):
        counter = LineCounter(line)
        assert sum(len(counter.update(result)) for result in frames(path, height=height)) == expected


@pytest.mark.parametrize(("anchor", "y"), [("foot", 200.0), ("centre", 170.0), ("head", 140.0)])
def test_the_anchor_crosses(anchor: str, y: float) -> None:
    line = Line("door", (100, y), (300, y), anchor=anchor, dead_band_px=5.0)  # type: ignore[arg-type]
    (crossing,) = crossings([(200.0, 190.0), (200.0, 210.0)], line)
    assert crossing.time_s == pytest.approx(0.05)


def test_people_are_counted_apart() -> None:
    counter = LineCounter(LINE)
    for index, y in enumerate((180.0, 220.0)):
        tracks = (person(1, 150, y), person(2, 200, 400 - y), person(3, 250, 150))
        found = counter.update(FrameResult(index, index / 10, tracks))
    assert {(one.track_id, one.direction) for one in found} == {(1, "in"), (2, "out")}


def test_memory_is_bounded_by_the_people_within_the_gap() -> None:
    counter = LineCounter(LINE, gap_s=1.0)
    for index in range(500):
        counter.update(FrameResult(index, index / 10, (person(index + 1, 200, 150),)))
    assert len(counter._walks) == 11


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("door", (1, 2), (1, 2)), "has no length"),
        (("door", (1, 2), (1.5, 2)), "has no length"),
        (("", (1, 2), (3, 4)), "Name of a line is ''"),
        (("a\nb", (1, 2), (3, 4)), "visible characters"),
        ((5, (1, 2), (3, 4)), "Name of a line is 5"),
        (("door", (1, 2), (3, float("nan"))), "coordinate nan"),
        (("door", (1, 2), (3, float("inf"))), "coordinate inf"),
        (("door", (1, 2), (3, 1e300)), "at most 1,000,000"),
        (("door", (1, 2), (3, "4")), "coordinate '4'"),
        (("door", (1, 2), (3, True)), "coordinate True"),
        (("door", (1, 2), (3, 4, 5)), "expected two numbers"),
        (("door", (1, 2), "34"), "expected two numbers"),
        (("door", 1, (3, 4)), "expected two numbers"),
    ],
)
def test_wrong_lines_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Line(*arguments)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"forward": "out"}, "two directions named 'out'"),
        ({"forward": ""}, "direction is ''"),
        ({"anchor": "feet"}, "expected one of foot, centre, head"),
        ({"dead_band_px": -1}, "dead_band_px is -1"),
        ({"dead_band_px": float("nan")}, "dead_band_px is nan"),
        ({"dead_band_px": "5"}, "dead_band_px is '5'"),
    ],
)
def test_wrong_settings_of_lines_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Line("door", (1, 2), (30, 4), **settings)


def test_numpy_coordinates_are_accepted() -> None:
    assert Line("door", *cast("Any", np.array([[1, 2], [30.0, 4.0]]))).end == (30.0, 4.0)


def test_frames_out_of_order_are_refused() -> None:
    counter = LineCounter(LINE)
    counter.update(FrameResult(5, 0.5, ()))
    with pytest.raises(InvalidInputError, match=r"0\.400 s after 0\.500 s"):
        counter.update(FrameResult(4, 0.4, ()))


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        ((person(1, 10, 10), person(1, 20, 20)), "track 1 more than once"),
        ((Track(7, (0.0, 0.0, float("nan"), 1.0), 0.9, 0),), "track 7: the box"),
        ((Track(7, (0.0, -float("inf"), 1.0, 1.0), 0.9, 0),), "track 7: the box"),
        ((Track(7, (0.0, 0.0, 1e300, 1.0), 0.9, 0),), "at most 1e9 px"),
    ],
)
def test_wrong_results_are_refused(tracks: tuple[Track, ...], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        LineCounter(LINE).update(FrameResult(0, 0.0, tracks))


@pytest.mark.parametrize("result", [None, (), FrameResult(0, float("nan"), ())])
def test_values_that_are_not_results_are_refused(result: object) -> None:
    with pytest.raises(InvalidInputError, match="expected a"):
        LineCounter(LINE).update(result)  # type: ignore[arg-type]
