"""Log of the training: mean losses and seconds per step."""

from __future__ import annotations

import time
from collections import defaultdict

from stages import Stage

LOG_EVERY = 20  # steps


class Progress:
    """Prints the means of the parts of the loss every `LOG_EVERY` steps.

    Args:
        stage: Stage whose name and length are printed.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sums: dict[str, float] = defaultdict(float)
        self._start = time.perf_counter()

    def add(self, step: int, losses: dict[str, float]) -> None:
        """Add the losses of a step, counted from 1."""
        for name, loss in losses.items():
            self._sums[name] += loss / LOG_EVERY
        if step % LOG_EVERY:
            return
        seconds = (time.perf_counter() - self._start) / LOG_EVERY
        means = " ".join(f"{name} {mean:.3f}" for name, mean in self._sums.items())
        print(f"{self._stage.name} {step}/{self._stage.steps} {means} {seconds:.2f} s/step", flush=True)
        self._sums.clear()
        self._start = time.perf_counter()
