"""A FairMOT network in PyTorch, for training, built from the layers and heads that its architecture declares."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from ...architectures import Architecture, HeadSizes
from ...architectures.base import Arrays
from ...config import check_choice
from ...errors import CheckpointError, InvalidInputError
from ..config import FREEZABLE
from .initialisation import initial_arrays, layer_kinds
from .layers import NormFunction, TensorLayers, gather_neighbourhoods
from .norms import batch_norm, frozen_norm, synchronised_batch_norm

STATISTICS = ("._mean", "._variance")  # endings of the arrays that batch norm updates without a gradient


class Outputs(NamedTuple):
    """Outputs of the network: the heatmap everywhere, the other heads at P cells.

    Attributes:
        heatmap: ``(B, classes, H / stride, W / stride)`` logits.
        size: ``(P, 4)`` distances left, top, right and bottom of the centre, in cells.
        offset: ``(P, 2)`` x and y of the centre within its cell, in cells.
        embedding: ``(P, E)`` embeddings, not of unit length.
    """

    heatmap: Tensor
    size: Tensor
    offset: Tensor
    embedding: Tensor

    def at(self, cells: slice) -> Outputs:
        """Return the outputs with some of the cells only."""
        return self._replace(size=self.size[cells], offset=self.offset[cells], embedding=self.embedding[cells])


class FairMOTNetwork(nn.Module):
    """A FairMOT network; its parameters and buffers are the arrays of a checkpoint, at first all 0.

    PyTorch allows no dots in their names: a slash stands for each dot of the canonical name.

    Args:
        architecture: The architecture.
        sizes: Classes and embedding size; None: one class, and embeddings of the usual size of the architecture.
        plain_neck: Compute deformable convolutions as plain ones, with offsets 0 and mask 0.5.
        identities: Train the embedding head.

    Raises:
        InvalidInputError: Networks of this architecture cannot be trained.
    """

    def __init__(
        self,
        architecture: Architecture,
        sizes: HeadSizes | None = None,
        *,
        plain_neck: bool = False,
        identities: bool = True,
    ) -> None:
        super().__init__()
        kinds = layer_kinds(architecture)
        if architecture.heads is None:
            raise InvalidInputError(
                f"Architecture {architecture.name} cannot be trained; expected one that defines features and heads."
            )
        self.architecture, self.heads = architecture, architecture.heads
        self.sizes = sizes or HeadSizes(embedding_size=architecture.embedding_size)
        self.plain_neck = plain_neck
        self._frozen_norms: tuple[str, ...] = ()
        self._synchronised: tuple[Any] | None = None
        for name, shape in architecture.array_shapes(self.sizes).items():
            array = torch.zeros(shape)
            if len(shape) == 4:
                array = array.contiguous(memory_format=torch.channels_last)  # CPUs convolve faster in this order
            if name.endswith(STATISTICS):
                self.register_buffer(_torch_name(name), array)
            else:
                self.register_parameter(_torch_name(name), nn.Parameter(array))
        untrained = [f"{name}." for name in kinds.unused]
        if plain_neck:
            untrained += [f"{name}.conv.conv_offset." for name in kinds.deformable]
        if not identities:
            untrained.append(f"{self.heads.embedding}.")
        self._exclude(tuple(untrained))

    def forward(self, images: Tensor, cells: Tensor) -> Outputs:
        """Run the network.

        Args:
            images: ``(B, 3, H, W)`` RGB in [0, 1], sides divisible by 32.
            cells: ``(P, 3)`` image, row and column of the cells at which size, offset and embedding are computed.
        """
        return self.run(images, cells)[0]

    def run(self, images: Tensor, cells: Tensor) -> tuple[Outputs, Tensor]:
        """Return the outputs, and the ``(B, C, H / stride, W / stride)`` map below the heads; arguments as above."""
        layers, feature_map = self.features(images)
        neighbourhoods = gather_neighbourhoods(feature_map, cells)
        outputs = Outputs(
            heatmap=layers.dense_head(feature_map, self.heads.heatmap),
            size=layers.cell_head(neighbourhoods, self.heads.size),
            offset=layers.cell_head(neighbourhoods, self.heads.offset),
            embedding=layers.cell_head(neighbourhoods, self.heads.embedding),
        )
        return outputs, feature_map

    def features(self, images: Tensor) -> tuple[TensorLayers, Tensor]:
        """Return the layers, whose heads are to be applied, and the feature map below them; ``images`` as above."""
        layers = TensorLayers(
            self.tensors(),
            self._norm,
            plain_neck=self.plain_neck,
            norm_epsilon=self.architecture.norm_epsilon,
            head_activation=self.heads.activation,
        )
        images = images.contiguous(memory_format=torch.channels_last)
        return layers, self.architecture.features(layers, images)

    def tensors(self) -> dict[str, Tensor]:
        """Return parameters and buffers by canonical name."""
        tensors = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return {name.replace("/", "."): tensor for name, tensor in tensors.items()}

    def trainable(self) -> list[nn.Parameter]:
        """Return the parameters that a step changes: those neither unused nor frozen."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def freeze(self, parts: Iterable[str]) -> None:
        """Exclude parts from training.

        Args:
            parts: Names of `FREEZABLE`. ``backbone``: the arrays with ``backbone`` in their names, and the statistics
                of its norms. ``norms``: the statistics of all norms; their factors and summands are trained.

        Raises:
            InvalidInputError: A name is unknown, or the architecture has no array of that name.
        """
        for part in parts:
            check_choice("freeze", part, FREEZABLE)
            if part == "norms":
                self._frozen_norms = ("",)
                continue
            prefixes = {f"{name.split('backbone.')[0]}backbone." for name in self.tensors() if "backbone." in name}
            if not prefixes:
                raise InvalidInputError(
                    f"freeze is backbone; architecture {self.architecture.name} has no array with backbone in its "
                    "name: leave freeze out."
                )
            self._exclude(tuple(prefixes))
            self._frozen_norms += tuple(prefixes)

    def sync_norms(self, group: Any = None) -> None:
        """Compute the statistics of batch norms over all processes from now on; nothing changes in a single process.

        Args:
            group: Process group of ``torch.distributed``; None: all processes.
        """
        if distributed.is_available() and distributed.is_initialized() and distributed.get_world_size(group) > 1:
            self._synchronised = (group,)

    def initialise(self, generator: torch.Generator) -> None:
        """Set all arrays as PaddleDetection does before training; ``generator`` is one on the CPU."""
        arrays = initial_arrays(self.architecture, self.heads, self.sizes, generator)
        self._set(arrays)

    def load_arrays(self, arrays: Arrays) -> None:
        """Copy the arrays of a checkpoint, by canonical name; others are ignored.

        With a plain neck, the arrays of the offsets become 0.

        Raises:
            CheckpointError: An array is missing or has another shape.
        """
        for name, tensor in self.tensors().items():
            found = arrays[name].shape if name in arrays else "no such array"
            if found != tuple(tensor.shape):
                raise CheckpointError(
                    f"The start weights have {found} as {name}; expected {tuple(tensor.shape)}: use weights of "
                    f"{self.architecture.title} with {self.sizes.num_classes} classes and embeddings of "
                    f"{self.sizes.embedding_size} numbers."
                )
        self._set({name: torch.tensor(arrays[name]) for name in self.tensors()})

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of the arrays by canonical name."""
        return {name: tensor.detach().float().cpu().numpy().copy() for name, tensor in self.tensors().items()}

    def _set(self, arrays: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, tensor in self.tensors().items():
                tensor.copy_(arrays[name])
                if self.plain_neck and ".conv_offset." in name:
                    tensor.zero_()

    def _exclude(self, prefixes: tuple[str, ...]) -> None:
        for name, tensor in self.tensors().items():
            if name.startswith(prefixes):
                tensor.requires_grad = False

    def _norm(self, name: str) -> NormFunction:
        if not self.training or f"{name}.".startswith(self._frozen_norms):
            return frozen_norm
        if self._synchronised:
            return partial(synchronised_batch_norm, group=self._synchronised[0])
        return batch_norm


def _torch_name(name: str) -> str:
    return name.replace(".", "/")
