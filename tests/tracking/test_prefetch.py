"""Work ahead in a thread: order, bounds, errors, and the end of the thread."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest

from fairmot_dla34.tracking.prefetch import Prefetcher

pytestmark = pytest.mark.serial

NAME = "fairmot_dla34 test"


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert NAME not in {thread.name for thread in threading.enumerate()}


def counting(count: int, begun: list[int] | None = None) -> Generator[int]:
    for number in range(count):
        if begun is not None:
            begun.append(number)
        yield number


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def closing(ahead: Prefetcher[int]) -> Iterator[Prefetcher[int]]:
    try:
        yield ahead
    finally:
        ahead.close()


def test_all_items_in_order_from_one_daemon_thread() -> None:
    threads = set()

    def named() -> Generator[int]:
        for number in counting(500):
            threads.add(threading.current_thread())
            yield number

    ahead = Prefetcher(named(), name=NAME, depth=3)
    assert list(ahead) == list(range(500))
    assert list(ahead) == []
    (thread,) = threads
    assert thread.name == NAME
    assert thread.daemon
    ahead.close()
    assert not thread.is_alive()


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_never_more_than_depth_are_begun(depth: int) -> None:
    begun: list[int] = []
    with closing(Prefetcher(counting(10**9, begun), name=NAME, depth=depth)) as ahead:
        for taken in range(20):
            wait_until(lambda taken=taken: len(begun) == taken + depth)
            time.sleep(0.002)
            assert len(begun) == taken + depth
            assert next(ahead) == taken


def test_an_error_comes_behind_the_items_before_it() -> None:
    def failing() -> Generator[int]:
        yield from counting(3)
        raise OSError("the cable was pulled")

    with closing(Prefetcher(failing(), name=NAME, depth=10)) as ahead:
        assert [next(ahead) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(OSError, match="cable"):
            next(ahead)
        assert list(ahead) == []


def test_a_raised_error_keeps_nothing_alive() -> None:
    """A circle through its traceback would hold pictures until the garbage collector comes."""

    class Picture:
        pass

    seen = []

    def failing() -> Generator[Picture]:
        picture = Picture()
        seen.append(weakref.ref(picture))
        yield picture
        raise OSError(picture)

    def run() -> None:
        ahead = Prefetcher(failing(), name=NAME)
        with pytest.raises(OSError, match="Picture"):
            list(ahead)
        ahead.close()

    gc.disable()
    try:
        run()
        assert seen[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_close_ends_a_thread_that_waits_for_room_and_closes_the_generator_there(taken: int) -> None:
    closed_in = []

    def noting() -> Generator[int]:
        try:
            yield from counting(10**9)
        finally:
            closed_in.append(threading.current_thread().name)

    ahead = Prefetcher(noting(), name=NAME, depth=2)
    for _ in range(taken):
        next(ahead)
    wait_until(lambda: ahead._ready.qsize() == 2)
    ahead.close()
    assert closed_in == [NAME]
    ahead.close()
    with pytest.raises(StopIteration):
        next(ahead)


def test_close_does_not_wait_for_a_step_that_hangs() -> None:
    """As one in FFmpeg that waits for a silent server; the thread then ends by itself."""
    server = threading.Event()

    def hanging() -> Generator[int]:
        yield 0
        server.wait(20)
        yield 1

    ahead = Prefetcher(hanging(), name=NAME, depth=2)
    assert next(ahead) == 0
    begin = time.monotonic()
    ahead.close(0.05)
    assert time.monotonic() - begin < 5
    server.set()
    ahead.close()


def test_close_from_elsewhere_wakes_who_waits_for_an_item() -> None:
    release = threading.Event()

    def late() -> Generator[int]:
        release.wait(20)
        yield 0

    first = Prefetcher(late(), name=NAME)
    second = Prefetcher((number + 1 for number in first), name=NAME)
    first.close(0.01)
    assert list(second) == []
    second.close()
    release.set()
    first.close()


def test_the_newest_item_replaces_those_not_taken() -> None:
    begun: list[int] = []
    with closing(Prefetcher(counting(1000, begun), name=NAME, newest=True)) as ahead:
        wait_until(lambda: len(begun) == 1000 and ahead._ready.qsize() == 2)  # the last item, the end
        assert list(ahead) == [999]  # the last one is not lost
        assert ahead.dropped == 999


def test_newest_has_no_effect_on_who_is_fast_enough() -> None:
    taken = threading.Semaphore(0)

    def one_by_one() -> Generator[int]:
        for number in range(50):
            yield number
            taken.acquire()

    got = []
    with closing(Prefetcher(one_by_one(), name=NAME, newest=True)) as ahead:
        for number in ahead:
            got.append(number)
            taken.release()
        assert got == list(range(50))
        assert ahead.dropped == 0


def test_newest_stops_while_the_generator_is_busy() -> None:
    ahead = Prefetcher(counting(10**9), name=NAME, newest=True)
    first = next(ahead)
    assert next(ahead) > first
    ahead.close()
    assert ahead._ready.qsize() <= 3  # an item, and an end from both sides
