"""Computes the scores of the sample weights on short rendered scenes for ``tests/golden_scores.json``.

    python benchmarks/golden.py > tests/golden_scores.json

The network runs in fp32, which every CPU supports. `tests/test_golden.py` fails if a score falls.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from accuracy import score, track, write
from detections import detect
from parts import ScenePart, scene_parts

from fairmot_dla34 import FairMOT, TrackerConfig
from fairmot_dla34.association.registry import method_names

SCENES = ("calm, seed 1", "crowded, seed 4", "pan, seed 7", "shake, seed 8")
FRAMES = 40
MEASURES = ("hota", "mota", "idf1")

Scores = dict[str, dict[str, float]]  # tracker method -> measure -> percent


def golden_parts() -> list[ScenePart]:
    """Return the first frames of some of the scenes for which accuracy is reported."""
    return [replace(part, scene=replace(part.scene, frames=FRAMES)) for part in scene_parts() if part.name in SCENES]


def golden_scores(parts: list[ScenePart]) -> Iterator[tuple[str, Scores]]:
    """Yield the name and the scores of each scene."""

    @cache
    def load_model() -> FairMOT:
        return FairMOT("sample", precision="fp32")

    for part in parts:
        scores: Scores = {}
        with tempfile.TemporaryDirectory() as folder:
            found = detect(part, load_model, Path(folder) / "detections.npz")
            for method in method_names():
                path = Path(folder) / f"{method}.txt"
                write(path, track(part, found, TrackerConfig(method=method)))
                measured = score(part, path)
                scores[method] = {measure: round(getattr(measured, measure), 2) for measure in MEASURES}
        yield part.name, scores


if __name__ == "__main__":
    print(json.dumps(dict(golden_scores(golden_parts())), indent=2))
