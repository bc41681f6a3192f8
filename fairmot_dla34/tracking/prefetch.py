"""Runs a generator ahead of its consumer in a thread, so that reading, the network and writing overlap."""

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
    """The end of the items, with the error that ended them, if any."""

    error: BaseException | None


class Prefetcher(Iterator[_Item]):
    """Runs a generator in a daemon thread, up to ``depth`` items ahead of the consumer thread, in order.

    An item is started only if there is room for it, so that no more than ``depth`` are in progress or waiting. An
    error is raised at its position, after the items before it. Queues implemented in C carry the items: nothing polls,
    and a Ctrl-C while waiting leaves no lock held.

    With ``newest`` the generator never waits: one item is kept, and a newer one replaces it.

    `start` starts the thread. It is a step of its own so that its object can be stored first: a Ctrl-C between the two
    would otherwise leave a thread that nothing stops.

    Args:
        items: Generator that is started, run and closed in the thread.
        name: Thread name, shown in tracebacks.
        depth: Number of items ahead of the consumer.
        newest: Keep only the newest item, whatever ``depth`` is.

    Attributes:
        dropped: Number of items that a newer one replaced so far.
    """

    def __init__(self, items: Generator[_Item], *, name: str, depth: int = 1, newest: bool = False) -> None:
        self.dropped = 0
        self._items = items
        self._newest = newest
        self._ready: SimpleQueue[_Item | _End] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()  # one entry for each further item that may be started
        for _ in range(depth):
            self._room.put(None)
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> Self:
        """Start the thread.

        Raises:
            RuntimeError: The system allows no further thread.
        """
        self._thread.start()
        return self

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
                del item  # the error's traceback holds this frame: a reference cycle would keep images alive
        if self._stopped:  # while this thread waited
            raise StopIteration
        if not self._newest:
            self._room.put(None)
        return item

    def close(self, timeout_s: float | None = None) -> None:
        """Stop the thread after the step in progress, and wait for it; safe to call twice and from any thread.

        Args:
            timeout_s: Longest wait; None: until the thread has ended. A thread left behind ends after its step.
        """
        self._stopped = True
        self._room.put(None)  # wakes the thread
        self._ready.put(_End(None))  # wakes a consumer thread that waits for an item
        if self._thread is not threading.current_thread():  # its garbage collection may have called this method
            with contextlib.suppress(
                RuntimeError
            ):  # it was not started, or a Ctrl-C interrupted its start: it then ends
                self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            with contextlib.suppress(StopIteration), contextlib.closing(self._items):
                while self._may_start():
                    self._hand_over(next(self._items))
        except BaseException as error:  # noqa: BLE001 (raised again in the consumer thread)
            self._ready.put(_End(error))
        else:
            self._ready.put(_End(None))

    def _may_start(self) -> bool:
        if not self._newest:
            self._room.get()
        return not self._stopped

    def _hand_over(self, item: _Item) -> None:
        if self._newest:
            with contextlib.suppress(Empty):
                self.dropped += not isinstance(self._ready.get_nowait(), _End)  # an end from `close`: another follows
        self._ready.put(item)
