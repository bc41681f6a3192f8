"""Order in which frames of several cameras enter the network, on a simulated clock."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairmot_dla34.cameras.schedule import Schedule


@dataclass(frozen=True)
class SimulatedCamera:
    rate: float
    weight: float = 1.0
    max_fps: float | None = None
    phase: float = 0.0  # of its interval

    @property
    def wanted(self) -> float:
        return min(self.rate, self.max_fps or self.rate)


@dataclass
class Run:
    """What happened: per camera, arrival and start times of the frames that entered the network."""

    taken: list[list[tuple[float, float]]]
    dropped: list[int]
    offered: list[int]
    overlaps: int = 0
    most_in_network: int = 0
    in_network: dict[int, int] = field(default_factory=dict)


def simulate(cameras: list[SimulatedCamera], pass_s: float, streams: int, seconds: float) -> Run:
    """Serve frames of a constant rate with ``streams`` passes at a time."""
    schedule: Schedule[int, float] = Schedule()
    run = Run([[] for _ in cameras], [0] * len(cameras), [0] * len(cameras))
    events: list[tuple[float, int, str]] = []
    for key, camera in enumerate(cameras):
        schedule.add(key, weight=camera.weight, max_fps=camera.max_fps)
        heapq.heappush(events, (camera.phase / camera.rate, key, "arrives"))
    busy = 0
    while events[0][0] < seconds:
        now, key, what = heapq.heappop(events)
        if what == "arrives":
            run.offered[key] += 1
            schedule.offer(key, now, now)
            heapq.heappush(events, ((run.offered[key] + cameras[key].phase) / cameras[key].rate, key, "arrives"))
        elif what == "leaves":
            schedule.leave(key)
            run.in_network[key] -= 1
            busy -= 1
        while busy < streams and (taken := schedule.take(now)):
            entered, arrived = taken
            run.taken[entered].append((arrived, now))
            run.in_network[entered] = run.in_network.get(entered, 0) + 1
            run.overlaps += run.in_network[entered] > 1
            busy += 1
            run.most_in_network = max(run.most_in_network, busy)
            heapq.heappush(events, (now + pass_s, entered, "leaves"))
        wait_s = schedule.wait_s(now)
        if busy < streams and wait_s is not None:
            heapq.heappush(events, (now + wait_s + 1e-9, -1, "allowed"))
    run.dropped = [schedule.dropped(key) for key in range(len(cameras))]
    return run


def fair_shares(cameras: list[SimulatedCamera], pass_s: float, streams: int) -> list[float]:
    """Return the weighted max-min fair frame rates; one camera cannot use more than one stream."""
    caps = [min(camera.wanted, 1 / pass_s) for camera in cameras]
    shares = [0.0] * len(cameras)
    left, open_ = streams / pass_s, set(range(len(cameras)))
    while open_:
        total = sum(cameras[key].weight for key in open_)
        full = {key for key in open_ if caps[key] <= left * cameras[key].weight / total + 1e-9}
        if not full:
            for key in open_:
                shares[key] = left * cameras[key].weight / total
            break
        for key in full:
            shares[key] = caps[key]
            left -= caps[key]
        open_ -= full
    return shares


CAMERAS = st.lists(
    st.builds(
        SimulatedCamera,
        rate=st.sampled_from([1.0, 5.0, 7.5, 10.0, 12.5, 24.0, 25.0, 29.97, 50.0, 60.0]),
        weight=st.sampled_from([0.25, 0.5, 1.0, 1.0, 2.0, 4.0]),
        max_fps=st.none() | st.sampled_from([1.0, 2.0, 5.0, 10.0, 25.0]),
        phase=st.floats(0, 0.99),
    ),
    min_size=1,
    max_size=8,
)


@given(CAMERAS, st.floats(0.01, 0.3), st.integers(1, 4))
@settings(max_examples=100)
def test_no_camera_gets_less_than_its_share(cameras: list[SimulatedCamera], pass_s: float, streams: int) -> None:
    """At least 0.8 of the weighted max-min fair share, in 20 s.

    A camera that is due half of a stream or more may find others in all streams when its frame comes: half a stream is
    what it gets in every case.
    """
    run = simulate(cameras, pass_s, streams, 20.0)
    most = (1.0 if len(cameras) <= streams else 0.5) / pass_s
    for taken, share in zip(run.taken, fair_shares(cameras, pass_s, streams), strict=True):
        assert len(taken) >= 0.8 * min(share, most) * 20.0 - 2


@given(CAMERAS, st.floats(0.01, 0.3), st.integers(1, 4))
@settings(max_examples=30)
def test_rules_that_hold_in_every_run(cameras: list[SimulatedCamera], pass_s: float, streams: int) -> None:
    """One frame of a camera in the network, each frame once, none out of order, none faster than ``max_fps``."""
    run = simulate(cameras, pass_s, streams, 20.0)
    assert run.overlaps == 0
    assert run.most_in_network <= streams
    for key, (camera, taken) in enumerate(zip(cameras, run.taken, strict=True)):
        arrivals = [arrived for arrived, _ in taken]
        assert arrivals == sorted(set(arrivals))
        assert run.offered[key] - len(taken) - run.dropped[key] in {0, 1}  # the last one still waits
        assert all(now - arrived <= 1 / camera.rate + 1e-6 for arrived, now in taken)  # else a newer one replaced it
        if camera.max_fps:
            starts = [now for _, now in taken]
            for later in range(len(starts)):
                assert starts[later] - starts[0] >= (later - 0.5) / camera.max_fps - 1e-6


@given(CAMERAS, st.floats(0.01, 0.3), st.integers(1, 4))
@settings(max_examples=30)
def test_the_network_is_never_idle_while_a_frame_may_enter(
    cameras: list[SimulatedCamera], pass_s: float, streams: int
) -> None:
    run = simulate(cameras, pass_s, streams, 20.0)
    busy = min(streams / pass_s, sum(min(camera.wanted, 0.5 / pass_s) for camera in cameras))
    assert sum(map(len, run.taken)) >= 0.9 * busy * 20.0 - 2 * len(cameras)


def test_a_slow_camera_does_not_starve_a_fast_one() -> None:
    """A frame that replaces another keeps its place: a camera of 60 frames/s always has a new one."""
    run = simulate([SimulatedCamera(60.0), SimulatedCamera(15.0)], 0.1, 1, 30.0)
    assert [len(taken) for taken in run.taken] == pytest.approx([150, 150], abs=3)


def test_turns_follow_the_weights() -> None:
    run = simulate([SimulatedCamera(30.0, weight) for weight in (1.0, 2.0, 5.0)], 0.05, 1, 40.0)
    assert [len(taken) for taken in run.taken] == pytest.approx([100, 200, 500], abs=5)


def test_a_camera_that_was_away_gets_no_more_than_its_turns() -> None:
    schedule: Schedule[str, int] = Schedule()
    schedule.add("steady")
    schedule.add("back")
    order = []
    for turn in range(20):
        schedule.offer("steady", turn, float(turn))
        if turn >= 10:
            schedule.offer("back", turn, float(turn))
        taken = schedule.take(float(turn))
        assert taken
        order.append(taken[0])
        schedule.leave(taken[0])
    assert order[10:].count("back") == 5


def test_a_held_camera_is_passed_over_and_keeps_its_newest_frame() -> None:
    schedule: Schedule[str, int] = Schedule()
    schedule.add("slow")
    schedule.add("other")
    schedule.offer("slow", 1, 0.0)
    schedule.offer("other", 1, 1.0)
    schedule.hold("slow", held=True)
    assert schedule.take(2.0) == ("other", 1)
    assert schedule.take(2.0) is None
    assert schedule.offer("slow", 2, 3.0)
    schedule.hold("slow", held=False)
    assert schedule.take(4.0) == ("slow", 2)
    assert schedule.dropped("slow") == 1


def test_a_late_frame_does_not_delay_all_frames_after_it() -> None:
    """A camera whose rate is ``max_fps``: one frame comes 30 ms late, and the later ones do not wait."""
    schedule: Schedule[str, int] = Schedule()
    schedule.add("camera", max_fps=10.0)
    for index, now in enumerate([0.0, 0.1, 0.23, 0.3, 0.4, 0.5]):
        schedule.offer("camera", index, now)
        assert schedule.take(now) == ("camera", index)
        schedule.leave("camera")


def test_a_large_weight_does_not_wait_for_a_turn_of_all_others() -> None:
    """Found by hypothesis: with turns in the order of their beginnings, that of weight 4 lost 23 of 100 frames."""
    cameras = [
        *(SimulatedCamera(5.0) for _ in range(3)),
        SimulatedCamera(5.0, weight=4.0, phase=0.625),
        SimulatedCamera(5.0, weight=2.0, phase=0.5),
        SimulatedCamera(7.5, weight=2.0),
    ]
    assert len(simulate(cameras, 0.09375, 2, 20.0).taken[3]) >= 95
