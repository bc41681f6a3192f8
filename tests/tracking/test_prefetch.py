"""`Prefetcher`: order of the items, bound on work ahead, errors, and the end of the thread."""

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
def _every_thread_has_ended() -> Iterator[None]:
    yield
    assert NAME not in {thread.name for thread in threading.enumerate()}


def counting(count: int, started: list[int] | None = None) -> Generator[int]:
    """Yield the numbers from 0, each noted in ``started`` first."""
    for number in range(count):
        if started is not None:
            started.append(number)
        yield number


def wait_for(items: list[int], count: int) -> None:
    wait_until(lambda: len(items) == count)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@contextmanager
def closing(prefetcher: Prefetcher[int]) -> Iterator[Prefetcher[int]]:
    try:
        yield prefetcher
    finally:
        prefetcher.close()


def test_all_items_come_in_order_from_one_daemon_thread() -> None:
    threads: set[threading.Thread] = set()

    def recorded() -> Generator[int]:
        for number in counting(500):
            threads.add(threading.current_thread())
            yield number

    prefetcher = Prefetcher(recorded(), name=NAME, depth=3).start()
    assert list(prefetcher) == list(range(500))
    assert list(prefetcher) == []
    (thread,) = threads
    assert thread.name == NAME
    assert thread.daemon
    prefetcher.close()
    assert not thread.is_alive()


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_no_more_items_than_the_depth_are_started(depth: int) -> None:
    started: list[int] = []
    with closing(Prefetcher(counting(10**9, started), name=NAME, depth=depth).start()) as prefetcher:
        for taken in range(20):
            wait_for(started, taken + depth)
            time.sleep(0.002)
            assert len(started) == taken + depth
            assert next(prefetcher) == taken


def test_an_error_is_raised_after_the_items_before_it() -> None:
    def failing() -> Generator[int]:
        yield from counting(3)
        raise OSError("the cable was pulled")

    with closing(Prefetcher(failing(), name=NAME, depth=10).start()) as prefetcher:
        assert [next(prefetcher) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(OSError, match="cable"):
            next(prefetcher)
        assert list(prefetcher) == []


def test_a_raised_error_keeps_no_image_alive() -> None:
    """A reference cycle through its traceback would hold images until the garbage collector runs."""

    class Image:
        pass

    seen: list[weakref.ref[Image]] = []

    def failing() -> Generator[Image]:
        image = Image()
        seen.append(weakref.ref(image))
        yield image
        raise OSError(image)

    def run() -> None:
        prefetcher = Prefetcher(failing(), name=NAME).start()
        with pytest.raises(OSError, match="Image"):
            list(prefetcher)
        prefetcher.close()

    gc.disable()
    try:
        run()
        assert seen[0]() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("taken", [0, 1, 7])
def test_close_ends_a_thread_that_waits_for_room_and_closes_its_generator(taken: int) -> None:
    closed_in: list[str] = []

    def recorded() -> Generator[int]:
        try:
            yield from counting(10**9)
        finally:
            closed_in.append(threading.current_thread().name)

    prefetcher = Prefetcher(recorded(), name=NAME, depth=2).start()
    for _ in range(taken):
        next(prefetcher)
    wait_until(lambda: prefetcher._ready.qsize() == 2)
    prefetcher.close()
    assert closed_in == [NAME]
    prefetcher.close()
    with pytest.raises(StopIteration):
        next(prefetcher)


def test_close_does_not_wait_for_a_step_that_hangs() -> None:
    """FFmpeg waits for a silent server like this. The thread ends after the step."""
    server = threading.Event()

    def hanging() -> Generator[int]:
        yield 0
        server.wait(20)
        yield 1

    prefetcher = Prefetcher(hanging(), name=NAME, depth=2).start()
    assert next(prefetcher) == 0
    start_s = time.monotonic()
    prefetcher.close(0.05)
    assert time.monotonic() - start_s < 5
    server.set()
    prefetcher.close()


def test_close_in_another_thread_wakes_a_consumer_that_waits() -> None:
    release = threading.Event()

    def late() -> Generator[int]:
        release.wait(20)
        yield 0

    first = Prefetcher(late(), name=NAME).start()
    second = Prefetcher((number + 1 for number in first), name=NAME).start()
    first.close(0.01)
    assert list(second) == []
    second.close()
    release.set()
    first.close()


def test_newest_keeps_the_last_item_and_counts_those_it_replaced() -> None:
    started: list[int] = []
    with closing(Prefetcher(counting(1000, started), name=NAME, newest=True).start()) as prefetcher:
        wait_until(lambda: len(started) == 1000 and prefetcher._ready.qsize() == 2)  # the last item and the end
        assert list(prefetcher) == [999]  # the last one is not lost
        assert prefetcher.dropped == 999


def test_newest_drops_nothing_if_the_consumer_is_fast_enough() -> None:
    taken = threading.Semaphore(0)

    def one_by_one() -> Generator[int]:
        for number in range(50):
            yield number
            taken.acquire()

    received: list[int] = []
    with closing(Prefetcher(one_by_one(), name=NAME, newest=True).start()) as prefetcher:
        for number in prefetcher:
            received.append(number)
            taken.release()
        assert received == list(range(50))
        assert prefetcher.dropped == 0


def test_newest_can_be_closed_while_the_generator_runs() -> None:
    prefetcher = Prefetcher(counting(10**9), name=NAME, newest=True).start()
    first = next(prefetcher)
    assert next(prefetcher) > first
    prefetcher.close()
    assert prefetcher._ready.qsize() <= 3  # an item, and the ends put by the thread and by close
