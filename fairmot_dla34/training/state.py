"""The state of a run on disk: written atomically, checked against the settings when a run is resumed."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from ..config import is_whole
from ..errors import OutOfMemoryError, ResumeError
from ..files import output_error, replaced_file
from .folder import STATE_FILE
from .memory.allocation import lacks_memory, reason
from .model import Learner

_VERSION = 1
_MAX_STEPS = 2**53


@dataclass
class Progress:
    """Position of a run.

    Attributes:
        epoch: Current epoch, from 0.
        epoch_step: Finished steps of the epoch.
        step: Finished steps of the run.
        elapsed_s: Seconds of the steps and the validations between them so far, over all starts of the run.
        best_score: Best validation figure so far; None before the first.
        best_step: Step of the best figure.
        best_figure: Name of that figure.
        validated_share: Share of the run at the last validation; negative before the first.
        validated_step: Step of the last validation; negative before the first.
        length: Length of the run, in words.
        scores: Validation figures so far, by name of the validation.
    """

    epoch: int = 0
    epoch_step: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    best_score: float | None = None
    best_step: int = 0
    best_figure: str | None = None
    validated_share: float = -1.0
    validated_step: int = -1
    length: str = ""
    scores: dict[str, dict[str, float]] = field(default_factory=dict)


def save_state(
    folder: Path,
    learner: Learner,
    progress: Progress,
    settings: Mapping[str, str],
) -> None:
    """Write the state of a run; the earlier state stays until the new one is complete.

    Args:
        folder: Folder of the run.
        learner: Model, average and optimiser.
        progress: Position of the run.
        settings: Settings that a resumed run must share, as text by name.

    Raises:
        OutputError: The file cannot be written; the earlier one is unchanged.
    """
    state = {
        "version": _VERSION,
        "settings": dict(settings),
        "model": learner.model.state_dict(),
        "average": learner.average.network.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        "progress": vars(progress),
    }
    path = folder / STATE_FILE
    try:
        with replaced_file(path) as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:
        cause = error.__context__  # PyTorch raises a RuntimeError for a write that fails or is interrupted
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None
        raise output_error(path, cause if isinstance(cause, OSError) else error) from error


def missing_state(folder: Path) -> ResumeError:
    """Return the error to raise if there is no state to resume from."""
    return ResumeError(f"{folder} has no {STATE_FILE}; expected the folder of an interrupted run. Leave out --resume.")


def read_state(folder: Path, settings: Mapping[str, str]) -> dict[str, Any]:
    """Read the state of a run and check that it belongs to these settings.

    Raises:
        ResumeError: There is no state, it is damaged, or a setting differs.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        raise missing_state(folder)
    try:
        _check_sums(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        earlier, version = dict(state["settings"]), state["version"]
    except Exception as error:  # PyTorch raises many kinds for damaged files
        if lacks_memory(error):
            raise OutOfMemoryError(f"{path} cannot be read: there is too little memory for it.") from error
        raise ResumeError(
            f"{path} cannot be read ({type(error).__name__}: {reason(error)}); it is damaged or not of this program. "
            "Start a new run with --weights last.pdparams of that folder."
        ) from error
    if version != _VERSION:
        raise ResumeError(
            f"{path} has version {version}; expected {_VERSION}: start a new run with --weights last.pdparams of that "
            "folder."
        )
    names = earlier.keys() | settings.keys()
    if _has_no_best(state):
        names -= {"best"}  # such as a figure that the data turned out not to give
    for name in sorted(names):
        if earlier.get(name) != settings.get(name):
            raise ResumeError(
                f"{name} is {settings.get(name, 'not given')}, but the run in {folder} was started with "
                f"{earlier.get(name, 'another version')}; resume with the same settings, or start a new run."
            )
    return dict(state)


def _has_no_best(state: Mapping[str, Any]) -> bool:
    progress = state.get("progress")
    return isinstance(progress, dict) and progress.get("best_figure") is None and "best_figure" in progress


def _check_sums(path: Path) -> None:
    """Compare the contents of a ZIP archive with its checksums, which PyTorch does not."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"{damaged} has another checksum")


def restore_state(state: Mapping[str, Any], learner: Learner) -> Progress:
    """Copy a state that was read into model, average and optimiser; return the position of the run.

    Raises:
        ResumeError: The arrays do not fit: the file was changed.
    """
    try:
        learner.model.load_state_dict(state["model"])
        learner.average.network.load_state_dict(state["average"])
        learner.optimizer.load_state_dict(state["optimizer"])
        progress = Progress(**state["progress"])
        if not all(is_whole(number, 0, _MAX_STEPS) for number in (progress.epoch, progress.epoch_step, progress.step)):
            raise ValueError(f"position {progress.epoch}, {progress.epoch_step}, {progress.step}")  # noqa: TRY301
    except (RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ResumeError(
            f"The state of the run does not fit its settings ({reason(error)}); start a new run with --weights "
            "last.pdparams of that folder."
        ) from error
    return progress
