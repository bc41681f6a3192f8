"""Lists the sets of sequences that association methods are compared on, and prepares them once for all runs.

MOT17-mini is left out: its sequences have 4 to 8 frames, in which no method can lose or confuse anybody for long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from association_sequences import ScoredSequence, every_nth, keep, kept, scored_rows
from association_simulations import mot17_truth, part_truth, worlds
from detections import detect
from mot17 import read_sequences
from parts import Part, RealPart, ScenePart, real_parts

from fairmot_dla34 import FairMOT
from fairmot_dla34.synth import SceneConfig

WORLDS = 8  # of each kind of camera
DETECTORS = 2  # of each real sequence with simulated detections
STEPS = {2: "2nd", 4: "4th"}
CAMERAS = {"fixed": ("fixed",), "moving": ("pan", "shake", "carried"), "driving": ("drive",)}
SCENES = (("crowded", 104), ("crowded", 105), ("shake", 108))  # presets and seeds


@dataclass(frozen=True)
class SequenceSet:
    """Sequences whose scores are reported together.

    Attributes:
        name: Name on the command line, in files and tables.
        make: Function that prepares the sequences.
        combined: Whether the figures are those of all boxes together, as is the custom with MOT17, instead of means.
    """

    name: str
    make: Callable[[], Iterable[ScoredSequence]]
    combined: bool = False

    def load(self, work: Path) -> list[ScoredSequence]:
        """Return the sequences, which are prepared once and kept below ``work``."""
        folder = self.folder(work)
        if not folder.is_dir():
            keep(folder, self.make())
        return kept(folder)

    def folder(self, work: Path) -> Path:
        """Return the folder that keeps the sequences."""
        return work / "sequences" / self.name


def sequence_sets(data: Path, work: Path, weights: Sequence[str] = ("sample",)) -> dict[str, SequenceSet]:
    """Return all sets by name.

    Args:
        data: Folder of the real sequences.
        work: Folder that keeps the detections of networks.
        weights: Names or files of the weights whose detections are tracked.
    """
    sets = [SequenceSet("mot17-frcnn", partial(_frcnn, data), combined=True)]
    for name in weights:
        sets += _of_network(data, work / "detections", name)
    sets += [SequenceSet(f"worlds-{kind}", partial(worlds, cameras, WORLDS)) for kind, cameras in CAMERAS.items()]
    sets += [
        SequenceSet("mot17-truth", partial(mot17_truth, data, 1)),
        SequenceSet("mot17-truth-3rd", partial(mot17_truth, data, 3)),
        SequenceSet("pets-tud-truth", lambda: part_truth(_whole(data), DETECTORS)),
    ]
    return {one.name: one for one in sets}


def _frcnn(data: Path) -> Iterator[ScoredSequence]:
    for one in read_sequences(data / "MOT17"):
        truth = np.loadtxt(data / "MOT17" / "gt" / f"{one.name}.txt", delimiter=",")
        yield ScoredSequence(one.name, one.frame_rate, one.size, one.frames, truth, has_classes=True)


def _of_network(data: Path, folder: Path, weights: str) -> list[SequenceSet]:
    """Return the sets of one network's detections."""
    name = Path(weights).stem
    pets, tud = real_parts(data)
    scenes = [
        ScenePart(f"{preset} {seed}", SceneConfig.preset(preset, seed=seed, frame_rate=10.0, frames=100))
        for preset, seed in SCENES
    ]
    found = partial(_detected, weights=weights, folder=folder / name)
    return [
        SequenceSet(f"{name}-pets-tud", lambda: found([pets, tud])),
        *(
            SequenceSet(f"{name}-pets-{ordinal}", partial(_thinned, found, pets, step))
            for step, ordinal in STEPS.items()
        ),
        SequenceSet(f"{name}-rendered", lambda: found(scenes)),
    ]


def _thinned(
    found: Callable[[Sequence[Part]], Iterable[ScoredSequence]], part: Part, step: int
) -> list[ScoredSequence]:
    return [every_nth(one, step) for one in found([part])]


def _detected(parts: Sequence[Part], weights: str, folder: Path) -> Iterator[ScoredSequence]:
    model: list[FairMOT] = []

    def load() -> FairMOT:
        if not model:
            model.append(FairMOT(weights, precision="fp32"))
        return model[0]

    try:
        for part in parts:
            frames = detect(part, load, folder / f"{part.name}.npz")
            yield ScoredSequence(part.name, part.frame_rate(), _size(part), frames, *scored_rows(part.truth()))
    finally:
        for one in model:
            one.close()


def _size(part: Part) -> tuple[int, int]:
    """Return width and height of the images, px."""
    height, width = next(iter(part.frames())).image.shape[:2]
    return width, height


def _whole(data: Path) -> dict[RealPart, tuple[int, int]]:
    """Return the whole real sequences with the sizes of their images."""
    pets, tud = real_parts(data)
    whole = (replace(pets, name="PETS09-S2L1", first=1, last=795), replace(tud, name="TUD-Campus", first=1, last=71))
    return {part: _size(part) for part in whole}
