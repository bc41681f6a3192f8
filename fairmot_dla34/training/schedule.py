"""Length of a run in steps or by the clock, its learning rate, and the moments of its validations."""

from __future__ import annotations

import math
from dataclasses import dataclass

WARM_UP_STEPS = 100
WARM_UP_SHARE = 0.05  # of a short run
FINAL_SHARE = 0.01  # of the highest learning rate, at the end
VALIDATIONS = 10  # in a run, if their number is not given
MAX_VALIDATION_SHARE = 0.2  # of the time since the validation before


@dataclass(frozen=True)
class RunLength:
    """Length of a run.

    Attributes:
        steps_per_epoch: Steps of a pass over the training images.
        epochs: Passes, or None for a run by the clock.
        seconds: Length by the clock, or None.
    """

    steps_per_epoch: int
    epochs: int | None
    seconds: float | None

    def __str__(self) -> str:
        number, unit = (self.epochs, "epoch") if self.epochs is not None else ((self.seconds or 0) / 60, "minute")
        return f"{number:g} {unit}{'' if number == 1 else 's'}"

    @property
    def steps(self) -> int | None:
        """Steps of the run; None for a run by the clock."""
        return None if self.epochs is None else self.epochs * self.steps_per_epoch

    def share(self, step: int, elapsed_s: float) -> float:
        """Return the finished share of the run, from 0 to 1.

        Args:
            step: Finished steps.
            elapsed_s: Seconds since the start, over all starts of the run.
        """
        done = step / self.steps if self.steps is not None else elapsed_s / (self.seconds or 1.0)
        return min(1.0, done)

    def seconds_left(self, step: int, elapsed_s: float, seconds_per_step: float) -> float:
        """Return the expected rest of the run in s."""
        if self.steps is None:
            return max(0.0, (self.seconds or 0.0) - elapsed_s)
        return (self.steps - step) * seconds_per_step


def learning_rate(highest: float, step: int, share: float) -> float:
    """Return the learning rate of a step: a linear warm-up, then a cosine.

    PaddleDetection divides the rate by 10 after two thirds of the run; a cosine ends at the same order.

    Args:
        highest: Learning rate after the warm-up.
        step: Finished steps of the run.
        share: Finished share of the run, from 0 to 1.
    """
    warm_up = min(1.0, max((step + 1) / WARM_UP_STEPS, share / WARM_UP_SHARE))
    cosine = 0.5 * (1 + math.cos(math.pi * share))
    return highest * warm_up * (FINAL_SHARE + (1 - FINAL_SHARE) * cosine)


def validation_is_due(
    length: RunLength, val_every: int | None, *, step: int, share: float, last_share: float, cost: float
) -> bool:
    """Return whether a validation follows a step; the one at the end of the run is not counted here.

    Args:
        length: Length of the run.
        val_every: Epochs between two validations; None: `VALIDATIONS` in the run, fewer if they take long.
        step: Finished steps of the run.
        share: Finished share of the run.
        last_share: Finished share at the last validation; negative before the first.
        cost: Seconds of the last validation divided by the seconds since it.
    """
    if share >= 1:
        return False
    ends_epoch = step % length.steps_per_epoch == 0
    if val_every is not None:
        return ends_epoch and step // length.steps_per_epoch % val_every == 0
    is_moment = ends_epoch or length.steps is None
    return (
        is_moment
        and int(share * VALIDATIONS) > int(max(last_share, 0.0) * VALIDATIONS)
        and cost <= MAX_VALIDATION_SHARE
    )
