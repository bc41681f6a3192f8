"""Results of a camera for tests of its outputs: two people walk through small images."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from fairmot_dla34 import Detections, Frame, FrameResult, Track
from fairmot_dla34.cameras import Camera, CameraResult
from fairmot_dla34.tracking.options import OutputOptions

START = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
SIZE = (96, 64)


class WallClock:
    """A `CameraClock` whose wall time may be set, apart from its seconds."""

    def __init__(self, start: datetime = START) -> None:
        self.seconds = 0.0
        self.start = start

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def wait(self, waited: object, seconds: float | None) -> bool:
        raise NotImplementedError


def made_result(
    index: int,
    time_s: float,
    wall_time: datetime,
    *,
    size: tuple[int, int] = SIZE,
    name: str = "door",
    frame_rate: float = 10.0,
    ids: tuple[int, ...] = (1, 2),
) -> CameraResult:
    """Return the result of one frame with people of some ids, whose place depends on the time."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    image[::2, ::2] = 200  # so that covering it shows
    tracks = []
    for number, track_id in enumerate(ids):
        x = (5 + 40 * number + 2 * time_s) % width
        tracks.append(Track(track_id, (x, 10.0, x + 12, 40.0), 0.9, index))
    detections = Detections([track.box for track in tracks], [track.score for track in tracks])
    frame = Frame(index, time_s, image)
    camera = Camera(name, "rtsp://camera.invalid/1")
    result = FrameResult(index, time_s, tuple(tracks))
    return CameraResult(camera, frame, result, wall_time, detections, 1, frame_rate, 0.0)


def made_results(
    count: int, step_s: float, *, start: datetime = START, first: int = 0, size: tuple[int, int] = SIZE
) -> list[CameraResult]:
    """Return results at equal intervals."""
    return [
        made_result(number, number * step_s, start + timedelta(seconds=number * step_s), size=size)
        for number in range(first, first + count)
    ]


def text_only(output_dir: Path) -> OutputOptions:
    """Return options that write ``.txt`` files only."""
    return OutputOptions(output_dir=output_dir, visualization=False)


def names_in(output_dir: Path, folder: str = "mot_results") -> list[str]:
    """Return the names of the files in a folder of the outputs, in order."""
    return sorted(path.name for path in (output_dir / folder).iterdir())
