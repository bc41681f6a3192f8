"""Ctrl-C, SIGTERM and SIGHUP at any moment: one line, the exit code of the signal, valid files, no leftovers."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from clips import write_clip
from networks import write_random_checkpoint
from trials import HangError, TracebackError, Trials

pytestmark = pytest.mark.serial

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_S = 0.06  # of the interpreter, before the first line of the package runs: a Ctrl-C there is Python's
END_S = 5.0


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


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("video") / "street.mp4", 1000, size=(320, 192))


def stop(
    arguments: list[str], moments: list[tuple[float, signal.Signals]], env: Mapping[str, str] | None = None
) -> Stopped:
    """Run the command and signal it at the moments, in seconds from its start and from the signal before."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        env={**os.environ, **(env or {})},
        preexec_fn=default_signals,  # noqa: PLW1509 (no other threads run here)
    )
    first_s = None
    try:
        for after_s, number in moments:
            time.sleep(after_s)
            process.send_signal(number)
            first_s = first_s or time.monotonic()
        try:
            stdout, stderr = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            raise HangError(f"{arguments} still runs 30 s after {moments}") from None
    finally:
        process.kill()
        process.communicate()
    return Stopped(process.returncode, stdout, stderr, time.monotonic() - (first_s or 0.0))


def default_signals() -> None:
    """Undo what a parent process may have switched off."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def check_stopped(stopped: Stopped, number: signal.Signals, after_s: float) -> None:
    """Assert that the process ended by the signal with one line; or, in the first moments, as Python ends."""
    if after_s <= START_S and stopped.code in {-number, 1}:
        return
    if "Traceback" in stopped.stderr or "Exception ignored" in stopped.stderr:
        raise TracebackError(stopped.stderr[-1500:])
    assert stopped.seconds < END_S, f"ended {stopped.seconds:.1f} s after the signal"
    lines = [line for line in stopped.stderr.splitlines() if line.startswith("fairmot_dla34")]
    if stopped.code == 0:
        assert not lines
        return
    assert stopped.code in {128 + number, -number}, f"exit code {stopped.code}: {stopped.stderr[-1500:]}"
    assert len(lines) == (1 if stopped.code > 0 else 0), stopped.stderr


def check_files(folder: Path, *, same_end: bool) -> None:
    """Assert that the outputs are whole, that nothing else is left, and that text and video end with one frame."""
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
    if not video.exists():
        assert last == 0
        return
    with av.open(str(video)) as container:
        decoded = sum(1 for _ in container.decode(video=0))
    if same_end:
        assert decoded == last
    else:
        assert 0 <= last - decoded <= 31, f"{last} frames in the text, {decoded} in the video"  # one second is open


def track(video: Path, weights: Path, folder: Path, *more: str) -> list[str]:
    size = ("--weights", str(weights), "--input-size", "128x96")
    return [
        "-m",
        "fairmot_dla34",
        "track",
        str(video),
        *size,
        "--output-dir",
        str(folder),
        "--formats",
        "mot,jsonl",
        *more,
    ]


def random_moments(
    trials: Trials, count: int, video: Path, weights: Path, folder: Path, longest_s: float, seed: int
) -> None:
    randomness = random.Random(seed)  # noqa: S311 (the same moments in every run)
    for position in range(count):
        number = SIGNALS[position % len(SIGNALS)]
        after_s = randomness.uniform(0.05, longest_s)
        with trials(f"signal, {number.name} at a random moment", f"{after_s:.3f} s"):
            out, home = folder / f"{position}", folder / f"home{position % 3}"
            held = ("--fill-gaps", "40") if position % 2 else ()
            stopped = stop(track(video, weights, out, *held), [(after_s, number)], {"FAIRMOT_DLA34_HOME": str(home)})
            check_stopped(stopped, number, after_s)
            check_files(out, same_end=True)
            assert not [path for path in home.rglob("*") if path.suffix in {".tmp", ".part"}]


def test_a_run_that_is_signalled_at_random_moments(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    random_moments(trials, 6, video, weights, tmp_path, 3.0, seed=1)


@pytest.mark.slow
def test_a_run_that_is_signalled_at_many_random_moments(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    random_moments(trials, 45, video, weights, tmp_path, 3.5, seed=2)
