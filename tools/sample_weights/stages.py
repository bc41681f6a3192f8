"""Stages of the training: steps, learning rates, and the mixture of crops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class BatchPlan(NamedTuple):
    """Make-up of a batch.

    Attributes:
        crops: Number of crops.
        size: Side of the crops in px.
        share: Share of the batches that follow this plan.
    """

    crops: int
    size: int
    share: float


# All batches have about the same number of pixels.
SMALL_CROPS = (BatchPlan(12, 192, 0.2), BatchPlan(4, 320, 0.5), BatchPlan(2, 448, 0.3))
LARGE_CROPS = (BatchPlan(4, 320, 0.5), BatchPlan(2, 448, 0.5))


@dataclass(frozen=True)
class Stage:
    """Part of the training with settings of its own.

    Attributes:
        name: Name in the log.
        steps: Number of steps.
        rate: Learning rate after a short warm-up.
        final_rate: Learning rate at the last step; a cosine leads to it.
        synthetic_share: Share of the crops that come from rendered scenes.
        plans: Plans of the batches; the shares add up to 1.
        frozen: Whether the stem and the statistics of all batch norms are kept. A step may then have few large crops,
            and the network is trained as it will run.
    """

    name: str
    steps: int
    rate: float
    final_rate: float
    synthetic_share: float
    plans: tuple[BatchPlan, ...] = SMALL_CROPS
    frozen: bool = False


STAGES = (
    Stage("real", 1000, 5e-4, 5e-4, synthetic_share=0.0),
    Stage("mixed", 6200, 7e-4, 1e-5, synthetic_share=0.75),
    Stage("large", 7500, 3e-4, 1e-5, synthetic_share=0.7, plans=LARGE_CROPS, frozen=True),
)
