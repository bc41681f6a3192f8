"""Scores detection in still images of places that the weights may never have seen: recall, precision and AP50.

    pip install '.[eval]'
    python benchmarks/stills.py --weights sample DATA/stills/pennfudan DATA/stills/coco256_person

A set is a folder with `images/` and `labels.csv` (`file,id,left,top,width,height`, px). Recall and precision are those
of the detections that start tracks, with a score of at least `--score`; a detection is right if its IoU with a person
not yet found is at least 0.5, best score first. AP50 is computed by pycocotools from all detections. Boxes smaller than
`--min-area` are ignored, in the labels and in the detections.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fairmot_dla34 import Detections, FairMOT, TrackerConfig

_PERSON = 1  # category of every box
_MAX_AREA = 1e10


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
    truth: list[dict[str, object]] = []
    found: list[dict[str, object]] = []
    for number, name in enumerate(names, start=1):
        image = cv2.imread(str(folder / "images" / name))
        assert image is not None, f"{name} cannot be read"  # noqa: S101 (a damaged set)
        truth += [_annotation(number, box, len(truth) + position) for position, box in enumerate(people[name], start=1)]
        found += _results(number, model.detect(np.asarray(image, np.uint8), min_score=0.0))
    evaluation = _evaluate(len(names), truth, found, min_area)
    return _scores(evaluation, min_score)


def _annotation(image: int, box: list[float], number: int) -> dict[str, object]:
    area = box[2] * box[3]
    return {"id": number, "image_id": image, "category_id": _PERSON, "bbox": box, "area": area, "iscrowd": 0}


def _results(image: int, detections: Detections) -> list[dict[str, object]]:
    boxes = detections.boxes.astype(float)
    return [
        {"image_id": image, "category_id": _PERSON, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(score)}
        for (x1, y1, x2, y2), score in zip(boxes.tolist(), detections.scores, strict=True)
    ]


def _evaluate(images: int, truth: list[dict[str, object]], found: list[dict[str, object]], min_area: float) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": number} for number in range(1, images + 1)],
            "annotations": truth,
            "categories": [{"id": _PERSON, "name": "person"}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.params.iouThrs = np.array([0.5])
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[min_area, _MAX_AREA]], ["all"]
        evaluation.params.maxDets = [500]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _scores(evaluation: COCOeval, min_score: float) -> DetectionScores:
    images = [image for image in evaluation.evalImgs if image is not None]
    people = sum(int((image["gtIgnore"] == 0).sum()) for image in images)
    right = wrong = 0
    for image in images:
        counts = (np.array(image["dtScores"]) >= min_score) & ~image["dtIgnore"][0].astype(bool)
        matched = image["dtMatches"][0] > 0
        right += int((counts & matched).sum())
        wrong += int((counts & ~matched).sum())
    precisions = evaluation.eval["precision"][0, :, 0, 0, 0]
    return DetectionScores(
        images=len(evaluation.params.imgIds),
        people=people,
        recall=100 * right / max(people, 1),
        precision=100 * right / max(right + wrong, 1),
        ap50=100 * float(np.mean(precisions[precisions > -1])),
    )


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
