"""Networks as OpenVINO graphs: read from ONNX, with conversions for operators that OpenVINO's reader lacks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...architectures import Network

if TYPE_CHECKING:
    import openvino

GRAPH_VERSION = 1  # to raise whenever the conversions below give another graph; part of the names of cached files


def build_model(core: openvino.Core, network: Network, *, for_bf16: bool = False) -> openvino.Model:
    """Build a network's graph in fp32; ``for_bf16`` is explained in `read_onnx`."""
    return read_onnx(core, network.serialized_onnx(), for_bf16=for_bf16)


def read_onnx(core: openvino.Core, onnx_model: bytes, *, for_bf16: bool = False) -> openvino.Model:
    """Read an ONNX graph, with a conversion for ``DeformConv``, which OpenVINO's reader lacks.

    Args:
        core: OpenVINO's runtime; the conversions are added to it.
        onnx_model: The serialised graph.
        for_bf16: Replace transposed convolutions by a form that is faster in bf16, with equal results.
    """
    from openvino.frontend.onnx import ConversionExtension

    core.add_extension(ConversionExtension("DeformConv", _convert_deform_conv))
    if for_bf16:
        core.add_extension(ConversionExtension("ConvTranspose", _convert_upsampling))
    return core.read_model(onnx_model)


def serialize(model: openvino.Model) -> tuple[bytes, bytes]:
    """Return a graph as OpenVINO's intermediate representation: the XML, and the constants of the ``.bin`` file."""
    from openvino import save_model

    with tempfile.TemporaryDirectory(prefix="fairmot_dla34_") as folder:
        xml = Path(folder) / "network.xml"
        save_model(model, xml, compress_to_fp16=False)
        return xml.read_bytes(), xml.with_suffix(".bin").read_bytes()


def _convert_deform_conv(node: Any) -> Any:
    """Map ONNX's DeformConv to OpenVINO's, which has the same offsets, mask and sampling beyond the border."""
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
    """Write the depthwise transposed convolution of `GraphBuilder.upsample` as one plain one per phase, interleaved.

    The output at ``stride * i + phase`` depends on the inputs i - 1, i and i + 1 through every ``stride``-th weight.
    OpenVINO computes the transposed form in bf16 without its code for depthwise layers, over ten times slower than in
    fp32.
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
