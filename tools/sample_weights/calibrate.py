"""Shift the heatmap's scores so that the score threshold of ``jde`` is the best one.

    python tools/sample_weights/calibrate.py --data prepared/PETS09-S2L1 --data prepared/TUD-Campus \
        --weights run/last.pdparams --output sample.npz

A short training leaves all scores too low or too high. The bias of the heatmap's last layer shifts all of them without
changing their order. This step finds the shift that maximises true positives minus false positives above that
threshold, 0.4. The sets count equally: training images of each dataset, and scenes that were not used in training.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from render import FIRST_SEED, MIN_VISIBILITY, SCENES, render

from fairmot_dla34 import FairMOT
from fairmot_dla34.architectures.dla34.structure import HEADS
from fairmot_dla34.association.config import DEFAULT_CONF_THRES
from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset, prepare
from fairmot_dla34.evaluation.average_precision import match_detections
from fairmot_dla34.weights import load_checkpoint

BIAS = f"{HEADS.heatmap}.2.conv.bias"
IMAGES_PER_SET = 24
LOWEST_SCORE = 0.05
SHIFTS = np.linspace(-2, 2, 81)  # candidates, added to the logit


def unseen_scenes(folder: Path) -> Dataset:
    """Render and prepare the scenes with the seeds after those of the training."""
    for seed in range(FIRST_SEED + SCENES, FIRST_SEED + SCENES + IMAGES_PER_SET):
        render(seed, folder / "frames")
    prepare("mot", folder / "frames", folder / "scenes", min_visibility=MIN_VISIBILITY, progress=False)
    return Dataset.open(folder / "scenes")


def gains(dataset: Dataset, model: FairMOT) -> NDArray[np.float64]:
    """Return (true positives - false positives) / people for each of `SHIFTS`, on images spread over a dataset."""
    images = dataset.images("train")
    total, people = np.zeros(len(SHIFTS)), 0
    thresholds = np.maximum(unshifted(DEFAULT_CONF_THRES), LOWEST_SCORE)
    for index in np.linspace(0, len(images) - 1, IMAGES_PER_SET).astype(int):
        labels = dataset.labels(images[index])
        found = model.detect(dataset.read_image(images[index]), min_score=0.0)
        matches = match_detections(found.boxes, found.scores, labels.boxes, labels.ignored)
        value = np.where(matches.right, 1, -1)
        total += (value * (matches.scores > thresholds[:, None])).sum(axis=1)
        people += matches.people
    return np.asarray(total / max(people, 1), np.float64)


def unshifted(threshold: float) -> NDArray[np.float64]:
    """Return the score that becomes ``threshold`` when each of `SHIFTS` is added to its logit."""
    return np.asarray(1 / (1 + np.exp(SHIFTS) * (1 / threshold - 1)), np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="D", help="prepared dataset")
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint to calibrate")
    parser.add_argument("--output", type=Path, required=True, help="calibrated checkpoint, .npz")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(864, 480), metavar="WxH")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        FairMOT(arguments.weights, precision="fp32", input_size=arguments.input_size) as model,
    ):
        sets = [*map(Dataset.open, arguments.data), unseen_scenes(Path(folder))]
        curves = [gains(dataset, model) for dataset in sets]
    unchanged = len(SHIFTS) // 2
    for dataset, curve in zip(sets, curves, strict=True):
        best = SHIFTS[curve.argmax()]
        print(f"{dataset.name}: {curve[unchanged]:.3f} without a shift, {curve.max():.3f} at {best:+.2f}")
    mean = np.mean(curves, axis=0)
    shift = float(SHIFTS[mean.argmax()])
    print(f"all: {mean[unchanged]:.3f} without a shift, {mean.max():.3f} at {shift:+.2f}, which is applied")
    arrays = dict(load_checkpoint(arguments.weights).arrays)
    arrays[BIAS] += np.float32(shift)
    np.savez(arguments.output, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle


if __name__ == "__main__":
    main()
