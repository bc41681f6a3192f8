"""Zones: hysteresis at the edge, grace time, gaps, occupancy, concave shapes, and wrong settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from analytics.walkers import frames, person

from fairmot_dla34 import FrameResult
from fairmot_dla34.analytics import Visit, Zone, ZoneEvent, ZoneMonitor
from fairmot_dla34.errors import InvalidInputError

SQUARE = Zone("queue", ((100, 100), (300, 100), (300, 300), (100, 300)))
NOTCHED = Zone("U", ((100, 100), (160, 100), (160, 240), (240, 240), (240, 100), (300, 100), (300, 300), (100, 300)))


def visits(points: list[tuple[float, float] | None], zone: Zone = SQUARE, grace_s: float = 0.5) -> list[Visit]:
    monitor = ZoneMonitor(zone, grace_s=grace_s)
    events = [event for result in frames(points) for event in monitor.update(result)] + monitor.finish()
    return [event.visit for event in events if event.visit]


def along(*xs: float) -> list[tuple[float, float] | None]:
    return [(x, 200.0) for x in xs]


def test_entry_and_exit_are_interpolated() -> None:
    (visit,) = visits(along(50, 150, 200, 250, 350, 400))
    assert (visit.entered_s, visit.left_s) == pytest.approx((0.05, 0.35))
    assert visit.dwell_s == pytest.approx(0.3)


def test_events_come_in_order_and_name_the_zone() -> None:
    monitor = ZoneMonitor(SQUARE, grace_s=0.5)
    events = [event for result in frames(along(50, 150, 350, *[400] * 8)) for event in monitor.update(result)]
    assert [(one.kind, one.zone, one.track_id) for one in events] == [("enter", "queue", 1), ("leave", "queue", 1)]
    assert events[1].time_s == pytest.approx(0.175)
    assert events[0] == ZoneEvent("enter", events[0].time_s, 1, 1, "queue")
    assert events[0].time_s == pytest.approx(0.05)


def test_flicker_at_the_edge_is_one_visit() -> None:
    (visit,) = visits(along(50, 98, 102, 97, 101, 99, 150, 150, 101, 99, 102, 98, 50))
    assert visit.entered_s == pytest.approx(0.5 + 0.1 / 51)
    assert visit.left_s == pytest.approx(1.05)


def test_a_person_who_touches_the_edge_only_does_not_enter() -> None:
    assert visits(along(50, 98, 102, 101, 98, 50)) == []


def test_a_person_who_stays_close_to_the_edge_longer_than_the_grace_time_enters() -> None:
    (visit,) = visits(along(50, *[102] * 10))
    assert visit.entered_s == pytest.approx(0.1 * 50 / 52)


def test_a_short_absence_belongs_to_the_visit_but_not_to_the_dwell() -> None:
    (visit,) = visits(along(200, 200, 50, 50, 200, 200))
    assert visit.left_s - visit.entered_s == pytest.approx(0.5)
    outside = 0.3 - 0.1 * 2 * 100 / 150
    assert visit.dwell_s == pytest.approx(0.5 - outside)


def test_a_long_absence_divides_visits() -> None:
    first, second = visits(along(200, 200, *[50] * 8, 200, 200))
    assert first.left_s < 0.2
    assert second.entered_s > 0.9


def test_a_lost_person_stays_for_the_grace_time() -> None:
    (visit,) = visits([(200.0, 200.0), *[None] * 4, (210.0, 200.0)])
    assert visit.dwell_s == pytest.approx(0.5)
    first, second = visits([(200.0, 200.0), *[None] * 6, (210.0, 200.0)])
    assert (first.dwell_s, second.dwell_s) == (0.0, 0.0)


def test_a_person_who_disappears_inside_left_when_last_seen() -> None:
    monitor = ZoneMonitor(SQUARE, grace_s=0.5)
    results = frames([*along(200, 200, 200), *[None] * 8])
    events = [event for result in results for event in monitor.update(result)]
    assert events[-1].visit
    assert events[-1].visit.dwell_s == pytest.approx(0.2)
    assert events[-1].time_s == pytest.approx(0.2)
    assert events[-1].frame == 8


def test_the_occupancy_counts_the_tracks_of_the_frame() -> None:
    monitor = ZoneMonitor(SQUARE)
    numbers = []
    for index, people in enumerate(((1, 2), (1,), (), (1, 2, 3))):
        monitor.update(FrameResult(index, index / 10, tuple(person(i, 150 + 20 * i, 200) for i in people)))
        numbers.append(monitor.occupancy)
    assert numbers == [2, 1, 0, 3]
    assert monitor.unique_ids == 3


def test_ids_are_unique_apart_from_visits() -> None:
    monitor = ZoneMonitor(SQUARE, grace_s=0.2)
    for result in frames(along(200, 50, 50, 50, 50, 200, 50, 50, 50, 50, 200)):
        monitor.update(result)
    assert (monitor.visits, monitor.unique_ids) == (3, 1)


def test_the_notch_of_a_concave_zone_is_outside() -> None:
    assert visits([(200.0, 150.0)] * 5, NOTCHED) == []
    assert len(visits([(200.0, 270.0)] * 5, NOTCHED)) == 1


def test_a_small_zone_can_be_entered_by_a_tall_person() -> None:
    zone = Zone("mat", ((100, 190), (110, 190), (110, 200), (100, 200)))
    monitor = ZoneMonitor(zone)
    results = frames([(x, 195.0) for x in (50.0, 105.0, 105.0)], height=400.0)
    assert [event.kind for result in results for event in monitor.update(result)] == ["enter"]


def test_memory_is_bounded_by_the_people_within_the_grace_time() -> None:
    monitor = ZoneMonitor(SQUARE, grace_s=1.0)
    for index in range(500):
        monitor.update(FrameResult(index, index / 10, (person(index + 1, 200, 200),)))
    assert len(monitor._stays) == 11
    assert monitor.unique_ids == 500


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (((0, 0), (10, 10), (10, 0), (0, 10)), "edges 1 and 3 meet"),
        (((0, 0), (10, 0), (10, 10), (5, 0), (0, 10)), "crosses or touches itself"),
        (((0, 0), (10, 0), (5, 0)), "crosses or touches itself"),
        (((0, 0), (10, 0), (20, 0), (10, 0)), "crosses or touches itself"),
        (((0, 0), (10, 10)), "has 2 points"),
        (((0, 0), (0, 0), (10, 10)), "twice in a row"),
        (((0, 0), (10, 0), (0, 10), (0, 0)), "twice in a row"),
        (((0, 0), (10, 0), (0, float("nan"))), "point 3 has the coordinate nan"),
        (((0, 0), (10, 0), 5), "point 3 is 5"),
        ("zone", "expected at least 3 points"),
        (((0, 0),) * 1001, "at most 1000"),
    ],
)
def test_wrong_zones_are_refused(points: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Zone("queue", points)


def test_edges_that_cross_are_found_in_random_polygons() -> None:
    """Compared with intersections of all pairs of edges that share no corner, by solving for the shares."""
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(200):
        points = rng.uniform(0, 100, (rng.integers(4, 8), 2))
        ends = np.roll(points, -1, axis=0)
        count = len(points)
        crosses = False
        for i in range(count):
            for j in range(i + 2, count - (i == 0)):
                matrix = np.stack([ends[i] - points[i], points[j] - ends[j]], axis=1)
                shares = np.linalg.solve(matrix, points[j] - points[i])
                crosses |= bool(((shares >= 0) & (shares <= 1)).all())
        try:
            Zone("queue", tuple(map(tuple, points.tolist())))
        except InvalidInputError:
            assert crosses
            refused += 1
        else:
            assert not crosses
    assert 20 < refused < 190


@pytest.mark.parametrize("grace_s", [-1, float("nan"), "2"])
def test_wrong_grace_times_are_refused(grace_s: object) -> None:
    with pytest.raises(InvalidInputError, match="grace_s is"):
        ZoneMonitor(SQUARE, grace_s=grace_s)  # type: ignore[arg-type]
