"""Shift the heatmap's scores so that the default score threshold is the best one.

    python tools/sample_weights/calibrate.py --data DATA --weights run/weights.npz --output sample.npz

A short training leaves all scores too low or too high. The bias of the heatmap's last layer shifts all of them without
changing their order. This step finds the shift that maximises true positives minus false positives above
`TrackerConfig.conf_thres`.
Three sets of images count equally: training frames of two real sequences, and scenes that were not used in training.
"""

from __future__ import annotations

import argparse
from io import StringIO
from pathlib import Path

import cv2
import lap
import numpy as np
from data import INPUT_SIZE, People, Sequence, load_real, people_from_rows
from numpy.typing import NDArray
from render import FIRST_SEED, FRAMES, SCENES, scene_config

from fairmot_dla34 import Detections, FairMOT, TrackerConfig
from fairmot_dla34.architectures.dla34.structure import HEADS
from fairmot_dla34.geometry import iou
from fairmot_dla34.synth import Scene, truth_lines
from fairmot_dla34.weights import load_checkpoint

BIAS = f"{HEADS.heatmap}.2.conv.bias"
FRAMES_PER_SET = 24
LOWEST_SCORE = 0.05
MIN_IOU = 0.5  # of a true positive
SHIFTS = np.linspace(-2, 2, 81)  # candidates, added to the logit


def unseen_scenes() -> list[Sequence]:
    """Return one frame each of the scenes with the seeds after those of the training."""
    sequences = []
    for seed in range(FIRST_SEED + SCENES, FIRST_SEED + SCENES + FRAMES_PER_SET):
        frame = Scene(scene_config(seed)).frame(FRAMES // 2)
        truth = np.loadtxt(StringIO(truth_lines(frame)), delimiter=",", ndmin=2)
        sequences.append(Sequence(str(seed), [cv2.imencode(".png", frame.image)[1]], [people_from_rows(truth)]))
    return sequences


def gains(sequences: list[Sequence], model: FairMOT, threshold: float) -> NDArray[np.float64]:
    """Return (true positives - false positives) / people for each of `SHIFTS`, on frames spread over the sequences."""
    total, people = np.zeros(len(SHIFTS)), 0
    frames = [(sequence, index) for sequence in sequences for index in range(len(sequence.frames))]
    for sequence, index in (frames[i] for i in np.linspace(0, len(frames) - 1, FRAMES_PER_SET).astype(int)):
        detections = model.detect(sequence.image(index), min_score=0.0)
        truth = sequence.people[index]
        people += int((truth.ids >= 0).sum())
        total += [_gain(detections, truth, _unshifted(threshold, shift)) for shift in SHIFTS]
    return total / people


def _unshifted(threshold: float, shift: float) -> float:
    """Return the score that becomes ``threshold`` when ``shift`` is added to its logit."""
    return float(1 / (1 + np.exp(shift) * (1 / threshold - 1)))


def _gain(detections: Detections, truth: People, threshold: float) -> int:
    """Return true positives minus false positives; detections of ignored people (id -1) count as neither."""
    kept = detections.boxes[detections.scores > max(threshold, LOWEST_SCORE)]
    if not len(kept) or not len(truth.boxes):
        return -len(kept)
    cost = 1 - iou(truth.boxes, kept).astype(np.float64)
    _, column, _ = lap.lapjv(cost, extend_cost=True, cost_limit=1 - MIN_IOU)
    matched = column >= 0
    true_positives = int((matched & (truth.ids >= 0)).sum())
    return true_positives - (len(kept) - int(matched.sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus and MOT17-mini")
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint to calibrate")
    parser.add_argument("--output", type=Path, required=True, help="calibrated checkpoint, .npz")
    arguments = parser.parse_args()
    model = FairMOT(arguments.weights, precision="fp32", input_size=INPUT_SIZE)
    pets, tud, *_ = load_real(arguments.data)
    sets = {"PETS09-S2L1": [pets], "TUD-Campus": [tud], "scenes": unseen_scenes()}
    threshold = TrackerConfig().conf_thres
    curves = {name: gains(sequences, model, threshold) for name, sequences in sets.items()}
    for name, curve in curves.items():
        print(
            f"{name}: {curve[len(SHIFTS) // 2]:.3f} without a shift, {curve.max():.3f} at {SHIFTS[curve.argmax()]:+.2f}"
        )
    mean = np.mean(list(curves.values()), axis=0)
    shift = float(SHIFTS[mean.argmax()])
    print(f"all: {mean[len(SHIFTS) // 2]:.3f} without a shift, {mean.max():.3f} at {shift:+.2f}, which is applied")
    arrays = dict(load_checkpoint(arguments.weights).arrays)
    arrays[BIAS] += np.float32(shift)
    np.savez(arguments.output, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle


if __name__ == "__main__":
    main()
