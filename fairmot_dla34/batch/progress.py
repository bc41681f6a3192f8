"""One display of progress for all jobs of a batch: jobs done, frames per second, and the time left."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..closing import ClosedOnExit
from ..console.progress import INTERVAL_S, duration_text, is_terminal
from .job import Job
from .part_progress import PROGRESS_FILE, read_progress

if TYPE_CHECKING:
    from tqdm import tqdm

_REFRESH_S = 2.0
_RATE_S = 60.0  # the rate is that of the last minute


@dataclass
class _Running:
    """A job in progress: its bytes, and how many of its frames are done."""

    job: Job
    bytes: int
    frames: int = 0
    share: float = 0.0


class BatchProgress(ClosedOnExit):
    """Shows the progress of jobs on stderr: a bar on a terminal, else a line every 30 s.

    The time left is that of the bytes left, at the present rate of bytes.

    Args:
        jobs: All jobs of the batch.
        sizes: Bytes of the source of each job.
        complete: Videos that were complete before.
        enabled: False for no display.
    """

    def __init__(self, jobs: Sequence[Job], sizes: Sequence[int], complete: int = 0, *, enabled: bool = True) -> None:
        self._jobs, self._sizes, self._complete = jobs, [max(size, 1) for size in sizes], complete
        self._lock = threading.Lock()
        self._running: dict[int, _Running] = {}
        self._done = self._frames = self._bytes = 0
        self._history: deque[tuple[float, float, float]] = deque()  # time in s, frames, bytes
        self._ended = threading.Event()
        self._bar = _bar(complete + len(jobs), complete) if enabled and is_terminal() else None
        self._thread = threading.Thread(target=self._show, name="fairmot_dla34 progress", daemon=True)
        if enabled:
            self._thread.start()

    def started(self, index: int) -> None:
        """Count a job as running."""
        with self._lock:
            self._running[index] = _Running(self._jobs[index], self._sizes[index])

    def finished(self, index: int, frames: int) -> None:
        """Count a job as done.

        Args:
            index: Index of the job.
            frames: Frames tracked; 0 if it failed.
        """
        with self._lock:
            self._running.pop(index, None)
            self._done += 1
            self._frames += frames
            self._bytes += self._sizes[index]
        if self._bar is not None:
            self._bar.update()

    def close(self) -> None:
        """End the display; safe to call twice."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(_REFRESH_S)
        if self._bar is not None:
            self._bar.close()

    def line(self) -> str:
        """Return the state as text, such as ``12/40 videos, 81.3 frames/s, 2 min 30 s left``."""
        total = self._complete + len(self._jobs)
        return f"{self._complete + self._done}/{total} videos, {self._rates()}"

    def _rates(self) -> str:
        """Return frames per second and time left, from the state now and that of up to a minute ago."""
        frames, size = self._totals()
        now_s = time.monotonic()
        self._history.append((now_s, frames, size))
        while now_s - self._history[0][0] > _RATE_S:
            self._history.popleft()
        first_s, first_frames, first_size = self._history[0]
        seconds = now_s - first_s
        if seconds <= 0 or size <= first_size:
            return f"{(frames - first_frames) / seconds if seconds else 0.0:.1f} frames/s"
        left_s = (sum(self._sizes) - size) * seconds / (size - first_size)
        return f"{(frames - first_frames) / seconds:.1f} frames/s, {duration_text(max(left_s, 0.0))} left"

    def _totals(self) -> tuple[float, float]:
        """Return frames and bytes that are done, with those of the jobs in progress."""
        with self._lock:
            running = list(self._running.values())
            frames, size = float(self._frames), float(self._bytes)
        for one in running:
            done, total = read_progress(one.job.part / PROGRESS_FILE)
            if done:  # a job that is run again starts anew
                one.frames, one.share = done, min(done / total, 1.0) if total else 0.0
            frames, size = frames + one.frames, size + one.bytes * one.share
        return frames, size

    def _show(self) -> None:
        """Refresh the bar, or write a line when it is due, until the end."""
        written_s = time.monotonic()
        self._rates()
        while not self._ended.wait(_REFRESH_S):
            if self._bar is not None:
                self._bar.set_postfix_str(self._rates())
            elif time.monotonic() - written_s >= INTERVAL_S:
                written_s = time.monotonic()
                if sys.stderr is not None:
                    with contextlib.suppress(OSError, ValueError):  # a full disk or a closed stream
                        sys.stderr.write(f"batch: {self.line()}\n")
                        sys.stderr.flush()
            else:
                self._rates()


def _bar(total: int, initial: int) -> tqdm[Any]:
    from tqdm import tqdm

    return tqdm(
        total=total,
        initial=initial,
        desc="batch",
        unit="video",
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} videos [{elapsed}{postfix}]",
        file=sys.stderr,
        dynamic_ncols=True,
    )
