"""The line on all cameras while they run, the summary at the end, and the answer to SIGUSR1."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fairmot_dla34.cameras.status import CameraStatus, State
from fairmot_dla34.cameras.status_lines import running_line, status_fields, summary_text

DOOR = CameraStatus("door", State.RUNNING, frames=100, dropped=10, corrupt=1, lag_s=0.12, people=1, reconnects=2)
HALL = CameraStatus("hall", State.RUNNING, frames=1, lag_s=0.5, people=0)
ATTIC = CameraStatus("attic", State.WAITING, people=4, last_error="refused\x1b[31m")


def test_the_line_names_cameras_that_do_not_run() -> None:
    """People are counted where frames arrive: the last result of a lost camera is old."""
    line = running_line([DOOR, HALL, ATTIC], 24.94)
    assert line == "3 cameras: 1 waiting (attic), 2 running; 24.9 frames/s, 1 person, lag at most 0.50 s"
    assert running_line([ATTIC], 0.0) == "1 camera: 1 waiting (attic); 0.0 frames/s, 0 people"


def test_many_cameras_of_a_state_are_not_named() -> None:
    many = [CameraStatus(f"c{number}", State.CONNECTING) for number in range(6)]
    assert running_line(many, 0.0) == "6 cameras: 6 connecting; 0.0 frames/s, 0 people"


def test_the_summary_has_a_line_for_each_camera() -> None:
    assert summary_text([DOOR, HALL, ATTIC], 90.0, "fake 1 on CPU").splitlines() == [
        "door: 100 frames (10 left out to keep up, 1 corrupt ones skipped), 2 reconnects",
        "hall: 1 frame, 0 reconnects",
        "attic: 0 frames, 0 reconnects, last error: refused\\x1b[31m",
        "3 cameras: 91 frames tracked in 1 min 30 s, 1.01 frames/s",
        "network: fake 1 on CPU",
    ]


def test_the_fields_are_ready_for_json() -> None:
    (fields,) = json.loads(json.dumps(status_fields([DOOR])))
    assert (fields["state"], fields["lag_s"], fields["last_frame_age_s"]) == ("running", 0.12, None)


# In processes of their own: a signal that is not handled ends the process.
ANSWERS = """
import os, signal, threading, time
from fairmot_dla34.cameras.signals import StatusSignal
answers = []
def wait_for(count):
    while len(answers) < count:
        time.sleep(0.001)
before = signal.getsignal(signal.SIGUSR1)
with StatusSignal(lambda: answers.append(threading.current_thread().name)) as status:
    for count in (1, 2):
        os.kill(os.getpid(), signal.SIGUSR1)
        wait_for(count)
    for _ in range(500):
        signal.raise_signal(signal.SIGUSR1)
    wait_for(502)
status.close()
assert set(answers) == {"fairmot_dla34 status"}
assert signal.getsignal(signal.SIGUSR1) == before
"""
IN_A_THREAD = """
import signal, threading
from fairmot_dla34.cameras.signals import StatusSignal
def make():
    with StatusSignal(print):
        assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
        done.append(True)
done = []
thread = threading.Thread(target=make)
thread.start()
thread.join()
assert done
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGUSR1 ABSENT")
@pytest.mark.parametrize("code", [ANSWERS, IN_A_THREAD], ids=["main thread", "another thread"])
def test_signals_are_answered_if_the_main_thread_asks_for_it(code: str) -> None:
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
