"""Measures how much of the people in a ground truth `--anonymise` covers: the figures of docs/outputs.md.

python benchmarks/anonymisation_coverage.py VIDEO GT [--first N] [--frame-rate FPS] [--weights W]

VIDEO is a video or a folder of images, GT a file in MOTChallenge's format whose frame 1 is the first frame of VIDEO.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import FairMOT
from fairmot_dla34.outputs.anonymisation import Anonymisation
from fairmot_dla34.outputs.cover_plan import Covered, CoverPlan
from fairmot_dla34.outputs.pixelation import cover_regions
from fairmot_dla34.video import open_source

Truth = dict[int, list[tuple[float, float, float, float]]]  # xyxy by frame, from 0
PERSON_COVERED, HEAD_COVERED = 0.9, 0.95  # shares of the area


def read_truth(path: Path) -> Truth:
    """Return the boxes of a ground truth; rows marked to be ignored are left out."""
    truth: Truth = defaultdict(list)
    for row in csv.reader(path.read_text("utf-8").splitlines()):
        left, top, width, height = map(float, row[2:6])
        if float(row[6]) != 0:
            truth[int(float(row[0])) - 1].append((left, top, left + width, top + height))
    return truth


def mask_of(covered: Covered, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the covered pixels ``(H, W)`` of a frame of a size (width, height)."""
    width, height = size
    mask = np.zeros((height, width), bool)
    regions = cover_regions(covered.boxes, covered.errors_px, heads_only=covered.heads_only)
    for left, top, right, bottom in np.clip(regions, 0, (width, height, width, height)).tolist():
        mask[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
    return mask


def share(mask: NDArray[np.bool_], box: tuple[float, float, float, float]) -> float:
    """Return the covered share of a box, of its part inside the image; 1 if there is none."""
    left, top, right, bottom = np.clip(box, 0, (*mask.shape[::-1], *mask.shape[::-1])).round().astype(int)
    part = mask[top:bottom, left:right]
    return float(part.mean()) if part.size else 1.0


def head(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Return the middle of the upper seventh of a person's box."""
    left, top, right, bottom = box
    return left + 0.3 * (right - left), top, right - 0.3 * (right - left), top + (bottom - top) / 7


def main() -> None:
    """Print the shares of people and heads that are covered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video")
    parser.add_argument("gt", type=Path)
    parser.add_argument("--first", type=int, default=1, help="first frame to use, from 1")
    parser.add_argument("--frame-rate", type=float)
    parser.add_argument("--weights", default="sample")
    arguments = parser.parse_args()
    truth, size = read_truth(arguments.gt), (0, 0)
    covered: dict[str, list[Covered]] = {"people": [], "heads": []}
    with FairMOT(arguments.weights) as model, open_source(arguments.video, frame_rate=arguments.frame_rate) as source:
        session, plans = model.session(source.native_rate), {}
        for kind in covered:
            hold_s = session.lost_buffer_s
            plans[kind] = CoverPlan(Anonymisation.parse(kind), frame_rate=source.frame_rate, hold_s=hold_s)
        for frame in source:
            if frame.index + 1 < arguments.first:
                continue
            size = frame.image.shape[1], frame.image.shape[0]
            result = session.process(frame)
            for kind, plan in plans.items():
                covered[kind] += plan.push(result, session.detections)
    for kind, plan in plans.items():
        frames = [(mask_of(frame, size), truth[frame.result.index]) for frame in (*covered[kind], *plan.flush())]
        people = [share(mask, box) >= PERSON_COVERED for mask, boxes in frames for box in boxes]
        heads = [share(mask, head(box)) >= HEAD_COVERED for mask, boxes in frames for box in boxes]
        area = np.mean([mask.mean() for mask, _ in frames])
        print(
            f"{kind}: {len(people)} boxes, people {np.mean(people):.1%}, heads {np.mean(heads):.1%}, image {area:.1%}"
        )


if __name__ == "__main__":
    main()
