"""Measures how much of the people in a ground truth `--anonymise` covers: the figures of docs/outputs.md.

    python benchmarks/anonymisation_coverage.py VIDEO GT [--first N] [--frame-rate FPS] [--weights W]
    python benchmarks/anonymisation_coverage.py --stills DATA/stills/pennfudan DATA/stills/coco256_person

VIDEO is a video or a folder of images, GT a file in MOTChallenge's format whose frame 1 is the first frame of VIDEO.
A set of stills has `images/` and `labels.csv`; every fifth image is used, those that are never trained on.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict, deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from stills_reading import read_set, reported

from fairmot_dla34 import FairMOT, Frame
from fairmot_dla34.outputs.anonymisation import Anonymisation
from fairmot_dla34.outputs.cover_plan import Covered, CoverPlan
from fairmot_dla34.outputs.pixelation import cover_regions
from fairmot_dla34.tracking.session import Session
from fairmot_dla34.video import open_source

Boxes = list[tuple[float, float, float, float]]  # xyxy
Truth = dict[int, Boxes]  # by frame, from 0
KINDS = ("people", "heads")
FRAME_RATE = 10.0  # of single images
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


class Coverage:
    """Shares of the people and heads that a kind of anonymisation covers."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._people: list[bool] = []
        self._heads: list[bool] = []
        self._areas: list[float] = []

    def measure(self, session: Session, frame_rate: float, frames: Iterable[tuple[Frame, Boxes]]) -> None:
        """Anonymise the frames of a video, or a single image, and add how much of the people is covered.

        Args:
            session: New session of the model.
            frame_rate: Frames per second.
            frames: Frames with the boxes of the ground truth.
        """
        plan = CoverPlan(Anonymisation.parse(self._kind), frame_rate=frame_rate, hold_s=session.lost_buffer_s)
        waiting: deque[tuple[tuple[int, int], Boxes]] = deque()
        for frame, boxes in frames:
            waiting.append(((frame.image.shape[1], frame.image.shape[0]), boxes))
            for covered in plan.push(session.process(frame), session.detections):
                self._add(covered, *waiting.popleft())
        for covered in plan.flush():
            self._add(covered, *waiting.popleft())

    def _add(self, covered: Covered, size: tuple[int, int], boxes: Boxes) -> None:
        mask = mask_of(covered, size)
        self._people += [share(mask, box) >= PERSON_COVERED for box in boxes]
        self._heads += [share(mask, head(box)) >= HEAD_COVERED for box in boxes]
        self._areas.append(float(mask.mean()))

    def __str__(self) -> str:
        return (
            f"{self._kind}: {len(self._people)} boxes, people {np.mean(self._people):.1%}, "
            f"heads {np.mean(self._heads):.1%}, image {np.mean(self._areas):.1%}"
        )


def measure_video(model: FairMOT, arguments: argparse.Namespace) -> list[Coverage]:
    """Return the coverage of a video by each kind."""
    truth, coverages = read_truth(arguments.gt), [Coverage(kind) for kind in KINDS]
    for coverage in coverages:
        with open_source(arguments.video, frame_rate=arguments.frame_rate) as source:
            frames = ((frame, truth[frame.index]) for frame in source if frame.index + 1 >= arguments.first)
            coverage.measure(model.session(source.native_rate), source.frame_rate, frames)
    return coverages


def measure_stills(model: FairMOT, folder: Path) -> list[Coverage]:
    """Return the coverage by each kind of the images of a set that are never trained on, each a video of one frame."""
    coverages = [Coverage(kind) for kind in KINDS]
    for still in reported(read_set(folder)):
        frame, boxes = Frame(0, 0.0, still.read()), [tuple(box) for box in still.people.tolist()]
        for coverage in coverages:
            coverage.measure(model.session(FRAME_RATE), FRAME_RATE, [(frame, boxes)])
    return coverages


def main() -> None:
    """Print the shares of people and heads that are covered."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", nargs="?")
    parser.add_argument("gt", nargs="?", type=Path)
    parser.add_argument("--stills", type=Path, nargs="+", default=[], metavar="SET", help="measure sets of stills")
    parser.add_argument("--first", type=int, default=1, help="first frame to use, from 1")
    parser.add_argument("--frame-rate", type=float)
    parser.add_argument("--weights", default="sample")
    arguments = parser.parse_args()
    if (arguments.gt is None) != bool(arguments.stills):
        parser.error("expected either VIDEO and GT, or --stills SET.")
    with FairMOT(arguments.weights) as model:
        if arguments.gt is not None:
            print(arguments.video, *measure_video(model, arguments), sep="\n")
        for folder in arguments.stills:
            print(folder, *measure_stills(model, folder), sep="\n")


if __name__ == "__main__":
    main()
