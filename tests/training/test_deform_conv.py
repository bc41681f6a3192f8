"""Tests of the deformable convolution for training, against a plain implementation of its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

Float64 = NDArray[np.float64]


def bilinear(x: Float64, y: float, column: float) -> Float64:
    """Return ``(C,)``: the map ``(C, h, w)`` at a position; 0 outside."""
    _, height, width = x.shape
    result = np.zeros(len(x))
    for i in (math.floor(y), math.floor(y) + 1):
        for j in (math.floor(column), math.floor(column) + 1):
            if 0 <= i < height and 0 <= j < width:
                result += x[:, i, j] * (1 - abs(y - i)) * (1 - abs(column - j))
    return result


def plain_deform_conv(x: Float64, offset: Float64, mask: Float64, weight: Float64, bias: Float64) -> Float64:
    """DCNv2 as equation 1 of arXiv 1811.11168 defines it, one cell and one tap at a time."""
    batch, _, height, width = x.shape
    result = np.zeros((batch, len(weight), height, width)) + bias[:, None, None]
    for b in range(batch):
        for i in range(height):
            for j in range(width):
                for tap in range(9):
                    y = i + tap // 3 - 1 + offset[b, 2 * tap, i, j]
                    column = j + tap % 3 - 1 + offset[b, 2 * tap + 1, i, j]
                    sample = bilinear(x[b], y, column) * mask[b, tap, i, j]
                    result[b, :, i, j] += weight[:, :, tap // 3, tap % 3] @ sample
    return result


def inputs(rng: np.random.Generator, shape: tuple[int, int, int, int], reach: float) -> list[Float64]:
    batch, channels, height, width = shape
    return [
        rng.normal(size=shape),
        rng.normal(size=(batch, 18, height, width)) * reach,
        rng.random((batch, 9, height, width)),
        rng.normal(size=(4, channels, 3, 3)),
        rng.normal(size=4),
    ]


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (1, 2, 1, 1), (1, 1, 4, 1)])
@pytest.mark.parametrize("reach", [0.0, 0.3, 2.0, 40.0])
def test_result_equals_the_definition(shape: tuple[int, int, int, int], reach: float) -> None:
    from fairmot_dla34.training.network.deformable import deform_conv

    arrays = inputs(np.random.default_rng(3), shape, reach)
    found = deform_conv(*(torch.from_numpy(array) for array in arrays))
    np.testing.assert_allclose(found.numpy(), plain_deform_conv(*arrays), rtol=0, atol=1e-12)


def test_gradients_equal_finite_differences() -> None:
    from fairmot_dla34.training.network.deformable import deform_conv

    arrays = inputs(np.random.default_rng(4), (2, 2, 3, 4), 0.7)
    tensors = tuple(torch.from_numpy(array).requires_grad_(True) for array in arrays)  # noqa: FBT003 (PyTorch's)
    assert torch.autograd.gradcheck(deform_conv, tensors)


def test_without_offsets_it_is_a_plain_convolution_in_every_memory_order() -> None:
    from fairmot_dla34.training.network.deformable import deform_conv

    x, _, _, weight, bias = (torch.from_numpy(a).float() for a in inputs(np.random.default_rng(5), (2, 3, 6, 5), 0))
    expected = torch.nn.functional.conv2d(x, 0.5 * weight, bias, padding=1)
    offset, mask = torch.zeros(2, 18, 6, 5), torch.full((2, 9, 6, 5), 0.5)
    for order in (torch.contiguous_format, torch.channels_last):
        found = deform_conv(
            x.contiguous(memory_format=order), offset, mask, weight.contiguous(memory_format=order), bias
        )
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_an_offset_that_is_no_position_does_not_read_beyond_the_map(bad: float) -> None:
    """A diverged network must end in the message about it, not in an access outside the memory."""
    from fairmot_dla34.training.network.deformable import deform_conv

    x, offset, mask, weight, bias = (
        torch.from_numpy(a).float() for a in inputs(np.random.default_rng(6), (1, 2, 4, 4), 0)
    )
    offset[0, 5, 2, 2] = bad
    x.requires_grad_(True)  # noqa: FBT003 (PyTorch's)
    deform_conv(x, offset, mask, weight, bias).sum().backward()
    assert x.grad is not None
