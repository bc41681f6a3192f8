"""Modulated deformable convolution (DCNv2, arXiv 1811.11168), 3x3 with stride 1, on PyTorch's own operators.

It needs no compiled extension and runs on every device of PyTorch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TAPS = 9  # of a 3x3 kernel, in row-major order


def deform_conv(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Convolve with samples taken beside the kernel's taps.

    Args:
        x: ``(B, C, h, w)`` feature map.
        offset: ``(B, 18, h, w)`` distance of each tap's sample from the tap, in cells: y and x of the first tap, then
            of the second, as in Paddle and ONNX.
        mask: ``(B, 9, h, w)`` factor of each tap's sample.
        weight: ``(O, C, 3, 3)``.
        bias: ``(O,)``.

    Returns:
        ``(B, O, h, w)``. Samples are bilinear; cells outside the map count as 0.
    """
    batch, channels, height, width = x.shape
    grid = _sampling_grid(offset)  # (B, 9 * h, w, 2)
    samples = functional.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    samples = samples * mask.reshape(batch, 1, TAPS * height, width)  # (B, C, 9 * h, w)
    columns = samples.reshape(batch, channels * TAPS, height * width)
    y = weight.flatten(1) @ columns  # (B, O, h * w)
    return y.reshape(batch, -1, height, width) + bias[:, None, None]


def _sampling_grid(offset: Tensor) -> Tensor:
    """Return ``(B, 9 * h, w, 2)``: the x and y of all samples, scaled so that the map's edges are at -1 and 1."""
    batch, _, height, width = offset.shape
    tap = torch.arange(TAPS, device=offset.device, dtype=offset.dtype)[:, None, None]
    row = torch.arange(height, device=offset.device, dtype=offset.dtype)[:, None]
    column = torch.arange(width, device=offset.device, dtype=offset.dtype)
    shift = offset.reshape(batch, TAPS, 2, height, width)
    y = shift[:, :, 0] + (row + torch.floor(tap / 3) - 1)  # (B, 9, h, w)
    x = shift[:, :, 1] + (column + tap % 3 - 1)
    grid = torch.stack(((2 * x + 1) / width - 1, (2 * y + 1) / height - 1), dim=-1)
    return grid.reshape(batch, TAPS * height, width, 2)
