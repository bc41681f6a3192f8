"""Scores detection in still images of places that the weights may never have seen: recall, precision and AP50.

    python benchmarks/stills.py --weights sample DATA/stills/pennfudan DATA/stills/coco256_person

A set is a folder with `images/` and `labels.csv` (`file,id,left,top,width,height`, px). Recall and precision are those
of the detections that start tracks, with a score of at least `--score`; a detection is right if its IoU with a person
not yet found is at least 0.5, best score first. AP50 is computed from all detections, as in the validation of a
training run. Boxes smaller than `--min-area` are ignored, in the labels and in the detections. All labelled boxes
count; `sample_figures.py` scores each set by rules of its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from places import detect
from still_scores import StillPlace
from stills_reading import read_set

from fairmot_dla34 import FairMOT
from fairmot_dla34.association.config import DEFAULT_CONF_THRES
from fairmot_dla34.evaluation.average_precision import AveragePrecision, match_detections


def score_set(model: FairMOT, folder: Path, *, min_area: float, every: int) -> AveragePrecision:
    """Detect people in the images of a set and match the boxes.

    Args:
        model: Loaded model.
        folder: Folder of the set.
        min_area: Area in px below which boxes are ignored.
        every: Use every n-th image of the sorted list.
    """
    place = StillPlace(folder.name, read_set(folder)[::every])
    (found,) = detect(place, [model])
    scores = AveragePrecision()
    for still, detections in zip(place.stills, found, strict=True):
        scores.add(match_detections(detections.boxes, detections.scores, still.people, min_area=min_area))
    return scores


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET", help="folders with images/ and labels.csv")
    parser.add_argument("--weights", default="sample", help="registered name or checkpoint; default: %(default)s")
    parser.add_argument("--input-size", metavar="WxH", help="default: what the weights were trained for")
    parser.add_argument("--score", type=float, default=DEFAULT_CONF_THRES, help="default: %(default)s")
    parser.add_argument("--min-area", type=float, default=0.0, metavar="PX", help="default: %(default)s")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every n-th image; default: all")
    arguments = parser.parse_args()
    print("| set | images | people | recall | precision | AP50 |", "|---|---|---|---|---|---|", sep="\n")
    with FairMOT(arguments.weights, input_size=arguments.input_size) as model:
        for folder in arguments.sets:
            scores = score_set(model, folder, min_area=arguments.min_area, every=arguments.every)
            recall, precision = scores.recall_and_precision(arguments.score)
            print(
                f"| {folder.name} | {scores.images} | {scores.people} | {recall:.1f} | {precision:.1f} "
                f"| {scores.value() or 0.0:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
