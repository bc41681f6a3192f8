"""Counts by which sums of losses are divided, over one process or all."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import torch
from torch import distributed

from .contrastive import anchor_cells
from .targets import Targets

if TYPE_CHECKING:
    from ..distillation.targets import TeacherTargets


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
        images: Images.
        teacher_peaks: Peaks of which a teacher is sure.
        teacher_cells: Cells with targets of a teacher: the peaks, and their neighbours if they are trained.
        teacher_pairs: Ordered pairs of different peaks of a teacher in the same process.
    """

    centres: float
    cells: float
    identified: float
    processes: int = 1
    anchors: float = 0.0
    images: float = 0.0
    teacher_peaks: float = 0.0
    teacher_cells: float = 0.0
    teacher_pairs: float = 0.0

    @classmethod
    def of(cls, targets: Targets, taught: TeacherTargets | None = None) -> LossCounts:
        """Count the targets of a batch, and those of a teacher."""
        return cls(
            centres=float((targets.heatmap == 1).sum()),
            cells=float(len(targets.cells)),
            identified=float((targets.ids >= 0).sum()),
            anchors=float(anchor_cells(targets).sum()),
            images=float(len(targets.heatmap)),
            teacher_peaks=0.0 if taught is None else float(taught.peaks.sum()),
            teacher_cells=0.0 if taught is None else float(len(taught.cells)),
            teacher_pairs=0.0 if taught is None else float(taught.pairs),
        )

    def summed(self, device: torch.device | str = "cpu") -> LossCounts:
        """Return the sums over all processes of ``torch.distributed``; all of them must call it."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return self
        numbers = torch.tensor(astuple(self), device=device)
        distributed.all_reduce(numbers)
        centres, cells, identified, processes, *others = numbers.tolist()
        return LossCounts(centres, cells, identified, int(processes), *others)
