"""The numbers of a run in ``metrics.jsonl``, one JSON object per line, and in TensorBoard if it is installed."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...closing import ClosedOnExit
from ...errors import OutputError
from ...files import append_whole, make_folder, output_error, write_whole
from .tensorboard import TensorBoard

METRICS_FILE = "metrics.jsonl"


@dataclass(frozen=True)
class StepRecord:
    """Means over the steps since the last record.

    Attributes:
        step: Finished steps of the run.
        epoch: Finished epochs of the run.
        elapsed_s: Duration of the run in s, without the time between an interruption and its resumption.
        lr: Learning rate of the last step.
        loss: Loss that is minimised; it may be negative, because its learned weights are part of it.
        losses: Unweighted parts of the loss by name; see `wording.LOSSES`.
        images_per_s: Images trained on per second, over all processes.
        memory_bytes: Largest memory in use so far, of the device or of the process; None if unknown.
    """

    step: int
    epoch: int
    elapsed_s: float
    lr: float
    loss: float
    losses: Mapping[str, float]
    images_per_s: float
    memory_bytes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object to write; parts of the loss get the prefix ``loss_``."""
        return {
            "kind": "step",
            "step": self.step,
            "epoch": self.epoch,
            "elapsed_s": round(self.elapsed_s, 3),
            "lr": self.lr,
            "loss": self.loss,
            **{f"loss_{name}": value for name, value in self.losses.items()},
            "images_per_s": self.images_per_s,
            "memory_bytes": self.memory_bytes,
        }


@dataclass(frozen=True)
class ValidationRecord:
    """Figures of one validation.

    Attributes:
        step: Finished steps of the run.
        epoch: Finished epochs of the run.
        elapsed_s: Duration of the run in s.
        figures: Validation figures by name; see `wording.FIGURES`.
        is_best: Whether these weights are the best so far.
        duration_s: Duration of the validation in s; None if unknown.
    """

    step: int
    epoch: int
    elapsed_s: float
    figures: Mapping[str, float]
    is_best: bool = False
    duration_s: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object to write."""
        return {
            "kind": "validation",
            "step": self.step,
            "epoch": self.epoch,
            "elapsed_s": round(self.elapsed_s, 3),
            **self.figures,
            "is_best": self.is_best,
            "duration_s": self.duration_s,
        }


class StepMeans:
    """Mean losses and speed of the steps since the last record."""

    def __init__(self) -> None:
        self._clear()

    def add(self, losses: Mapping[str, float], *, images: int, seconds: float) -> None:
        """Add a step.

        Args:
            losses: Unweighted parts of the loss by name, and the loss itself as ``loss``.
            images: Images of the step, over all processes.
            seconds: Duration of the step.
        """
        for name, value in losses.items():
            self._sums[name] += value
        self.steps += 1
        self._images += images
        self._seconds += seconds

    def take(
        self, *, step: int, epoch: int, elapsed_s: float, lr: float, memory_bytes: int | None = None
    ) -> StepRecord:
        """Return the means, and start again; at least one step must have been added."""
        means = {name: value / self.steps for name, value in self._sums.items()}
        speed = self._images / max(self._seconds, 1e-9)
        self._clear()
        return StepRecord(step, epoch, elapsed_s, lr, means.pop("loss", math.nan), means, speed, memory_bytes)

    def _clear(self) -> None:
        self.steps = self._images = 0
        self._seconds = 0.0
        self._sums: dict[str, float] = defaultdict(float)


class MetricsLog(ClosedOnExit):
    """Appends records to ``metrics.jsonl``, and to ``tensorboard/`` if the package tensorboard is installed.

    Each line is written whole and at once, so that it survives a SIGKILL of the process.

    Args:
        folder: Folder of the run.
        resume_step: Finished steps of the state from which the run continues: lines of later steps are dropped,
            because those steps are trained again. None: the run is new, and an earlier file is replaced.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, folder: Path, resume_step: int | None = None) -> None:
        self._path = folder / METRICS_FILE
        try:
            make_folder(folder)
            self._kept = _keep_until(self._path, resume_step)
            self._file = self._path.open("ab", buffering=0)
        except OutputError:
            raise
        except OSError as error:
            raise output_error(self._path, error) from error
        self._board = TensorBoard(folder / "tensorboard", resume_step)

    def write(self, record: StepRecord | ValidationRecord) -> None:
        """Append a record, unless the interrupted run has written one of this kind and step.

        Raises:
            OutputError: The line cannot be written; the file is as long as before.
        """
        values = {name: _finite(value) for name, value in record.as_json().items()}
        if (values["kind"], values["step"]) in self._kept:
            return  # such as a validation after which the state was not yet saved
        try:
            append_whole(self._file, json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n")
        except OSError as error:
            raise output_error(self._path, error) from error
        self._board.write(values)

    def close(self) -> None:
        """Close the files; safe to call twice."""
        self._file.close()
        self._board.close()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the records of a ``metrics.jsonl``, without damaged lines such as the last one after a power failure.

    Args:
        path: The file; without one, the list is empty.

    Raises:
        OutputError: The file exists and cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}); expected the metrics of a run.") from error
    return [record for record in map(_parse, lines) if record is not None]


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_record = isinstance(record, dict) and type(record.get("step")) is int and isinstance(record.get("kind"), str)
    return record if is_record else None


def _keep_until(path: Path, step: int | None) -> set[tuple[str, int]]:
    """Drop the lines of later steps and damaged ones, with None all lines; return kind and step of the others."""
    records = [] if step is None else [record for record in read_metrics(path) if record["step"] <= step]
    write_whole(path, "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records).encode())
    return {(record["kind"], record["step"]) for record in records}


def _finite(value: Any) -> Any:
    """Return None for NaN and infinity, which JSON lacks."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
