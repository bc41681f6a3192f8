"""Ctrl-C, SIGTERM and SIGHUP at any moment: one line, the exit code of the signal, valid files, no leftovers."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
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
from trials import HangError, TracebackError, Trials, run_python

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
    if not video.exists() or (last <= 31 and not same_end):  # killed in the first second
        assert last <= 31
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
    random_moments(trials, 4, video, weights, tmp_path, 2.0, seed=1)


@pytest.mark.slow
def test_a_run_that_is_signalled_at_many_random_moments(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    random_moments(trials, 30, video, weights, tmp_path, 3.0, seed=2)


def test_a_signal_during_the_imports(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    for position in range(12):
        number, after_s = SIGNALS[position % 2], 0.07 + 0.05 * position
        with trials(f"signal, {number.name} during the start", f"{after_s:.2f} s"):
            stopped = stop(track(video, weights, tmp_path / "out"), [(after_s, number)])
            check_stopped(stopped, number, after_s)


@pytest.mark.slow
def test_a_second_signal_while_the_run_ends(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    """`timeout` signals twice at once, which is one request; an impatient person signals again a second later."""
    for position in range(8):
        number, pause_s = SIGNALS[position % 3], (0.0, 0.05, 0.3, 1.05)[position % 4]
        out = tmp_path / f"{position}"
        with trials("signal, a second one while the run ends", f"{number.name} after {pause_s} s"):
            stopped = stop(track(video, weights, out, "--fill-gaps", "300"), [(2.5, number), (pause_s, number)])
            assert stopped.code in {128 + number, -number}
            check_stopped(stopped, number, 2.5)
            check_files(out, same_end=pause_s < 1)


@pytest.mark.slow
def test_a_killed_run_leaves_valid_files_and_the_next_one_starts(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    randomness = random.Random(3)  # noqa: S311 (the same moments in every run)
    for _ in range(8):
        after_s = randomness.uniform(0.5, 3)
        with trials("signal, SIGKILL at a random moment", f"{after_s:.3f} s"):
            stopped = stop(track(video, weights, tmp_path), [(after_s, signal.SIGKILL)])
            assert stopped.code in {-signal.SIGKILL, 0}
            check_files(tmp_path, same_end=False)
    with trials("signal, a run after killed ones"):
        stopped = stop(track(video, weights, tmp_path), [(3.0, signal.SIGTERM)])
        assert stopped.code == 128 + signal.SIGTERM, stopped
        check_files(tmp_path, same_end=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("synth", "--frames", "100000", "--output-dir", "{out}"),
        ("demo", "--output-dir", "{out}"),
        ("info",),
        ("export", "--format", "onnx", "--weights", "sample", "--output-dir", "{out}"),
        ("weights", "verify", "sample"),
    ],
    ids=lambda words: words[0],
)
def test_every_verb_ends_on_a_signal(trials: Trials, words: tuple[str, ...], tmp_path: Path) -> None:
    arguments = [word.format(out=tmp_path) for word in words]
    for number, after_s in ((signal.SIGTERM, 1.0), (signal.SIGINT, 2.0)):
        with trials("signal, other verbs", f"{words[0]}, {number.name}"):
            check_stopped(stop(["-m", "fairmot_dla34", *arguments], [(after_s, number)]), number, after_s)
            for path in tmp_path.rglob("*.mp4"):
                if path.stat().st_size > 10_000:
                    with av.open(str(path)) as container:
                        assert sum(1 for _ in container.decode(video=0)) > 0
            assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.slow
def test_a_signal_during_a_download_from_a_silent_server(trials: Trials, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        env = {
            "FAIRMOT_DLA34_MIRROR": f"http://127.0.0.1:{server.getsockname()[1]}",
            "FAIRMOT_DLA34_HOME": str(tmp_path),
        }
        for number in SIGNALS:
            with trials("signal, during a download", number.name):
                stopped = stop(["-m", "fairmot_dla34", "weights", "download"], [(2.0, number)], env)
                assert stopped.code == 128 + number, stopped
                check_stopped(stopped, number, 2.0)


@pytest.mark.slow
def test_a_signal_that_the_process_ignores_stays_ignored(trials: Trials, weights: Path, tmp_path: Path) -> None:
    """`nohup` ignores SIGHUP, a shell that starts a command in the background may ignore SIGINT."""
    short = write_clip(tmp_path / "street.mp4", 150, size=(320, 192))
    for number in SIGNALS:
        with trials("signal, ignored by the process", number.name):
            code = f"import os, signal, sys; signal.signal({int(number)}, signal.SIG_IGN); "
            code += "os.execv(sys.executable, sys.argv[1:])"
            words = track(short, weights, tmp_path / number.name)
            stopped = stop(["-c", code, sys.executable, *words], [(2.0, number)])
            assert stopped.code == 0, stopped
            check_files(tmp_path / number.name, same_end=True)


IN_PROCESS = """
import ctypes, signal, sys, time
from fairmot_dla34.console.guard import guarded

class Slow:
    def __del__(self):
        time.sleep(0.3)

def finaliser():
    Slow()
    for _ in range(40):
        time.sleep(0.3)
        Slow()

def imports():
    try:
        time.sleep(20)
    except KeyboardInterrupt as request:
        raise ImportError("initialization failed") from request

def compiled_code():
    mutex = ctypes.create_string_buffer(256)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)

before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
code = guarded(globals()[sys.argv[1]])
assert before == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
sys.exit(code)
"""


@pytest.mark.parametrize("action", ["finaliser", "imports", pytest.param("compiled_code", marks=pytest.mark.slow)])
def test_a_signal_where_python_or_a_library_discards_it(trials: Trials, action: str) -> None:
    """In a finaliser, in the initialisation of an extension module, and in a C function that does not return."""
    for number in SIGNALS:
        with trials("signal, where it is discarded", f"{action}, {number.name}"):
            stopped = stop(["-c", IN_PROCESS, action], [(0.5, number)])
            assert stopped.code == 128 + number, stopped
            check_stopped(stopped, number, 0.5)


LIBRARY = """
import signal, sys
sys.path.insert(0, {tests!r})
from videos import walking_boxes
from fairmot_dla34 import Module
from fairmot_dla34.backends.fake import FakeBackend
numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
before = [signal.getsignal(number) for number in numbers]
def images():
    for image in walking_boxes(20):
        assert before == [signal.getsignal(number) for number in numbers]
        yield image
Module.from_backend(FakeBackend()).tracking(images(), {out!r}, progress=False)
print("unchanged")
"""


def test_the_library_installs_no_handler(tmp_path: Path) -> None:
    script = LIBRARY.format(tests=str(Path(__file__).parents[1]), out=str(tmp_path))
    assert run_python("-c", script).stdout == "unchanged\n"
