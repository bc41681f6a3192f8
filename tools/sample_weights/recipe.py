"""Trains the sample weights in stages on prepared datasets; README.md in this folder describes the recipe.

    python tools/sample_weights/recipe.py --data prepared/pennfudan --data prepared/scenes --cutouts prepared/cutouts \
        --output-dir R

Each stage is a run of `fairmot_dla34 train` with crops instead of whole images. It starts from the weights of the stage
before it, the first one from random numbers or from ``--start``. An interrupted recipe continues when it is started
again. The weights are in ``R/last.pdparams``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crops.source import LARGE, SMALL, CropSource, Plan

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset
from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.training import LossConfig, TrainingConfig
from fairmot_dla34.training.folder import LAST_FILE, STATE_FILE
from fairmot_dla34.training.run import run_training

LOSS = "giou,neighbours,contrastive,fixed_weights"
SCENES = "scenes"  # folder of the dataset of rendered scenes
# Share of the real crops by folder. A place that is not named has the square root of its number of images.
WEIGHTS = {
    "PETS09-S2L1": 14.0,
    "TUD-Campus": 7.0,
    "MOT17-mini": 14.0,
    "coco256_person": 16.0,
    "coco256_negative": 9.0,
    "cafe": 4.0,
    "voc_mini": 4.0,
}


@dataclass(frozen=True)
class Stage:
    """A part of the training with settings of its own.

    Attributes:
        name: Folder of its run.
        share: Share of the time.
        lr: Highest learning rate.
        scenes_share: Share of the crops that are cut from rendered scenes, if there are any.
        plans: Make-up of the batches.
        freeze: Parts that are not trained. Large crops leave too few images in a batch for its statistics.
    """

    name: str
    share: float
    lr: float
    scenes_share: float
    plans: tuple[Plan, ...] = SMALL
    freeze: tuple[str, ...] = ()


STAGES = (
    Stage("mixed", 0.6, 7e-4, 0.3),
    Stage("large", 0.4, 3e-4, 0.25, LARGE, ("norms",)),
)


def crop_weights(folders: Sequence[Path], scenes_share: float) -> Mapping[str, float]:
    """Return the share of the crops of each prepared dataset by the name of its folder."""
    sizes = {folder.name: len(Dataset.open(folder).images("train")) for folder in folders}
    real = {name: WEIGHTS.get(name, size**0.5) for name, size in sizes.items() if name != SCENES}
    if not real:
        return {SCENES: 1.0}
    return {SCENES: scenes_share / (1 - scenes_share) * sum(real.values()), **real}


def train_stage(stage: Stage, minutes: float, start: Path | str | None, arguments: argparse.Namespace) -> Path:
    """Train one stage, or continue it, and return its weights."""
    folder: Path = arguments.output_dir / stage.name
    is_interrupted = (folder / STATE_FILE).is_file()
    config = TrainingConfig(
        data=tuple(arguments.data),
        weights=start,
        input_size=arguments.input_size,
        minutes=minutes,
        lr=stage.lr * arguments.lr_factor,
        plain_neck=True,
        freeze=stage.freeze,
        loss=LossConfig.parse(LOSS),
        seed=arguments.seed,
        threads=arguments.threads,
        output_dir=folder,
        resume=is_interrupted,
        overwrite=not is_interrupted,
    )
    weights = crop_weights(config.data, stage.scenes_share)
    source = partial(
        CropSource, weights=weights, plans=stage.plans, cutouts=arguments.cutouts, without=arguments.without
    )
    summary = run_training(config, source)
    print(f"stage {stage.name}: {summary.steps} steps in {summary.seconds:.0f} s", file=sys.stderr, flush=True)
    return summary.last


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, metavar="D", help="prepared dataset")
    parser.add_argument("--cutouts", type=Path, metavar="L", help="library of cutouts.py; default: nothing is pasted")
    parser.add_argument("--without", nargs="+", default=[], metavar="PLACE", help="places whose cut-outs are left out")
    parser.add_argument("--start", help="checkpoint to start from; default: random numbers")
    parser.add_argument("--output-dir", type=Path, required=True, help="folder of the stages")
    parser.add_argument("--minutes", type=float, default=240.0, metavar="M", help="length of all stages; default: 240")
    parser.add_argument("--stages", nargs="+", choices=[stage.name for stage in STAGES], metavar="STAGE",
                        help="stages to run; default: all")  # fmt: skip
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(864, 480), metavar="WxH")
    parser.add_argument("--lr-factor", type=float, default=1.0, metavar="F", help="factor of the learning rates")
    parser.add_argument("--threads", type=int, default=2, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    stages = [stage for stage in STAGES if arguments.stages is None or stage.name in arguments.stages]
    total, weights = sum(stage.share for stage in stages), arguments.start
    try:
        for stage in stages:
            weights = train_stage(stage, arguments.minutes * stage.share / total, weights, arguments)
    except FairMOTError as error:
        raise SystemExit(f"recipe.py: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # the state is saved
    shutil.copyfile(weights, arguments.output_dir / LAST_FILE)


if __name__ == "__main__":
    main()
