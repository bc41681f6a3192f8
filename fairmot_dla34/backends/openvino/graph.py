"""The network as a graph of OpenVINO's: read from ONNX, with conversions for what OpenVINO's reader lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..base import BackendRequest

if TYPE_CHECKING:
    import openvino


def build_model(core: openvino.Core, request: BackendRequest, *, for_bf16: bool = False) -> openvino.Model:
    """Build the network of a checkpoint, in fp32; ``for_bf16`` as in `read_onnx`."""
    from ...architectures.dla34.graph import build_onnx
    from ...weights import load_arrays

    onnx_model = build_onnx(load_arrays(request.weights), request.input_size).SerializeToString()  # only this is kept
    return read_onnx(core, onnx_model, for_bf16=for_bf16)


def read_onnx(core: openvino.Core, onnx_model: bytes, *, for_bf16: bool = False) -> openvino.Model:
    """Read the graph of `network.dla34.build_onnx`, whose ``DeformConv`` OpenVINO's ONNX reader does not know.

    Args:
        core: It learns the conversions.
        onnx_model: The graph, serialised.
        for_bf16: Take for transposed convolutions what computes faster in bf16, with equal results.
    """
    from openvino.frontend.onnx import ConversionExtension

    core.add_extension(ConversionExtension("DeformConv", _convert_deform_conv))
    if for_bf16:
        core.add_extension(ConversionExtension("ConvTranspose", _convert_upsampling))
    return core.read_model(onnx_model)


def _convert_deform_conv(node: Any) -> Any:
    """Map ONNX's DeformConv onto OpenVINO's, which keeps offsets, mask and sampling beyond the border alike."""
    from openvino import opset8

    x, weight, offset, bias, mask = (node.get_input(i) for i in range(5))
    pads = node.get_attribute("pads")
    y = opset8.deformable_convolution(
        x,
        offset,
        weight,
        node.get_attribute("strides"),
        pads[:2],
        pads[2:],
        node.get_attribute("dilations"),
        mask=mask,
        auto_pad="EXPLICIT",
        bilinear_interpolation_pad=True,
    )
    channels_first = opset8.constant(np.array([1, -1, 1, 1], np.int64))
    return opset8.add(y, opset8.reshape(bias, channels_first, special_zero=False)).outputs()


def _convert_upsampling(node: Any) -> Any:
    """Write the depthwise transposed convolution of `GraphBuilder.upsample` as plain ones, a phase each, interleaved.

    The output at ``stride * i + phase`` sees the inputs i - 1, i and i + 1 through every ``stride``-th weight. OpenVINO
    computes the transposed form in bf16 without its code for depthwise layers, over ten times slower than in fp32.
    """
    from openvino import opset8

    x, weight = (node.get_input(i) for i in range(2))
    stride = node.get_attribute("strides")[0]
    margin = stride // 2  # the padding
    padded = np.pad(weight.get_node().get_data()[:, 0], ((0, 0), (margin, margin), (margin, margin)))
    taps = padded.reshape(-1, 3, stride, 3, stride)[:, ::-1, :, ::-1]  # (C, tap y, phase y, tap x, phase x)
    kernels = np.ascontiguousarray(taps.transpose(2, 4, 0, 1, 3)).reshape(-1, 1, 1, 3, 3)  # (phases * C, 1, 1, 3, 3)
    copies = opset8.concat([x] * stride**2, axis=1)
    phases = opset8.group_convolution(copies, opset8.constant(kernels), [1, 1], [1, 1], [1, 1], [1, 1])
    return opset8.depth_to_space(phases, "blocks_first", stride).outputs()
