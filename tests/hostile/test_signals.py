"""Ctrl-C, SIGTERM and SIGHUP at any moment: one line, the exit code of the signal, valid files, no leftovers."""

from __future__ import annotations

import random
import signal
import sys
from pathlib import Path

import pytest
from clips import write_clip
from hostile.signalled import SIGNALS, Try, check_files, check_stopped, stopping, track_words
from networks import write_random_checkpoint
from trials import Trials, run_python

pytestmark = pytest.mark.serial


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("video") / "street.mp4", 1000, size=(320, 192))


def random_moments(
    trials: Trials, count: int, video: Path, weights: Path, folder: Path, longest_s: float, seed: int
) -> None:
    randomness = random.Random(seed)  # noqa: S311 (the same moments in every run)
    moments = [(randomness.uniform(0.05, longest_s), SIGNALS[position % len(SIGNALS)]) for position in range(count)]
    tries = [
        Try(
            track_words(video, weights, folder / f"{position}", *(("--fill-gaps", "40") if position % 2 else ())),
            [moment],
            {"FAIRMOT_DLA34_HOME": str(folder / f"home{position % 3}")},
        )
        for position, moment in enumerate(moments)
    ]
    with stopping(tries) as ended:
        for position, (after_s, number) in enumerate(moments):
            with trials(f"signal, {number.name} at a random moment", f"{after_s:.3f} s"):
                check_stopped(ended[position].result(), number, after_s)
                check_files(folder / f"{position}", same_end=True)
    with trials("signal, no temporary files in the cache"):
        assert not [path for path in folder.glob("home*/**/*") if path.suffix in {".tmp", ".part"}]


def test_a_run_that_is_signalled_at_random_moments(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    random_moments(trials, 4, video, weights, tmp_path, 2.0, seed=1)


@pytest.mark.slow
def test_a_run_that_is_signalled_at_many_random_moments(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    random_moments(trials, 30, video, weights, tmp_path, 3.0, seed=2)


def test_a_signal_during_the_imports(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    moments = [(0.07 + 0.05 * position, SIGNALS[position % 2]) for position in range(12)]
    tries = [
        Try(track_words(video, weights, tmp_path / f"{after_s}"), [(after_s, number)]) for after_s, number in moments
    ]
    with stopping(tries) as ended:
        for (after_s, number), stopped in zip(moments, ended, strict=True):
            with trials(f"signal, {number.name} during the start", f"{after_s:.2f} s"):
                check_stopped(stopped.result(), number, after_s)


@pytest.mark.slow
def test_a_second_signal_while_the_run_ends(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    """`timeout` signals twice at once, which is one request; an impatient person signals again a second later."""
    cases = [(SIGNALS[position % 3], (0.0, 0.05, 0.3, 1.05)[position % 4]) for position in range(8)]
    tries = [
        Try(
            track_words(video, weights, tmp_path / f"{position}", "--fill-gaps", "300"),
            [(2.5, number), (pause_s, number)],
        )
        for position, (number, pause_s) in enumerate(cases)
    ]
    with stopping(tries) as ended:
        for position, (number, pause_s) in enumerate(cases):
            with trials("signal, a second one while the run ends", f"{number.name} after {pause_s} s"):
                stopped = ended[position].result()
                assert stopped.code in {128 + number, -number}
                check_stopped(stopped, number, 2.5)
                check_files(tmp_path / f"{position}", same_end=pause_s < 1)


@pytest.mark.slow
def test_a_killed_run_leaves_valid_files_and_the_next_one_starts(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    """Moments from the creation of the video on: the first frames, and the first fragments."""
    moments = (0.0, 0.002, 0.01, 0.03, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0)
    folders = [tmp_path / f"{after_s}" for after_s in moments]
    tries = [
        Try(
            track_words(video, weights, folder),
            [(after_s, signal.SIGKILL)],
            awaited=folder / "mot_outputs" / "street_vis.mp4",
        )
        for folder, after_s in zip(folders, moments, strict=True)
    ]
    with stopping(tries) as ended:
        for folder, after_s, stopped in zip(folders, moments, ended, strict=True):
            with trials("signal, SIGKILL after the first output", f"{after_s} s"):
                assert stopped.result().code in {-signal.SIGKILL, 0}
                check_files(folder, same_end=False)
    with stopping(
        [Try(track_words(video, weights, folder), [(3.0, signal.SIGTERM)]) for folder in folders[:3]]
    ) as ended:
        for folder, stopped in zip(folders, ended, strict=False):
            with trials("signal, a run after a killed one"):
                assert stopped.result().code == 128 + signal.SIGTERM, stopped.result()
                check_files(folder, same_end=True)


@pytest.mark.slow
def test_a_signal_that_the_process_ignores_stays_ignored(trials: Trials, weights: Path, tmp_path: Path) -> None:
    """`nohup` ignores SIGHUP, a shell that starts a command in the background may ignore SIGINT."""
    short = write_clip(tmp_path / "street.mp4", 60, size=(320, 192))
    code = "import os, signal, sys; signal.signal(int(sys.argv[1]), signal.SIG_IGN); "
    code += "os.execv(sys.executable, sys.argv[2:])"
    tries = [
        Try(
            ["-c", code, f"{int(number)}", sys.executable, *track_words(short, weights, tmp_path / number.name)],
            [(0.8, number)],
        )
        for number in SIGNALS
    ]
    with stopping(tries) as ended:
        for number, stopped in zip(SIGNALS, ended, strict=True):
            with trials("signal, ignored by the process", number.name):
                assert stopped.result().code == 0, stopped.result()
                check_files(tmp_path / number.name, same_end=True)


IN_PROCESS = """
import ctypes, hashlib, os, signal, sys, time
from fairmot_dla34.console.guard import guarded
from fairmot_dla34.console.signals import StopDeferred

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

def burst():
    child = os.fork()  # not a thread: it would wait until the handler has released the interpreter
    if not child:
        end_s = time.monotonic() + 0.5
        while time.monotonic() < end_s:
            for number in NUMBERS:
                os.kill(os.getppid(), number)
        os._exit(0)
    try:
        time.sleep(20)
    finally:
        while child:  # the handlers stay until the last signal was sent
            try:
                os.waitpid(child, 0)
                child = 0
            except KeyboardInterrupt:
                pass

def deferred():
    start = time.monotonic()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 500_000)
    with StopDeferred():  # one call of about eight seconds
        hashlib.pbkdf2_hmac("sha256", b"", b"", int(500_000 * 8 / (time.monotonic() - start)))
        print("saved", flush=True)

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
before = [signal.getsignal(number) for number in NUMBERS]
code = guarded(globals()[sys.argv[1]])
assert before == [signal.getsignal(number) for number in NUMBERS]
sys.exit(code)
"""


@pytest.mark.parametrize("action", ["finaliser", "imports", pytest.param("compiled_code", marks=pytest.mark.slow)])
def test_a_signal_where_python_or_a_library_discards_it(trials: Trials, action: str) -> None:
    """In a finaliser, in the initialisation of an extension module, and in a C function that does not return."""
    with stopping([Try(["-c", IN_PROCESS, action], [(0.5, number)]) for number in SIGNALS]) as ended:
        for number, stopped in zip(SIGNALS, ended, strict=True):
            with trials("signal, where it is discarded", f"{action}, {number.name}"):
                assert stopped.result().code == 128 + number, stopped.result()
                check_stopped(stopped.result(), number, 0.5)


def test_thousands_of_signals_at_once_are_one_request(trials: Trials) -> None:
    """The handler of a signal may be interrupted by the handler of the next one."""
    tries = range(3)
    for number in tries:
        with trials("signal, thousands at once", number):
            ended = run_python("-c", IN_PROCESS, "burst", timeout_s=30)
            assert ended.code in {128 + number for number in SIGNALS}, ended


@pytest.mark.slow
def test_a_step_that_may_not_be_interrupted_ends_before_the_command(trials: Trials) -> None:
    """A training step on a CPU takes longer than the wait for other C functions; its result is saved."""
    with stopping([Try(["-c", IN_PROCESS, "deferred"], [(3.0, number)]) for number in SIGNALS]) as ended:
        for number, stopped in zip(SIGNALS, ended, strict=True):
            with trials("signal, in a step that may not be interrupted", number.name):
                assert stopped.result().code == 128 + number, stopped.result()
                assert "saved" in stopped.result().stdout


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
