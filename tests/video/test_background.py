"""Calls that block run in a thread of their own: the wait for them can be interrupted."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import cv2
import pytest
from mjpeg_server import serving_mjpeg

from fairmot_dla34.video import open_source
from fairmot_dla34.video.background import run_in_background

pytestmark = pytest.mark.serial


@pytest.fixture
def ctrl_c_soon() -> Iterator[None]:
    """Send SIGINT to this process after 0.3 s."""
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_results_and_errors_are_those_of_the_call() -> None:
    discarded: list[object] = []
    assert run_in_background(lambda: 3, discard=discarded.append, name="test") == 3
    assert run_in_background(lambda: None, discard=discarded.append, name="test") is None
    with pytest.raises(ZeroDivisionError):
        run_in_background(lambda: 1 // 0, discard=discarded.append, name="test")
    assert not discarded


def test_a_late_result_is_discarded(ctrl_c_soon: None) -> None:
    go, discarded = threading.Event(), threading.Event()
    started_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_in_background(lambda: go.wait(20), discard=lambda _: discarded.set(), name="test")
    assert time.monotonic() - started_s < 1
    go.set()
    assert discarded.wait(5)


def test_a_wait_has_a_limit() -> None:
    go = threading.Event()
    with pytest.raises(TimeoutError):
        run_in_background(lambda: go.wait(20), discard=lambda _: None, name="test", timeout_s=0.1)
    go.set()


def test_a_camera_that_opens_slowly_is_interrupted(monkeypatch: pytest.MonkeyPatch, ctrl_c_soon: None) -> None:
    released = threading.Event()

    class SlowCamera:
        def __init__(self, index: int) -> None:
            time.sleep(1.5)

        def release(self) -> None:
            released.set()

    monkeypatch.setattr(cv2, "VideoCapture", SlowCamera)
    started_s = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        open_source(0)
    assert time.monotonic() - started_s < 1
    assert released.wait(5)


def test_a_stream_without_time_stamps_is_interrupted_while_its_rate_is_measured(ctrl_c_soon: None) -> None:
    """A container that is closed while another thread reads from it crashes the process."""
    with serving_mjpeg(5, 0.05, end="silence") as url:
        started_s = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            open_source(url)
        assert time.monotonic() - started_s < 1
