"""The `Architecture` base class: array names and shapes, ONNX graph, and decoding of a family of networks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import InvalidInputError
from ..values import Peaks
from .peaks import OUTPUTS, decode

if TYPE_CHECKING:
    import onnx

    from .heads import Heads
    from .layers import Layers

NORM_EPSILON = 1e-5  # the default of batch norm in Paddle and PyTorch

T = TypeVar("T")
Shape = tuple[int, ...]
Shapes = dict[str, Shape]
Arrays = Mapping[str, NDArray[np.float32]]


class HeadSizes(NamedTuple):
    """Sizes of a network that follow from its training data and settings.

    Attributes:
        num_classes: Channels of the heatmap.
        embedding_size: Numbers in the embedding of a detection.
        size_channels: Channels of the size head: 4 for the distances from the centre to the box's sides, or 2 for
            width and height (``regress_ltrb: False`` in PaddleDetection's configuration).
    """

    num_classes: int = 1
    embedding_size: int = 128
    size_channels: int = 4


class Architecture(ABC):
    """A family of networks that differ only in their arrays.

    An instance holds no arrays and no state; one instance serves any number of checkpoints and threads.

    Attributes:
        name: Name in the registry and in ``weights.json``.
        title: Name in messages, such as ``FairMOT DLA-34``.
        graph_version: Number to raise by one whenever `build_onnx` gives another graph for the same arrays. Compiled
            and quantised networks in users' caches are named by it.
        stride: Network px per cell of the heatmap.
        live_arrays: Regular expressions for the names of arrays that are not all 0 in any trained network: every path
            from the image to the heatmap leads through them.
        float_layers: Regular expressions for the names of layers that stay in floating point in an int8 network.
        heads: The four heads, for training; None if networks of this architecture cannot be trained.
        norm_epsilon: Number added to the variances of batch norms.
        embedding_size: Numbers in the embedding of a network whose training starts from random numbers.
    """

    name: str
    title: str
    graph_version: int
    stride: int = 4
    live_arrays: tuple[str, ...] = ()
    float_layers: tuple[str, ...] = ()
    heads: Heads | None = None
    norm_epsilon: float = NORM_EPSILON
    embedding_size: int = HeadSizes().embedding_size

    def features(self, layers: Layers[T], image: T) -> T:  # noqa: ARG002 (for subclasses)
        """Walk over the layers up to the feature map below the heads, for training.

        Args:
            layers: Implementation of the layers, such as one on tensors.
            image: The image as that implementation takes it.

        Returns:
            The feature map, ``(heads.in_channels, height / stride, width / stride)``.

        Raises:
            InvalidInputError: The architecture does not define it.
        """
        raise InvalidInputError(
            f"Architecture {self.name} cannot be trained; expected one that defines features and heads, such as dla34."
        )

    @abstractmethod
    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shape of every array that a checkpoint must hold, by canonical name."""

    @abstractmethod
    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from a checkpoint's shapes.

        Args:
            shapes: Shapes by canonical name; arrays may be missing or misshapen.

        Returns:
            The sizes; a default for each that cannot be read, so that `array_shapes` then names the wrong array.
        """

    @abstractmethod
    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> onnx.ModelProto:
        """Build the ONNX graph of a checkpoint.

        Args:
            arrays: Exactly the arrays of `array_shapes`, float32.
            input_size: Network input in px.

        Returns:
            An ONNX model (opset 19) whose input ``image`` is ``(1, height, width, 3)`` uint8 BGR, letterboxed, and
            whose outputs are those that `decode` accepts, in the order of `output_names`.
        """

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the graph's outputs, in its order."""
        return OUTPUTS

    def decode(self, outputs: Sequence[NDArray[Any]], input_size: InputSize) -> Peaks:
        """Convert the graph's outputs for one image to peaks.

        Args:
            outputs: Arrays in the order of `output_names`.
            input_size: Network input in px.

        Returns:
            Peaks in network px, best first.

        Raises:
            BackendError: The outputs are not those of a working network, such as NaN; see `peaks.decode`.
        """
        return decode(outputs, input_size, self.stride)
