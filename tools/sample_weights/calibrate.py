"""Shift the heatmap's scores so that the default score threshold is the best one.

    python tools/sample_weights/calibrate.py --data DATA --weights run/weights.npz --output sample.npz

A short training leaves all scores too low or too high. The bias of the heatmap's last layer shifts all of them without
changing their order. This step finds the shift that maximises hits minus false alarms above `TrackerConfig.conf_thres`.
Three kinds of images count equally: training frames of two real sequences, and scenes that were not used in training.
"""

from __future__ import annotations

import argparse
from io import StringIO
from pathlib import Path

import cv2
import lap
import numpy as np
from data import NETWORK, Sequence, load_real, people_of
from numpy.typing import NDArray
from render import FIRST_SEED, FRAMES, SCENES, config_of

from fairmot_dla34 import Detections, FairMOT, TrackerConfig
from fairmot_dla34.geometry import iou
from fairmot_dla34.synth import Scene, truth_lines
from fairmot_dla34.weights import load_checkpoint

BIAS = "detector.head.heatmap.2.conv.bias"
FRAMES_PER_KIND = 24
LOWEST_SCORE = 0.05
MIN_IOU = 0.5  # of a hit
SHIFTS = np.linspace(-2, 2, 81)  # candidates, added to the logit


def new_scenes() -> list[Sequence]:
    """Return one frame each of the scenes with the seeds after those of the training."""
    sequences = []
    for seed in range(FIRST_SEED + SCENES, FIRST_SEED + SCENES + FRAMES_PER_KIND):
        frame = Scene(config_of(seed)).frame(FRAMES // 2)
        truth = np.loadtxt(StringIO(truth_lines(frame)), delimiter=",", ndmin=2)
        sequences.append(Sequence(str(seed), [cv2.imencode(".png", frame.image)[1]], [people_of(truth)]))
    return sequences


def gains(sequences: list[Sequence], model: FairMOT, threshold: float) -> NDArray[np.float64]:
    """Return (hits - false alarms) / people for each of `SHIFTS`, on frames spread evenly over the sequences."""
    total, people = np.zeros(len(SHIFTS)), 0
    places = [(sequence, index) for sequence in sequences for index in range(len(sequence.frames))]
    for sequence, index in (places[i] for i in np.linspace(0, len(places) - 1, FRAMES_PER_KIND).astype(int)):
        found = model.detect(sequence.image(index))
        truth = sequence.people[index]
        people += int((truth.ids >= 0).sum())
        total += [_hits_minus_alarms(found, truth.boxes, truth.ids, _unshifted(threshold, shift)) for shift in SHIFTS]
    return total / people


def _unshifted(threshold: float, shift: float) -> float:
    """Return the score that becomes ``threshold`` when ``shift`` is added to its logit."""
    return float(1 / (1 + np.exp(shift) * (1 / threshold - 1)))


def _hits_minus_alarms(found: Detections, boxes: NDArray[np.float32], ids: NDArray[np.int64], threshold: float) -> int:
    """Return hits minus false alarms; detections of ignored people (id -1) count as neither."""
    kept = found.boxes[found.scores > max(threshold, LOWEST_SCORE)]
    if not len(kept) or not len(boxes):
        return -len(kept)
    cost = 1 - iou(boxes, kept).astype(np.float64)
    _, column, _ = lap.lapjv(cost, extend_cost=True, cost_limit=1 - MIN_IOU)
    matched = column >= 0
    hits = int((matched & (ids >= 0)).sum())
    return hits - (len(kept) - int(matched.sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    model = FairMOT(arguments.weights, precision="fp32", input_size=NETWORK)
    pets, tud, *_ = load_real(arguments.data)
    kinds = {"PETS09-S2L1": [pets], "TUD-Campus": [tud], "scenes": new_scenes()}
    threshold = TrackerConfig().conf_thres
    curves = {name: gains(sequences, model, threshold) for name, sequences in kinds.items()}
    for name, curve in curves.items():
        print(
            f"{name}: {curve[len(SHIFTS) // 2]:.3f} without a shift, {curve.max():.3f} at {SHIFTS[curve.argmax()]:+.2f}"
        )
    mean = np.mean(list(curves.values()), axis=0)
    shift = float(SHIFTS[mean.argmax()])
    print(f"all: {mean[len(SHIFTS) // 2]:.3f} without a shift, {mean.max():.3f} at {shift:+.2f}, which is applied")
    arrays = dict(load_checkpoint(arguments.weights).arrays)
    arrays[BIAS] += np.float32(shift)
    np.savez(arguments.output, **arrays)


if __name__ == "__main__":
    main()
