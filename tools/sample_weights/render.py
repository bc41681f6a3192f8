"""Renders the scenes that the sample weights are trained on, as one prepared dataset.

    python tools/sample_weights/render.py --output-dir prepared/scenes

Frames are `STRIDE_S` apart, so that a scene shows its people in many poses and places. The seeds are `FIRST_SEED` and
the next `SCENES` - 1; the demo, the tests and the published figures use other seeds. The frames are kept beside the
dataset, in ``prepared/scenes-frames``: the dataset links to them, and an interrupted run continues.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from fairmot_dla34.datasets import prepare
from fairmot_dla34.synth import Scene, SceneConfig, truth_lines

FIRST_SEED = 10_000
SCENES = 640
RANDOM_SCENES = 240  # the first ones, with random settings; all others use presets
FRAMES = 32
STRIDE_S = 0.6  # seconds between frames
MIN_VISIBILITY = 0.25  # people less visible are ignored areas
SIZES = ((640, 360), (720, 480), (854, 480), (960, 540), (640, 480), (480, 360))
CAMERAS = ("still", "still", "pan", "shake")
PRESETS = ("calm", "crowded", "pan", "shake")


def scene_config(seed: int) -> SceneConfig:
    """Return the settings of one training scene: random ones for the first `RANDOM_SCENES`, then those of a preset."""
    if seed >= FIRST_SEED + RANDOM_SCENES:
        preset = PRESETS[seed % len(PRESETS)]
        return SceneConfig.preset(preset, seed=seed, frames=FRAMES, frame_rate=1 / STRIDE_S)
    rng = np.random.default_rng(seed)
    width, height = SIZES[rng.integers(len(SIZES))]
    return SceneConfig(
        people=round(float(np.exp(rng.uniform(np.log(5), np.log(80))))),
        width=width,
        height=height,
        frame_rate=1 / STRIDE_S,
        frames=FRAMES,
        seed=seed,
        camera=CAMERAS[rng.integers(len(CAMERAS))],
        degradation=float(rng.uniform(0.3, 1.6)),
    )


def render(seed: int, output: Path) -> None:
    """Write one scene in MOTChallenge's layout, unless it is complete: its ground truth is written last."""
    folder = output / f"scene-{seed}"
    truth = folder / "gt" / "gt.txt"
    if truth.exists():
        return
    (folder / "img1").mkdir(parents=True, exist_ok=True)
    truth.parent.mkdir(exist_ok=True)
    lines = []
    for frame in Scene(scene_config(seed)):
        cv2.imwrite(str(folder / f"img1/{frame.index + 1:06d}.jpg"), frame.image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        lines.append(truth_lines(frame))
    part = truth.with_suffix(".part")
    part.write_text("".join(lines), encoding="utf-8")
    part.replace(truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output-dir", type=Path, required=True, help="folder of the dataset, such as prepared/scenes")
    parser.add_argument("--scenes", type=int, default=SCENES, help="number of scenes; default: %(default)s")
    arguments = parser.parse_args()
    output: Path = arguments.output_dir
    frames = output.with_name(f"{output.name}-frames")
    for seed in range(FIRST_SEED, FIRST_SEED + arguments.scenes):
        render(seed, frames)
        print(f"scene {seed - FIRST_SEED + 1} of {arguments.scenes}", flush=True)
    report = prepare("mot", frames, output, min_visibility=MIN_VISIBILITY, overwrite=True)
    print(f"{report.path}: {report.manifest.num_identities} identities")


if __name__ == "__main__":
    main()
