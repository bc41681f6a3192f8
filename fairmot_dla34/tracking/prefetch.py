"""Work done ahead in a thread of its own: what lets reading, the network and writing overlap."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing_extensions import Self

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class _End:
    """Nothing more comes; the error that ended it, if one did."""

    error: BaseException | None


class Ahead(Iterator[_Item]):
    """Runs a generator in a daemon thread, up to ``depth`` items ahead of whoever takes them, in their order.

    An item is begun only where there is room for it, so that no more than ``depth`` are ever under way or waiting. An
    error comes out where it happened, behind the items before it. Queues of C code carry the items: nothing polls, and
    a Ctrl-C while waiting leaves no lock behind.

    With ``newest`` the generator never waits: one item is kept, and a newer one replaces it.

    Args:
        items: Started, run and closed in the thread.
        name: Of the thread.
        depth: How many items ahead.
        newest: Keep the newest item alone, whatever ``depth`` says.

    Attributes:
        dropped: Items that a newer one replaced, so far.
    """

    def __init__(self, items: Generator[_Item], *, name: str, depth: int = 1, newest: bool = False) -> None:
        self.dropped = 0
        self._items = items
        self._newest = newest
        self._ready: SimpleQueue[_Item | _End] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()  # as many as there may be items more
        for _ in range(depth):
            self._room.put(None)
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        """Wait for the next item."""
        if self._stopped:
            raise StopIteration
        item = self._ready.get()
        if isinstance(item, _End):
            self._stopped = True
            if item.error is None:
                raise StopIteration
            try:
                raise item.error
            finally:
                del item  # the error's traceback holds this frame: no circle, which would keep pictures alive
        if self._stopped:  # while this waited
            raise StopIteration
        if not self._newest:
            self._room.put(None)
        return item

    def close(self, patience_s: float | None = None) -> None:
        """Stop the thread after the step under way, and wait for it; safe to call twice and from any thread.

        Args:
            patience_s: Longest wait; None: until it has ended. A thread left behind ends with its step, by itself.
        """
        self._stopped = True
        self._room.put(None)  # wakes the thread
        self._ready.put(_End(None))  # wakes who waits for an item in another thread
        if self._thread is not threading.current_thread():  # whose garbage collection may be what closes this
            self._thread.join(patience_s)

    def _run(self) -> None:
        try:
            with contextlib.suppress(StopIteration), contextlib.closing(self._items):
                while self._may_begin():
                    self._hand_over(next(self._items))
        except BaseException as error:  # noqa: BLE001 (raised again where the items are taken)
            self._ready.put(_End(error))
        else:
            self._ready.put(_End(None))

    def _may_begin(self) -> bool:
        if not self._newest:
            self._room.get()
        return not self._stopped

    def _hand_over(self, item: _Item) -> None:
        if self._newest:
            with contextlib.suppress(Empty):
                self.dropped += not isinstance(self._ready.get_nowait(), _End)  # that of `close`: another one follows
        self._ready.put(item)
