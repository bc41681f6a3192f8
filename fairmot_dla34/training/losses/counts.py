"""Counts by which sums of losses are divided, over one process or all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import distributed

from .targets import Targets


@dataclass(frozen=True)
class LossCounts:
    """Numbers by which sums of losses are divided.

    Attributes:
        centres: Cells of the heatmaps whose target is 1.
        cells: Cells with targets of size and offset.
        identified: Cells with an identity.
        processes: Processes over which the other numbers are summed. The loss of one process is then its share: the
            shares of all processes add up to the loss of the whole batch.
    """

    centres: float
    cells: float
    identified: float
    processes: int = 1

    @classmethod
    def of(cls, targets: Targets) -> LossCounts:
        """Count the targets of a batch."""
        return cls(
            centres=float((targets.heatmap == 1).sum()),
            cells=float(len(targets.cells)),
            identified=float((targets.ids >= 0).sum()),
        )

    def summed(self, device: torch.device | str = "cpu") -> LossCounts:
        """Return the sums over all processes of ``torch.distributed``; all of them must call it."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self
        numbers = torch.tensor([self.centres, self.cells, self.identified, self.processes], device=device)
        distributed.all_reduce(numbers)
        centres, cells, identified, processes = numbers.tolist()
        return LossCounts(centres, cells, identified, int(processes))
