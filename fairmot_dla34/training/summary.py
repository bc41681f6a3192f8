"""The result of a training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class TrainingSummary:
    """Result of a run.

    Attributes:
        best: Weights with the best validation figure; those of the end of the run without validation.
        last: Weights of the end of the run.
        steps: Finished steps.
        epochs: Finished passes over the training images, a fraction in a run by the clock.
        seconds: Duration of the steps and the validations between them, over all starts of the run.
        chosen_by: Name of the figure by which ``best`` was chosen; None without validation.
        scores: Validation figures by name: ``start`` (before the training), ``best`` and ``last``.
    """

    best: Path
    last: Path
    steps: int
    epochs: float
    seconds: float
    chosen_by: str | None = None
    scores: dict[str, dict[str, float]] = field(default_factory=dict)
