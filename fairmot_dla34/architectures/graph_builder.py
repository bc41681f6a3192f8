"""A small builder for ONNX graphs: one method per layer the network has, names made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 19  # the first with DeformConv
IR_VERSION = 9  # the one that belongs to opset 19, so that older runtimes read the file
BATCH_NORM_EPSILON = 1e-5  # paddle.nn.BatchNorm2D's default


class GraphBuilder:
    """Collects nodes and constants; layers find their arrays by the checkpoint's names, and bear them.

    Args:
        arrays: The checkpoint, PaddleDetection's names to float32 arrays.
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        self.arrays = arrays
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

    def folded(self, conv: str, norm: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights and bias of the convolution ``conv`` with the batch norm ``norm`` folded in (in float64)."""
        gain = self.arrays[f"{norm}.weight"] / np.sqrt(
            self.arrays[f"{norm}._variance"].astype(np.float64) + BATCH_NORM_EPSILON
        )
        weight = self.arrays[f"{conv}.weight"] * gain[:, None, None, None]
        bias = self.arrays.get(f"{conv}.bias", np.zeros(len(gain), np.float32)) - self.arrays[f"{norm}._mean"]
        return weight.astype(np.float32), (bias * gain + self.arrays[f"{norm}.bias"]).astype(np.float32)

    def conv(
        self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32], stride: int = 1, name: str = ""
    ) -> str:
        """Convolve with ``(O, I, k, k)`` weights and padding k // 2."""
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
        )

    def conv_norm(self, x: str, prefix: str, stride: int = 1) -> str:
        """PaddleDetection's ``ConvNormLayer``: convolution and batch norm."""
        return self.conv(x, *self.folded(f"{prefix}.conv", f"{prefix}.norm"), stride, prefix)

    def conv_bias(self, x: str, prefix: str) -> str:
        """A convolution with a bias and no batch norm."""
        return self.conv(x, self.arrays[f"{prefix}.weight"], self.arrays[f"{prefix}.bias"], name=prefix)

    def relu(self, x: str) -> str:
        """Rectify."""
        return self.node("Relu", x)

    def deform_conv_norm_relu(self, x: str, prefix: str) -> str:
        """PaddleDetection's ``ConvNormLayer(use_dcn=True)`` and a ReLU: DCNv2 (arXiv 1811.11168), 3x3, stride 1.

        The first 18 channels of ``conv_offset`` are the offsets, (y, x) for each of the nine taps; the last nine,
        after a sigmoid, the mask. ONNX orders them the same way. As training begins all 27 are 0: the mask is 0.5
        everywhere and the layer a plain convolution, for which runtimes have faster code, in bf16 too.
        """
        weight, bias = self.folded(f"{prefix}.conv.conv_dcn", f"{prefix}.norm")
        conv_offset = f"{prefix}.conv.conv_offset"
        if not (self.arrays[f"{conv_offset}.weight"].any() or self.arrays[f"{conv_offset}.bias"].any()):
            return self.relu(self.conv(x, weight * np.float32(0.5), bias, name=prefix))
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
            name=prefix,
            kernel_shape=[3, 3],
            strides=[1, 1],
            pads=[1, 1, 1, 1],
            dilations=[1, 1],
            group=1,
            offset_group=1,
        )
        return self.relu(y)

    def upsample(self, x: str, prefix: str, stride: int) -> str:
        """Depthwise transposed convolution, kernel 2 * stride, padding stride // 2: ``stride`` times the size."""
        weight = self.arrays[f"{prefix}.weight"]
        return self.node(
            "ConvTranspose",
            x,
            self.constant(weight),
            name=prefix,
            kernel_shape=[2 * stride] * 2,
            strides=[stride] * 2,
            pads=[stride // 2] * 4,
            group=len(weight),
        )

    def model(
        self,
        inputs: Mapping[str, tuple[int, tuple[int, ...]]],
        outputs: Mapping[str, tuple[int, tuple[int, ...]]],
        metadata: Mapping[str, str],
    ) -> onnx.ModelProto:
        """Close the graph; nothing is added after it.

        Args:
            inputs: Name to (ONNX element type, shape).
            outputs: The same.
            metadata: Strings stored in the file.
        """
        self._graph.name = "fairmot_dla34"
        self._graph.input.extend(helper.make_tensor_value_info(name, *spec) for name, spec in inputs.items())
        self._graph.output.extend(helper.make_tensor_value_info(name, *spec) for name, spec in outputs.items())
        self._model.producer_name = "fairmot_dla34"
        self._model.ir_version = IR_VERSION
        self._model.opset_import.append(helper.make_opsetid("", OPSET))
        helper.set_model_props(self._model, dict(metadata))
        return self._model


FLOAT, INT64, UINT8 = int(TensorProto.FLOAT), int(TensorProto.INT64), int(TensorProto.UINT8)
