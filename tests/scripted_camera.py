"""Sources of a camera whose connections follow a script, without a network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import numpy as np

from fairmot_dla34 import Frame
from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraFrame, CameraReader
from fairmot_dla34.cameras.status import State
from fairmot_dla34.errors import SourceError
from fairmot_dla34.video import Source

SECRET = "hunter2"  # noqa: S105 (not a real one)
URL = f"rtsp://admin:{SECRET}@camera.local/live?key={SECRET}"
IMAGE = np.zeros((4, 4, 3), np.uint8)


class ScriptedSource(Source):
    """A live source of some frames; then it breaks, or waits for ``release``."""

    is_live = True

    def __init__(self, frames: int = 0, *, hangs: bool = False) -> None:
        super().__init__("scripted", native_rate=25.0, native_count=None)
        self.frames, self.hangs = frames, hangs
        self.release = threading.Event()
        self.is_released = False  # by `close`

    def _describe(self) -> str:
        return "scripted"

    def _read_frames(self) -> Generator[Frame]:
        for index in range(self.frames):
            yield Frame(index, index / 25, IMAGE)
        if self.hangs:
            self.release.wait(20)
            yield Frame(self.frames, self.frames / 25, IMAGE)
        self._end_early("the connection broke", "lost")

    def _release(self) -> None:
        self.is_released = True


class Script:
    """The connections of a camera: each call of `open` takes the next, and repeats the last."""

    def __init__(self, *steps: Callable[[], Source]) -> None:
        self.steps = list(steps)
        self.opened = 0
        self.sources: list[Source] = []

    def open(self, camera: Camera) -> Source:
        step = self.steps[min(self.opened, len(self.steps) - 1)]
        self.opened += 1
        source = step()
        self.sources.append(source)
        return source


def frames(count: int, *, hangs: bool = False) -> Callable[[], Source]:
    return lambda: ScriptedSource(count, hangs=hangs)


def failing(error: Exception | None = None) -> Callable[[], Source]:
    def run() -> Source:
        raise error or SourceError("rtsp://camera.local/live cannot be opened (Connection refused).")

    return run


def state_of(reader: CameraReader) -> State:
    return reader.status().state


def ignore(frame: CameraFrame) -> None:
    """Take a frame and forget it."""
