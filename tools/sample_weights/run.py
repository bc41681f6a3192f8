"""State of a training run: network, loss, optimiser and averaged weights, saved and resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from losses import FairMOTLoss
from network import FairMOTNetwork
from stages import Stage

from fairmot_dla34.architectures.dla34.structure import BACKBONE
from fairmot_dla34.weights import load_checkpoint

EMA_DECAY = 0.998
WEIGHT_DECAY = 1e-4
STEM = tuple(f"{BACKBONE}.{layer}." for layer in ("base_layer", "level0", "level1"))  # the layers at strides 1 and 2


class Run:
    """Training state.

    Args:
        output: Folder for ``last.pt``, from which `resume` continues, and ``weights.npz``, the averaged weights.
        identities: Number of identities in the training data.
        start: Checkpoint to start from.

    Attributes:
        network: Network in training.
        loss: Loss with its identity classifier.
        optimizer: AdamW over network and loss.
        average: Exponential moving average of the network's state.
        stage: Index of the current stage.
        step: Finished steps of the stage.
    """

    def __init__(self, output: Path, identities: int, start: Path) -> None:
        self._output = output
        self._file = output / "last.pt"
        self.network = FairMOTNetwork()
        self.loss = FairMOTLoss(identities)
        self.network.load_arrays(load_checkpoint(start).arrays)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.loss.parameters()], lr=1e-3, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.stage, self.step = 0, 0

    def start_stage(self, stage: Stage) -> None:
        """Prepare a stage; its first step starts from the averaged weights."""
        if self.step == 0:
            self.network.load_state_dict(self.average)
        self.network.train(not stage.frozen)  # only batch norm depends on the mode
        if stage.frozen:
            self.network.freeze(*STEM)

    def update_average(self) -> None:
        """Add the network's state after a step to the average."""
        decay = min(EMA_DECAY, (10 + self.step) / (100 + self.step)) if self.stage == 0 else EMA_DECAY
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, 1 - decay)

    def save(self) -> None:
        """Write ``last.pt`` and ``weights.npz``."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stage": self.stage,
            "step": self.step,
        }
        part = self._file.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._file)
        averaged = FairMOTNetwork()
        averaged.load_state_dict(self.average)
        np.savez(self._output / "weights.npz", **averaged.arrays())  # type: ignore[arg-type]  # no array is named allow_pickle

    def resume(self) -> None:
        """Continue from ``last.pt`` if it exists; identities may have been added since."""
        if not self._file.exists():
            return
        state = torch.load(self._file)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        known = len(state["loss"]["identities.weight"])
        if known == len(self.loss.identities.weight):
            self.loss.load_state_dict(state["loss"])
            self.optimizer.load_state_dict(state["optimizer"])
        elif known < len(self.loss.identities.weight):  # scenes were added
            with torch.no_grad():
                self.loss.identities.weight[:known] = state["loss"]["identities.weight"]
                self.loss.identities.bias[:known] = state["loss"]["identities.bias"]
        self.stage, self.step = state["stage"], state["step"]
