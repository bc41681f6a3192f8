"""Progress of a training run on stderr: a bar with the losses on a terminal, lines of text elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from typing import Any

from ...closing import ClosedOnExit
from ...console.progress import INTERVAL_S, duration_text, is_terminal
from ...messages import plain_line
from ..schedule import RunLength
from .metrics import StepMeans, ValidationRecord
from .wording import FIGURES, figure_text, figures_text, losses_text, number_text

REDRAW_S = 1.0  # seconds between two states of the bar
_BAR_FORMAT = "{percentage:3.0f}% |{bar:10}| {desc}"


class RunProgress(ClosedOnExit):
    """Shows the position in the run, the losses in plain words, the speed and the remaining time.

    A terminal gets a bar. Another stderr, such as a log file, gets a line after the first step and then one every
    `INTERVAL_S` seconds. Losses and speed are means since the display before.

    Args:
        length: Length of the run.
        step: Finished steps at the start.
        elapsed_s: Seconds of the run at the start, more than 0 if it is resumed.
        enabled: False for no display, as in all processes but the first.
    """

    def __init__(self, length: RunLength, *, step: int = 0, elapsed_s: float = 0.0, enabled: bool = True) -> None:
        self._length = length
        self._start_step, self._start_s = step, elapsed_s
        self._enabled = enabled
        self._means = StepMeans()
        self._shown_s: float | None = None
        self._bar: Any = None
        if enabled and is_terminal():
            from tqdm import tqdm

            total = length.steps if length.steps is not None else length.seconds
            done = step if length.steps is not None else elapsed_s
            self._bar = tqdm(
                total=total, initial=done, bar_format=_BAR_FORMAT, file=sys.stderr, dynamic_ncols=True, leave=False
            )

    def step(self, step: int, losses: Mapping[str, float], *, images: int, seconds: float, elapsed_s: float) -> None:
        """Add a finished step, and show the state of the run if it is due.

        Args:
            step: Finished steps of the run.
            losses: Unweighted parts of the loss by name; the loss itself, ``loss``, is not shown.
            images: Images of the step, over all processes.
            seconds: Duration of the step.
            elapsed_s: Seconds of the run.
        """
        if not self._enabled:
            return
        self._means.add(losses, images=images, seconds=seconds)
        now_s = time.monotonic()
        interval_s = INTERVAL_S if self._bar is None else REDRAW_S
        if self._shown_s is not None and now_s - self._shown_s < interval_s:
            return
        self._shown_s = now_s
        self._show(step, elapsed_s)

    def validation(
        self, record: ValidationRecord, *, chosen_by: str | None = None, best_before: float | None = None
    ) -> None:
        """Write a line with the figures of a validation, and another one if its weights are the best so far.

        Args:
            record: The validation.
            chosen_by: Name of the figure by which the best weights are chosen.
            best_before: Value of that figure in the best weights before; None if they are the first.
        """
        place = f"epoch {record.epoch}" + (f"/{self._length.epochs}" if self._length.epochs is not None else "")
        duration = f" in {duration_text(record.duration_s)}" if record.duration_s is not None else ""
        figures = figures_text(record.figures) or "no figure can be computed from this data"
        self.note(f"validation after {place}, step {record.step}{duration}: {figures}")
        if record.is_best and chosen_by is not None and chosen_by in record.figures:
            before = "" if best_before is None else f" ({figure_text(chosen_by, best_before)} before)"
            value = figure_text(chosen_by, record.figures[chosen_by])
            self.note(f"new best: {FIGURES.get(chosen_by, chosen_by)} {value}{before}, written to best.pdparams")

    def note(self, text: str) -> None:
        """Write a line, above the bar if there is one."""
        if not self._enabled or sys.stderr is None:
            return
        with contextlib.suppress(OSError, ValueError):  # a full disk or a closed stream must not end the run
            if self._bar is not None:
                self._bar.clear()
            sys.stderr.write(f"{plain_line(text, limit=None)}\n")
            sys.stderr.flush()
            if self._bar is not None:
                self._bar.refresh()

    def close(self) -> None:
        """End the display; safe to call twice."""
        if self._bar is not None:
            with contextlib.suppress(OSError, ValueError):
                self._bar.close()

    def _show(self, step: int, elapsed_s: float) -> None:
        per_epoch = self._length.steps_per_epoch
        record = self._means.take(step=step, epoch=step // per_epoch, elapsed_s=elapsed_s, lr=0.0)
        epoch, epoch_step = (step - 1) // per_epoch + 1, (step - 1) % per_epoch + 1
        epochs = "" if self._length.epochs is None else f"/{self._length.epochs}"
        place = f"epoch {epoch}{epochs}, step {epoch_step}/{per_epoch}"
        losses, speed = losses_text(record.losses), f"{number_text(record.images_per_s)} images/s"
        left = self._length.seconds_left(step, elapsed_s, self._seconds_per_step(step, elapsed_s))
        remaining = f"{duration_text(left)} left"
        if self._bar is None:
            self.note(f"{place}: {losses}; {speed}, {remaining}")
            return
        with contextlib.suppress(OSError, ValueError):
            # A narrow terminal cuts the end, so the losses come last.
            self._bar.set_description_str(f"{remaining}, {place}, {speed}: {losses}", refresh=False)
            done = step if self._length.steps is not None else elapsed_s
            self._bar.n = min(done, self._bar.total)
            self._bar.refresh()

    def _seconds_per_step(self, step: int, elapsed_s: float) -> float:
        """Return the mean duration of a step in this process, validations included."""
        return max(0.0, elapsed_s - self._start_s) / max(step - self._start_step, 1)
