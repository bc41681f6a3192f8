"""The losses of a student against its teacher, with the adapters that only training needs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...errors import InvalidInputError
from ..losses.counts import LossCounts
from ..losses.terms import local_boxes, single
from ..network.fairmot import Outputs
from .config import DistillationConfig
from .losses import box_loss, cosine_loss, feature_loss, heatmap_loss, relation_loss
from .targets import TeacherTargets

PREFIX = "teacher_"  # begins the names of the losses in the metrics


@dataclass(frozen=True)
class TeacherShape:
    """Sizes of the outputs of a teacher.

    Attributes:
        classes: Channels of its heatmap; 0: it has none.
        channels: Channels of its feature map; 0: it has none.
        embedding_size: Numbers of its embeddings; 0: it has none.
        has_boxes: Whether it gives boxes.
    """

    classes: int = 0
    channels: int = 0
    embedding_size: int = 0
    has_boxes: bool = False

    def losses(self, config: DistillationConfig) -> tuple[str, ...]:
        """Return the names of the losses that have a weight and can be computed."""
        given = {
            "heatmap": self.classes,
            "features": self.channels,
            "cosine": self.embedding_size,
            "relations": self.embedding_size,
            "boxes": self.has_boxes,
        }
        return tuple(name for name, is_given in given.items() if is_given and getattr(config, name))


class Distillation(nn.Module):
    """Losses of a student's outputs against a teacher's, and the adapters between maps of other sizes.

    The 1x1 adapter of the feature map always exists; that of the embeddings only if their sizes differ: otherwise the
    student learns the teacher's own space. The relations of embeddings need none. Weights of a run do not contain them.

    Args:
        config: Weights of the losses.
        shape: What the teacher gives.
        channels: Channels of the student's feature map.
        embedding_size: Numbers of the student's embeddings.
    """

    def __init__(self, config: DistillationConfig, shape: TeacherShape, *, channels: int, embedding_size: int) -> None:
        super().__init__()
        self.config, self.names = config, shape.losses(config)
        has_map = "features" in self.names
        self.feature_adapter = nn.Conv2d(channels, shape.channels, 1, bias=False) if has_map else None
        differs = "cosine" in self.names and shape.embedding_size != embedding_size
        self.embedding_adapter = nn.Linear(embedding_size, shape.embedding_size, bias=False) if differs else None

    def initialise(self, generator: torch.Generator) -> None:
        """Set the adapters to random numbers that keep the size of their inputs; ``generator`` is one on the CPU."""
        for adapter in (self.feature_adapter, self.embedding_adapter):
            seed = int(torch.randint(2**31, (), generator=generator))  # also for an adapter that does not exist
            if adapter is not None:
                numbers = torch.empty(adapter.weight.shape)
                numbers.normal_(0, 1 / math.sqrt(numbers.shape[1]), generator=torch.Generator().manual_seed(seed))
                with torch.no_grad():
                    adapter.weight.copy_(numbers)

    def forward(
        self, student: tuple[Outputs, Tensor], targets: TeacherTargets, truth: Tensor, counts: LossCounts
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the weighted sum of the losses, and their unweighted values without gradients.

        Args:
            student: Outputs of the student at ``targets.cells``, and its ``(B, C, h, w)`` feature map.
            targets: Targets of the teacher.
            truth: ``(B, classes, h, w)`` heatmap of the labels.
            counts: Normalisers, over all processes.
        """
        parts = {name: self._part(name, student, targets, truth, counts) for name in self.names}
        outputs, _ = student
        used = (outputs.heatmap, outputs.size, outputs.offset, outputs.embedding)
        # Each array takes part in every step, also without people or with a loss left out: processes need equal ones.
        total = torch.stack([single(output).sum() * 0 for output in used]).sum()
        for parameter in self.parameters():
            total = total + parameter.sum() * 0
        for name, part in parts.items():
            total = total + getattr(self.config, name) * part
        return total, {f"{PREFIX}{name}": part.detach() for name, part in parts.items()}

    def _part(
        self, name: str, student: tuple[Outputs, Tensor], targets: TeacherTargets, truth: Tensor, counts: LossCounts
    ) -> Tensor:
        outputs, features = student
        if name == "heatmap" and targets.heatmap is not None:
            return heatmap_loss(single(outputs.heatmap), targets.heatmap, truth) / max(counts.teacher_peaks, 1)
        if name == "features" and targets.features is not None and self.feature_adapter is not None:
            return feature_loss(self.feature_adapter(single(features)), targets.features) / max(counts.images, 1)
        if name == "boxes":
            boxes = local_boxes(single(outputs.offset), single(outputs.size))
            return box_loss(boxes, targets.boxes, targets.scores) / max(counts.teacher_cells, 1)
        own, wanted = single(outputs.embedding), targets.embeddings
        if name == "relations" and wanted is not None:
            return relation_loss(own[targets.peaks], wanted[targets.peaks]) / max(counts.teacher_pairs, 1)
        if name == "cosine" and wanted is not None:
            adapted = own if self.embedding_adapter is None else self.embedding_adapter(own)
            return cosine_loss(adapted, wanted) / max(counts.teacher_cells, 1)
        raise InvalidInputError(
            f"The teacher gives nothing for the loss {name} now, but did at first; expected the same outputs always."
        )
