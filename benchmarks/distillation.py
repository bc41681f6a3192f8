"""Measures what a student learns from a teacher without labels: PETS09-S2L1, frames 1 to 560, scored on later frames.

    python benchmarks/distillation.py --data DATA --work W [--minutes 60 | --epochs 8] [--only after] [--student light]

Each run of `fairmot_dla34 train --teacher` takes the first 560 frames as a plain video, and is scored on the frames 561
to 795 with the tracker `jde`, forwards and in reverse order. The rows of the table: the teacher itself, the start
weights, the student after a run with all losses, and after runs without each of them.

Finished runs are in W/distillation.jsonl, one JSON line each. After an interruption the same command continues.
TrackEval (extra `eval`) must be installed beside PyTorch (extra `train`).
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import av
from parts import real_parts
from speed import machine
from training_runs import DIRECTIONS, FIGURES, Records, Settings, digest, run_folder, score_tracking, spread, train

from fairmot_dla34 import FairMOT
from fairmot_dla34.config import InputSize
from fairmot_dla34.training.distillation.config import DISTILLATION_LOSSES

FRAMES = 560  # from the start; the later ones are scored
NO_WEIGHTS = "none"
LENGTH = ("minutes", "epochs")  # options, of which one is used


def first_frames(video: Path, output: Path) -> Path:
    """Copy the first frames of a video, without encoding them again, and return the new file."""
    if output.is_file():
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_suffix(f".part{video.suffix}")
    with av.open(str(video)) as source, av.open(str(temporary), "w") as copy:
        stream = source.streams.video[0]
        copied = copy.add_stream_from_template(stream)
        for number, packet in enumerate(packet for packet in source.demux(stream) if packet.size):
            if number < FRAMES:
                packet.stream = copied
                copy.mux(packet)
    return temporary.replace(output)


def rows(only: Sequence[str]) -> dict[str, str]:
    """Return the weights of the losses of each run by the row of the table."""
    all_rows = {"after": ""} | {f"without {name}": f"{name}=0" for name in DISTILLATION_LOSSES}
    return {name: weights for name, weights in all_rows.items() if not only or name in only}


def evaluate(weights: str | Path, size: InputSize, folder: Path, arguments: argparse.Namespace) -> Settings:
    """Score weights on the frames that are not trained on."""
    with FairMOT(weights, input_size=size, precision="fp32", threads=arguments.threads) as model:
        return dict(score_tracking(real_parts(arguments.data)[0], model, folder))


def scored(name: str, weights: str, size: InputSize, records: Records, arguments: argparse.Namespace) -> Settings:
    """Return the scores of weights that are not trained here."""
    settings: Settings = {"row": name, "weights": digest(weights), "input_size": str(size)}
    folder = run_folder(arguments.work, name, settings)
    return records.find(settings) or records.add(settings, scores=evaluate(weights, size, folder, arguments))


def distilled(name: str, losses: str, video: Path, records: Records, arguments: argparse.Namespace) -> Settings:
    """Train the student and return its scores, unless that is done."""
    start = arguments.weights
    settings: Settings = {
        "row": name,
        "weights": start if start == NO_WEIGHTS else digest(start),
        "teacher": digest(arguments.teacher),
        "distillation": losses,
        **{
            key: str(getattr(arguments, key))
            for key in ("student", "input_size", "teacher_input_size", *LENGTH, "batch_size", "lr", "threads", "seed")
        },
    }
    if record := records.find(settings):
        return record
    folder = run_folder(arguments.work, name.replace(" ", "-"), settings)
    summary = train(
        folder,
        *("--data", video),
        *("--teacher", arguments.teacher),
        *("--teacher-input-size", str(arguments.teacher_input_size)),
        *("--arch", arguments.student),
        *("--weights", start),
        *("--input-size", str(arguments.input_size)),
        *("--batch-size", str(arguments.batch_size)),
        *("--lr", f"{arguments.lr:g}"),
        *("--loss", "neighbours"),
        *(("--epochs", str(arguments.epochs)) if arguments.epochs else ("--minutes", f"{arguments.minutes:g}")),
        *("--threads", str(arguments.threads)),
        *("--seed", str(arguments.seed)),
        *(("--distillation", losses) if losses else ()),
        *(("--plain-neck",) if arguments.student == "dla34" else ()),
    )
    scores = evaluate(summary["last"], arguments.input_size, folder, arguments)
    record = records.add(settings, scores=scores, steps=summary["steps"], seconds=summary["seconds"])
    if not arguments.keep:
        shutil.rmtree(folder)
    return record


def row(name: str, size: InputSize, result: Settings) -> str:
    """Return a row of the table."""
    values = [spread([result["scores"][direction][figure] for direction in DIRECTIONS]) for figure in FIGURES]
    return f"| {' | '.join([name, str(size), str(result.get('steps', 0)), *values])} |"


def main() -> None:
    """Run from the command line."""
    arguments = parse_arguments()
    records = Records(arguments.work / "distillation.jsonl")
    video = first_frames(real_parts(arguments.data)[0].video, arguments.work / "first-frames.avi")
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    length = f"{arguments.epochs} epochs" if arguments.epochs else f"{arguments.minutes:g} minutes"
    print(f"{facts}\n{length}, {arguments.threads} threads, {arguments.batch_size} images a step\n")
    print(f"| {' | '.join(['weights', 'input', 'steps', *(figure.upper() for figure in FIGURES)])} |")
    print("|" + "---|" * (3 + len(FIGURES)), flush=True)
    if not arguments.only or "teacher" in arguments.only:
        result = scored("teacher", arguments.teacher, arguments.teacher_input_size, records, arguments)
        print(row("teacher", arguments.teacher_input_size, result), flush=True)
    if arguments.weights != NO_WEIGHTS and (not arguments.only or "before" in arguments.only):
        result = scored("before", arguments.weights, arguments.input_size, records, arguments)
        print(row("before", arguments.input_size, result), flush=True)
    for name, losses in rows(arguments.only).items():
        result = distilled(name, losses, video, records, arguments)
        print(row(name, arguments.input_size, result), flush=True)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1")
    parser.add_argument("--work", type=Path, required=True, help="folder for the video, runs and distillation.jsonl")
    parser.add_argument("--student", default="light", metavar="A", help="architecture; default: %(default)s")
    parser.add_argument("--weights", default=NO_WEIGHTS, metavar="W", help="start weights; default: %(default)s")
    parser.add_argument("--teacher", default="sample", metavar="W", help="default: %(default)s")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(576, 320), metavar="WxH")
    parser.add_argument("--teacher-input-size", type=InputSize.parse, default=InputSize(864, 480), metavar="WxH")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=60.0, metavar="M", help="length of a run; default: 60")
    length.add_argument("--epochs", type=int, metavar="N", help="length in passes over the frames, so that students of "
                        "different speed see equally many")  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=4, metavar="N", help="images a step; default: %(default)s")
    parser.add_argument("--lr", type=float, default=1e-3, help="highest learning rate; default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=[],
        metavar="ROW,ROW",
        help="teacher, before, after, 'without heatmap' and others; default: all rows",
    )
    parser.add_argument("--keep", action="store_true", help="keep the weights of each run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
