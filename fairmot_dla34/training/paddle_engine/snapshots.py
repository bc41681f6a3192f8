"""Snapshots of a run after each epoch: the weights and the optimiser in PaddleDetection's format, and the position."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...errors import OutputError, ResumeError
from ...files import make_folder, output_error, write_whole

SETTINGS_FILE = "settings.json"
SNAPSHOTS = "snapshots"
_MODEL, _POSITION = "model", "position.json"


@dataclass
class Position:
    """Position of a run.

    Attributes:
        epoch: Finished epochs.
        step: Finished steps.
        elapsed_s: Seconds of the run, over all its starts.
        best_loss: Lowest mean loss of an epoch; None before the first.
        best_epoch: Epoch of the lowest loss, from 1.
    """

    epoch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    best_loss: float | None = None
    best_epoch: int = 0


def save_snapshot(run: Path, model: Any, optimizer: Any, position: Position) -> None:
    """Write the snapshot of a finished epoch, then remove the earlier ones.

    The folder gets its name after its files are complete: an interruption or a full disk leaves the earlier snapshot.

    Raises:
        OutputError: A file cannot be written.
    """
    from ppdet.utils.checkpoint import save_model

    folder = run / SNAPSHOTS / str(position.epoch)
    unfinished = folder.with_suffix(".tmp")
    try:
        for path in (unfinished, folder):
            shutil.rmtree(path, ignore_errors=True)
        make_folder(unfinished)
        save_model(model.state_dict(), optimizer, str(unfinished), _MODEL, position.epoch)
        write_whole(unfinished / _POSITION, json.dumps(asdict(position)).encode())
        unfinished.rename(folder)
        for path in folder.parent.iterdir():
            if path != folder:
                shutil.rmtree(path, ignore_errors=True)
    except OutputError:
        raise
    except (OSError, RuntimeError) as error:  # Paddle raises a RuntimeError for some failed writes
        raise output_error(folder, error) from error


def find_snapshot(run: Path) -> tuple[Path, Position]:
    """Return the path of the last snapshot without suffix, as PaddleDetection takes it, and its position.

    Raises:
        ResumeError: There is none, or its position cannot be read.
    """
    folders = [path for path in (run / SNAPSHOTS).glob("*") if path.name.isdecimal()]
    if not folders:
        raise ResumeError(
            f"{run} has no snapshot of --engine paddle; expected the folder of a run with a finished epoch. Leave out "
            "--resume."
        )
    folder = max(folders, key=lambda path: int(path.name))
    try:
        return folder / _MODEL, Position(**json.loads((folder / _POSITION).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise ResumeError(
            f"{folder} is damaged ({type(error).__name__}); start again with --weights last.pdparams of that run."
        ) from error


def write_settings(run: Path, settings: dict[str, Any]) -> None:
    """Write the settings that a resumed run must share.

    Raises:
        OutputError: The file cannot be written.
    """
    path = run / SETTINGS_FILE
    try:
        write_whole(path, (json.dumps(settings, indent=1) + "\n").encode())
    except OSError as error:
        raise output_error(path, error) from error


def check_settings_equal(run: Path, settings: dict[str, Any]) -> None:
    """Check that a run was started with these settings.

    Raises:
        ResumeError: A setting differs, or those of the run cannot be read.
    """
    path = run / SETTINGS_FILE
    try:
        earlier = json.loads(path.read_bytes())
        different = [name for name, value in settings.items() if earlier.get(name) != value]
    except (OSError, ValueError, AttributeError) as error:
        raise ResumeError(
            f"{path} cannot be read ({type(error).__name__}); expected the settings of a run of --engine paddle. Leave "
            "out --resume."
        ) from error
    if different:
        name = different[0]
        raise ResumeError(
            f"{name} is {settings[name]}, but the run in {run} was started with {earlier.get(name, 'another version')};"
            " resume with the same settings, or start a new run."
        )
