"""The layers of a FairMOT network on PyTorch tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from ...architectures.base import NORM_EPSILON
from ...architectures.layers import LEAKY_SLOPE, Activation, Interpolation
from .deformable import deform_conv
from .norms import Norm

NormFunction = Callable[[Tensor, Norm], Tensor]


class TensorLayers:
    """Layers of `fairmot_dla34.architectures.layers.Layers`, applied to ``(B, C, h, w)`` tensors.

    Args:
        tensors: Arrays by canonical name.
        norm: Batch norm for a layer, by the layer's name.
        plain_neck: Compute deformable convolutions with offsets 0 and mask 0.5.
        norm_epsilon: Number added to the variances of batch norms.
        head_activation: Activation between the convolutions of a head.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        norm: Callable[[str], NormFunction],
        *,
        plain_neck: bool,
        norm_epsilon: float = NORM_EPSILON,
        head_activation: Activation = "relu",
    ) -> None:
        self._norm_epsilon, self._head_activation = norm_epsilon, head_activation
        self._tensors = tensors
        self._norm_of = norm
        self._plain_neck = plain_neck

    def image_conv_norm(self, image: Tensor, name: str, channels: int, kernel: int, stride: int = 1) -> Tensor:
        """Apply the first convolution, to RGB in [0, 1]."""
        return self.conv_norm(image, name, channels, kernel, stride)

    def image_focus_conv_norm(self, image: Tensor, name: str, channels: int, kernel: int) -> Tensor:
        """Apply the first convolution to the four subsampled images of RGB in [0, 1]."""
        parts = [image[..., row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.conv_norm(torch.cat(parts, dim=1), name, channels, kernel)

    def conv_norm(self, x: Tensor, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> Tensor:  # noqa: ARG002 (the protocol's)
        """Apply a convolution without bias, and batch norm."""
        weight = self._tensors[f"{name}.conv.weight"]
        return self.norm(functional.conv2d(x, weight, stride=stride, padding=kernel // 2, groups=groups), name)

    def plain_conv(self, x: Tensor, name: str, channels: int, kernel: int) -> Tensor:  # noqa: ARG002 (the protocol's)
        """Apply a convolution without bias and without batch norm."""
        return functional.conv2d(x, self._tensors[f"{name}.weight"], padding=kernel // 2)

    def norm(self, x: Tensor, name: str) -> Tensor:
        """Apply a batch norm."""
        weight, bias = self._weight_and_bias(f"{name}.norm")
        mean, variance = self._tensors[f"{name}.norm._mean"], self._tensors[f"{name}.norm._variance"]
        return self._norm_of(name)(x, Norm(weight, bias, mean, variance, self._norm_epsilon))

    def unused_conv_norm(self, x: Tensor, name: str, channels: int, kernel: int) -> None:
        """Compute nothing."""

    def deform_conv_norm_relu(self, x: Tensor, name: str, channels: int) -> Tensor:  # noqa: ARG002 (the protocol's)
        """Apply DCNv2, batch norm and a ReLU. Samples are taken in float32: positions need more than bf16's 8 bits."""
        weight, bias = self._weight_and_bias(f"{name}.conv.conv_dcn")
        if self._plain_neck:  # half a plain convolution
            y = functional.conv2d(x, 0.5 * weight, bias, padding=1)
        else:
            offset_mask = functional.conv2d(x, *self._weight_and_bias(f"{name}.conv.conv_offset"), padding=1)
            offset, mask = offset_mask.to(weight.dtype).split((18, 9), dim=1)
            y = deform_conv(x, offset, mask.sigmoid(), weight, bias)
        return functional.relu(self.norm(y, name))

    def upsample(self, x: Tensor, name: str, stride: int) -> Tensor:
        """Apply the transposed convolution in float32: in bf16, PyTorch's depthwise one is 4 to 8 times slower."""
        weight = self._tensors[f"{name}.weight"]
        with torch.autocast(x.device.type, enabled=False):
            enlarged = functional.conv_transpose2d(
                x.to(weight.dtype), weight, stride=stride, padding=stride // 2, groups=len(weight)
            )
        return enlarged.to(x.dtype)

    def resize(self, x: Tensor, scale: int, how: Interpolation = "nearest") -> Tensor:
        """Enlarge a map ``scale`` times."""
        return functional.interpolate(x, scale_factor=float(scale), mode=how)

    def max_pool(self, x: Tensor, size: int, stride: int | None = None) -> Tensor:
        """Apply max pooling; with stride 1 the map is padded to keep its sides."""
        return functional.max_pool2d(x, size, stride or size, padding=size // 2 if stride == 1 else 0)

    def activate(self, x: Tensor, kind: Activation) -> Tensor:
        """Apply an activation function."""
        if kind == "leaky_relu":
            return functional.leaky_relu(x, LEAKY_SLOPE)
        functions = {"relu": functional.relu, "hard_swish": functional.hardswish, "silu": functional.silu}
        return functions[kind](x)

    def relu(self, x: Tensor) -> Tensor:
        """Apply a ReLU."""
        return functional.relu(x)

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        """Add two maps."""
        return a + b

    def concat(self, *maps: Tensor) -> Tensor:
        """Join maps along the channels."""
        return torch.cat(maps, dim=1)

    def dense_head(self, x: Tensor, prefix: str) -> Tensor:
        """Apply a head to a feature map; return ``(B, channels, h, w)``."""
        hidden = functional.conv2d(x, *self._weight_and_bias(f"{prefix}.0.conv"), padding=1)
        hidden = self.activate(hidden, self._head_activation)
        return functional.conv2d(hidden, *self._weight_and_bias(f"{prefix}.2.conv"))

    def cell_head(self, neighbourhoods: Tensor, prefix: str) -> Tensor:
        """Apply a head to ``(P, C * 9)`` neighbourhoods; return ``(P, channels)``."""
        weight, bias = self._weight_and_bias(f"{prefix}.0.conv")
        hidden = self.activate(functional.linear(neighbourhoods, weight.flatten(1), bias), self._head_activation)
        weight, bias = self._weight_and_bias(f"{prefix}.2.conv")
        return functional.linear(hidden, weight.flatten(1), bias)

    def _weight_and_bias(self, name: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]


def gather_neighbourhoods(feature_map: Tensor, cells: Tensor) -> Tensor:
    """Return ``(P, C * 9)``: the zero-padded 3x3 neighbourhood of each cell of ``(B, C, h, w)``, channels first."""
    padded = functional.pad(feature_map, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (B, h + 2, w + 2, C)
    taps = torch.arange(3, device=cells.device)
    image, row, column = (part[:, None, None] for part in cells.unbind(1))
    neighbourhoods = padded[image, row + taps[:, None], column + taps]  # (P, 3, 3, C)
    return neighbourhoods.permute(0, 3, 1, 2).flatten(1)
