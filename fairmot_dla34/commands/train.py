"""The verb ``train``: trains a network on prepared datasets."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..architectures import architecture_names
from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import printable_json
from ..arguments.readers import checked_by, folder, input_size, one_of
from ..config import DEFAULT_WEIGHTS
from ..console.progress import duration_text
from ..console.streams import EXIT_ERROR
from ..errors import FairMOTError
from ..messages import counted
from ..training import DistillationConfig, LossConfig, TrainingConfig, TrainingSummary, train
from ..training.config import BEST_FIGURES, DEFAULT_EPOCHS, ENGINES, FEW_IMAGES, FREEZABLE, LOSS_ADDITIONS, PRECISIONS
from ..training.distillation.config import DISTILLATION_LOSSES
from ..training.processes.launcher import is_first_process, is_reported
from ..training.records.wording import figures_text

NO_WEIGHTS = NOTHING = "none"
EXAMPLES = """\
examples:
  fairmot_dla34 train --data people --weights sample --input-size 576x320 --minutes 20 --output-dir run
  fairmot_dla34 train --data people --weights sample --input-size 576x320 --minutes 20 --output-dir run --resume
  fairmot_dla34 train --teacher sample --data street.mp4 --arch light --weights none --input-size 576x320
  torchrun --nproc-per-node 8 -m fairmot_dla34 train --data people --epochs 30 --batch-size 96
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="D",
        help="folder that prepare wrote, or with --teacher a video; give it again for more",
    )
    parser.add_argument(
        "--val",
        action="append",
        default=[],
        metavar="V",
        help="folder that prepare wrote, to validate on; default: the validation parts of --data",
    )
    add_options(parser, (*_network_options(), *_teacher_options(), *_run_options(), *_machine_options()))
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; default: as text")


def _network_options() -> tuple[Option | Switch, ...]:
    return (
        Option(
            "weights",
            "W",
            f"weights to start from: a registered name or a file; {NO_WEIGHTS} for random numbers",
            default=DEFAULT_WEIGHTS,
        ),
        Option(
            "arch",
            "A",
            f"architecture, one of {', '.join(architecture_names())}",
            one_of("arch", architecture_names),
            shown_default="that of the weights",
        ),
        Option("input_size", "WxH", "network input in px", input_size, shown_default="the size of the weights"),
        Switch(
            "plain_neck",
            {
                "plain_neck": (
                    True,
                    "plain convolutions in the neck, twice as fast to train on a CPU; default: deformable ones",
                )
            },
            "plain convolutions in the neck",
        ),
        Option(
            "freeze",
            "PARTS",
            f"parts that are not trained, separated by commas, of {', '.join(FREEZABLE)}; or {NOTHING}",
            _parts,
            shown_default=f"norms with weights to start from and fewer than {FEW_IMAGES} images a step, else none",
        ),
        Option(
            "loss",
            "NAMES",
            f"paper, or additions to it separated by commas, of {', '.join(LOSS_ADDITIONS)}",
            LossConfig.parse,
            default=LossConfig(),
        ),
    )


def _teacher_options() -> tuple[Option | Switch, ...]:
    return (
        Option(
            "teacher",
            "W",
            "weights of a frozen network to learn from, a registered name or a file",
            shown_default="none",
        ),
        Option(
            "teacher_input_size",
            "WxH",
            "network input of the teacher in px",
            input_size,
            shown_default="the size of its weights",
        ),
        Option(
            "distillation",
            "NAME=X",
            f"weights of the losses against the teacher, of {', '.join(DISTILLATION_LOSSES)}",
            DistillationConfig.parse,
            shown_default=str(DistillationConfig()),
        ),
    )


def _run_options() -> tuple[Option | Switch, ...]:
    return (
        _setting("epochs", "N", "passes over the images", int, shown=f"{DEFAULT_EPOCHS}, without --minutes"),
        _setting("minutes", "M", "length of the run by the clock, validations included", float, shown="none"),
        _setting("batch_size", "N", "images of a step, over all processes", int, shown="12 on GPUs, 2 on a CPU"),
        _setting("lr", "RATE", "highest learning rate", float, shown="0.0001"),
        _setting("seed", "S", "number from 0 of all random choices", int, shown="0"),
        _setting("val_every", "N", "epochs between two validations", int, shown="about ten validations in the run"),
        _setting("best", "FIGURE", f"figure to choose best.pdparams by, of {', '.join(BEST_FIGURES)}", shown="auto"),
        Option("output_dir", "D", "folder of the run", folder, default="run"),
        Switch(
            "resume",
            {"resume": (True, "continue the run in the output directory; default: a new run")},
            "continue a run",
        ),
        Switch(
            "overwrite",
            {"overwrite": (True, "replace a run in the output directory; default: refuse")},
            "replace a run",
        ),
    )


def _machine_options() -> tuple[Option | Switch, ...]:
    return (
        _setting("device", "DEVICE", "auto, cpu, cuda or cuda:N", shown="auto, which is a GPU if there is one"),
        _setting("precision", "P", f"one of {', '.join(PRECISIONS)}", shown="auto, which is bf16 if the device has it"),
        _setting("threads", "N", "CPU threads, 1 to 1024", int, shown="all that this process may use"),
        Option("engine", "E", f"one of {', '.join(ENGINES)}", one_of("engine", lambda: ENGINES), default=ENGINES[0]),
    )


def _setting(name: str, metavar: str, text: str, convert: Any = str, *, shown: str) -> Option:
    """Return an option whose value `TrainingConfig` checks; its default is that of the configuration."""

    def settings(**values: Any) -> TrainingConfig:
        return TrainingConfig(data=(Path(),), **values)

    default = next(field.default for field in dataclasses.fields(TrainingConfig) if field.name == name)
    return Option(name, metavar, text, checked_by(settings, name, convert), default=default, shown_default=shown)


def _parts(text: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in text.split(",") if part.strip() not in {"", NOTHING})
    TrainingConfig(data=(Path(),), freeze=parts)
    return parts


def run(arguments: argparse.Namespace) -> None:
    """Train and print the summary."""
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    settings = {name: value for name, value in vars(arguments).items() if name in names}
    settings |= {
        "data": tuple(map(Path, arguments.data)),
        "val": tuple(map(Path, arguments.val)),
        "weights": None if arguments.weights == NO_WEIGHTS else arguments.weights,
        "output_dir": Path(arguments.output_dir),
    }
    with arguments.parser.wrong_usage():  # every setting is an option
        config = TrainingConfig(**settings)
    if not is_first_process():
        logging.getLogger("fairmot_dla34").setLevel(logging.ERROR)  # the first one's messages are enough
    try:
        summary = _trained(config, arguments.engine)
    except (FairMOTError, KeyboardInterrupt) as error:
        if is_reported(error):
            raise SystemExit(EXIT_ERROR) from None
        raise
    if summary is not None and is_first_process():
        print(printable_json(summary_json(summary)) if arguments.json else summary_text(summary))


def _trained(config: TrainingConfig, engine: str) -> TrainingSummary | None:
    if engine == "paddle":
        from ..training.paddle_engine import train_with_paddle

        return train_with_paddle(config)
    with _one_thread_for_each_image():
        return train(config)


@contextlib.contextmanager
def _one_thread_for_each_image() -> Iterator[None]:
    """Let OpenCV compute in the threads that call it, which takes about 20 % less CPU time for training images."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def summary_text(summary: TrainingSummary) -> str:
    """Return the summary as text."""
    steps = counted(summary.steps, "step")
    lines = [f"trained {steps} ({summary.epochs:.3g} epochs) in {duration_text(summary.seconds)}"]
    lines += [f"{name:6} {figures_text(figures)}" for name, figures in summary.scores.items()]
    return "\n".join([*lines, f"best   {summary.best}", f"last   {summary.last}"])


def summary_json(summary: TrainingSummary) -> str:
    """Return the summary as JSON."""
    return json.dumps(dataclasses.asdict(summary), indent=2, default=str, ensure_ascii=False)
