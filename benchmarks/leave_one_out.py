"""Measures a training recipe on places it never saw: each place in turn is left out of the training data.

    python benchmarks/leave_one_out.py --data DATA --weights BASE --work W [--minutes 20] [--scenes prepared/scenes]

BASE must have seen none of the places. For each place, `tools/sample_weights/recipe.py` trains on all other places and
the weights are scored on the frames of the place that scores are reported on:

* PETS09-S2L1 561 to 795 and TUD-Campus 51 to 71: MOTA and IDF1 of the default tracker, means over the frames forwards
  and in reverse order. The figure of the place is the mean of both.
* MOT17-mini, the last frame of each of seven sequences: recall and precision at the default threshold and AP50, for
  people of whom at least half is visible. The figure is AP50.
* pennfudan and coco256_person (on request): the same for every fifth image.

The mean over the places is the figure by which recipes are chosen. Finished runs are in W/leave_one_out.jsonl, one JSON
line each. After an interruption the same command continues. TrackEval (extra `eval`) must be installed beside PyTorch
(extra `train`).
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from parts import real_parts
from speed import machine
from stills import score_set
from training_runs import DIRECTIONS, TOOLS, Records, Settings, digest, run_folder, run_python, score_tracking

from fairmot_dla34 import FairMOT, TrackerConfig
from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import ReadOptions
from fairmot_dla34.datasets.formats.mot import read_mot
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.evaluation.average_precision import AveragePrecision, match_detections

RECIPE_FILES = ("recipe.py", "crops.py", "data.py", "wildtrack.py")
MIN_VISIBILITY = 0.5  # people of MOT17-mini less visible are ignored
Scorer = Callable[[str, FairMOT, Path, Path], dict[str, float]]


def score_video(place: str, model: FairMOT, data: Path, folder: Path) -> dict[str, float]:
    """Score tracking; the figures are means over the two directions of time."""
    (part,) = (part for part in real_parts(data) if part.name.startswith(place))
    scores = score_tracking(part, model, folder)
    figures = {name: float(np.mean([scores[direction][name] for direction in DIRECTIONS])) for name in ("mota", "idf1")}
    return {**figures, "figure": (figures["mota"] + figures["idf1"]) / 2}


def score_last_frames(place: str, model: FairMOT, data: Path, folder: Path) -> dict[str, float]:  # noqa: ARG001
    """Score detection in the last frame of each sequence."""
    precisions, alarms = AveragePrecision(), 0
    for sequence in read_mot(data / place, ReadOptions(MIN_VISIBILITY), DropReport()):
        last = sequence.images[-1]
        found = model.detect(_read(last.path), min_score=0.0)
        matches = match_detections(found.boxes, found.scores, last.labels.boxes, last.labels.ignored)
        alarms += int((~matches.right[matches.scores >= TrackerConfig().conf_thres]).sum())
        precisions.add(matches)
    recall, precision = precisions.recall_and_precision(TrackerConfig().conf_thres)
    ap50 = precisions.value() or 0.0
    return {"recall": recall, "precision": precision, "ap50": ap50, "false_alarms": alarms, "figure": ap50}


def score_stills(place: str, model: FairMOT, data: Path, folder: Path) -> dict[str, float]:  # noqa: ARG001
    """Score detection in the images of a set of stills that scores are reported on."""
    scores = score_set(
        model, data / "stills" / place, min_score=TrackerConfig().conf_thres, min_area=0.0, every=REPORT_EVERY
    )
    return {"recall": scores.recall, "precision": scores.precision, "ap50": scores.ap50, "figure": scores.ap50}


REPORT_EVERY = 5
SCORERS: dict[str, Scorer] = {
    "PETS09-S2L1": score_video,
    "TUD-Campus": score_video,
    "MOT17-mini": score_last_frames,
    "pennfudan": score_stills,
    "coco256_person": score_stills,
}
DEFAULT_PLACES = ("PETS09-S2L1", "TUD-Campus", "MOT17-mini")


def _read(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    assert image is not None, f"{path} cannot be read"  # noqa: S101 (a damaged set)
    return np.asarray(image, np.uint8)


def score_weights(weights: str | Path, place: str, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Score weights on a place."""
    with FairMOT(weights, input_size=arguments.input_size, precision="fp32", threads=arguments.threads) as model:
        return SCORERS[place](place, model, arguments.data, folder)


def measure(place: str, records: Records, arguments: argparse.Namespace) -> tuple[Settings, Settings]:
    """Return the results before and after the training without a place, from earlier runs if they are finished."""
    work: Path = arguments.work
    settings: Settings = {"place": place, "weights": digest(arguments.weights), "input_size": str(arguments.input_size)}
    before = records.find(settings)
    if not before:
        scores = score_weights(arguments.weights, place, run_folder(work, "before", settings), arguments)
        before = records.add(settings, scores=scores)
    folders = sorted(file.parent for file in (work / "places").glob("*/dataset.json"))
    data = [folder for folder in folders if folder.name != place]
    data += [arguments.scenes] if arguments.scenes else []
    settings |= {
        "recipe": recipe_digest(),
        "stages": arguments.stages,
        "lr_factor": arguments.lr_factor,
        "minutes": arguments.minutes,
        "threads": arguments.threads,
        "seed": arguments.seed,
        "data": [folder.name for folder in data],
    }
    if record := records.find(settings):
        return before, record
    folder = run_folder(work, f"without-{place}", settings)
    run_python(
        *(TOOLS / "recipe.py", "--start", arguments.weights, "--output-dir", folder),
        *(word for path in data for word in ("--data", path)),
        *("--stages", *arguments.stages),
        *("--lr-factor", f"{arguments.lr_factor:g}"),
        *("--minutes", f"{arguments.minutes:g}"),
        *("--threads", str(arguments.threads)),
        *("--input-size", str(arguments.input_size)),
        *("--seed", str(arguments.seed)),
    )
    record = records.add(settings, scores=score_weights(folder / "last.pdparams", place, folder, arguments))
    if not arguments.keep:
        shutil.rmtree(folder)
    return before, record


def recipe_digest() -> str:
    """Return a digest of the recipe's files, by which the results of another recipe are told apart."""
    return hashlib.sha256(b"".join((TOOLS / name).read_bytes() for name in RECIPE_FILES)).hexdigest()[:8]


def table(results: Sequence[tuple[Settings, Settings]]) -> str:
    """Return the scores as Markdown, with the mean over the places."""
    lines = ["| place left out | before | after | figure before | figure after |", "|---|---|---|---|---|"]
    for pair in results:
        details = [
            ", ".join(f"{name} {value:.1f}" for name, value in one["scores"].items() if name != "figure")
            for one in pair
        ]
        figures = [f"{one['scores']['figure']:.1f}" for one in pair]
        lines.append(f"| {pair[1]['settings']['place']} | {' | '.join([*details, *figures])} |")
    means = [f"{np.mean([pair[number]['scores']['figure'] for pair in results]):.1f}" for number in (0, 1)]
    return "\n".join([*lines, f"| mean | | | {' | '.join(means)} |"])


def main() -> None:
    """Run from the command line."""
    arguments = parse_arguments()
    run_python(TOOLS / "data.py", "--data", arguments.data, "--output-dir", arguments.work / "places", "--missing")
    records = Records(arguments.work / "leave_one_out.jsonl")
    results = []
    for place in arguments.places:
        results.append(measure(place, records, arguments))
        print(table(results[-1:]).splitlines()[2], flush=True)
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    print(f"\n{facts}\nbase weights {Path(arguments.weights).name}, input {arguments.input_size}")
    stages = " ".join(arguments.stages)
    print(f"stages {stages}, {arguments.minutes:g} minutes and {arguments.threads} threads a run\n")
    print(table(results))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus and the others")
    parser.add_argument("--weights", required=True, metavar="BASE", help="weights that saw none of the places")
    parser.add_argument("--work", type=Path, required=True, help="folder for datasets, runs and leave_one_out.jsonl")
    parser.add_argument("--scenes", type=Path, help="prepared scenes of render.py; default: no scenes")
    parser.add_argument("--places", nargs="+", choices=SCORERS, default=list(DEFAULT_PLACES), metavar="PLACE",
                        help=f"places to leave out, of {', '.join(SCORERS)}; default: the first three")  # fmt: skip
    parser.add_argument("--stages", nargs="+", default=["large"], metavar="STAGE", help="of the recipe; default: large")
    parser.add_argument("--lr-factor", type=float, default=0.3, metavar="F", help="of the recipe's learning rates, for "
                        "short runs from good weights; default: %(default)s")  # fmt: skip
    parser.add_argument("--minutes", type=float, default=20.0, metavar="M", help="length of a run; default: 20")
    parser.add_argument("--threads", type=int, default=2, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(576, 320), metavar="WxH")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="keep the folder of each run, 500 MB")
    return parser.parse_args()


if __name__ == "__main__":
    main()
