"""The memory that an iteration comes to hold."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator


def grown_bytes(results: Iterator[object]) -> int:
    """Return by how much Python's memory grows over 400 items, after 100 that warm up."""
    for _ in range(100):
        next(results)
    tracemalloc.start()
    for _ in range(400):
        next(results)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return grown
