"""Refusal of the settings that PaddleDetection's training does not have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ...errors import InvalidInputError, TrainingUnavailableError
from ...messages import install_command
from ..config import LossConfig, TrainingConfig

_USE_TORCH = "leave it out, or use --engine torch."
# PaddleDetection replaces these wherever they are in the path of an image, to find the path of its labels.
_REPLACED_IN_PATHS = ("images", ".jpg", ".png")


def check_settings(config: TrainingConfig) -> None:
    """Check that PaddleDetection can follow every setting.

    Raises:
        InvalidInputError: A setting is given that it does not have.
    """
    for problem in _problems(config):
        raise InvalidInputError(problem)


def check_installed() -> None:
    """Check that Paddle and PaddleDetection are installed, without importing them.

    Raises:
        TrainingUnavailableError: One of them is missing.
    """
    missing = [title for name, title in (("paddle", "PaddlePaddle"), ("ppdet", "PaddleDetection")) if not _has(name)]
    if missing:
        raise TrainingUnavailableError(
            f"--engine paddle needs {' and '.join(missing)}, not installed here; install them on Python 3.11 with "
            f"{install_command('paddle')}, or use --engine torch."
        )


def check_folder_name(folder: Path) -> None:
    """Check that PaddleDetection can find labels in the folder of a run.

    Raises:
        InvalidInputError: The path has a part that PaddleDetection replaces.
    """
    path = str(folder.absolute())
    for part in _REPLACED_IN_PATHS:
        if part in path:
            raise InvalidInputError(
                f"output_dir is {path}, but PaddleDetection replaces {part!r} everywhere in a path; name another "
                "--output-dir, or use --engine torch."
            )


def _has(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # a broken or half-removed package
        return False


def _problems(config: TrainingConfig) -> Iterator[str]:
    yield from _training_problems(config)
    yield from _validation_problems(config)
    yield from _process_problems(config)


def _training_problems(config: TrainingConfig) -> Iterator[str]:
    if config.plain_neck:
        yield f"plain_neck is set, but PaddleDetection trains deformable convolutions only; {_USE_TORCH}"
    if config.freeze:
        yield f"freeze is {', '.join(config.freeze)}, but PaddleDetection trains every part; {_USE_TORCH}"
    if config.loss != LossConfig():
        yield f"loss is {config.loss}, but PaddleDetection has the losses of the paper only; {_USE_TORCH}"
    for name in ("teacher", "teacher_input_size", "distillation"):
        if getattr(config, name) is not None:
            yield f"{name} is {getattr(config, name)}, but PaddleDetection trains without a teacher; {_USE_TORCH}"
    if config.minutes is not None:
        yield f"minutes is {config.minutes:g}, but PaddleDetection counts epochs; use --epochs, or --engine torch."
    if config.precision == "bf16":
        yield f"precision is bf16, but PaddleDetection trains FairMOT in fp32; {_USE_TORCH}"
    if config.arch not in {None, "dla34"}:
        yield f"arch is {config.arch}; expected dla34, the only one of --engine paddle. Leave it out."


def _validation_problems(config: TrainingConfig) -> Iterator[str]:
    if config.val:
        yield (
            f"val is {', '.join(map(str, config.val))}, but PaddleDetection does not validate FairMOT while it trains; "
            f"{_USE_TORCH}"
        )
    if config.val_every is not None:
        yield f"val_every is {config.val_every}, but PaddleDetection does not validate while it trains; {_USE_TORCH}"
    if config.best != "auto":
        yield (
            f"best is {config.best}, but without validation the best epoch is the one with the lowest training loss; "
            f"{_USE_TORCH}"
        )


def _process_problems(config: TrainingConfig) -> Iterator[str]:
    if config.device not in {"auto", "cpu", "cuda", "cuda:0"}:
        yield (
            f"device is {config.device}; expected auto, cpu or cuda with --engine paddle. Choose a GPU with "
            "CUDA_VISIBLE_DEVICES."
        )
    for name in ("WORLD_SIZE", "PADDLE_TRAINERS_NUM"):
        if os.environ.get(name, "1") != "1":
            yield (
                f"{name} is {os.environ[name]}, but --engine paddle trains in one process; run the config.yml that it "
                "writes with PaddleDetection's tools/train.py, or use --engine torch."
            )
