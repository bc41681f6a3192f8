"""Processes that are signalled at chosen moments, and checks of how they end and of the files they leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import av
from trials import HangError, TracebackError

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
END_S = 5.0
OPEN_FRAMES = 31  # frames of the last second, which are not in the mp4 after a SIGKILL
_AT_ONCE = 3


@dataclass(frozen=True)
class Stopped:
    """A process that was signalled.

    Attributes:
        code: Exit code.
        stdout: Its standard output.
        stderr: Its standard error.
        seconds: Seconds from the first signal to the end.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float


@dataclass(frozen=True)
class Try:
    """A process to start and to signal.

    Attributes:
        arguments: Arguments of Python.
        moments: Signals, with the seconds from the start or from the signal before.
        env: Environment variables beside those of this process.
        awaited: File; the first moment counts from its creation.
    """

    arguments: Sequence[str]
    moments: Sequence[tuple[float, signal.Signals]]
    env: Mapping[str, str] = field(default_factory=dict)
    awaited: Path | None = None


@contextmanager
def stopping(tries: Sequence[Try]) -> Iterator[list[Future[Stopped]]]:
    """Run the tries, three at once, and yield what becomes of them, in order."""
    restored = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in restored.items():
        if handler == signal.SIG_IGN:  # of a parent process, such as nohup; children would inherit it
            signal.signal(number, signal.SIG_DFL)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield [pool.submit(stop, each) for each in tries]
    finally:
        for number, handler in restored.items():
            signal.signal(number, handler)


def stop(tried: Try) -> Stopped:
    """Run one process and signal it."""
    process = subprocess.Popen(
        [sys.executable, *tried.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        env={**os.environ, **tried.env},
    )
    first_s = None
    try:
        deadline_s = time.monotonic() + 30
        while tried.awaited and not tried.awaited.exists() and time.monotonic() < deadline_s:
            time.sleep(0.001)
        for after_s, number in tried.moments:
            time.sleep(after_s)
            process.send_signal(number)
            first_s = first_s or time.monotonic()
        try:
            stdout, stderr = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            raise HangError(f"{tried.arguments} still runs 30 s after {tried.moments}") from None
    finally:
        process.kill()
        process.communicate()
    return Stopped(process.returncode, stdout, stderr, time.monotonic() - (first_s or 0.0))


@cache
def start_s() -> float:
    """Return the seconds in which the interpreter starts on this machine; a Ctrl-C before that is Python's."""

    def timed(_: int) -> float:
        begin_s = time.monotonic()
        subprocess.run([sys.executable, "-c", "import fairmot_dla34"], check=True)
        return time.monotonic() - begin_s

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return max(pool.map(timed, range(2 * _AT_ONCE)))


def check_stopped(stopped: Stopped, number: signal.Signals, after_s: float) -> None:
    """Assert that the process ended by the signal with one line; or, in the first moments, as Python ends.

    The signal itself may end the process in its first moments, and while the interpreter shuts down after the line.
    """
    if after_s <= start_s() and stopped.code in {-number, 1}:
        return
    if "Traceback" in stopped.stderr or "Exception ignored" in stopped.stderr:
        raise TracebackError(stopped.stderr[-1500:])
    assert stopped.seconds < END_S, f"ended {stopped.seconds:.1f} s after the signal"
    lines = [line for line in stopped.stderr.splitlines() if line.startswith("fairmot_dla34")]
    if stopped.code == 0:
        assert not lines
        return
    assert stopped.code in {128 + number, -number}, f"exit code {stopped.code}: {stopped.stderr[-1500:]}"
    assert len(lines) in ({1} if stopped.code > 0 else {0, 1}), stopped.stderr


def check_files(folder: Path, *, same_end: bool) -> None:
    """Assert that the outputs are whole, that nothing else is left, and that text and video end with one frame.

    Args:
        folder: Output directory of `track_words`.
        same_end: False after SIGKILL: the last second of the video is missing, and the video is empty until its first
            frame is encoded.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path.parts[-3] != ".fairmot_dla34"]
    assert {path.name for path in files} <= {"street.txt", "street.jsonl", "street_vis.mp4"}, files
    if not files:
        return
    mot = (folder / "mot_results" / "street.txt").read_text()
    assert not mot or mot.endswith("\n")
    assert all(row.count(",") == 9 for row in mot.splitlines())
    rows = (folder / "mot_results" / "street.jsonl").read_text()
    assert not rows or rows.endswith("\n")
    last = len([json.loads(row) for row in rows.splitlines()])
    video = folder / "mot_outputs" / "street_vis.mp4"
    if not video.exists() or not video.stat().st_size:
        assert last <= (0 if same_end else 1), f"{last} frames in the text, no video"
        assert not (same_end and video.exists())
        return
    decoded = decoded_frames(video)
    if same_end:
        assert decoded == last
    else:
        assert 0 <= last - decoded <= OPEN_FRAMES, f"{last} frames in the text, {decoded} in the video"


def decoded_frames(video: Path) -> int:
    """Return the number of frames that a video has."""
    with av.open(str(video)) as container:
        return sum(1 for _ in container.decode(video=0))


def track_words(video: Path, weights: Path, folder: Path, *more: str) -> list[str]:
    """Return the arguments of Python for ``fairmot_dla34 track`` with a small network."""
    words = ["track", str(video), "--weights", str(weights), "--input-size", "128x96", "--output-dir", str(folder)]
    return ["-m", "fairmot_dla34", *words, "--formats", "mot,jsonl", *more]
