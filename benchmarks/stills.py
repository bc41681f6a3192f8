"""Scores detection in still images of places that the weights may never have seen: recall, precision and AP50.

    python benchmarks/stills.py --weights sample DATA/stills/pennfudan DATA/stills/coco256_person

A set is a folder with `images/` and `labels.csv` (`file,id,left,top,width,height`, px). Recall and precision are those
of the detections that start tracks, with a score of at least `--score`; a detection is right if its IoU with a person
not yet found is at least 0.5, best score first. AP50 is computed from all detections, as in the validation of a
training run. Boxes smaller than `--min-area` are ignored, in the labels and in the detections.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fairmot_dla34 import FairMOT, TrackerConfig
from fairmot_dla34.evaluation.average_precision import AveragePrecision, match_detections
from fairmot_dla34.geometry import tlwh_to_xyxy


@dataclass(frozen=True)
class DetectionScores:
    """Scores of one set, in percent.

    Attributes:
        images: Number of images.
        people: Number of people that count.
        recall: Share of the people that are found.
        precision: Share of the detections that are people.
        ap50: Average precision at IoU 0.5.
    """

    images: int
    people: int
    recall: float
    precision: float
    ap50: float


def score_set(model: FairMOT, folder: Path, *, min_score: float, min_area: float, every: int) -> DetectionScores:
    """Detect people in the images of a set and score the boxes.

    Args:
        model: Loaded model.
        folder: Folder of the set.
        min_score: Smallest score of a detection that counts for recall and precision.
        min_area: Area in px below which boxes are ignored.
        every: Use every n-th image of the sorted list.
    """
    people = defaultdict(list)
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            people[row["file"]].append([float(row[name]) for name in ("left", "top", "width", "height")])
    names = sorted(path.name for path in (folder / "images").iterdir())[::every]
    scores = AveragePrecision()
    for name in names:
        image = cv2.imread(str(folder / "images" / name))
        assert image is not None, f"{name} cannot be read"  # noqa: S101 (a damaged set)
        found = model.detect(np.asarray(image, np.uint8), min_score=0.0)
        truth = tlwh_to_xyxy(np.array(people[name], np.float32).reshape(-1, 4))
        scores.add(match_detections(found.boxes, found.scores, truth, min_area=min_area))
    recall, precision = scores.recall_and_precision(min_score)
    return DetectionScores(scores.images, scores.people, recall, precision, scores.value() or 0.0)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET", help="folders with images/ and labels.csv")
    parser.add_argument("--weights", default="sample", help="registered name or checkpoint; default: %(default)s")
    parser.add_argument("--input-size", metavar="WxH", help="default: what the weights were trained for")
    parser.add_argument("--score", type=float, default=TrackerConfig().conf_thres, help="default: %(default)s")
    parser.add_argument("--min-area", type=float, default=0.0, metavar="PX", help="default: %(default)s")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every n-th image; default: all")
    arguments = parser.parse_args()
    print("| set | images | people | recall | precision | AP50 |", "|---|---|---|---|---|---|", sep="\n")
    with FairMOT(arguments.weights, input_size=arguments.input_size) as model:
        for folder in arguments.sets:
            scores = score_set(
                model, folder, min_score=arguments.score, min_area=arguments.min_area, every=arguments.every
            )
            print(
                f"| {folder.name} | {scores.images} | {scores.people} | {scores.recall:.1f} | {scores.precision:.1f} "
                f"| {scores.ap50:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
