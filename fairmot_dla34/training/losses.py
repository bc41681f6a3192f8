"""Loss of a network's outputs against the training targets.

Source: ``CTFocalLoss``, ``CenterNetHead.get_loss``, ``FairMOTEmbeddingHead.get_loss`` and ``FairMOTLoss`` of
PaddleDetection 2.6; FairMOT, arXiv 2004.01888, section 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn
from torch.nn import functional

from ..architectures.base import Arrays
from ..errors import InvalidInputError
from .config import LossConfig
from .network import Outputs
from .targets import Targets

PART_WEIGHTS = {"heatmap": 1.0, "size": 0.1, "offset": 1.0, "box": 2.0}  # CenterNetHead.loss_weight; box: GIoU
FIXED_IDENTITY_WEIGHT = 0.15
DETECTION_START, IDENTITY_START = -1.85, -1.05  # FairMOTLoss: logarithms of the two losses' scales
LOWEST_SCORE = 1e-4  # CenterNetHead.get_loss clips scores to this and 1 minus this
SMALLEST_NORM = 1e-6  # a shorter embedding is divided by this, which bounds its gradient
L1_EPSILON = 1e-4  # added to the number of values in PaddleDetection's L1 losses


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


class FairMOTLoss(nn.Module):
    """Focal loss of the heatmap, L1 of sizes and offsets, cross-entropy of identities; two learned task weights.

    One classifier covers the identities of all classes. (PaddleDetection has one for each of several classes, but
    never trains them: they are in a plain ``dict``, which Paddle does not search for parameters.)

    Args:
        num_identities: Identities in the training data; 0: there is no identity loss.
        embedding_size: Numbers in an embedding.
        config: Additions to the paper's losses.
        sequence_of_identity: ``(num_identities,)`` sequence of each identity; needed for ``config.sequence_ids``.

    Attributes:
        classifier: Linear layer from embeddings to identities; None without identities.
        det_weight: Learned logarithm of the detection losses' scale, ``(1,)``; None with fixed weights.
        reid_weight: Learned logarithm of the identity loss's scale, ``(1,)``; None with fixed weights or without
            identities.

    Raises:
        InvalidInputError: The sequences of the identities are missing or of another number.
    """

    def __init__(
        self,
        num_identities: int,
        embedding_size: int,
        config: LossConfig | None = None,
        sequence_of_identity: NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__()
        self.config, self.num_identities = config or LossConfig(), num_identities
        self.classifier = nn.Linear(embedding_size, num_identities) if num_identities else None
        self.scale = identity_scale(num_identities)
        learned = not self.config.fixed_weights
        self.det_weight = nn.Parameter(torch.full((1,), DETECTION_START)) if learned else None
        self.reid_weight = nn.Parameter(torch.full((1,), IDENTITY_START)) if learned and num_identities else None
        sequences = None
        if self.config.sequence_ids and num_identities:
            if sequence_of_identity is None or len(sequence_of_identity) != num_identities:
                found = "none" if sequence_of_identity is None else len(sequence_of_identity)
                raise InvalidInputError(
                    f"sequence_of_identity has {found}; expected the sequences of {num_identities} identities, which "
                    "the loss sequence_ids needs."
                )
            sequences = torch.as_tensor(sequence_of_identity)
        self.register_buffer("sequence_of_identity", sequences, persistent=False)

    def initialise(self, generator: torch.Generator) -> None:
        """Set the classifier as PaddleDetection does before training; ``generator`` is one on the CPU.

        Kaiming's uniform distribution for ReLUs (``paddle.nn.initializer.KaimingUniform``) for the weight.
        """
        if self.classifier is None:
            return
        size = self.classifier.in_features
        with torch.no_grad():
            for tensor, bound in (
                (self.classifier.weight, math.sqrt(6 / size)),
                (self.classifier.bias, 1 / math.sqrt(size)),
            ):
                tensor.copy_(torch.empty(tensor.shape).uniform_(-bound, bound, generator=generator))

    def forward(
        self, outputs: Outputs, targets: Targets, counts: LossCounts | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss.

        Args:
            outputs: Outputs of the network at ``targets.cells``.
            targets: Targets of the batch.
            counts: Normalisers; None: those of the batch.

        Returns:
            The loss, and its unweighted parts without gradients: ``heatmap``, ``size``, ``offset``, ``box`` with
            `LossConfig.giou`, and ``identity`` if there are identities.
        """
        counts = counts or LossCounts.of(targets)
        offsets, sizes = _single(outputs.offset), _single(outputs.size)
        parts = {
            "heatmap": focal_loss(_single(outputs.heatmap), targets) / max(counts.centres, 1),
            "size": (sizes - targets.sizes).abs().sum() / (counts.cells * sizes.shape[1] + L1_EPSILON),
            "offset": (offsets - targets.offsets).abs().sum() / (counts.cells * offsets.shape[1] + L1_EPSILON),
        }
        if self.config.giou:
            box_losses = giou_loss(_boxes(offsets, sizes), _boxes(targets.offsets, targets.sizes))
            parts["box"] = box_losses.sum() / max(counts.cells, 1)
        detection = torch.stack([PART_WEIGHTS[name] * part for name, part in parts.items()]).sum()
        if self.classifier is not None:
            total = self._identity_loss(self.classifier, _single(outputs.embedding), targets)
            parts["identity"] = total / max(counts.identified, 1)
        loss = self._join(detection, parts.get("identity"), counts.processes)
        return loss, {name: part.detach() for name, part in parts.items()}

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of the arrays by PaddleDetection's names, which its training continues from."""
        return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in self._tensors().items()}

    def load_arrays(self, arrays: Arrays) -> list[str]:
        """Copy the arrays of a checkpoint by PaddleDetection's names.

        Returns:
            Names of arrays that stay as they were, because the checkpoint lacks them or has other shapes, as a
            classifier of other identities has.
        """
        kept = []
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                if name in arrays and arrays[name].shape == tuple(tensor.shape):
                    tensor.copy_(torch.tensor(arrays[name]))
                else:
                    kept.append(name)
        return kept

    def _tensors(self) -> dict[str, Tensor]:
        tensors: dict[str, Tensor] = {}
        if self.classifier is not None:
            tensors["reid.classifier.weight"] = self.classifier.weight.T  # Paddle keeps (inputs, outputs)
            tensors["reid.classifier.bias"] = self.classifier.bias
        if self.det_weight is not None:
            tensors["loss.det_weight"] = self.det_weight
        if self.reid_weight is not None:
            tensors["loss.reid_weight"] = self.reid_weight
        return tensors

    def _identity_loss(self, classifier: nn.Linear, embeddings: Tensor, targets: Targets) -> Tensor:
        """Return the sum of the cross-entropies over the cells that have an identity."""
        identified = targets.ids >= 0
        ids = targets.ids[identified]
        unit = functional.normalize(embeddings[identified], eps=SMALLEST_NORM)
        logits: Tensor = classifier(self.scale * unit)
        if self.sequence_of_identity is not None:
            same = self.sequence_of_identity[ids][:, None] == self.sequence_of_identity
            logits = logits.masked_fill(~same, -torch.inf)
        return functional.cross_entropy(_single(logits), ids, reduction="sum")

    def _join(self, detection: Tensor, identity: Tensor | None, processes: int) -> Tensor:
        """Weigh the losses of the two tasks: by their learned scales (arXiv 1705.07115), or by fixed numbers."""
        if self.det_weight is None:
            return detection if identity is None else detection + FIXED_IDENTITY_WEIGHT * identity
        loss = torch.exp(-self.det_weight) * detection + self.det_weight / processes
        if identity is not None and self.reid_weight is not None:
            loss = loss + torch.exp(-self.reid_weight) * identity + self.reid_weight / processes
        return 0.5 * loss.squeeze()


def identity_scale(num_identities: int) -> float:
    """Return the length of the embeddings that the classifier sees (FairMOTEmbeddingHead.emb_scale).

    PaddleDetection's is 0 for two identities, so that nothing is learned. Here it is 1, as for one.
    """
    return math.sqrt(2) * math.log(num_identities - 1) if num_identities > 2 else 1.0


def focal_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Return the sum of CenterNet's penalty-reduced focal loss (arXiv 1904.07850, equation 1) over ``(B, C, h, w)``."""
    score = logits.sigmoid().clamp(LOWEST_SCORE, 1 - LOWEST_SCORE)
    centre = targets.heatmap == 1
    counted = targets.heatmap_mask[:, None] & ~centre
    positive = (score.log() * (1 - score) ** 2)[centre].sum()
    negative = (torch.log(1 - score) * score**2 * (1 - targets.heatmap) ** 4 * counted).sum()
    return -(positive + negative)


def giou_loss(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """Return 1 - GIoU (arXiv 1902.09630) of each of P pairs of ``(P, 4)`` xyxy boxes."""
    low, high, true_low, true_high = boxes[:, :2], boxes[:, 2:], true_boxes[:, :2], true_boxes[:, 2:]
    intersection = _area((torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0))
    union = _area(high - low) + _area(true_high - true_low) - intersection
    hull = _area(torch.maximum(high, true_high) - torch.minimum(low, true_low))
    epsilon = 1e-7  # for boxes without an area
    return 1 - intersection / (union + epsilon) + (hull - union) / (hull + epsilon)


def _single(values: Tensor) -> Tensor:
    """Return values of less than float32's precision in float32, others as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _boxes(offsets: Tensor, sizes: Tensor) -> Tensor:
    """Return ``(P, 4)`` xyxy in cells, measured from the corner of each box's cell."""
    return torch.cat([offsets - sizes[:, :2], offsets + sizes[:, 2:]], dim=1)


def _area(sides: Tensor) -> Tensor:
    return sides[:, 0] * sides[:, 1]
