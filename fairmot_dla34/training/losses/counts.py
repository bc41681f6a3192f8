"""Counts by which sums of losses are divided, over one process or all."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import torch
from torch import distributed

from .contrastive import anchor_cells
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
        anchors: Cells whose identity is in another image of the same process, for `LossConfig.contrastive`.
    """

    centres: float
    cells: float
    identified: float
    processes: int = 1
    anchors: float = 0.0

    @classmethod
    def of(cls, targets: Targets) -> LossCounts:
        """Count the targets of a batch."""
        return cls(
            centres=float((targets.heatmap == 1).sum()),
            cells=float(len(targets.cells)),
            identified=float((targets.ids >= 0).sum()),
            anchors=float(anchor_cells(targets).sum()),
        )

    def summed(self, device: torch.device | str = "cpu") -> LossCounts:
        """Return the sums over all processes of ``torch.distributed``; all of them must call it."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self
        numbers = torch.tensor(astuple(self), device=device)
        distributed.all_reduce(numbers)
        centres, cells, identified, processes, anchors = numbers.tolist()
        return LossCounts(centres, cells, identified, int(processes), anchors)
