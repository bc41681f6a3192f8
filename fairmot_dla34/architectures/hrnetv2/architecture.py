"""FairMOT HRNetV2-W18 as an `Architecture`.

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


class HRNetV2W18(Architecture):
    """FairMOT HRNetV2-W18 (``fairmot_hrnetv2_w18_dlafpn_30e_1088x608.yml`` of PaddleDetection 2.6).

    Arrays have PaddleDetection's names. Training differs from PaddleDetection's in two points: there, the backbone's
    batch norms are not trained (``freeze_norm``), and no gradient passes through its map at stride 4 (``freeze_at``),
    because it starts from weights trained on ImageNet.
    """

    name = "hrnetv2_w18"
    title = "PaddleDetection's FairMOT HRNetV2-W18"
    graph_version = 1
    stride = HEADS.stride
    live_arrays = (
        r"detector\.backbone\.conv_layer1_[12]\.(conv|norm)\.weight",
        r"detector\.head\.heatmap\.[02]\.conv\.weight",
    )
    float_layers = (
        r"detector\.backbone\.conv_layer1_[12].*",
        r"detector\.head\.heatmap\.2\..*",
        r"detector\.head\.(size|offset)\..*",
        r"reid\.reid\..*",
    )
    heads = HEADS

    def features(self, layers: Layers[T], image: T) -> T:
        """Walk over backbone and neck; the feature map has 18 channels at stride 4."""
        return features(layers, image)

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the arrays."""
        return {**_body_shapes(), **HEADS.array_shapes(sizes)}

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from the last convolutions of the heads."""
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


HRNETV2_W18 = HRNetV2W18()
