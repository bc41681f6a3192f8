"""State machine of a camera: every state with every event, on times that the test chooses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.cameras.backoff import ACCESS_S, LONGEST_S, SHORTEST_S, Backoff
from fairmot_dla34.cameras.faults import Fault, Remedy
from fairmot_dla34.cameras.lifecycle import STEADY_FRAMES, Lifecycle
from fairmot_dla34.cameras.status import State
from fairmot_dla34.cameras.watchdog import Limits

LOST = Fault("the connection broke")


def state_of(life: Lifecycle) -> State:
    """Return the state; mypy does not see that calls change the attribute."""
    return life.state


def new(*, give_up_after_s: float | None = None, retries: bool = True) -> Lifecycle:
    return Lifecycle(Backoff(7), limits=Limits(), give_up_after_s=give_up_after_s, retries=retries)


def connecting() -> Lifecycle:
    life = new()
    life.start(0.0)
    return life


def running() -> Lifecycle:
    life = connecting()
    life.opened(1, 1.0)
    deliver(life, 2.0)
    return life


def waiting() -> Lifecycle:
    life = running()
    life.fault(1, LOST, 3.0)
    return life


def ended() -> Lifecycle:
    life = waiting()
    life.close()
    return life


def deliver(life: Lifecycle, now_s: float) -> bool:
    taken = life.frame(life.attempt, now_s)
    life.taken(life.attempt, now_s)
    return taken


def retry(life: Lifecycle) -> float:
    """Wait for the next attempt and return how long it took."""
    assert state_of(life) is State.WAITING
    assert life.retry_s is not None
    start_s, retry_s = life.last_frame_s or 0.0, life.retry_s
    life.poll(retry_s)
    assert state_of(life) is State.CONNECTING
    return retry_s - start_s


MAKERS = {
    State.NEW: new,
    State.CONNECTING: connecting,
    State.RUNNING: running,
    State.WAITING: waiting,
    State.ENDED: ended,
}


@pytest.mark.parametrize(("state", "make"), MAKERS.items())
def test_every_state_can_be_closed(state: State, make: Callable[[], Lifecycle]) -> None:
    life = make()
    assert life.state is state
    for _ in range(2):
        life.close()
        assert (life.state, life.attempt, life.retry_s, life.due_s) == (State.ENDED, 0, None, None)
    attempts = life.attempts
    life.start(10.0)
    life.poll(1e9)
    life.fault(1, LOST, 11.0)
    assert not deliver(life, 12.0)
    assert (life.state, life.attempts) == (State.ENDED, attempts)


def test_a_camera_that_is_not_there_at_the_start_is_tried_until_it_is() -> None:
    """Wedge of peers: no start while one camera is down."""
    life, now_s = connecting(), 0.0
    waits = []
    for _ in range(12):
        life.fault(life.attempt, Fault("refused"), now_s)
        assert life.retry_s is not None
        waits.append(life.retry_s - now_s)
        life.poll(life.retry_s - 0.001)
        assert state_of(life) is State.WAITING
        now_s = life.retry_s
        life.poll(now_s)
        assert state_of(life) is State.CONNECTING
    assert SHORTEST_S <= min(waits) < max(waits) <= LONGEST_S
    deliver(life, now_s + 1)
    assert (life.state, life.connections, life.frames) == (State.RUNNING, 1, 1)


def test_a_connection_without_several_frames_does_not_shorten_the_waits() -> None:
    life, now_s = connecting(), 0.0
    for _ in range(8):
        for _ in range(STEADY_FRAMES - 1):
            deliver(life, now_s)
        life.fault(life.attempt, LOST, now_s)
        assert life.retry_s is not None
        wait_s, now_s = life.retry_s - now_s, life.retry_s
        life.poll(now_s)
    assert wait_s >= LONGEST_S / 2
    for _ in range(STEADY_FRAMES):
        deliver(life, now_s)
    life.fault(life.attempt, LOST, now_s)
    assert retry(life) <= 2 * SHORTEST_S


def test_events_of_an_abandoned_connection_change_nothing() -> None:
    """Wedge of peers: frames of an old connection after a reconnect."""
    life = running()
    life.poll(2.0 + Limits().frame_s)
    assert state_of(life) is State.WAITING
    assert "no frame arrived for 15 s" in life.last_error
    assert not life.frame(1, 30.0)
    retry(life)
    life.opened(1, 50.0)
    life.taken(1, 50.0)
    life.fault(1, Fault("late", Remedy.END), 50.0)
    assert not life.frame(1, 50.0)
    assert (life.state, life.attempt, life.frames) == (State.CONNECTING, 2, 1)


def test_a_source_that_hangs_while_it_opens_is_left_behind() -> None:
    """Wedge of peers: a source that never opens and never fails."""
    life = connecting()
    assert life.due_s == Limits().open_s
    life.poll(Limits().open_s - 0.1)
    assert state_of(life) is State.CONNECTING
    life.poll(Limits().open_s)
    assert (life.state, life.attempt) == (State.WAITING, 0)
    assert "does not open for 35 s" in life.last_error


def test_a_first_frame_has_more_time_than_the_next_ones() -> None:
    """Some cameras send a key frame every 10 to 20 s only."""
    life = connecting()
    life.opened(1, 5.0)
    life.poll(5.0 + Limits().frame_s)
    assert state_of(life) is State.CONNECTING
    life.poll(5.0 + Limits().first_frame_s)
    assert state_of(life) is State.WAITING


def test_a_slow_consumer_is_no_fault_of_the_camera() -> None:
    life = new(give_up_after_s=60.0)
    life.start(0.0)
    assert life.frame(1, 3.0)
    life.poll(1000.0)
    assert state_of(life) is State.RUNNING
    life.taken(1, 1000.0)
    life.poll(1000.1)
    assert state_of(life) is State.RUNNING
    life.poll(1000.0 + Limits().frame_s)
    assert state_of(life) is State.WAITING


def test_refused_access_is_tried_again_slowly() -> None:
    life = connecting()
    life.fault(1, Fault("refuses access", Remedy.RETRY_SLOWLY), 10.0)
    assert life.retry_s is not None
    assert 0.9 * ACCESS_S <= life.retry_s - 10.0 <= ACCESS_S


@pytest.mark.parametrize("frames", [0, 3])
def test_a_camera_is_given_up_after_its_time_without_a_frame(frames: int) -> None:
    life = new(give_up_after_s=60.0)
    life.start(100.0)
    for number in range(frames):
        deliver(life, 101.0 + number)
    life.fault(1, LOST, 110.0)
    last_s = 100.0 + frames
    life.poll(last_s + 59.9)
    assert state_of(life) is not State.ENDED
    life.poll(last_s + 60)
    assert state_of(life) is State.ENDED
    assert life.last_error == "no frame for 60 s: the connection broke"


def test_an_error_of_a_file_ends_the_camera() -> None:
    life = new(retries=False)
    life.start(0.0)
    deliver(life, 1.0)
    life.fault(1, Fault("it is truncated"), 2.0)
    assert (life.state, life.last_error) == (State.ENDED, "it is truncated")


def test_no_connection_is_made_while_too_many_hang() -> None:
    life = waiting()
    now_s = 3.0
    for _ in range(5):
        assert life.retry_s is not None
        now_s = life.retry_s
        life.poll(now_s, "3 connections hang")
        assert (life.state, life.attempts, life.last_error) == (State.WAITING, 1, "3 connections hang")
    assert life.retry_s is not None
    life.poll(life.retry_s)
    assert (life.state, life.attempts) == (State.CONNECTING, 2)


events = st.lists(st.tuples(st.sampled_from(["opened", "frame", "fault", "access", "end", "poll"]), st.floats(0, 400)))


@given(events, st.one_of(st.none(), st.floats(1, 1000)))
def test_random_faults_leave_a_camera_that_connects_or_has_a_reason(
    faults: list[tuple[str, float]], give_up_after_s: float | None
) -> None:
    life, now_s = new(give_up_after_s=give_up_after_s), 0.0
    life.start(now_s)
    for what, step_s in faults:
        now_s += step_s
        match what:
            case "opened":
                life.opened(life.attempt, now_s)
            case "frame":
                deliver(life, now_s)
            case "poll":
                life.poll(now_s)
            case _:
                remedy = {"fault": Remedy.RETRY, "access": Remedy.RETRY_SLOWLY, "end": Remedy.END}[what]
                life.fault(life.attempt, Fault(what, remedy), now_s)
        assert (life.state in {State.CONNECTING, State.RUNNING}) == bool(life.attempt)
        assert (state_of(life) is State.WAITING) == (life.retry_s is not None)
        assert (state_of(life) is State.ENDED) == (life.due_s is None)
        assert life.connections <= life.attempts
        assert state_of(life) is not State.ENDED or life.last_error
        if life.due_s is not None:
            assert life.due_s - now_s <= max(ACCESS_S, Limits().open_s)
