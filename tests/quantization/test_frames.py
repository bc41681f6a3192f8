"""Choice of the frames for quantisation: evenly from the whole video, and none for both calibration and comparison."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from clips import index_of, write_clip

from fairmot_dla34.config import InputSize
from fairmot_dla34.quantization.frames import read_frames

SIZE = InputSize(160, 96)


@pytest.mark.parametrize(("length", "counts"), [(10, (7, 3)), (47, (31, 16)), (48, (32, 16)), (500, (32, 16))])
def test_frames_are_spread_over_the_whole_video(length: int, counts: tuple[int, int], tmp_path: Path) -> None:
    frames = read_frames(str(write_clip(tmp_path / "clip.mp4", length)), SIZE)
    calibration, comparison = ([index_of(image) for image in part] for part in (frames.calibration, frames.comparison))
    assert frames.name == "clip"
    assert (len(calibration), len(comparison)) == counts
    assert not set(calibration) & set(comparison)
    both = sorted(calibration + comparison)
    assert both[0] == 0
    assert both[-1] >= 0.95 * (length - 1)
    steps = np.diff(both)
    assert steps.max() <= 2 * max(steps.min(), 1) + 1


def test_images_have_the_input_size_of_the_network(tmp_path: Path) -> None:
    frames = read_frames(str(write_clip(tmp_path / "clip.mp4", 10)), InputSize(128, 128))
    assert {image.shape for image in frames.calibration + frames.comparison} == {(128, 128, 3)}
