"""Files of a run between its steps: metrics, the saved state, weights, validation figures and curves."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from ..closing import ClosedOnExit
from ..config import InputSize
from ..errors import DivergedError, InvalidInputError
from .folder import BEST_FILE, LAST_FILE
from .model import Learner
from .records.card_facts import CardFacts
from .records.curves import write_curves
from .records.metrics import MetricsLog, StepMeans, ValidationRecord
from .records.model_card import write_model_card
from .records.progress import RunProgress
from .saving import copy_weights, write_weights
from .schedule import RunLength
from .state import Progress, save_state
from .validation.validator import Validator

logger = logging.getLogger(__name__)

START, BEST, LAST = "start", "best", "last"  # names of validation figures in the summary
RECORD_EVERY_S = 10.0
_AUTO_FIGURES = ("hota", "ap50")  # of `TrainingConfig.best`: the first one that a validation gives


class RunWriter(ClosedOnExit):
    """Writes the files of a run and shows its progress; of the first process.

    Args:
        folder: Folder of the run.
        learner: Model, average and optimiser.
        length: Length of the run.
        settings: Settings that a resumed run must share.
        input_size: Network input.
        validator: Validates the averaged network; None: without validation.
        best: Figure by which the best weights are chosen.
        describe: Returns the facts for the model cards, from the position and the reasons for missing figures.
        progress: Position at which the run starts or continues.

    Raises:
        OutputError: A file cannot be written.
    """

    def __init__(  # noqa: PLR0913 (the parts of a run)
        self,
        folder: Path,
        learner: Learner,
        *,
        length: RunLength,
        settings: Mapping[str, str],
        input_size: InputSize,
        validator: Validator | None,
        best: str,
        describe: Callable[[Progress, Mapping[str, str]], CardFacts],
        progress: Progress,
    ) -> None:
        self._folder, self._settings, self._input_size = folder, settings, input_size
        self._learner, self._average = learner, learner.average
        self._length, self._validator, self._best, self._describe = length, validator, best, describe
        self._metrics = MetricsLog(folder, progress.step if progress.step or progress.scores else None)
        self._display = RunProgress(length, step=progress.step, elapsed_s=progress.elapsed_s)
        self._means = StepMeans()
        self._recorded_s, self._rate = time.monotonic(), 0.0
        if validator is None:
            self._display.note("There is no validation part: best.pdparams will be the weights of the end of the run.")

    def record(self, progress: Progress, losses: dict[str, float], *, rate: float, images: int, seconds: float) -> None:
        """Record a step; see `RunActions`."""
        parts = {name: value for name, value in losses.items() if name != "loss"}
        self._display.step(progress.step, parts, images=images, seconds=seconds, elapsed_s=progress.elapsed_s)
        self._means.add(losses, images=images, seconds=seconds)
        self._rate = rate
        now_s = time.monotonic()
        if now_s - self._recorded_s >= RECORD_EVERY_S or progress.step == 1:
            self._recorded_s = now_s
            self._write_step(progress)

    def save(self, progress: Progress) -> None:
        """Write the state of the run and the averaged weights.

        Raises:
            DivergedError: The weights are not those of a trained network; the earlier files stay.
            OutputError: A file cannot be written; the earlier one stays.
        """
        if unsound := self._learner.unsound_array():
            raise DivergedError(
                f"Training diverged before step {progress.step + 1}: {unsound} has numbers no trained network has. "
                "Lower --lr and start a new run; files of the last good step are kept."
            )
        save_state(self._folder, self._learner, progress, self._settings)
        write_weights(self._folder / LAST_FILE, self._average.network, self._input_size)

    def validate(self, progress: Progress, name: str = "") -> None:
        """Validate the averaged network, and keep its weights if they are the best so far."""
        if self._validator is None:
            return
        last = self._folder / LAST_FILE
        if progress.step:
            self.save(progress)  # the network's compilation may be killed
        else:
            write_weights(last, self._average.network, self._input_size)
        started_s = time.monotonic()
        figures = self._validator.validate(last, self._average.network, name or f"step_{progress.step:06d}")
        progress.validated_step = progress.step
        chosen_by = self._chosen_by(progress, figures)
        before = progress.best_score
        is_best = chosen_by is not None and (before is None or figures[chosen_by] > before)
        if is_best and chosen_by is not None:
            copy_weights(last, self._folder / BEST_FILE)
            progress.best_score, progress.best_figure, progress.best_step = figures[chosen_by], chosen_by, progress.step
            progress.scores[BEST] = figures
        progress.scores[name if name == START else LAST] = figures
        duration_s = time.monotonic() - started_s
        record = ValidationRecord(
            progress.step,
            progress.step // self._length.steps_per_epoch,
            progress.elapsed_s + duration_s,
            figures,
            is_best=is_best,
            duration_s=duration_s,
        )
        self._metrics.write(record)
        self._display.validation(record, chosen_by=chosen_by, best_before=before)
        write_curves(self._folder)
        if is_best:
            self._write_card(BEST_FILE, progress)

    def finish(self, progress: Progress) -> None:
        """Validate and save the weights of the end of the run, draw the curves and write the model cards."""
        if self._means.steps:
            self._write_step(progress)
        if progress.validated_step != progress.step:
            self.validate(progress)
        self.save(progress)
        if progress.best_score is None:
            copy_weights(self._folder / LAST_FILE, self._folder / BEST_FILE)
        for file in (BEST_FILE, LAST_FILE):
            self._write_card(file, progress)
        write_curves(self._folder)

    def close(self) -> None:
        """Close the files and the display; safe to call twice."""
        self._display.close()
        self._metrics.close()

    def _chosen_by(self, progress: Progress, figures: Mapping[str, float]) -> str | None:
        """Return the name of the figure to choose by, the same in the whole run; None if there is none."""
        if progress.best_figure is not None:
            return progress.best_figure if progress.best_figure in figures else None
        if self._best == "auto":
            return next((name for name in _AUTO_FIGURES if name in figures), None)
        if self._best not in figures:
            reason = self._validator.why_missing.get(self._best, "") if self._validator else ""
            raise InvalidInputError(
                f"best is {self._best}, which this validation does not give: {reason} Expected one of "
                f"{', '.join(figures) or 'none'}: name another one or leave --best out."
            )
        return self._best

    def _write_card(self, file: str, progress: Progress) -> None:
        weights = self._folder / file
        missing = self._validator.why_missing if self._validator else {}
        is_chosen = file == BEST_FILE and progress.best_score is not None
        step = progress.best_step if is_chosen else progress.step
        facts = replace(self._describe(progress, missing), weights_step=step)
        write_model_card(weights.with_suffix(".md"), weights, facts)

    def _write_step(self, progress: Progress) -> None:
        record = self._means.take(
            step=progress.step,
            epoch=progress.step // self._length.steps_per_epoch,
            elapsed_s=progress.elapsed_s,
            lr=self._rate,
            memory_bytes=used_memory(),
        )
        self._metrics.write(record)


def used_memory() -> int | None:
    """Return the largest memory in use so far, in bytes: of the GPU if it trains, otherwise of this process."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
