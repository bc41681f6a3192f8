"""The window of a run: keys, the end of the run, saved frames, and computers that cannot show one."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from outputs.striped_people import bright_pixels, striped_people

from fairmot_dla34 import Module, TrackingSummary
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.outputs import window
from fairmot_dla34.tracking.job import check_ended

NO_KEY = 255


class FakeWindows:
    """Stands in for the window functions of OpenCV: keys by the number of the call, and the images shown."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        self.closed_at = 10**9
        self.images: list[Any] = []
        self.calls = 0
        self.is_open = False

    def open(self, _title: str, _flags: int) -> None:
        self.is_open = True

    def show(self, _title: str, image: Any) -> None:
        self.images.append(image.copy())

    def wait_key(self, _delay_ms: int) -> int:
        self.calls += 1
        return ord(self.keys[self.calls]) if self.calls in self.keys else NO_KEY

    def is_visible(self, _title: str, _property: int) -> float:
        return 1.0 if self.calls < self.closed_at else 0.0

    def destroy(self, _title: str) -> None:
        self.is_open = False


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> FakeWindows:
    fake = FakeWindows()
    monkeypatch.setattr(window, "check_display", lambda: None)
    monkeypatch.setattr("fairmot_dla34.tracking.options.check_display", lambda: None)
    monkeypatch.setattr(cv2, "namedWindow", fake.open)
    monkeypatch.setattr(cv2, "resizeWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", fake.show)
    monkeypatch.setattr(cv2, "waitKey", fake.wait_key)
    monkeypatch.setattr(cv2, "getWindowProperty", fake.is_visible)
    monkeypatch.setattr(cv2, "destroyWindow", fake.destroy)
    return fake


def run(folder: Path, frames: int = 20, **settings: Any) -> TrackingSummary:
    with Module.from_backend(FakeBackend()) as module:
        return module.tracking(striped_people(frames), folder, frame_rate=10, show=True, progress=False, **settings)


def test_every_frame_is_shown_with_boxes_and_the_window_is_closed(tmp_path: Path, windows: FakeWindows) -> None:
    summary = run(tmp_path)
    assert summary.ended == "end"
    assert len(windows.images) == 20
    assert not windows.is_open
    assert (windows.images[-1] != list(striped_people(20))[-1]).any()


@pytest.mark.parametrize("key", ["q", "\x1b", None])
def test_q_escape_and_closing_end_the_run_with_complete_files(
    tmp_path: Path, windows: FakeWindows, key: str | None
) -> None:
    if key is None:
        windows.closed_at = 7
    else:
        windows.keys = {7: key}
    summary = run(tmp_path, fill_gaps=3)
    assert summary.ended == "closed"
    check_ended(summary)
    lines = summary.paths[0].read_text().splitlines()
    assert {line.split(",")[0] for line in lines} == {str(number) for number in range(1, summary.frames + 1)}
    assert summary.frames < 20
    assert not windows.is_open


def test_space_pauses_until_the_next_space_and_s_saves_the_frame(
    tmp_path: Path, windows: FakeWindows, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    windows.keys = {3: " ", 5: "s", 6: "s", 9: " ", 11: "q"}
    summary = run(tmp_path, name="door")
    assert summary.frames == 5  # frame 3 takes seven calls
    saved = sorted(path.name for path in (tmp_path / "mot_outputs").glob("*.png"))
    assert saved == ["door_frame000003.png", "door_frame000003_2.png"]
    assert np.array_equal(np.asarray(cv2.imread(str(tmp_path / "mot_outputs" / saved[0]))), windows.images[2])
    assert "Saved" in caplog.text


def test_the_window_shows_covered_people(tmp_path: Path, windows: FakeWindows) -> None:
    run(tmp_path, anonymise="people", draw_threshold=1, visualization=False)
    assert windows.images
    assert max(map(bright_pixels, windows.images)) == 0


def test_a_lost_display_is_one_error_and_the_files_are_complete(
    tmp_path: Path, windows: FakeWindows, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise cv2.error("display lost")

    monkeypatch.setattr(cv2, "imshow", fail)
    with pytest.raises(OutputError, match="cannot be shown"):
        run(tmp_path)
    assert (tmp_path / "mot_results" / "inputimages.txt").read_text()
    assert not windows.images


def test_without_a_display_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match=r"DISPLAY is not set.*without --show"):
        run(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("qt.qpa.xcb: could not connect to display :9\nmore", r"could not connect to display :9.*without --show"),
        ("error: (-2) The function is not implemented. Rebuild", r"opencv-python-headless.*install opencv-python in"),
        ("", r"exit status 134"),
    ],
)
def test_a_display_that_cannot_be_used_is_reported(monkeypatch: pytest.MonkeyPatch, stderr: str, message: str) -> None:
    done = subprocess.CompletedProcess([], 134, "", stderr)
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(OutputError, match=message):
        window.check_display()


def test_another_thread_is_refused(tmp_path: Path) -> None:
    errors: list[Exception] = []

    def track() -> None:
        try:
            run(tmp_path)
        except InvalidInputError as error:
            errors.append(error)

    thread = threading.Thread(target=track)
    thread.start()
    thread.join()
    assert "expected the main thread" in str(errors[0])


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if shutil.which("Xvfb") is None:
        pytest.skip("A REAL WINDOW WAS NOT TESTED: Xvfb is not installed")
    read, write = os.pipe()
    with subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "640x480x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(write)
        with os.fdopen(read) as number:
            monkeypatch.setenv("DISPLAY", f":{number.readline().strip()}")
        yield
        server.terminate()


SHOW = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from outputs.test_window import run
print(run(Path({folder!r}), 5).ended)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("display")
def test_a_real_window_opens(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    code = SHOW.format(paths=[str(root), str(root / "tests")], folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "end", done.stderr
