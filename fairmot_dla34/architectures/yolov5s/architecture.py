"""ifzhang's light FairMOT as an `Architecture`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ...config import InputSize
from ..base import Architecture, Arrays, HeadSizes, Shape, Shapes
from ..heads import peaks_onnx
from ..layers import Layers, ShapeRecorder
from .structure import EMBEDDING_SIZE, HEADS, NORM_EPSILON, features

if TYPE_CHECKING:
    import onnx

T = TypeVar("T")


class Yolov5s(Architecture):
    """FairMOT on YOLOv5s (``--arch yolo --reid_dim 64`` of ifzhang/FairMOT)."""

    name = "yolov5s"
    title = "ifzhang's FairMOT YOLOv5s"
    graph_version = 1
    stride = HEADS.stride
    live_arrays = (
        r"detector\.backbone\.(0\.conv|1)\.(conv|norm)\.weight",
        r"detector\.head\.heatmap\.[02]\.conv\.weight",
    )
    float_layers = (  # the first convolution, the last one of the heatmap, and the heads at the peaks, as in DLA-34
        r"detector\.backbone\.0\.conv.*",
        r"detector\.head\.heatmap\.2\..*",
        r"detector\.head\.(size|offset)\..*",
        r"reid\.reid\..*",
    )
    heads = HEADS
    norm_epsilon = NORM_EPSILON
    embedding_size = EMBEDDING_SIZE

    def features(self, layers: Layers[T], image: T) -> T:
        """Walk over backbone and neck; the feature map has 64 channels at stride 4."""
        return features(layers, image)

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the 281 arrays."""
        return {**_body_shapes(), **HEADS.array_shapes(sizes)}

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from the last convolutions of heatmap and embedding."""
        return HEADS.sizes(shapes)

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> onnx.ModelProto:
        """Build the graph; its outputs are those of `fairmot_dla34.architectures.peaks.RawPeaks`."""
        from ..graph_builder import GraphBuilder

        builder = GraphBuilder(arrays, NORM_EPSILON)
        sizes = self.head_sizes({name: array.shape for name, array in arrays.items()})
        return peaks_onnx(builder, features(builder, "image"), HEADS, input_size, sizes)


@cache
def _body_shapes() -> Shapes:
    recorder = ShapeRecorder()
    features(recorder, 3)
    return recorder.shapes


YOLOV5S = Yolov5s()
