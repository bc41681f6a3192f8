"""Training runs of a network of a few thousand numbers, in this process or in processes that can be killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import InputSize
from fairmot_dla34.architectures import register_architecture, unregister_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.heads import Heads
from fairmot_dla34.architectures.layered import LayeredArchitecture
from fairmot_dla34.architectures.layers import Layers
from fairmot_dla34.commands.main import main
from fairmot_dla34.training import TrainingConfig, loop
from fairmot_dla34.weights import load_checkpoint

T = TypeVar("T")
NAME = "small"
HEADS = Heads("head.heatmap", "head.size", "head.offset", "head.embedding", 8, 8, 4)
WORDS = ("--arch", NAME, "--input-size", "64x64", "--device", "cpu", "--precision", "fp32", "--threads", "1")


class Small(LayeredArchitecture):
    """Two convolutions, a deformable one and the heads."""

    name = title = NAME
    graph_version = 1
    heads = HEADS

    def features(self, layers: Layers[T], image: T) -> T:
        x = layers.relu(layers.image_conv_norm(image, "backbone.first", 8, 3))
        x = layers.relu(layers.conv_norm(layers.max_pool(x, 2), "backbone.second", 8, 3, 2))
        layers.unused_conv_norm(x, "backbone.unused", 8, 1)
        return layers.deform_conv_norm_relu(x, "neck", 8)

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> NoReturn:
        raise NotImplementedError


def register_small() -> None:
    """Register the architecture, once."""
    unregister_architecture(NAME)
    register_architecture(Small())


def small_config(data: Path, folder: Path, **settings: Any) -> TrainingConfig:
    """Return the settings of a small run on the CPU, from random numbers."""
    defaults = {
        "weights": None, "arch": NAME, "input_size": InputSize(64, 64), "device": "cpu", "precision": "fp32",
        "threads": 1, "output_dir": folder,
    }  # fmt: skip
    if "epochs" not in settings and "minutes" not in settings:
        defaults["epochs"] = 2
    return TrainingConfig(**{"data": (data,), **defaults, **settings})


def arrays_of(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the arrays of a checkpoint of the small network."""
    register_small()
    return dict(load_checkpoint(path).arrays)


def same_arrays(one: Path, other: Path) -> bool:
    """Return whether two checkpoints have the same bits."""
    first, second = arrays_of(one), arrays_of(other)
    return first.keys() == second.keys() and all(first[name].tobytes() == second[name].tobytes() for name in first)


class SlowValidation:
    """Stands for the validation: lasts a given time, and gives a figure that follows from the weights."""

    seconds = 0.0

    def __init__(self, *_: object, **__: object) -> None:
        self.why_missing: dict[str, str] = {}

    def validate(self, weights: Path, network: object, name: str) -> dict[str, float]:
        time.sleep(self.seconds)
        return {"ap50": float(sum(np.abs(array).sum() for array in arrays_of(weights).values()) % 1)}


@contextmanager
def training_process(
    output: Path,
    *words: str | Path,
    save_every_s: float = 0.0,
    validation_s: float | None = None,
    saving_s: float | None = None,
) -> Iterator[BaseProcess]:
    """Run ``fairmot_dla34 train`` in a process that has imported PyTorch already.

    Args:
        output: File for what it prints.
        *words: Arguments, after a few that keep the run small and repeatable.
        save_every_s: Seconds between two saved states; 0: one after every step.
        validation_s: Duration of each validation, by `SlowValidation`; None: as the package validates.
        saving_s: Seconds for which the writing of a state stops in its middle; None: it does not.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["small_training", "fairmot_dla34.training.run"])
    arguments = (output, list(map(str, words)), save_every_s, validation_s, saving_s)
    process = context.Process(target=_run_command, args=arguments)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _run_command(
    output: Path, words: list[str], save_every_s: float, validation_s: float | None, saving_s: float | None
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    file = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
    register_small()
    loop.SAVE_EVERY_S = save_every_s
    if validation_s is not None:
        from fairmot_dla34.training import run

        SlowValidation.seconds = validation_s
        setattr(run, "Validator", SlowValidation)  # noqa: B010 (mypy refuses the assignment)
    if saving_s is not None:
        import torch

        torch.save = partial(_save_slowly, saving_s)
    sys.exit(main(["train", *WORDS, *words]))


def _save_slowly(seconds: float, content: object, file: IO[bytes]) -> None:
    file.write(b"half of a state")
    time.sleep(seconds)
    raise AssertionError(content)
