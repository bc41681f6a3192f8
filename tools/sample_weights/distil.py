"""Trains a small network on what the ``sample`` weights find in the prepared datasets; their labels are not used.

    python tools/sample_weights/distil.py --data prepared/pennfudan --data prepared/scenes --output-dir D

Folders of links to images are made first: every place in ``D/real``, rendered scenes in ``D/scenes``. Then
``fairmot_dla34 train --teacher sample`` runs on them. The weights are in ``D/run/last.pdparams``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from fairmot_dla34.architectures import architecture_names
from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset
from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.training import LossConfig, TrainingConfig, train
from fairmot_dla34.training.folder import STATE_FILE

SCENES = "scenes"  # folder of the dataset of rendered scenes
STRIDES = {"PETS09-S2L1": 2, SCENES: 13}  # consecutive frames resemble each other
# Small sets and crowded streets count several times.
REPEATS = {
    "TUD-Campus": 4,
    "MOT17-mini": 8,
    "pennfudan": 2,
    "coco256_person": 3,
    "coco256_negative": 2,
    "voc_mini": 3,
    "cafe": 2,
}


def link_images(folders: Sequence[Path], output: Path) -> list[Path]:
    """Link the images to learn from, and return the folders that have any: real ones and rendered ones."""
    shutil.rmtree(output, ignore_errors=True)
    for folder in folders:
        name = folder.name
        target = output / (SCENES if name == SCENES else "real")
        target.mkdir(parents=True, exist_ok=True)
        dataset = Dataset.open(folder)
        for number, image in enumerate(dataset.images("train")[:: STRIDES.get(name, 1)]):
            path = image.path.resolve()
            for repeat in range(REPEATS.get(name, 1)):
                (target / f"{name}_{number:05d}_{repeat}{path.suffix}").symlink_to(path)
    return sorted(output.iterdir())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="P", help="prepared dataset")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="D", help="folder of the links and the run")
    parser.add_argument("--arch", choices=architecture_names(), default="light", metavar="NAME",
                        help="default: %(default)s")  # fmt: skip
    parser.add_argument("--teacher", default="sample", metavar="W", help="default: %(default)s")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(576, 320), metavar="WxH")
    parser.add_argument("--minutes", type=float, default=75.0, metavar="M", help="default: %(default)g")
    parser.add_argument("--threads", type=int, default=1, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    run: Path = arguments.output_dir / "run"
    is_interrupted = (run / STATE_FILE).is_file()
    try:
        summary = train(
            TrainingConfig(
                data=tuple(link_images(arguments.data, arguments.output_dir / "images")),
                weights=None,
                arch=arguments.arch,
                input_size=arguments.input_size,
                teacher=arguments.teacher,
                teacher_input_size=arguments.input_size,
                batch_size=4,
                lr=1e-3,
                loss=LossConfig(neighbours=True),
                minutes=arguments.minutes,
                threads=arguments.threads,
                seed=arguments.seed,
                output_dir=run,
                resume=is_interrupted,
                overwrite=not is_interrupted,
            )
        )
    except FairMOTError as error:
        raise SystemExit(f"distil.py: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # the state is saved
    print(f"{summary.steps} steps in {summary.seconds:.0f} s: {summary.last}", file=sys.stderr)


if __name__ == "__main__":
    main()
