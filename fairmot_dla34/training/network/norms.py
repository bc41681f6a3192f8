"""Batch norm as PaddleDetection computes it, over one process or over all processes of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed
from torch.nn import functional

from ...architectures.base import NORM_EPSILON

MOMENTUM = 0.1  # share of the new statistics; Paddle's 0.9 is the share of the old ones


@dataclass(frozen=True)
class Norm:
    """Arrays of a batch norm, each ``(C,)``.

    Attributes:
        weight: Factors.
        bias: Summands.
        mean: Running mean, updated in place.
        variance: Running variance, updated in place.
        epsilon: Number added to the variance.
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor
    variance: Tensor
    epsilon: float = NORM_EPSILON


def frozen_norm(x: Tensor, norm: Norm) -> Tensor:
    """Normalise ``(B, C, h, w)`` with the running statistics."""
    return functional.batch_norm(x, norm.mean, norm.variance, norm.weight, norm.bias, eps=norm.epsilon)


def batch_norm(x: Tensor, norm: Norm) -> Tensor:
    """Normalise ``(B, C, h, w)`` with its own statistics and update the running ones.

    Paddle keeps the running mean of the variance divided by n, PyTorch that of the variance divided by n - 1.
    """
    number = x.numel() // x.shape[1]
    if number == 1:  # PyTorch refuses it; the result is the bias
        return (x - x) * norm.weight[:, None, None].to(x.dtype) + norm.bias[:, None, None].to(x.dtype)
    mean, variance = torch.zeros_like(norm.mean), torch.zeros_like(norm.variance)
    y = functional.batch_norm(x, mean, variance, norm.weight, norm.bias, training=True, momentum=1.0, eps=norm.epsilon)
    _update(norm, mean, variance * ((number - 1) / number))
    return y


def synchronised_batch_norm(x: Tensor, norm: Norm, group: Any = None) -> Tensor:
    """Normalise ``(B, C, h, w)`` with the statistics of all processes and update the running ones.

    `torch.nn.SyncBatchNorm` does the same on GPUs only.

    Args:
        x: Feature map of this process; batch, height and width may differ between processes.
        norm: Arrays, equal in all processes.
        group: Process group; None: all processes.
    """
    y, mean, variance = _SynchronisedNorm.apply(x, norm.weight, norm.bias, norm.epsilon, group)
    _update(norm, mean, variance)
    return y


def _update(norm: Norm, mean: Tensor, variance: Tensor) -> None:
    with torch.no_grad():
        norm.mean.lerp_(mean, MOMENTUM)
        norm.variance.lerp_(variance, MOMENTUM)


class _SynchronisedNorm(torch.autograd.Function):
    """Batch norm whose statistics, and the sums of its gradient, are those of all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, epsilon: float, group: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        values = x.float() if x.dtype != torch.float64 else x
        number = x.numel() // x.shape[1]
        local_variance, local_mean = torch.var_mean(values, dim=(0, 2, 3), correction=0)
        number_tensor = torch.full_like(local_mean[:1], number)
        local = torch.cat((local_mean, local_variance, number_tensor)).double()
        parts = [torch.empty_like(local) for _ in range(distributed.get_world_size(group))]
        distributed.all_gather(parts, local, group=group)
        gathered = torch.stack(parts)  # (processes, 2 * C + 1)
        channels = x.shape[1]
        share = gathered[:, -1:] / gathered[:, -1].sum()
        means, variances = gathered[:, :channels], gathered[:, channels:-1]
        mean = (share * means).sum(0)
        variance = (share * (variances + (means - mean) ** 2)).sum(0)  # Chan, Golub, LeVeque 1979
        inverse = torch.rsqrt(variance + epsilon).to(values.dtype)
        mean, variance = mean.to(values.dtype), variance.to(values.dtype)
        normalised = (values - mean[:, None, None]) * inverse[:, None, None]
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.group, ctx.number = group, float(gathered[:, -1].sum())
        ctx.mark_non_differentiable(mean, variance)
        y = normalised * weight[:, None, None] + bias[:, None, None]
        return y.to(x.dtype), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        x, weight, mean, inverse = ctx.saved_tensors
        gradient = gradients[0].to(mean.dtype)
        normalised = (x.to(mean.dtype) - mean[:, None, None]) * inverse[:, None, None]
        bias_gradient, weight_gradient = gradient.sum((0, 2, 3)), (gradient * normalised).sum((0, 2, 3))
        sums = torch.cat((bias_gradient, weight_gradient))
        distributed.all_reduce(sums, group=ctx.group)
        mean_gradient, mean_product = (sums / ctx.number).chunk(2)
        centred = gradient - mean_gradient[:, None, None] - normalised * mean_product[:, None, None]
        x_gradient = centred * (weight * inverse)[:, None, None]
        return x_gradient.to(x.dtype), weight_gradient, bias_gradient, None, None
