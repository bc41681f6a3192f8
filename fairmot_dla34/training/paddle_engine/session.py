"""PaddleDetection's `Trainer`, built and run with its global state restored afterwards."""

from __future__ import annotations

import contextlib
import logging
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...backends.base import reason_of
from ...console.signals import restore_handler
from ...errors import DeviceUnavailableError, TrainingUnavailableError
from ...messages import install_command
from .loader import SeededLoader

_HIDDEN = logging.CRITICAL + 1


def import_paddle() -> None:
    """Import Paddle and PaddleDetection, and restore the program's signal handlers.

    Raises:
        TrainingUnavailableError: One of them cannot be imported.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):  # PaddleDetection prints hints about other packages
            import paddle  # noqa: F401  # the rest of this package imports it where it uses it
            import ppdet.engine
            import ppdet.modeling  # noqa: F401  # registers the classes that a configuration names
    except Exception as error:  # another NumPy or setuptools than theirs raises anything
        raise TrainingUnavailableError(
            f"PaddleDetection cannot be imported ({type(error).__name__}: {reason_of(error)}); install it on Python "
            f"3.11 in an environment of its own with {install_command('paddle')}."
        ) from error
    finally:
        restore_handler(signal.SIGTERM)  # Paddle replaces it


def choose_gpu(device: str) -> bool:
    """Return whether to train on a GPU.

    Args:
        device: ``auto`` (a GPU if Paddle finds one), ``cpu`` or ``cuda``.

    Raises:
        DeviceUnavailableError: ``cuda``, and Paddle has no CUDA or finds no GPU.
    """
    import paddle

    has_cuda = bool(paddle.is_compiled_with_cuda())
    count = int(paddle.device.cuda.device_count()) if has_cuda else 0
    if device.startswith("cuda") and not count:
        problem = "finds no GPU" if has_cuda else "is a CPU build"
        raise DeviceUnavailableError(
            f"device is {device}, but PaddlePaddle {problem}; install its GPU build with "
            f"{install_command('paddle-gpu')}, or use --device cpu."
        )
    return device != "cpu" and count > 0


@contextlib.contextmanager
def paddle_state(*, use_gpu: bool, threads: int) -> Iterator[None]:
    """Prepare Paddle for training; restore settings, random numbers, log levels and signal handlers at the end."""
    import paddle
    from ppdet.core.workspace import global_config
    from ppdet.utils.logger import logger_initialized

    flag = "FLAGS_paddle_num_threads"
    earlier_flag = paddle.get_flags([flag])
    earlier_device = paddle.device.get_device()
    earlier_random = random.getstate(), np.random.get_state()  # noqa: NPY002 (the global one, which ppdet uses)
    values = {name: (value, dict(value) if isinstance(value, dict) else None) for name, value in global_config.items()}
    loggers = {logger: logger.level for logger in map(logging.getLogger, logger_initialized)}
    try:
        paddle.disable_static()
        paddle.set_device("gpu:0" if use_gpu else "cpu")
        paddle.set_flags({flag: threads})
        for logger in loggers:
            logger.setLevel(_HIDDEN)  # they print to stdout; progress and errors are reported by this package
        # The saved optimiser finds its arrays by names with running numbers, which start anew in each run.
        with paddle.utils.unique_name.guard():
            yield
    finally:
        for logger, level in loggers.items():
            logger.setLevel(level)
        global_config.clear()
        for name, (value, items) in values.items():
            if items is not None:
                value.clear()
                value.update(items)
            global_config[name] = value
        random.setstate(earlier_random[0])
        np.random.set_state(earlier_random[1])  # noqa: NPY002 (as above)
        paddle.set_flags(earlier_flag)
        paddle.set_device(earlier_device)
        restore_handler(signal.SIGTERM)


def build_trainer(configuration: Path, images: tuple[Path, ...], seed: int) -> Any:
    """Return PaddleDetection's `Trainer` with the start weights of a configuration and a `SeededLoader`.

    Args:
        configuration: File `CONFIG_FILE` of the run.
        images: Image files by ``im_id``.
        seed: Seed of the run.
    """
    from ppdet.core.workspace import create, load_config
    from ppdet.engine import Trainer
    from ppdet.engine.env import set_random_seed

    config = load_config(str(configuration))
    set_random_seed(seed)
    config["TrainReader"] = SeededLoader(create("TrainReader"), images, seed)  # Trainer takes an object as it is
    trainer = Trainer(config, mode="train")
    if config.get("pretrain_weights"):
        trainer.load_weights(config["pretrain_weights"])
    return trainer
