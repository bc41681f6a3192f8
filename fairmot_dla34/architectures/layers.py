"""The protocol of network layers, and the recorder of their array names and shapes."""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar

from .base import Shapes

OFFSET_CHANNELS = 27  # DeformableConvV2 with a 3x3 kernel: 18 offsets and 9 masks

Activation = Literal["relu", "leaky_relu", "hard_swish", "silu"]
Interpolation = Literal["nearest", "bilinear"]
LEAKY_SLOPE = 0.1  # of leaky_relu for negative numbers, as in YOLO networks

T = TypeVar("T")


class Layers(Protocol[T]):
    """One method per layer; a network is written once, as a walk over these methods.

    The implementation decides the type ``T`` of a feature map: a name in an ONNX graph (`GraphBuilder`), a number of
    channels (`ShapeRecorder`), or a tensor. Layers are named as PaddleDetection names their arrays.
    """

    def image_conv_norm(self, image: T, name: str, channels: int, kernel: int, stride: int = 1) -> T:
        """Apply the first convolution, whose input is the image, and its batch norm."""

    def image_focus_conv_norm(self, image: T, name: str, channels: int, kernel: int) -> T:
        """Apply the first convolution to the image's four subsampled images, and its batch norm (YOLOv5's ``Focus``).

        The 12 channels are the RGB channels of the pixels at even rows and columns, at odd rows, at odd columns, and at
        odd rows and columns, in this order; the map has half the image's sides.
        """

    def conv_norm(self, x: T, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> T:
        """Apply PaddleDetection's ``ConvNormLayer``: a convolution without bias, and batch norm."""

    def plain_conv(self, x: T, name: str, channels: int, kernel: int) -> T:
        """Apply a convolution without bias and without batch norm."""

    def norm(self, x: T, name: str) -> T:
        """Apply a batch norm of its own, such as one of joined maps."""

    def unused_conv_norm(self, x: T, name: str, channels: int, kernel: int) -> None:
        """Declare a layer that checkpoints hold and the network does not compute."""

    def deform_conv_norm_relu(self, x: T, name: str, channels: int) -> T:
        """Apply ``ConvNormLayer(use_dcn=True)`` and a ReLU: DCNv2 (arXiv 1811.11168), 3x3, stride 1."""

    def upsample(self, x: T, name: str, stride: int) -> T:
        """Apply a depthwise transposed convolution that enlarges a map ``stride`` times."""

    def resize(self, x: T, scale: int, how: Interpolation = "nearest") -> T:
        """Enlarge a map ``scale`` times; bilinear with pixel centres at half px (PyTorch's ``align_corners=False``)."""

    def max_pool(self, x: T, size: int, stride: int | None = None) -> T:
        """Apply max pooling with a stride of the window's size; stride 1 keeps the sides of the map."""

    def activate(self, x: T, kind: Activation) -> T:
        """Apply an activation function."""

    def relu(self, x: T) -> T:
        """Apply a ReLU."""

    def add(self, a: T, b: T) -> T:
        """Add two maps of equal shape."""

    def concat(self, *maps: T) -> T:
        """Join maps along the channels."""


class ShapeRecorder:
    """Records names and shapes of the arrays of a network; a feature map is its number of channels.

    Attributes:
        shapes: Shapes so far, by name.
    """

    def __init__(self) -> None:
        self.shapes: Shapes = {}

    def image_conv_norm(self, image: int, name: str, channels: int, kernel: int, stride: int = 1) -> int:
        """Record the first convolution; ``image`` has 3 channels."""
        return self.conv_norm(image, name, channels, kernel, stride)

    def image_focus_conv_norm(self, image: int, name: str, channels: int, kernel: int) -> int:
        """Record the first convolution, which has four times the channels of the image."""
        return self.conv_norm(4 * image, name, channels, kernel)

    def conv_norm(self, x: int, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> int:  # noqa: ARG002 (the protocol's)
        """Record a convolution without bias, and batch norm."""
        self.shapes[f"{name}.conv.weight"] = (channels, x // groups, kernel, kernel)
        self._norm(name, channels)
        return channels

    def plain_conv(self, x: int, name: str, channels: int, kernel: int) -> int:
        """Record a convolution without bias and without batch norm."""
        self.shapes[f"{name}.weight"] = (channels, x, kernel, kernel)
        return channels

    def norm(self, x: int, name: str) -> int:
        """Record a batch norm."""
        self._norm(name, x)
        return x

    def unused_conv_norm(self, x: int, name: str, channels: int, kernel: int) -> None:
        """Record a layer that is stored and not computed."""
        self.conv_norm(x, name, channels, kernel)

    def deform_conv_norm_relu(self, x: int, name: str, channels: int) -> int:
        """Record a deformable convolution with its offsets, and batch norm."""
        self.shapes |= {
            f"{name}.conv.conv_offset.weight": (OFFSET_CHANNELS, x, 3, 3),
            f"{name}.conv.conv_offset.bias": (OFFSET_CHANNELS,),
            f"{name}.conv.conv_dcn.weight": (channels, x, 3, 3),
            f"{name}.conv.conv_dcn.bias": (channels,),
        }
        self._norm(name, channels)
        return channels

    def upsample(self, x: int, name: str, stride: int) -> int:
        """Record a depthwise transposed convolution."""
        self.shapes[f"{name}.weight"] = (x, 1, 2 * stride, 2 * stride)
        return x

    def resize(self, x: int, scale: int, how: Interpolation = "nearest") -> int:  # noqa: ARG002 (the protocol's)
        """Keep the channels."""
        return x

    def max_pool(self, x: int, size: int, stride: int | None = None) -> int:  # noqa: ARG002 (the protocol's)
        """Keep the channels."""
        return x

    def activate(self, x: int, kind: Activation) -> int:  # noqa: ARG002 (the protocol's)
        """Keep the channels."""
        return x

    def relu(self, x: int) -> int:
        """Keep the channels."""
        return x

    def add(self, a: int, b: int) -> int:
        """Keep the channels, which must be equal."""
        if a != b:
            raise AssertionError(f"maps of {a} and {b} channels are added")
        return a

    def concat(self, *maps: int) -> int:
        """Sum the channels."""
        return sum(maps)

    def _norm(self, name: str, channels: int) -> None:
        self.shapes |= {f"{name}.norm.{part}": (channels,) for part in ("weight", "bias", "_mean", "_variance")}
