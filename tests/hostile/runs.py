"""Small runs without a network, in this process or another one, for the trials of outputs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
from videos import walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.tracking.job import track_to_files
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import TrackingSummary

FRAMES = 4

# Prints one line when the files are claimed, waits for a line on stdin, tracks, and prints the error or "done".
_SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from hostile.runs import track
from fairmot_dla34.errors import FairMOTError
def wait():
    print("claimed", flush=True)
    sys.stdin.readline()
try:
    track({source!r}, {output_dir!r}, wait=wait, **{options!r})
    print("done", flush=True)
except FairMOTError as error:
    print(error, flush=True)
"""


def track(source: Any, output_dir: Path | str, *, wait: Any = None, **options: Any) -> TrackingSummary:
    """Track with `FakeBackend`; ``wait`` is called when the output files are claimed."""

    def load() -> FairMOT:
        if wait is not None:
            wait()
        return FairMOT.from_backend(FakeBackend())

    return track_to_files(load, source, output_options=OutputOptions(output_dir, **options), progress=False)


@contextmanager
def tracking_process(source: Path | str, output_dir: Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start `track` in a process of its own, which waits for a line on stdin once its files are claimed."""
    tests = Path(__file__).resolve().parents[1]
    code = _SCRIPT.format(
        paths=[str(tests.parent), str(tests)], source=str(source), output_dir=str(output_dir), options=options
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def image_folder(folder: Path, frames: int = FRAMES) -> Path:
    """Write images of walking boxes."""
    folder.mkdir(parents=True)
    for index, image in enumerate(walking_boxes(frames)):
        (folder / f"{index}.png").write_bytes(cv2.imencode(".png", image)[1].tobytes())  # imwrite crashes on odd names
    return folder


def result_files(output_dir: Path) -> list[str]:
    """Return the paths of all results, relative to the output directory."""
    files = (path for path in output_dir.glob("mot_*/*") if path.is_file())
    return sorted(str(path.relative_to(output_dir)) for path in files)
