"""The network and its loss as one module, and the moving average of the network's weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..architectures.soundness import MAX_VARIANCE, MAX_WEIGHT
from .distillation.student import Distillation
from .distillation.targets import TeacherTargets
from .losses.fairmot_loss import FairMOTLoss, LossCounts
from .losses.targets import Targets
from .network.fairmot import FairMOTNetwork

AVERAGE_DECAY = 0.998  # of the moving average, over about 500 steps


class TrainedModel(nn.Module):
    """The network and its loss: images and targets in, loss out.

    Distributed training needs one module with all parameters.

    Args:
        network: Network in training.
        loss: Loss, with the identity classifier if there is one.
        precision: ``fp32``, or ``bf16`` for the network's layers; the loss is always computed in fp32.
        distillation: Losses against a teacher, with their adapters; None: without a teacher.
        has_labels: Whether ``loss`` counts; otherwise only ``distillation`` does.
    """

    def __init__(
        self,
        network: FairMOTNetwork,
        loss: FairMOTLoss,
        precision: str,
        distillation: Distillation | None = None,
        *,
        has_labels: bool = True,
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.distillation = distillation
        self._has_labels = has_labels
        self._uses_bf16 = precision == "bf16"

    def forward(
        self, images: Tensor, targets: Targets, counts: LossCounts, taught: TeacherTargets | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and its unweighted parts by name.

        Args:
            images: ``(B, 3, H, W)`` uint8 RGB.
            targets: Targets of the batch.
            counts: Normalisers of the loss, over all processes.
            taught: Targets that a teacher gives; needed with ``distillation``.
        """
        scaled = (images.float() / 255).contiguous(memory_format=torch.channels_last)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._uses_bf16):
            cells = targets.cells if taught is None else torch.cat([targets.cells, taught.cells])
            outputs, features = self.network.run(scaled, cells)
        if self.distillation is None or taught is None:
            return self.loss(outputs, targets, counts)  # type: ignore[no-any-return]  # torch's __call__ is untyped
        number = len(targets.cells)
        loss, parts = self.distillation((outputs.at(slice(number, None)), features), taught, targets.heatmap, counts)
        if self._has_labels:
            supervised, own_parts = self.loss(outputs.at(slice(0, number)), targets, counts)
            loss, parts = supervised + loss, {**own_parts, **parts}
        return loss, parts


class AveragedNetwork:
    """Exponential moving average of a network's parameters and statistics; validated and written instead of it.

    Args:
        network: Network whose state is the first average.
        average: Network of the same shape that holds the average; its values are replaced.
    """

    def __init__(self, network: FairMOTNetwork, average: FairMOTNetwork) -> None:
        self._network = network
        self.network = average
        self.network.load_state_dict(network.state_dict())
        self.network.eval()
        self.network.requires_grad_(requires_grad=False)

    def update(self, step: int) -> None:
        """Add the network's state.

        Args:
            step: Finished steps of the run; early averages are over fewer steps.
        """
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        with torch.no_grad():
            self._update(decay)

    def _update(self, decay: float) -> None:
        for averaged, value in zip(
            self.network.state_dict().values(), self._network.state_dict().values(), strict=True
        ):
            if averaged.dtype.is_floating_point:
                averaged.lerp_(value, 1 - decay)
            else:
                averaged.copy_(value)


@dataclass(frozen=True, eq=False)
class Learner:
    """Everything that training changes, the content of a saved state.

    Attributes:
        model: Network and loss.
        average: Averaged network, which is validated and written.
        optimizer: Optimiser of the model.
    """

    model: TrainedModel
    average: AveragedNetwork
    optimizer: torch.optim.Optimizer

    def unsound_array(self) -> str | None:
        """Return the name of an array with numbers that no trained network has, with which the training diverges."""
        for network in (self.model.network, self.average.network):
            for name, tensor in network.tensors().items():
                limit = MAX_VARIANCE if name.endswith("_variance") else MAX_WEIGHT
                if not float(tensor.detach().abs().max()) <= limit:  # NaN is not, either
                    return name
        return None
