"""Measures what a few labelled frames of a new place are worth: fine-tuning on PETS09-S2L1, scored on later frames.

    python benchmarks/new_place.py --data DATA --weights START --work W [--frames 10,25,50,100,200] [--minutes 20]

START must not have seen PETS09-S2L1. Each run of `fairmot_dla34 train` uses N of the frames 1 to 560, evenly spread or
the first ones, and is scored on the frames 561 to 795 with the tracker `jde`. The scores are means over the seeds and
over two directions of time, with their range: the frames forwards and in reverse order.

Finished runs are in W/new_place.jsonl, one JSON line each. After an interruption the same command continues. TrackEval
(extra `eval`) must be installed beside PyTorch (extra `train`).
"""

from __future__ import annotations

import argparse
import shutil
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from parts import real_parts
from speed import machine
from training_runs import (
    DIRECTIONS,
    FIGURES,
    TOOLS,
    Records,
    Settings,
    digest,
    run_folder,
    run_python,
    score_tracking,
    spread,
    train,
)

from fairmot_dla34 import FairMOT
from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset, PrepareOptions, SourceImage, SourceSequence, prepare_sequences

PLACE = "PETS09-S2L1"
SELECTIONS = ("spread", "first")


def select_frames(place: Dataset, count: int, selection: str, output_dir: Path) -> Path:
    """Prepare a dataset of some frames of a place and return its folder.

    Args:
        place: All training frames, a video.
        count: Number of frames.
        selection: ``spread``: evenly over the video; ``first``: consecutive frames from the start.
        output_dir: Folder of the dataset.
    """
    (sequence,) = place.sequences("train")
    total = len(sequence.images)
    if count > total:
        raise SystemExit(f"--frames has {count}; expected at most {total}, the training frames of {place.name}.")
    indices = range(count) if selection == "first" else [(2 * i + 1) * total // (2 * count) for i in range(count)]
    chosen = [sequence.images[index] for index in indices]
    images = [SourceImage(image.path.resolve(), image.width, image.height, place.labels(image)) for image in chosen]
    subset = SourceSequence(sequence.name, images, frame_rate=sequence.frame_rate)
    options = PrepareOptions(overwrite=True)
    prepare_sequences([subset], place.path, output_dir, name=f"{PLACE}-{count}", options=options, progress=False)
    return output_dir


def evaluate(weights: str | Path, folder: Path, arguments: argparse.Namespace) -> Settings:
    """Score weights on the frames that are not trained on."""
    with FairMOT(weights, input_size=arguments.input_size, precision="fp32", threads=arguments.threads) as model:
        return dict(score_tracking(real_parts(arguments.data)[0], model, folder))


def main() -> None:
    """Run from the command line."""
    arguments = parse_arguments()
    work: Path = arguments.work
    records = Records(work / "new_place.jsonl")
    if not (work / "places" / PLACE / "dataset.json").is_file():
        run_python(TOOLS / "data.py", "--data", arguments.data, "--output-dir", work / "places", "--places", PLACE)
    common = {"weights": digest(arguments.weights), "input_size": str(arguments.input_size)}
    settings: Settings = {"frames": 0, **common}
    before = records.find(settings)
    if not before:
        before = records.add(
            settings, scores=evaluate(arguments.weights, run_folder(work, "before", settings), arguments)
        )
    results = [before]
    print(row(results), flush=True)
    for seed in arguments.seeds:  # the whole curve first, then again
        for count in arguments.frames:
            results.append(finetune(count, seed, common, records, arguments))
            print(row(results[-1:]), flush=True)
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    print(f"\n{facts}\nstart weights {Path(arguments.weights).name}, input {arguments.input_size}")
    print(f"{arguments.minutes:g} minutes and {arguments.threads} threads a run, frames: {arguments.selection}\n")
    print(table(results))


def finetune(count: int, seed: int, common: Settings, records: Records, arguments: argparse.Namespace) -> Settings:
    """Train on some frames and score the weights, unless that is done; return the result."""
    settings = {
        "frames": count,
        "selection": arguments.selection,
        "seed": seed,
        "minutes": arguments.minutes,
        "threads": arguments.threads,
        "loss": arguments.loss,
        "lr": arguments.lr,
        "freeze": arguments.freeze,
        **common,
    }
    if record := records.find(settings):
        return record
    work: Path = arguments.work
    place = Dataset.open(work / "places" / PLACE)
    data = select_frames(place, count, arguments.selection, work / "frames" / f"{arguments.selection}-{count}")
    folder = run_folder(work, f"{count}-frames", settings)
    summary = train(
        folder,
        *("--data", data),
        *("--weights", arguments.weights),
        *("--input-size", str(arguments.input_size)),
        *("--minutes", f"{arguments.minutes:g}"),
        *("--threads", str(arguments.threads)),
        *("--seed", str(seed)),
        *("--loss", arguments.loss),
        *("--lr", f"{arguments.lr:g}"),
        *(("--freeze", arguments.freeze) if arguments.freeze else ()),
        "--plain-neck",
    )
    scores = evaluate(summary["last"], folder, arguments)
    record = records.add(settings, scores=scores, steps=summary["steps"], seconds=summary["seconds"])
    if not arguments.keep:
        shutil.rmtree(folder)
    return record


def row(results: Sequence[Settings]) -> str:
    """Return a row of the table: the results of one number of frames."""
    values = {
        figure: [result["scores"][direction][figure] for result in results for direction in DIRECTIONS]
        for figure in FIGURES
    }
    steps = [result.get("steps", 0) for result in results]
    cells = [str(results[0]["settings"]["frames"]), str(round(sum(steps) / len(steps)))]
    return f"| {' | '.join([*cells, *(spread(values[figure]) for figure in FIGURES)])} |"


def table(results: Sequence[Settings]) -> str:
    """Return the scores as Markdown."""
    groups = defaultdict(list)
    for result in results:
        groups[result["settings"]["frames"]].append(result)
    header = ["labelled frames", "steps", *(figure.upper() for figure in FIGURES)]
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *(row(groups[count]) for count in sorted(groups))])


def numbers(text: str) -> list[int]:
    """Read whole numbers separated by commas."""
    return [int(number) for number in text.split(",")]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1")
    parser.add_argument("--weights", required=True, metavar="START", help="weights that never saw PETS09-S2L1")
    parser.add_argument("--work", type=Path, required=True, help="folder for datasets, runs and new_place.jsonl")
    parser.add_argument("--frames", type=numbers, default=[10, 25, 50, 100, 200], metavar="N,N", help="labelled frames")
    parser.add_argument("--selection", choices=SELECTIONS, default=SELECTIONS[0], help="default: %(default)s")
    parser.add_argument("--seeds", type=numbers, default=[0], metavar="S,S", help="one run each; default: 0")
    parser.add_argument("--minutes", type=float, default=20.0, metavar="M", help="length of a run; default: 20")
    parser.add_argument("--threads", type=int, default=2, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(576, 320), metavar="WxH")
    parser.add_argument("--loss", default="giou,neighbours,sequence_ids,fixed_weights", help="default: %(default)s")
    parser.add_argument("--lr", type=float, default=1e-4, help="highest learning rate; default: %(default)s")
    parser.add_argument(
        "--freeze",
        default="norms",
        metavar="PARTS",
        help="parts that are not trained; '' for none; default: %(default)s",
    )
    parser.add_argument("--keep", action="store_true", help="keep the weights of each run, 400 MB")
    return parser.parse_args()


if __name__ == "__main__":
    main()
