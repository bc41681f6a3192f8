"""`LocalEngine`: worker processes on this machine; one that is killed is replaced, and its item is run again."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import pickle
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection
from typing import Any

from ..closing import ClosedOnExit
from ..config import is_whole, shown
from ..errors import EngineError, InvalidInputError
from .engine import MOST_RETRIES
from .worker import READY, work

logger = logging.getLogger(__name__)

_TERMINATE_S = 2.0  # wait for a worker to end after SIGTERM, before SIGKILL
_SCRIPT = "if your own script starts it, put the call under: if __name__ == '__main__'"


class LocalEngine(ClosedOnExit):
    """Worker processes on this machine, started when they are needed and kept until `close`; see `Engine`.

    Args:
        workers: Number of processes.
        threads: Threads that native libraries may start in each process; the network's threads are a setting of the
            model.

    Raises:
        InvalidInputError: A number is not a whole number from 1 to 1024.
    """

    def __init__(self, workers: int = 1, threads: int = 1) -> None:
        for name, value in (("workers", workers), ("threads", threads)):
            if not is_whole(value, 1, 1024):
                raise InvalidInputError(f"{name} is {shown(value)}; expected a whole number from 1 to 1024.")
        self.workers, self.threads = workers, threads
        self._running: list[_Worker] = []

    def check(self) -> None:
        """Do nothing: this machine can be reached."""

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, on_start: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Any | BaseException]]:
        """Run the function on every item; see `Engine.run`.

        Raises:
            EngineError: A worker ends while it starts.
        """
        run = _Run(pickle.dumps(function), items, on_start)
        try:
            while run.waiting or any(worker.index is not None for worker in self._running):
                self._assign(run)
                yield from self._completed(run)
        finally:  # the caller may have stopped reading
            self._end([worker for worker in self._running if worker.index is not None])

    def close(self) -> None:
        """End the workers and the items in progress; safe to call twice."""
        self._end(list(self._running))

    def _assign(self, run: _Run) -> None:
        """Give each idle worker an item; start workers as long as items wait."""
        idle = [worker for worker in self._running if worker.index is None]
        while run.waiting:
            if idle:
                worker = idle.pop()
            elif len(self._running) < self.workers:
                worker = _Worker(self.threads)
                self._running.append(worker)
            else:
                return
            run.start(worker)

    def _completed(self, run: _Run) -> Iterator[tuple[int, Any | BaseException]]:
        """Wait until a worker sends something or ends, and yield what is complete."""
        signalling = {worker.channel: worker for worker in self._running if worker.index is not None}
        for channel in connection.wait(list(signalling)):
            worker = signalling[channel]  # type: ignore[index]
            index = worker.index
            if index is None:
                continue
            try:
                message = worker.receive()
            except (EOFError, OSError):  # the process has ended
                self._running.remove(worker)
                lost = run.retry_or_error(index, worker.end())
                if lost is not None:
                    yield index, lost
                continue
            if message is not None:
                worker.index = None
                yield index, message[1]

    def _end(self, workers: Sequence[_Worker]) -> None:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.end()
            if worker in self._running:
                self._running.remove(worker)


class _Run:
    """State of one call of `LocalEngine.run`: items that wait, and how often each was started."""

    def __init__(self, function: bytes, items: Sequence[Any], on_start: Callable[[int], None] | None) -> None:
        self.waiting = deque(range(len(items)))
        self._function, self._items, self._on_start = function, items, on_start
        self._starts: Counter[int] = Counter()

    def start(self, worker: _Worker) -> None:
        index = self.waiting.popleft()
        self._starts[index] += 1
        worker.index = index
        with contextlib.suppress(OSError):  # the worker has ended, which `_completed` notices
            worker.channel.send((self._function, self._items[index]))
        if self._on_start is not None:
            self._on_start(index)

    def retry_or_error(self, index: int, ending: str) -> EngineError | None:
        """Put the item of a worker that ended first in the queue; return an error if it was run often enough.

        Raises:
            EngineError: The worker ended by itself while it started, as every other one would.
        """
        if self._starts[index] <= MOST_RETRIES:
            self.waiting.appendleft(index)
            return None
        return EngineError(
            f"The worker process {ending} each of the {self._starts[index]} times that this item was run; expected that"
            " it ends by itself: if memory is short, use fewer workers or a smaller input size."
        )


class _Worker:
    """One worker process.

    Attributes:
        channel: Channel to the process.
        index: Index of the item in progress; None if it is idle.
    """

    def __init__(self, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.channel, other = context.Pipe()
        self.index: int | None = None
        self._ready = False
        self._process = context.Process(
            target=work, args=(other, threads, _log_level()), name="fairmot_dla34 worker", daemon=True
        )
        try:
            with _interrupts_blocked():
                self._process.start()
        except OSError as error:
            raise EngineError(
                f"No worker process can be started ({error.strerror}); expected that this machine allows further"
                " processes: use fewer workers, or raise the limit (ulimit -u)."
            ) from error
        finally:
            other.close()

    def receive(self) -> tuple[bool, Any] | None:
        """Return success and what became of the item; None for the message that the process is ready.

        Raises:
            EngineError: The process ended by itself while it started.
            EOFError, OSError: The process has ended.
        """
        try:
            message = self.channel.recv()
        except (EOFError, OSError):
            self._process.join(_TERMINATE_S)
            code = self._process.exitcode
            if not self._ready and code is not None and code >= 0:
                raise EngineError(
                    f"A worker process ended while it started (exit code {code}); expected that it runs; {_SCRIPT}."
                ) from None
            raise
        if message == READY:
            self._ready = True
            return None
        result: tuple[bool, Any] = message
        return result

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    def end(self) -> str:
        """Wait for the end of the process, kill it if that takes too long, and return how it ended."""
        self._process.join(_TERMINATE_S)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join()
        self.channel.close()
        code = self._process.exitcode or 0
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def _log_level() -> int:
    """Return the level of the log of a worker: warnings, or everything with ``-v``; 0 if this process shows no log."""
    package = logging.getLogger("fairmot_dla34")
    if not package.handlers:
        return 0
    return logging.DEBUG if package.level == logging.DEBUG else logging.WARNING


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Hold Ctrl-C back in this thread: a process that starts inherits that, until it ignores Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
