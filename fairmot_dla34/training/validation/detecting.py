"""Detections of a list of images, in order, with several images in the network at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_order(
    work: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int
) -> Generator[tuple[_Item, _Result]]:
    """Apply a function to items in several threads, and yield the items with their results in order.

    At most ``2 * workers`` items are in work or finished and waiting. When the generator is closed, or the function
    raises an error, no further item is started.

    Args:
        work: Function that any number of threads may call.
        items: Items; they are taken in the consumer thread.
        workers: Number of threads.

    Yields:
        Each item and the result.

    Raises:
        Exception: The error of the function, at the position of its item.
    """
    waiting: deque[tuple[_Item, Future[_Result]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="fairmot_dla34 validation") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                if len(waiting) >= 2 * workers:
                    first, result = waiting.popleft()
                    yield first, result.result()
            while waiting:
                first, result = waiting.popleft()
                yield first, result.result()
        finally:
            for _, future in waiting:
                future.cancel()
