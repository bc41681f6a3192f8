"""A builder for ONNX graphs: the layers of `Layers`, and nodes and constants for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .base import NORM_EPSILON, Arrays, Shape
from .layers import LEAKY_SLOPE, Activation, Interpolation

OPSET = 19  # the first with DeformConv
IR_VERSION = 9  # the one that belongs to opset 19, so that older runtimes read the file

_FLOAT = int(TensorProto.FLOAT)
_Signature = Mapping[str, tuple[type[np.generic], Shape]]


class GraphBuilder:
    """Collects nodes and constants. A feature map is the name of the node that computes it.

    Each layer finds its arrays by its name, which is also the name of its node.

    Args:
        arrays: Arrays of a checkpoint by canonical name.
        norm_epsilon: Number added to the variances of batch norms; see `Architecture.norm_epsilon`.
    """

    def __init__(self, arrays: Arrays, norm_epsilon: float = NORM_EPSILON) -> None:
        self.arrays = arrays
        self._norm_epsilon = norm_epsilon
        self._model = onnx.ModelProto()
        self._graph = self._model.graph  # filled in place: `helper.make_model` copies all constants twice

    def node(self, op: str, *inputs: str, outputs: int = 1, name: str = "", **attributes: Any) -> str:
        """Append a node; return its first output's name (the others end in ``.1``, ``.2``, …)."""
        name = name or f"{op}_{len(self._graph.node)}"
        names = [name, *(f"{name}.{i}" for i in range(1, outputs))]
        self._graph.node.append(helper.make_node(op, list(inputs), names, name=name, **attributes))
        return name

    def constant(self, values: NDArray[Any], name: str = "") -> str:
        """Append an initializer; return its name."""
        name = name or f"const_{len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def ints(self, *values: int) -> str:
        """Append a 1-D int64 constant."""
        return self.constant(np.array(values, np.int64))

    def image_conv_norm(self, image: str, name: str, channels: int, kernel: int, stride: int = 1) -> str:  # noqa: ARG002 (the protocol's)
        """Apply the first convolution to ``(1, H, W, 3)`` uint8 BGR; the weights expect RGB in [0, 1].

        Channel order and scale are folded into the weights.
        """
        weight, bias = self.folded(f"{name}.conv", f"{name}.norm")
        weight = np.ascontiguousarray(weight[:, ::-1] / np.float32(255))
        return self.conv(self._planes(image), weight, bias, stride, name)

    def image_focus_conv_norm(self, image: str, name: str, channels: int, kernel: int) -> str:  # noqa: ARG002
        """Apply the first convolution to the four subsampled images of ``(1, H, W, 3)`` uint8 BGR.

        ONNX's SpaceToDepth orders its channels by rows, columns and BGR. They are reordered in the weights.
        """
        weight, bias = self.folded(f"{name}.conv", f"{name}.norm")
        parts = weight.reshape(len(weight), 4, 3, *weight.shape[2:])[:, [0, 2, 1, 3], ::-1]  # columns inner, then rows
        weight = np.ascontiguousarray(parts.reshape(weight.shape) / np.float32(255))
        return self.conv(self.node("SpaceToDepth", self._planes(image), blocksize=2), weight, bias, name=name)

    def conv_norm(self, x: str, name: str, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> str:  # noqa: ARG002
        """Apply a convolution with the batch norm folded into its weights."""
        return self.conv(x, *self.folded(f"{name}.conv", f"{name}.norm"), stride, name, groups)

    def unused_conv_norm(self, x: str, name: str, channels: int, kernel: int) -> None:
        """Add nothing: checkpoints hold the layer, and the network does not compute it."""

    def conv_bias(self, x: str, name: str) -> str:
        """Apply a convolution with a bias and no batch norm."""
        return self.conv(x, self.arrays[f"{name}.weight"], self.arrays[f"{name}.bias"], name=name)

    def plain_conv(self, x: str, name: str, channels: int, kernel: int) -> str:  # noqa: ARG002 (the protocol's)
        """Apply a convolution without bias and without batch norm."""
        return self.conv(x, self.arrays[f"{name}.weight"], np.zeros(channels, np.float32), name=name)

    def norm(self, x: str, name: str) -> str:
        """Apply a batch norm of its own, as a product and a sum."""
        gain = self._gain(f"{name}.norm")
        bias = self.arrays[f"{name}.norm.bias"] - gain * self.arrays[f"{name}.norm._mean"]
        product = self.node("Mul", x, self.constant(gain.astype(np.float32)[:, None, None]))
        return self.node("Add", product, self.constant(bias.astype(np.float32)[:, None, None]), name=name)

    def conv(
        self,
        x: str,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        stride: int = 1,
        name: str = "",
        groups: int = 1,
    ) -> str:
        """Convolve with ``(O, I / groups, k, k)`` weights and padding k // 2."""
        pad = weight.shape[-1] // 2
        return self.node(
            "Conv",
            x,
            self.constant(weight),
            self.constant(bias),
            name=name,
            kernel_shape=list(weight.shape[2:]),
            strides=[stride] * 2,
            pads=[pad] * 4,
            **({"group": groups} if groups > 1 else {}),
        )

    def folded(self, conv: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return weights and bias of the convolution ``conv`` with the batch norm ``norm`` folded in (in float64)."""
        gain = self._gain(norm)
        weight = self.arrays[f"{conv}.weight"] * gain[:, None, None, None]
        bias = self.arrays.get(f"{conv}.bias", np.zeros(len(gain), np.float32)) - self.arrays[f"{norm}._mean"]
        return weight.astype(np.float32), (bias * gain + self.arrays[f"{norm}.bias"]).astype(np.float32)

    def _gain(self, norm: str) -> NDArray[np.float64]:
        variance = self.arrays[f"{norm}._variance"].astype(np.float64)
        return np.asarray(self.arrays[f"{norm}.weight"] / np.sqrt(variance + self._norm_epsilon), np.float64)

    def _planes(self, image: str) -> str:
        """Return the image as ``(1, 3, H, W)`` float32."""
        return self.node("Transpose", self.node("Cast", image, to=_FLOAT), perm=[0, 3, 1, 2])

    def deform_conv_norm_relu(self, x: str, name: str, channels: int) -> str:  # noqa: ARG002 (the protocol's)
        """Apply a deformable convolution, its batch norm and a ReLU.

        The first 18 channels of ``conv_offset`` are the offsets, (y, x) for each of the nine taps; the last nine,
        after a sigmoid, the mask. ONNX orders them the same way. If all their weights are 0, as at the start of
        training, the mask is 0.5 everywhere and the layer is a plain convolution, for which runtimes have faster code.
        """
        weight, bias = self.folded(f"{name}.conv.conv_dcn", f"{name}.norm")
        conv_offset = f"{name}.conv.conv_offset"
        if not (self.arrays[f"{conv_offset}.weight"].any() or self.arrays[f"{conv_offset}.bias"].any()):
            return self.relu(self.conv(x, weight * np.float32(0.5), bias, name=name))
        offset_mask = self.conv_bias(x, conv_offset)
        split = self.node("Split", offset_mask, self.ints(18, 9), outputs=2, axis=1)
        mask = self.node("Sigmoid", f"{split}.1")
        y = self.node(
            "DeformConv",
            x,
            self.constant(weight),
            split,
            self.constant(bias),
            mask,
            name=name,
            kernel_shape=[3, 3],
            strides=[1, 1],
            pads=[1, 1, 1, 1],
            dilations=[1, 1],
            group=1,
            offset_group=1,
        )
        return self.relu(y)

    def upsample(self, x: str, name: str, stride: int) -> str:
        """Apply a depthwise transposed convolution, kernel 2 * stride, padding stride // 2."""
        weight = self.arrays[f"{name}.weight"]
        return self.node(
            "ConvTranspose",
            x,
            self.constant(weight),
            name=name,
            kernel_shape=[2 * stride] * 2,
            strides=[stride] * 2,
            pads=[stride // 2] * 4,
            group=len(weight),
        )

    def resize(self, x: str, scale: int, how: Interpolation = "nearest") -> str:
        """Enlarge a map ``scale`` times."""
        scales = self.constant(np.array([1, 1, scale, scale], np.float32))
        mode: dict[str, Any] = {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        }
        if how == "bilinear":
            mode = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        return self.node("Resize", x, "", scales, **mode)

    def max_pool(self, x: str, size: int, stride: int | None = None) -> str:
        """Apply max pooling; with stride 1 the map is padded to keep its sides."""
        padding: dict[str, Any] = {"pads": [size // 2] * 4} if stride == 1 else {}
        return self.node("MaxPool", x, kernel_shape=[size] * 2, strides=[stride or size] * 2, **padding)

    def activate(self, x: str, kind: Activation) -> str:
        """Apply an activation function."""
        if kind == "silu":
            return self.node("Mul", x, self.node("Sigmoid", x))
        if kind == "leaky_relu":
            return self.node("LeakyRelu", x, alpha=LEAKY_SLOPE)
        return self.node({"relu": "Relu", "hard_swish": "HardSwish"}[kind], x)

    def relu(self, x: str) -> str:
        """Apply a ReLU."""
        return self.node("Relu", x)

    def add(self, a: str, b: str) -> str:
        """Add two maps of equal shape."""
        return self.node("Add", a, b)

    def concat(self, *maps: str) -> str:
        """Join maps along the channels."""
        return self.node("Concat", *maps, axis=1)

    def model(self, inputs: _Signature, outputs: _Signature, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """Set inputs, outputs and metadata, and return the finished model; nothing is added after it.

        Args:
            inputs: NumPy type and shape by name.
            outputs: NumPy type and shape by name.
            metadata: Strings stored in the file.
        """
        self._graph.name = "fairmot_dla34"
        self._graph.input.extend(_value_info(inputs))
        self._graph.output.extend(_value_info(outputs))
        self._model.producer_name = "fairmot_dla34"
        self._model.ir_version = IR_VERSION
        self._model.opset_import.append(helper.make_opsetid("", OPSET))
        helper.set_model_props(self._model, dict(metadata))
        return self._model


def _value_info(signature: _Signature) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape)
        for name, (kind, shape) in signature.items()
    ]
