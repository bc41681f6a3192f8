"""An iterator whose next item can be looked at before it is taken."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeVar

_T = TypeVar("_T")


class Lookahead(Iterator[_T]):
    """Iterates over items of another iterator, which is advanced only as far as needed."""

    def __init__(self, items: Iterator[_T]) -> None:
        """Start at the first item.

        Args:
            items: Iterator that nothing else advances.
        """
        self._items = items
        self._peeked: deque[_T] = deque()

    def __next__(self) -> _T:
        return self._peeked.popleft() if self._peeked else next(self._items)

    def peek(self) -> _T | None:
        """Return the next item without taking it, or None at the end."""
        if not self._peeked:
            self._peeked.extend(item for item in [next(self._items, None)] if item is not None)
        return self._peeked[0] if self._peeked else None
