"""A training run with PaddleDetection: from prepared datasets to weights that `track` runs."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...architectures import Checkpoint, HeadSizes, find_architecture
from ...architectures.dla34.structure import HEADS
from ...backends.base import reason_of
from ...backends.cpus import usable_cpus
from ...config import InputSize
from ...datasets import Dataset
from ...errors import FairMOTError, InvalidInputError, OutOfMemoryError, ResumeError, TrainingError
from ...memory import is_lack_of_memory
from ...weights import find_entry, input_size_for, load_checkpoint, resolve_weights, write_pdparams
from ..config import CPU_BATCH, DEFAULT_EPOCHS, GPU_BATCH, TrainingConfig
from ..folder import BEST_FILE, LAST_FILE, claimed_folder
from ..records.curves import write_curves
from ..records.metrics import MetricsLog
from ..records.progress import RunProgress
from ..schedule import RunLength
from ..summary import TrainingSummary
from .callbacks import RunCallbacks
from .card import write_cards
from .configuration import BASE_RATE, CONFIG_FILE, RunSettings, make_configuration, write_configuration
from .data_folder import check_data, link_data
from .folder import DATA_FOLDER, RUN_FILES, START_FILE
from .limits import check_folder_name, check_installed, check_settings
from .session import build_trainer, choose_gpu, import_paddle, paddle_state
from .snapshots import (
    Position,
    check_settings_equal,
    find_snapshot,
    write_settings,
)

logger = logging.getLogger(__name__)


def train_with_paddle(config: TrainingConfig) -> TrainingSummary:
    """Train with PaddleDetection's `Trainer`: its network, losses, augmentation and optimiser.

    The folder of the run gets ``config.yml``, with which PaddleDetection's ``tools/train.py`` trains too, a snapshot of
    the last finished epoch in ``snapshots/``, ``best.pdparams`` (the epoch with the lowest mean training loss),
    ``last.pdparams``, ``metrics.jsonl`` and ``curves.png``. ``resume`` continues after the last finished epoch, to the
    same weights as without the interruption. A stop signal writes ``last.pdparams``; if the step takes more than four
    seconds longer, the process ends with the files of the last finished epoch.

    Args:
        config: Settings; those that PaddleDetection lacks are refused.

    Returns:
        The result, without validation figures.

    Raises:
        InvalidInputError: A setting is given that PaddleDetection does not have.
        TrainingUnavailableError: Paddle or PaddleDetection is not installed.
        DatasetError: A dataset is not prepared, damaged or too small, or has several classes.
        WeightsError: The start weights cannot be used.
        DeviceUnavailableError: The device cannot be used.
        OutputError: The folder of the run cannot be written, has an earlier run, or is in use.
        ResumeError: The run cannot be resumed.
        TrainingError: The loss is not finite, or PaddleDetection failed.
        OutOfMemoryError: A step needs more memory than there is.
    """
    check_settings(config)
    check_folder_name(config.output_dir)
    check_installed()
    datasets = [Dataset.open(folder) for folder in config.data]
    checkpoint, input_size = _read_start(config)
    import_paddle()
    use_gpu = choose_gpu(config.device)
    settings = RunSettings(
        input_size=input_size,
        epochs=config.epochs or DEFAULT_EPOCHS,
        batch_size=config.batch_size or (GPU_BATCH if use_gpu else CPU_BATCH),
        lr=config.lr or BASE_RATE,
        seed=config.seed,
        use_gpu=use_gpu,
        embedding_size=(checkpoint.sizes if checkpoint else HeadSizes()).embedding_size,
    )
    check_data(datasets, settings.batch_size)
    shared = {
        "data": [dataset.digest for dataset in datasets],
        "weights": str(config.weights),
        **{name: str(value) for name, value in vars(settings).items() if name != "use_gpu"},
    }
    if config.resume:
        check_settings_equal(config.output_dir, shared)
    threads = config.threads or usable_cpus()
    with claimed_folder(config.output_dir, RUN_FILES, resume=config.resume, overwrite=config.overwrite) as run:
        position = find_snapshot(run)[1] if config.resume else Position()
        data = link_data(datasets, run / DATA_FOLDER, settings.batch_size)
        start = None
        if checkpoint is not None:
            start = run / START_FILE
            write_pdparams(start, HEADS.with_ltrb_sizes(checkpoint.arrays))
        write_configuration(run / CONFIG_FILE, make_configuration(settings, data, run, start))
        write_settings(run, shared)
        with paddle_state(use_gpu=use_gpu, threads=threads), _own_errors(settings):
            trainer = build_trainer(run / CONFIG_FILE, data.images, settings.seed)
            if config.resume:
                _resume(trainer, find_snapshot(run)[0])
            _train(trainer, run, settings, position)
        write_cards(run, config, settings, datasets, position, threads)
    return TrainingSummary(
        best=run / BEST_FILE,
        last=run / LAST_FILE,
        steps=position.step,
        epochs=float(position.epoch),
        seconds=position.elapsed_s,
    )


def _train(trainer: Any, run: Path, settings: RunSettings, position: Position) -> None:
    length = RunLength(len(trainer.loader), settings.epochs, None)
    with (
        MetricsLog(run, position.step or None) as metrics,
        RunProgress(length, step=position.step, elapsed_s=position.elapsed_s) as progress,
    ):
        callbacks = RunCallbacks(
            trainer, run, settings.input_size, position=position, metrics=metrics, progress=progress
        )
        trainer._compose_callback = callbacks  # noqa: SLF001 (its own print to stdout and keep every snapshot)
        try:
            trainer.train()
        except KeyboardInterrupt:
            if position.step:
                callbacks.write_weights(LAST_FILE)
                resumed = (
                    f"--resume continues after epoch {position.epoch}" if position.epoch else "no epoch is finished"
                )
                progress.note(f"stopped after step {position.step}, whose weights are in {LAST_FILE}; {resumed}")
            raise
        write_curves(run)


def _read_start(config: TrainingConfig) -> tuple[Checkpoint | None, InputSize]:
    if config.weights is None:
        return None, input_size_for(None, config.input_size)
    entry = find_entry(config.weights)
    path = resolve_weights(config.weights)
    checkpoint = load_checkpoint(path, find_architecture(entry.architecture) if entry else None)
    if checkpoint.architecture.name != "dla34":
        raise InvalidInputError(
            f"{path} is a checkpoint of {checkpoint.architecture.title}; expected FairMOT DLA-34 with --engine paddle."
        )
    if checkpoint.sizes.num_classes != 1:
        logger.warning(
            "%s has %d classes and the data 1: the last layer of the heatmap is trained from random numbers",
            path, checkpoint.sizes.num_classes,
        )  # fmt: skip
    return checkpoint, input_size_for(entry, config.input_size, path)


def _resume(trainer: Any, snapshot: Path) -> None:
    try:
        trainer.resume_weights(str(snapshot))
    except Exception as error:
        raise ResumeError(
            f"{snapshot.parent} cannot be resumed ({type(error).__name__}: {reason_of(error)}); start again with "
            "--weights last.pdparams of that run."
        ) from error


@contextlib.contextmanager
def _own_errors(settings: RunSettings) -> Iterator[None]:
    """Convert PaddleDetection's errors to those of this package."""
    try:
        yield
    except FairMOTError:
        raise
    except Exception as error:
        if is_lack_of_memory(error) or "ResourceExhausted" in str(error):
            raise OutOfMemoryError(
                f"A step on {settings.batch_size} images of {settings.input_size} needs more memory than there is; use "
                "a smaller --batch-size or --input-size."
            ) from error
        raise TrainingError(
            f"PaddleDetection failed ({type(error).__name__}: {reason_of(error)}); check the data with a run of "
            "--engine torch, or report it."
        ) from error
