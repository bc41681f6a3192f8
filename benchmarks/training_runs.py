"""Runs the commands of a training experiment, scores their weights, and keeps the results as JSON lines."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accuracy import score, track, write
from detections import detect
from parts import Part

from fairmot_dla34 import Detections, FairMOT, Frame, TrackerConfig
from fairmot_dla34.training.folder import STATE_FILE
from fairmot_dla34.weights import resolve_weights

TOOLS = Path(__file__).parents[1] / "tools" / "sample_weights"
FIGURES = ("mota", "idf1", "hota")
DIRECTIONS = ("forwards", "backwards")  # what differs between them is the noise of the association
SAVING_S = 10.0  # longest wait for a process that saves its state

Settings = dict[str, Any]


class Records:
    """Results of finished runs in a file of JSON lines, so that an interrupted experiment continues.

    Args:
        path: The file; created by the first result. A last line that was cut off is ignored.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def find(self, settings: Settings) -> Settings | None:
        """Return the result of a run with these settings, None if there is none yet."""
        for line in self._path.read_text("utf-8").splitlines() if self._path.is_file() else ():
            try:
                record: Settings = json.loads(line)
            except ValueError:  # the process was killed while it wrote
                continue
            if record["settings"] == settings:
                return record
        return None

    def add(self, settings: Settings, **results: Any) -> Settings:
        """Append the result of a run and return it."""
        record = {"settings": settings, **results}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps(record)}\n")  # also after a line that was cut off
        return record


def run_folder(work: Path, label: str, settings: Settings) -> Path:
    """Return the folder of a run: no two runs with different settings share one."""
    text = json.dumps(settings, sort_keys=True)
    return work / "runs" / f"{label}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def run_python(*command: str | Path) -> str:
    """Run Python with a script or module and return its standard output; messages go to stderr.

    Raises:
        SystemExit: It failed, or this process was asked to stop; then it has saved its state.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE, text=True) as process:
        try:
            output, _ = process.communicate()
        except KeyboardInterrupt:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            try:
                process.wait(SAVING_S)  # Ctrl-C in a terminal stops it too
            except subprocess.TimeoutExpired:
                process.terminate()
            raise SystemExit(130) from None
    if process.returncode:
        raise SystemExit(process.returncode)
    return output


def train(folder: Path, *options: str | Path) -> Settings:
    """Run ``fairmot_dla34 train``, or continue it if it was interrupted.

    Args:
        folder: Folder of the run.
        options: Other options of the verb.

    Returns:
        The summary that ``train --json`` prints.

    Raises:
        SystemExit: The verb failed; its message is on stderr.
    """
    start = "--resume" if (folder / STATE_FILE).is_file() else "--overwrite"
    command = ("-m", "fairmot_dla34", "train", *options, "--output-dir", folder, "--json", start)
    summary: Settings = json.loads(run_python(*command))
    return summary


@dataclass(frozen=True)
class Reversed:
    """A part whose last frame is the first one; see `Part`."""

    part: Part

    @property
    def name(self) -> str:
        """Name in the tables."""
        return self.part.name

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.part.length

    def frame_rate(self) -> float:
        """Frames per second."""
        return self.part.frame_rate()

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; all of them are in memory."""
        for index, frame in enumerate(reversed(list(self.part.frames()))):
            yield Frame(index, index / self.frame_rate(), frame.image)

    def truth(self) -> str:
        """Return the ground truth as MOT text."""
        rows = [line.split(",", 1) for line in self.part.truth().splitlines()]
        return "".join(f"{self.length + 1 - int(frame)},{rest}\n" for frame, rest in rows)


def score_tracking(part: Part, model: FairMOT, folder: Path) -> dict[str, dict[str, float]]:
    """Track a part with `jde`, forwards and backwards, and score both.

    Args:
        part: Frames with ground truth.
        model: Loaded model; it runs once for each frame.
        folder: Folder for detections.

    Returns:
        `FIGURES` by direction.
    """
    return score_detections(part, detect(part, lambda: model, folder / "detections" / f"{part.name}.npz"))


def score_detections(
    part: Part,
    found: Sequence[Detections],
    config: TrackerConfig | None = None,
    directions: Sequence[str] = DIRECTIONS,
) -> dict[str, dict[str, float]]:
    """Track the detections of a part and score the tracks.

    Args:
        part: Frames with ground truth.
        found: Detections of each frame.
        config: Settings of the tracker; None: those of `jde`.
        directions: Directions of time, of `DIRECTIONS`.

    Returns:
        `FIGURES` by direction.
    """
    scores = {}
    for direction in directions:
        ordered, detections = (Reversed(part), found[::-1]) if direction == DIRECTIONS[1] else (part, found)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tracks.txt"
            write(path, track(ordered, detections, config or TrackerConfig(method="jde")))
            result = score(ordered, path)
        scores[direction] = {figure: float(getattr(result, figure)) for figure in FIGURES}
    return scores


def digest(weights: str) -> str:
    """Return the first digits of the SHA-256 of a checkpoint."""
    return hashlib.sha256(resolve_weights(weights).read_bytes()).hexdigest()[:16]


def spread(values: Sequence[float]) -> str:
    """Return the mean of figures in per cent, and their range if there are several."""
    text = f"{np.mean(values):.1f}"
    return text if len(values) < 2 else f"{text} ({min(values):.1f} to {max(values):.1f})"
