"""Modulated deformable convolution (DCNv2, arXiv 1811.11168), 3x3 with stride 1, on PyTorch's own operators.

It needs no compiled extension and runs on every device of PyTorch. Samples are weighted sums of rows of a table, as
`torch.nn.functional.embedding_bag` computes them: on a CPU in less than half the time of ``grid_sample``, and without
its rounding of positions, which at offsets of 0 gives other gradients than Paddle's operator.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TAPS = 9  # cells of a 3x3 kernel, in row-major order
_PADDING = 2  # cells around the map: every sample beyond it reads zeros


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
        ``(B, O, h, w)``, channels last. Samples are bilinear, in the type of ``offset``; cells outside the map count
        as 0.
    """
    batch, channels, height, width = x.shape
    cells, factors = _corners(offset, mask)
    table = functional.pad(x.to(offset.dtype), [_PADDING] * 4).permute(0, 2, 3, 1).reshape(-1, channels)
    samples = functional.embedding_bag(cells, table, mode="sum", per_sample_weights=factors)  # (B * h * w * 9, C)
    matrix = weight.permute(0, 2, 3, 1).flatten(1)  # (O, 9 * C)
    y = functional.linear(samples.reshape(-1, TAPS * channels), matrix, bias)  # (B * h * w, O)
    return y.reshape(batch, height, width, -1).permute(0, 3, 1, 2)


def _corners(offset: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows of the padded table and factors, each ``(B * h * w * 9, 4)``: the four cells around each sample."""
    batch, _, height, width = offset.shape
    shift = offset.permute(0, 2, 3, 1).reshape(batch, height, width, TAPS, 2)
    tap = torch.arange(TAPS, device=offset.device)
    row = torch.arange(height, device=offset.device)[:, None, None] + tap // 3 - 1  # (h, 1, 9)
    column = torch.arange(width, device=offset.device)[:, None] + tap % 3 - 1  # (w, 9)
    top, below = _cell_and_rest(shift[..., 0] + row, height)  # (B, h, w, 9) each
    left, beside = _cell_and_rest(shift[..., 1] + column, width)
    columns = width + 2 * _PADDING
    image = torch.arange(batch, device=offset.device)[:, None, None, None] * ((height + 2 * _PADDING) * columns)
    cell = image + (top + _PADDING) * columns + left + _PADDING
    upper, lower = mask.permute(0, 2, 3, 1) * torch.stack((1 - below, below))
    cells = torch.stack((cell, cell + 1, cell + columns, cell + columns + 1), dim=-1)
    factors = torch.stack((upper * (1 - beside), upper * beside, lower * (1 - beside), lower * beside), dim=-1)
    return cells.reshape(-1, 4), factors.reshape(-1, 4)


def _cell_and_rest(position: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Return the cell at or before each position, and the distance from it.

    Positions outside the map, NaN included, get cells in the padding; -1 itself counts as outside, as in Paddle.
    """
    floor = position.detach().floor()
    cell = torch.where(position > -1, floor, -_PADDING).clamp(max=length).long()
    return cell, position - floor
