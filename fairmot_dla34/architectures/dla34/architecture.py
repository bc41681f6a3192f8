"""FairMOT DLA-34 as an `Architecture`.

Two differences from PaddleDetection's computation, with equal results: the image's channel order and scale are folded
into the first convolution, and the size, offset and embedding heads are computed only at the peaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ...config import InputSize
from ..base import Architecture, Arrays, HeadSizes, Shape, Shapes
from ..heads import peaks_onnx
from ..layers import Layers, ShapeRecorder
from .structure import HEADS, features

if TYPE_CHECKING:
    import onnx

T = TypeVar("T")


class Dla34(Architecture):
    """FairMOT DLA-34 (``fairmot_dla34_30e_1088x608.yml`` of PaddleDetection 2.6); arrays have PaddleDetection's names.

    Other arrays of a checkpoint, the identity classifier and the loss weights, serve training only.
    """

    name = "dla34"
    title = "PaddleDetection's FairMOT DLA-34"
    graph_version = 1
    stride = HEADS.stride
    live_arrays = (
        r"detector\.backbone\.(base_layer|level0|level1)\.0\.(conv|norm)\.weight",
        r"detector\.head\.heatmap\.[02]\.conv\.weight",
    )
    float_layers = (  # docs/quantization.md has the reasons
        r"detector\.backbone\.(base_layer|level0|level1)\..*",
        r"detector\.head\.heatmap\.2\..*",
        r"detector\.head\.(size|offset)\..*",
        r"reid\.reid\..*",
    )

    heads = HEADS

    def features(self, layers: Layers[T], image: T) -> T:
        """Walk over backbone and neck; the feature map has 64 channels at stride 4."""
        return features(layers, image)

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the 347 arrays."""
        return {**_body_shapes(), **HEADS.array_shapes(sizes)}

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from the last convolutions of heatmap and embedding."""
        return HEADS.sizes(shapes)

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> onnx.ModelProto:
        """Build the graph; its outputs are those of `fairmot_dla34.architectures.peaks.RawPeaks`."""
        from ..graph_builder import GraphBuilder

        builder = GraphBuilder(arrays)
        sizes = self.head_sizes({name: array.shape for name, array in arrays.items()})
        return peaks_onnx(builder, features(builder, "image"), HEADS, input_size, sizes)


@cache
def _body_shapes() -> Shapes:
    recorder = ShapeRecorder()
    features(recorder, 3)
    return recorder.shapes


DLA34 = Dla34()
