"""Work on items in several threads: order, look-ahead, and errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from fairmot_dla34.training.validation.detecting import in_order


def test_results_come_in_order_whatever_takes_longer() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.02 if item % 3 == 0 else 0)
        return item * item

    assert list(in_order(slow_first, range(10), workers=3)) == [(item, item * item) for item in range(10)]


def test_few_items_are_taken_ahead() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = in_order(lambda item: item, items(), workers=2)
    assert next(results) == (0, 0)
    assert len(taken) == 4
    results.close()
    assert len(taken) == 4
    assert not [thread for thread in threading.enumerate() if "validation" in thread.name]


def test_an_error_comes_at_its_place_and_ends_the_work() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError("item 3")
        return item

    results = in_order(work, range(1000), workers=2)
    assert [next(results)[0] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="item 3"):
        next(results)
    assert not [thread for thread in threading.enumerate() if "validation" in thread.name]
