"""Loss of a network's outputs against the training targets.

Source: ``CTFocalLoss``, ``CenterNetHead.get_loss``, ``FairMOTEmbeddingHead.get_loss`` and ``FairMOTLoss`` of
PaddleDetection 2.6; FairMOT, arXiv 2004.01888, section 4.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ...architectures.base import Arrays
from ...errors import InvalidInputError
from ..config import LossConfig
from ..network.fairmot import Outputs
from .contrastive import contrastive_loss
from .counts import LossCounts
from .targets import Targets
from .terms import SMALLEST_NORM, focal_loss, giou_loss, identity_scale, local_boxes, single

__all__ = ["FairMOTLoss", "LossCounts"]

PART_WEIGHTS = {"heatmap": 1.0, "size": 0.1, "offset": 1.0, "box": 2.0}  # CenterNetHead.loss_weight; box: GIoU
FIXED_IDENTITY_WEIGHT = 0.15
DETECTION_START, IDENTITY_START = -1.85, -1.05  # FairMOTLoss: logarithms of the two losses' scales
L1_EPSILON = 1e-4  # added to the number of values in PaddleDetection's L1 losses


class FairMOTLoss(nn.Module):
    """Focal loss of the heatmap, L1 of sizes and offsets, cross-entropy of identities; two learned task weights.

    One classifier covers the identities of all classes. (PaddleDetection has one for each of several classes, but
    never trains them: they are in a plain ``dict``, which Paddle does not search for parameters.)

    With ``config.contrastive`` there is no classifier, and identities may be any numbers from 0. Each process contrasts
    the images of its own part of the batch; the sum is divided by the anchors of all processes.

    Args:
        num_identities: Identities in the training data; 0: there is no identity loss.
        embedding_size: Numbers in an embedding.
        config: Additions to the paper's losses.
        sequence_of_identity: ``(num_identities,)`` sequence of each identity; needed for ``config.sequence_ids``.

    Attributes:
        classifier: Linear layer from embeddings to identities; None without identities or with a contrastive loss.
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
        has_classifier = num_identities > 0 and not self.config.contrastive
        self.classifier = nn.Linear(embedding_size, num_identities) if has_classifier else None
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
        offsets, sizes = single(outputs.offset), single(outputs.size)
        parts = {
            "heatmap": focal_loss(single(outputs.heatmap), targets) / max(counts.centres, 1),
            "size": (sizes - targets.sizes).abs().sum() / (counts.cells * sizes.shape[1] + L1_EPSILON),
            "offset": (offsets - targets.offsets).abs().sum() / (counts.cells * offsets.shape[1] + L1_EPSILON),
        }
        if self.config.giou:
            box_losses = giou_loss(local_boxes(offsets, sizes), local_boxes(targets.offsets, targets.sizes))
            parts["box"] = box_losses.sum() / max(counts.cells, 1)
        detection = torch.stack([PART_WEIGHTS[name] * part for name, part in parts.items()]).sum()
        if self.classifier is not None:
            total = self._identity_loss(self.classifier, single(outputs.embedding), targets)
            parts["identity"] = total / max(counts.identified, 1)
        elif self.num_identities:
            parts["identity"] = contrastive_loss(outputs.embedding, targets) / max(counts.anchors, 1)
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
        return functional.cross_entropy(single(logits), ids, reduction="sum")

    def _join(self, detection: Tensor, identity: Tensor | None, processes: int) -> Tensor:
        """Weigh the losses of the two tasks: by their learned scales (arXiv 1705.07115), or by fixed numbers."""
        if self.det_weight is None:
            return detection if identity is None else detection + FIXED_IDENTITY_WEIGHT * identity
        loss = torch.exp(-self.det_weight) * detection + self.det_weight / processes
        if identity is not None and self.reid_weight is not None:
            loss = loss + torch.exp(-self.reid_weight) * identity + self.reid_weight / processes
        return 0.5 * loss.squeeze()
