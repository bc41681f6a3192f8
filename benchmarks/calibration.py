"""Writes the calibration images for measuring int8 accuracy; all of them are frames used in training.

    python benchmarks/calibration.py --data DATA --output C
    fairmot_dla34 quantize --weights sample --calibration C
    python benchmarks/accuracy.py track --data DATA --weights sample --precision int8 --results R

It writes 80 images, of which `quantize` uses 48. They come from the parts of the real videos and from the scene seeds
that the sample weights were trained on, never from those that accuracy is measured on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from parts import RealPart

from fairmot_dla34.synth import Scene, SceneConfig

PETS_STRIDE, TUD_STRIDE = 18, 7  # 32 and 8 images
SCENES = tuple((preset, seed) for seed in (10_240, 10_260) for preset in ("calm", "crowded", "pan", "shake"))
FRAMES_PER_SCENE = 5  # a second apart, 40 images of all scenes


def calibration_images(data: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield the images, ``(H, W, 3)`` uint8, BGR, each at the size of its source."""
    pets, tud = data / "PETS09-S2L1", data / "TUD-Campus"
    parts = (
        (RealPart("PETS", pets / "vtest_480x360.avi", pets / "gt_480x360.txt", 1, 560), PETS_STRIDE),
        (RealPart("TUD", tud / "img1", tud / "gt/gt.txt", 1, 50, known_frame_rate=25.0), TUD_STRIDE),
    )
    for part, stride in parts:
        for frame in islice(part.frames(), None, None, stride):
            yield frame.image
    for preset, seed in SCENES:
        scene = SceneConfig.preset(preset, seed=seed, frames=FRAMES_PER_SCENE, frame_rate=1.0)
        for rendered in Scene(scene):
            yield rendered.image


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1 and TUD-Campus")
    parser.add_argument("--output", type=Path, required=True, help="folder to write the images to")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(calibration_images(arguments.data)):
        cv2.imwrite(str(arguments.output / f"{number:03d}.png"), image)
    print(f"{number + 1} images in {arguments.output}")


if __name__ == "__main__":
    main()
