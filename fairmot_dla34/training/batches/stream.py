"""Makes the batches of an epoch in threads, ahead of the consumer thread and in order."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from ...closing import ClosedOnExit

if TYPE_CHECKING:
    from typing_extensions import Self

_Batch = TypeVar("_Batch")
_Batch_co = TypeVar("_Batch_co", covariant=True)


class BatchWork(Protocol[_Batch_co]):
    """The work on one batch: its images one by one, in any order and from several threads, then the batch."""

    def __len__(self) -> int:
        """Return the number of images."""

    def add(self, number: int) -> None:
        """Make image ``number``; each number is called once."""

    def finish(self) -> _Batch_co:
        """Return the batch; called after the last image."""


class BatchStream(ClosedOnExit, Iterator[_Batch]):
    """Iterates over batches that threads make ahead of the consumer thread.

    Images are the unit of work, so that several threads share even the first batch. At most ``depth`` batches are in
    progress or waiting. An error is raised at the position of its batch, after the batches before it, and ends the
    stream. The threads start with the first batch and end with the last one, with an error, or with `close`, after
    the image each is working on. They are daemons: they never keep a program from ending.

    Args:
        batches: Work of each batch; the next one is taken only if there is room for it.
        threads: Number of threads.
        depth: Number of batches ahead of the consumer, the one it waits for included.
    """

    def __init__(self, batches: Iterable[BatchWork[_Batch]], *, threads: int, depth: int) -> None:
        self._batches = iter(batches)
        self._depth = depth
        self._pending: deque[_Pending[_Batch]] = deque()
        self._images: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"training images {number}", daemon=True)
            for number in range(1, threads + 1)
        ]
        self._started = self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Batch:
        """Wait for the next batch.

        Raises:
            DatasetError: An image or a label of this batch cannot be read; the message names the file.
        """
        if self._closed:
            raise StopIteration
        self._fill()
        if not self._pending:
            self.close()
            raise StopIteration
        try:
            batch = self._pending.popleft().wait()
        except BaseException:
            self.close()
            raise
        self._fill()  # before the consumer is busy with this batch
        return batch

    def close(self) -> None:
        """Stop the threads after the image each is working on, and wait for them; safe to call twice."""
        self._closed = True
        self._pending.clear()
        for _ in self._threads:
            self._images.put(None)  # wakes the thread
        for thread in self._threads:
            with contextlib.suppress(RuntimeError):  # it was not started
                thread.join()

    def _fill(self) -> None:
        for work in islice(self._batches, self._depth - len(self._pending)):
            pending = _Pending(work)
            self._pending.append(pending)
            for number in range(len(work)):
                self._images.put(pending.job(number))
        if self._pending and not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()

    def _run(self) -> None:
        while (job := self._images.get()) is not None and not self._closed:
            job()


class _Pending(Generic[_Batch]):
    """A batch in progress."""

    def __init__(self, work: BatchWork[_Batch]) -> None:
        self._work = work
        self._missing = len(work)
        self._errors: dict[int, BaseException] = {}
        self._lock = threading.Lock()  # never held by the consumer thread, which a Ctrl-C may interrupt
        self._outcome: SimpleQueue[tuple[list[_Batch], BaseException | None]] = SimpleQueue()

    def job(self, number: int) -> Callable[[], None]:
        """Return the work on an image; the last one to end finishes the batch."""

        def run() -> None:
            try:
                self._work.add(number)
            except BaseException as error:  # noqa: BLE001 (raised again in the consumer thread)
                self._errors[number] = error
            with self._lock:
                self._missing -= 1
                complete = not self._missing
            if complete:
                self._outcome.put(self._finish())

        return run

    def wait(self) -> _Batch:
        """Wait for the batch; raise the error of the first image that has one."""
        batches, error = self._outcome.get()
        if error is not None:
            try:
                raise error
            finally:
                del error  # the error's traceback holds this frame: a reference cycle would keep images alive
        return batches[0]

    def _finish(self) -> tuple[list[_Batch], BaseException | None]:
        try:
            return ([], self._errors.pop(min(self._errors))) if self._errors else ([self._work.finish()], None)
        except BaseException as error:  # noqa: BLE001 (raised again in the consumer thread)
            return [], error
