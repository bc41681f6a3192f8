"""Defines the frames that accuracy is measured on: real and rendered frames that were not used in training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Protocol

from fairmot_dla34 import Frame
from fairmot_dla34.synth import Scene, SceneConfig, truth_lines
from fairmot_dla34.video import open_source


class Part(Protocol):
    """Frames with ground truth."""

    @property
    def name(self) -> str:
        """Name in the tables."""

    @property
    def length(self) -> int:
        """Number of frames."""

    def frame_rate(self) -> float:
        """Frames per second."""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; indices and times count from the start of the part."""

    def truth(self) -> str:
        """Return the ground truth as MOT text; frames count from 1 at the start of the part."""


@dataclass(frozen=True)
class RealPart:
    """Consecutive frames of an annotated sequence.

    Attributes:
        name: Name in the tables.
        video: Video file or folder of images.
        truth_file: MOT file with the ground truth of the whole sequence.
        first: First frame, counted from 1.
        last: Last frame, counted from 1, included.
        known_frame_rate: Frames per second if the source has no frame rate; None: the source's own.
    """

    name: str
    video: Path
    truth_file: Path
    first: int
    last: int
    known_frame_rate: float | None = None

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.last - self.first + 1

    def frame_rate(self) -> float:
        """Frames per second."""
        with open_source(self.video, frame_rate=self.known_frame_rate) as source:
            return source.frame_rate

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; indices and times count from the start of the part."""
        with open_source(self.video, frame_rate=self.known_frame_rate) as source:
            for index, frame in enumerate(islice(source, self.first - 1, self.last)):
                yield Frame(index, index / source.frame_rate, frame.image)

    def truth(self) -> str:
        """Return this part of the sequence's ground truth as MOT text; frames count from 1 at the start of the part."""
        lines = []
        for line in self.truth_file.read_text("utf-8").splitlines():
            frame, rest = line.split(",", 1)
            if self.first <= int(frame) <= self.last:
                lines.append(f"{int(frame) - self.first + 1},{rest}\n")
        return "".join(lines)


@dataclass(frozen=True)
class ScenePart:
    """A rendered scene, whose ground truth needs no annotation."""

    name: str
    scene: SceneConfig

    @property
    def length(self) -> int:
        """Number of frames."""
        return self.scene.frames

    def frame_rate(self) -> float:
        """Frames per second."""
        return self.scene.frame_rate

    def frames(self) -> Iterator[Frame]:
        """Render the frames."""
        for frame in Scene(self.scene):
            yield Frame(frame.index, frame.time_s, frame.image)

    def truth(self) -> str:
        """Return the ground truth as MOT text; frames count from 1."""
        return _scene_truth(self.scene)


@cache
def _scene_truth(scene: SceneConfig) -> str:
    """Return the ground truth; it is known only once the scene is rendered, so it is cached for further results."""
    return "".join(truth_lines(frame) for frame in Scene(scene))


def real_parts(data: Path) -> list[RealPart]:
    """Return the held-out frames of the real sequences below ``data``."""
    pets, tud = data / "PETS09-S2L1", data / "TUD-Campus"
    return [
        RealPart("PETS09-S2L1 561-795", pets / "vtest_480x360.avi", pets / "gt_480x360.txt", 561, 795),
        RealPart("TUD-Campus 51-71", tud / "img1", tud / "gt/gt.txt", 51, 71, known_frame_rate=25.0),
    ]


def scene_parts() -> list[ScenePart]:
    """Return scenes of ten seconds with seeds not used in training.

    `tools/sample_weights/render.py` uses seeds from 10,000 on.
    """
    return [
        *(_scene("calm", seed) for seed in (1, 2, 3)),
        *(_scene("crowded", seed) for seed in (4, 5, 6)),
        _scene("pan", 7),
        _scene("shake", 8),
    ]


def unseen_preset_parts() -> list[ScenePart]:
    """Return scenes of presets that no training scene has: all people far away, or at eye level."""
    return [_scene("distant", 9), _scene("distant", 10), _scene("eye_level", 11), _scene("eye_level", 12)]


def _scene(preset: str, seed: int) -> ScenePart:
    return ScenePart(f"{preset}, seed {seed}", SceneConfig.preset(preset, seed=seed, frame_rate=10.0, frames=100))
