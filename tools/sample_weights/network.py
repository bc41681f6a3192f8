"""FairMOT DLA-34 in PyTorch, for training: the package's `structure.features` and `HEADS`, applied to tensors.

Names and shapes of the arrays are those of a checkpoint; nothing about the structure is repeated in this file.
In the shapes, B is the number of images and P the number of cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fairmot_dla34.architectures.base import Arrays, HeadSizes
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.architectures.dla34.structure import HEADS, features
from fairmot_dla34.architectures.graph_builder import BATCH_NORM_EPSILON

STATISTICS = ("._mean", "._variance")  # endings of the arrays that batch norm updates without a gradient


class Outputs(NamedTuple):
    """Outputs of the network: the heatmap everywhere, the other heads at P cells.

    Attributes:
        heatmap: ``(B, 1, H / 4, W / 4)`` logits.
        size: ``(P, 4)`` distances left, top, right and bottom of the centre, in cells.
        offset: ``(P, 2)`` x and y of the centre within its cell, in cells.
        embedding: ``(P, 128)`` embeddings, not of unit length.
    """

    heatmap: Tensor
    size: Tensor
    offset: Tensor
    embedding: Tensor


class FairMOTNetwork(nn.Module):
    """FairMOT DLA-34 with one class; its parameters and buffers are the arrays of a checkpoint, at first all 0.

    PyTorch allows no dots in their names: a slash stands for each dot of the canonical name.
    """

    def __init__(self) -> None:
        super().__init__()
        for name, shape in DLA34.array_shapes(HeadSizes()).items():
            array = torch.zeros(shape)
            if len(shape) == 4:
                array = array.contiguous(memory_format=torch.channels_last)  # CPUs convolve faster in this order
            if name.endswith(STATISTICS):
                self.register_buffer(_torch_name(name), array)
            else:
                self.register_parameter(_torch_name(name), nn.Parameter(array))

    def forward(self, images: Tensor, cells: Tensor) -> Outputs:
        """Run the network.

        Args:
            images: ``(B, 3, H, W)`` RGB in [0, 1], sides divisible by 32.
            cells: ``(P, 3)`` image, row and column of the cells at which size, offset and embedding are computed.
        """
        layers = TensorLayers(self.tensors(), training=self.training)
        feature_map = features(layers, images)
        neighbourhoods = gather_neighbourhoods(feature_map, cells)
        return Outputs(
            heatmap=layers.dense_head(feature_map, HEADS.heatmap),
            size=layers.cell_head(neighbourhoods, HEADS.size),
            offset=layers.cell_head(neighbourhoods, HEADS.offset),
            embedding=layers.cell_head(neighbourhoods, HEADS.embedding),
        )

    def tensors(self) -> dict[str, Tensor]:
        """Return parameters and buffers by canonical name."""
        tensors = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return {name.replace("/", "."): tensor for name, tensor in tensors.items()}

    def freeze(self, *prefixes: str) -> None:
        """Exclude the parameters whose canonical names start with one of ``prefixes`` from training."""
        for name, tensor in self.tensors().items():
            if name.startswith(prefixes):
                tensor.requires_grad = False

    def load_arrays(self, arrays: Arrays) -> None:
        """Copy the arrays of a checkpoint, by canonical name; others are ignored.

        Raises:
            KeyError: An array is missing.
            RuntimeError: An array has another shape.
        """
        self.load_state_dict({_torch_name(name): torch.tensor(arrays[name]) for name in self.tensors()})

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of the arrays by canonical name; those of ``conv_offset`` are 0, as `TensorLayers` assumes."""
        arrays = {name: tensor.detach().float().numpy().copy() for name, tensor in self.tensors().items()}
        return {name: np.zeros_like(a) if ".conv_offset." in name else a for name, a in arrays.items()}


class TensorLayers:
    """Layers of `fairmot_dla34.architectures.layers.Layers`, applied to ``(B, C, h, w)`` tensors.

    Args:
        tensors: Arrays by canonical name.
        training: Whether batch norm uses the statistics of the batch and updates the running ones.
    """

    def __init__(self, tensors: Mapping[str, Tensor], *, training: bool) -> None:
        self._tensors = tensors
        self._training = training

    def image_conv_norm(self, image: Tensor, name: str, channels: int, kernel: int) -> Tensor:
        return self.conv_norm(image, name, channels, kernel)

    def conv_norm(self, x: Tensor, name: str, channels: int, kernel: int, stride: int = 1) -> Tensor:  # noqa: ARG002 (the protocol's)
        weight = self._tensors[f"{name}.conv.weight"]
        return self._norm(functional.conv2d(x, weight, stride=stride, padding=kernel // 2), f"{name}.norm")

    def unused_conv_norm(self, x: Tensor, name: str, channels: int, kernel: int) -> None:
        """Compute nothing."""

    def deform_conv_norm_relu(self, x: Tensor, name: str, channels: int) -> Tensor:  # noqa: ARG002 (the protocol's)
        """Apply DCNv2 with offsets 0 and mask 0.5, which is half a plain convolution, batch norm and ReLU.

        Sampling at learned offsets takes 2.6 times as long to train.
        """
        weight, bias = self._weight_and_bias(f"{name}.conv.conv_dcn")
        return functional.relu(self._norm(functional.conv2d(x, 0.5 * weight, bias, padding=1), f"{name}.norm"))

    def upsample(self, x: Tensor, name: str, stride: int) -> Tensor:
        """Apply the transposed convolution in float32: in bf16, PyTorch's depthwise one is 4 to 8 times slower."""
        weight = self._tensors[f"{name}.weight"]
        with torch.autocast("cpu", enabled=False):
            enlarged = functional.conv_transpose2d(
                x.float(), weight, stride=stride, padding=stride // 2, groups=len(weight)
            )
        return enlarged.to(x.dtype)

    def max_pool(self, x: Tensor, size: int) -> Tensor:
        return functional.max_pool2d(x, size)

    def relu(self, x: Tensor) -> Tensor:
        return functional.relu(x)

    def add(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b

    def concat(self, *maps: Tensor) -> Tensor:
        return torch.cat(maps, dim=1)

    def dense_head(self, x: Tensor, prefix: str) -> Tensor:
        """Apply a head to a feature map; return ``(B, channels, h, w)``."""
        hidden = functional.relu(functional.conv2d(x, *self._weight_and_bias(f"{prefix}.0.conv"), padding=1))
        return functional.conv2d(hidden, *self._weight_and_bias(f"{prefix}.2.conv"))

    def cell_head(self, neighbourhoods: Tensor, prefix: str) -> Tensor:
        """Apply a head to ``(P, C * 9)`` neighbourhoods; return ``(P, channels)``."""
        weight, bias = self._weight_and_bias(f"{prefix}.0.conv")
        hidden = functional.relu(functional.linear(neighbourhoods, weight.flatten(1), bias))
        weight, bias = self._weight_and_bias(f"{prefix}.2.conv")
        return functional.linear(hidden, weight.flatten(1), bias)

    def _weight_and_bias(self, name: str) -> tuple[Tensor, Tensor]:
        return self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]

    def _norm(self, x: Tensor, name: str) -> Tensor:
        mean, variance = self._tensors[f"{name}._mean"], self._tensors[f"{name}._variance"]
        weight, bias = self._weight_and_bias(name)
        return functional.batch_norm(x, mean, variance, weight, bias, self._training, eps=BATCH_NORM_EPSILON)


def gather_neighbourhoods(feature_map: Tensor, cells: Tensor) -> Tensor:
    """Return ``(P, C * 9)``: the zero-padded 3x3 neighbourhood of each cell of ``(B, C, h, w)``, channels first."""
    padded = functional.pad(feature_map, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (B, h + 2, w + 2, C)
    taps = torch.arange(3)
    image, row, column = (part[:, None, None] for part in cells.unbind(1))
    neighbourhoods = padded[image, row + taps[:, None], column + taps]  # (P, 3, 3, C)
    return neighbourhoods.permute(0, 3, 1, 2).flatten(1)


def _torch_name(name: str) -> str:
    return name.replace(".", "/")
