"""Scores of the sample weights on rendered scenes, compared with the committed scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from parts import ScenePart

trackeval = pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")
golden = pytest.importorskip("golden")

pytestmark = pytest.mark.slow
COMMITTED = json.loads(Path(__file__).with_name("golden_scores.json").read_text("utf-8"))
SLACK = 1.0  # percentage points that rounding in another release of OpenCV, NumPy or OpenVINO may cost


def test_every_golden_scene_is_measured() -> None:
    assert set(COMMITTED) == {part.name for part in golden.golden_parts()} == set(golden.SCENES)


@pytest.mark.parametrize("part", golden.golden_parts(), ids=lambda part: part.name)
def test_no_score_falls(part: ScenePart) -> None:
    ((name, scores),) = golden.golden_scores([part])
    fallen = {
        f"{method} {measure}": f"{found[measure]} < {expected}"
        for method, found in scores.items()
        for measure, expected in COMMITTED[name][method].items()
        if found[measure] < expected - SLACK
    }
    assert not fallen
