"""Replaces the deformable convolutions of an OpenVINO graph by the compiled operator.

The operator computes what several operations of the graph compute together. They are searched and checked one by one;
a graph read from ONNX and a quantised one read from a file have the same operations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openvino import Model, Node, Output

_CHANNEL_MULTIPLE = 32  # CHANNEL_MULTIPLE of kernel.hpp
_ATTRIBUTES = {
    "strides": [1, 1],
    "pads_begin": [1, 1],
    "pads_end": [1, 1],
    "dilations": [1, 1],
    "group": 1,
    "deformable_group": 1,
    "bilinear_interpolation_pad": True,
}


@dataclass(frozen=True)
class _Layer:
    """A deformable convolution with the operations around it.

    Attributes:
        name: Layer name in the checkpoint, which is the name of the addition of the bias.
        x: ``(1, C, H, W)``.
        offsets_and_mask: ``(1, 27, H, W)``, before the split and the mask's sigmoid.
        weight: ``(O, C, 3, 3)``.
        bias: ``(O,)``.
        relu: The last operation of the layer.
    """

    name: str
    x: Output
    offsets_and_mask: Output
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    relu: Node


def replace_deformable(model: Model, library: Path, *, bf16: bool, instructions: str = "") -> int:
    """Replace the deformable convolutions that the operator supports; others stay unchanged.

    Args:
        model: The network; it is changed.
        library: Path of the operator's library.
        bf16: Compute in bf16.
        instructions: ``portable``, ``avx2``, ``avx512`` or ``avx512_bf16``; empty: the best that the processor has.

    Returns:
        Number of layers replaced.
    """
    from openvino import opset13 as op
    from openvino.utils.node_factory import NodeFactory

    factory = NodeFactory()
    factory.add_extension(str(library))
    channels_last: dict[str, Output] = {}  # input of each Transpose below, by the name of the Transpose

    def to_channels_last(x: Output) -> Output:
        x = op.transpose(x, op.constant(np.array([0, 2, 3, 1]))).output(0)
        return op.convert(x, "bf16").output(0) if bf16 else x

    def to_channels_first(y: Output) -> Output:
        x = op.transpose(op.convert(y, "f32") if bf16 else y, op.constant(np.array([0, 3, 1, 2]))).output(0)
        channels_last[x.get_node().get_name()] = y
        return x

    count = 0
    for layer in _layers(model):
        x = channels_last.get(layer.x.get_node().get_name())
        x = to_channels_last(layer.x) if x is None else x
        constants = [op.constant(values).output(0) for values in (layer.weight, layer.bias)]
        inputs = [x, to_channels_last(layer.offsets_and_mask), *constants]
        node = factory.create("DeformableConvolutionRelu", inputs, {"instructions": instructions})
        node.set_friendly_name(layer.name)
        y = node.output(0)
        # Each consumer gets operations of its own: OpenVINO then merges them with what the consumer does to its input.
        for target in layer.relu.output(0).get_target_inputs():
            consumer = target.get_node()
            if not _repeats_channels(consumer, layer.relu):
                target.replace_source_output(to_channels_first(y))
            elif target.get_index() == 0:  # its inputs are copies: one Transpose after them is enough
                repeated = op.concat([y] * consumer.get_input_size(), axis=3).output(0)
                consumer.output(0).replace(to_channels_first(repeated))
        count += 1
    model.validate_nodes_and_infer_types()
    return count


def _repeats_channels(consumer: Node, source: Node) -> bool:
    """Return whether a consumer joins copies of the source's output along the channels (upsampling for bf16)."""
    return (
        consumer.get_type_name() == "Concat"
        and consumer.get_attributes()["axis"] == 1
        and all(value.get_node().get_name() == source.get_name() for value in consumer.input_values())
    )


def _layers(model: Model) -> Iterator[_Layer]:
    """Yield the layers in graph order; each is matched after the layers before it were replaced."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "DeformableConvolution":
            layer = _match(node)
            if layer:
                yield layer


def _match(node: Node) -> _Layer | None:
    """Return the layer of a deformable convolution, or None if the operator does not support it."""
    attributes = node.get_attributes()
    if node.get_input_size() != 4 or any(attributes[name] != value for name, value in _ATTRIBUTES.items()):
        return None
    x, offsets, kernel, mask = (node.input_value(i) for i in range(4))
    offsets_and_mask = _before_split(offsets, mask)
    weight = _constant(kernel)
    add = _only_consumer(node, "Add")
    relu = _only_consumer(add, "Relu") if add else None
    if offsets_and_mask is None or weight is None or add is None or relu is None:
        return None
    sides = [add.input_value(i) for i in range(2)]
    bias = next((_constant(side) for side in sides if side.get_node().get_name() != node.get_name()), None)
    shape, outputs = _shape(x), len(weight)
    if not (
        bias is not None
        and bias.size == outputs
        and _shape(add.output(0)) == _shape(node.output(0))
        and len(shape) == 4
        and shape[0] == 1
        and weight.shape == (outputs, shape[1], 3, 3)
        and weight.dtype == bias.dtype == np.float32
        and outputs % _CHANNEL_MULTIPLE == shape[1] % _CHANNEL_MULTIPLE == 0
        and x.get_element_type().get_type_name() == "f32"
    ):
        return None
    return _Layer(add.get_friendly_name(), x, offsets_and_mask, weight, bias.reshape(-1), relu)


def _before_split(offsets: Output, mask: Output) -> Output | None:
    """Return the output that was split into the offsets and the logits of the mask."""
    sigmoid = mask.get_node()
    if sigmoid.get_type_name() != "Sigmoid":
        return None
    logits, split = sigmoid.input_value(0), offsets.get_node()
    if split.get_type_name() != "VariadicSplit" or logits.get_node().get_name() != split.get_name():
        return None
    whole = split.input_value(0)
    channels = [_shape(output)[1:2] for output in (whole, offsets, logits)]
    if channels != [(27,), (18,), (9,)] or (offsets.get_index(), logits.get_index()) != (0, 1):
        return None
    return whole


def _only_consumer(node: Node, kind: str) -> Node | None:
    targets = list(node.output(0).get_target_inputs())
    if len(targets) != 1 or targets[0].get_node().get_type_name() != kind:
        return None
    return targets[0].get_node()


def _constant(output: Output) -> NDArray[np.float32] | None:
    """Return a constant, also through a Reshape, which keeps the order of the values."""
    node = output.get_node()
    if node.get_type_name() == "Constant":
        values: NDArray[np.float32] = node.get_data()
        return values
    if node.get_type_name() == "Reshape":
        values_before = _constant(node.input_value(0))
        return None if values_before is None else values_before.reshape(_shape(output))
    return None


def _shape(output: Output) -> tuple[int, ...]:
    """Return a shape; an empty one if it is not static."""
    shape = output.get_partial_shape()
    return tuple(shape.to_shape()) if shape.is_static else ()
