"""Training steps of several settings, computed by this process or by those that ``torchrun`` starts with this file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from labelled_images import labels_of
from small_training import NAME, register_small
from torch import Tensor

from fairmot_dla34 import InputSize
from fairmot_dla34.architectures import HeadSizes, find_architecture
from fairmot_dla34.datasets.values import ImageLabels
from fairmot_dla34.training.batches.work import Batch
from fairmot_dla34.training.config import LossConfig
from fairmot_dla34.training.loop import NoActions, TrainingLoop
from fairmot_dla34.training.losses.fairmot_loss import FairMOTLoss
from fairmot_dla34.training.losses.targets import make_targets
from fairmot_dla34.training.model import AveragedNetwork, Learner, TrainedModel
from fairmot_dla34.training.network.fairmot import FairMOTNetwork
from fairmot_dla34.training.optimizer import make_optimizer
from fairmot_dla34.training.processes.joining import join_world
from fairmot_dla34.training.processes.world import World
from fairmot_dla34.training.schedule import RunLength
from fairmot_dla34.training.state import Progress
from fairmot_dla34.training.stepping import Stepper

SETTINGS: dict[str, dict[str, Any]] = {
    "deformable": {},
    "single precision": {"precision": torch.float32},
    "plain neck": {"plain_neck": True},
    "all losses": {"loss": LossConfig(giou=True, neighbours=True)},
    "fixed weights": {"loss": LossConfig(fixed_weights=True)},
    "no identities": {"identities": 0},
    "frozen norms": {"freeze": ("norms",)},
    "frozen backbone": {"freeze": ("backbone",)},
    "people in one half": {"empty": (2, 3)},
    "no people": {"empty": (0, 1, 2, 3)},
    "dla34": {"arch": "dla34", "steps": 2},
}
SIZE, IDENTITIES, BATCH = InputSize(64, 64), 5, 4


class ExactModel(TrainedModel):
    """The trained model, with images of the precision of its weights."""

    def forward(
        self,
        images: Tensor,
        targets: Any,
        counts: Any,
        taught: Any = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        scaled = images.to(next(self.parameters()).dtype) / 255
        return self.loss(self.network(scaled, targets.cells), targets, counts)  # type: ignore[no-any-return]


class MadeBatches:
    """Stands for the batches of datasets: noise with a few boxes, of which each process gets its share."""

    def __init__(self, world: World, empty: tuple[int, ...], loss: LossConfig, *, identities: int) -> None:
        self._share = slice(world.rank * BATCH // world.size, (world.rank + 1) * BATCH // world.size)
        self._empty, self._neighbours, self._identities = empty, loss.neighbours, identities

    def batches(self, epoch: int, first_step: int) -> MadeBatches:
        self._number = epoch + first_step
        return self

    def __enter__(self) -> list[Batch]:
        rng = np.random.default_rng(self._number)
        images = torch.from_numpy(rng.integers(0, 256, (BATCH, 3, 64, 64), np.uint8))
        labels = [self._labels(number, rng) for number in range(BATCH)]
        targets = make_targets(labels[self._share], SIZE, stride=4, num_classes=1, neighbours=self._neighbours)
        return [Batch(images[self._share], targets, [str(number) for number in range(BATCH)][self._share])]

    def __exit__(self, *_: object) -> None:
        pass

    def _labels(self, number: int, rng: np.random.Generator) -> ImageLabels:
        corners = rng.uniform(0, 40, (number + 1, 2))
        ids = rng.integers(0, IDENTITIES, number + 1) if self._identities else None
        boxes = np.hstack([corners, corners + rng.uniform(4, 24, (number + 1, 2))])
        return ImageLabels.empty() if number in self._empty else labels_of(boxes, ids)


def train_steps(
    world: World,
    *,
    arch: str = NAME,
    steps: int = 4,
    precision: torch.dtype = torch.float64,
    plain_neck: bool = False,
    loss: LossConfig | None = None,
    identities: int = IDENTITIES,
    freeze: tuple[str, ...] = (),
    empty: tuple[int, ...] = (),
) -> dict[str, dict[str, Tensor]]:
    """Return the gradients of the first step, and the weights after all steps."""
    loss = loss or LossConfig()
    network = FairMOTNetwork(find_architecture(arch), HeadSizes(1, 8), plain_neck=plain_neck, identities=identities > 0)
    network.initialise(torch.Generator().manual_seed(1))
    network.freeze(freeze)
    network.sync_norms()
    losses = FairMOTLoss(identities, 8, loss)
    losses.initialise(torch.Generator().manual_seed(1))
    model = ExactModel(network, losses, "fp32").to(precision)
    average = FairMOTNetwork(network.architecture, network.sizes, plain_neck=plain_neck, identities=identities > 0)
    learner = Learner(model, AveragedNetwork(network, average.to(precision)), make_optimizer(model, world.device))
    gradients: dict[str, Tensor] = {}

    class Recorder(NoActions):
        def record(self, progress: Progress, *_: Any, **__: Any) -> None:
            for name, parameter in model.named_parameters():
                if progress.step == 1 and parameter.grad is not None:
                    gradients[name] = parameter.grad.clone()

    source: Any = MadeBatches(world, empty, loss, identities=identities)
    length = RunLength(1, steps, None)
    TrainingLoop(
        source, Stepper(learner, world), length=length, rate=1e-3, world=world, actions=Recorder(), val_every=None
    ).run(Progress())
    return {"gradients": gradients, "weights": dict(model.state_dict()), "average": average.state_dict()}


def train_all(world: World) -> dict[str, dict[str, dict[str, Tensor]]]:
    """Return the results of all settings."""
    register_small()
    torch.set_num_threads(1)
    return {name: train_steps(world, **settings) for name, settings in SETTINGS.items()}


if __name__ == "__main__":
    joined = join_world("cpu")
    torch.save(train_all(joined), Path(sys.argv[1]) / f"{joined.rank}.pt")
    joined.close()
