"""The optimiser of a run: Adam as PaddleDetection configures it."""

from __future__ import annotations

import torch

from .model import TrainedModel

DEFAULT_RATE = 1e-4  # base_lr in optimizer_30e.yml of PaddleDetection's FairMOT configurations


def make_optimizer(model: TrainedModel, device: torch.device) -> torch.optim.Optimizer:
    """Return Adam over the parameters that are trained, without weight decay (``optimizer_30e.yml``)."""
    parameters = [*model.network.trainable(), *(p for p in model.loss.parameters() if p.requires_grad)]
    if model.distillation is not None:
        parameters += model.distillation.parameters()
    return torch.optim.Adam(parameters, lr=DEFAULT_RATE, fused=device.type in {"cpu", "cuda"})
