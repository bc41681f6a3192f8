"""Random start of a network's arrays, with the distributions of PaddleDetection.

Source: ``ConvNormLayer``, ``DeformableConvV2`` (``ppdet/modeling/layers.py``), ``IDAUp``, ``fill_up_weights``
(``necks/centernet_fpn.py``), ``ConvLayer`` and ``CenterNetHead`` (``heads/centernet_head.py``) of PaddleDetection 2.6.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...architectures import Architecture, HeadSizes
from ...architectures.base import Shape
from ...architectures.heads import Heads
from ...architectures.layers import ShapeRecorder

CONV_DEVIATION = 0.01  # standard deviation in ConvNormLayer
HEATMAP_BIAS = -2.19  # prior_bias: a score of 0.1 in every cell


class LayerKinds(ShapeRecorder):
    """Records, besides the shapes, which arrays belong to which kind of layer.

    Attributes:
        unused: Names of layers that checkpoints hold and the network does not compute.
        deformable: Names of deformable layers.
        upsampling: Names of transposed convolutions.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unused: list[str] = []
        self.deformable: list[str] = []
        self.upsampling: list[str] = []

    def unused_conv_norm(self, x: int, name: str, channels: int, kernel: int) -> None:
        """Record the layer as unused."""
        super().unused_conv_norm(x, name, channels, kernel)
        self.unused.append(name)

    def deform_conv_norm_relu(self, x: int, name: str, channels: int) -> int:
        """Record the layer as deformable."""
        self.deformable.append(name)
        return super().deform_conv_norm_relu(x, name, channels)

    def upsample(self, x: int, name: str, stride: int) -> int:
        """Record the layer as upsampling."""
        self.upsampling.append(name)
        return super().upsample(x, name, stride)


def layer_kinds(architecture: Architecture) -> LayerKinds:
    """Return the kinds of an architecture's layers below the heads.

    Raises:
        InvalidInputError: Networks of this architecture cannot be trained.
    """
    kinds = LayerKinds()
    architecture.features(kinds, 3)
    return kinds


def initial_arrays(
    architecture: Architecture, heads: Heads, sizes: HeadSizes, generator: torch.Generator
) -> dict[str, Tensor]:
    """Return an untrained network's arrays by canonical name, float32 on the CPU.

    Args:
        architecture: The architecture.
        heads: Its heads.
        sizes: Classes and embedding size.
        generator: Source of the random numbers, on the CPU.
    """
    kinds, prefixes = layer_kinds(architecture), tuple(f"{prefix}." for prefix in heads.channels(sizes))
    deformable, upsampling = tuple(f"{name}.conv." for name in kinds.deformable), set(kinds.upsampling)
    arrays = {}
    shapes = architecture.array_shapes(sizes)
    for name, shape in shapes.items():
        if name.removesuffix(".weight") in upsampling:
            arrays[name] = _bilinear_kernel(shape)
        elif name.endswith((".norm.weight", ".norm._variance")):
            arrays[name] = torch.ones(shape)
        elif ".conv_offset." in name or not name.endswith(".weight"):
            arrays[name] = torch.zeros(shape)
        elif name.startswith((*prefixes, *deformable)):
            # IDAUp computes the bound of a node from the inputs of the projection before it.
            inputs = shapes.get(name.replace(".node_", ".proj_"), shape)
            bound = 1 / math.sqrt(math.prod(inputs[1:]))
            arrays[name] = torch.empty(shape).uniform_(-bound, bound, generator=generator)
        else:
            arrays[name] = torch.empty(shape).normal_(0, CONV_DEVIATION, generator=generator)
    arrays[f"{heads.heatmap}.2.conv.bias"].fill_(HEATMAP_BIAS)
    return arrays


def _bilinear_kernel(shape: Shape) -> Tensor:
    """Return the kernel with which a transposed convolution interpolates linearly."""
    side = shape[-1]
    half = math.ceil(side / 2)
    centre = (2 * half - 1 - half % 2) / (2 * half)
    line = 1 - (torch.arange(side) / half - centre).abs()
    return (line[:, None] * line).expand(shape).clone()
