"""ifzhang's FairMOT on HRNet as two `Architecture` instances, which differ in the channels of their maps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ...config import InputSize
from ..base import Architecture, Arrays, HeadSizes, Shape, Shapes
from ..heads import Heads, peaks_onnx
from ..layers import Layers, ShapeRecorder
from .structure import features, heads

if TYPE_CHECKING:
    import onnx

T = TypeVar("T")


class PoseHrnet(Architecture):
    """FairMOT on HRNet (``--arch hrnet_18`` and ``hrnet_32`` of ifzhang/FairMOT).

    Both have the same array names, and differ in their shapes.

    Args:
        width: Channels of the map at stride 4; the maps at strides 8, 16 and 32 have 2, 4 and 8 times as many.
    """

    heads: Heads
    graph_version = 1
    live_arrays = (
        r"detector\.backbone\.conv[12]\.(conv|norm)\.weight",
        r"detector\.head\.heatmap\.[02]\.conv\.weight",
    )
    float_layers = (  # the first convolutions, the last one of the heatmap, and the heads at the peaks, as in DLA-34
        r"detector\.backbone\.conv[12].*",
        r"detector\.head\.heatmap\.2\..*",
        r"detector\.head\.(size|offset)\..*",
        r"reid\.reid\..*",
    )

    def __init__(self, width: int) -> None:
        self.name = f"hrnet_{width}"
        self.title = f"ifzhang's FairMOT HRNet-W{width}"
        self.heads = heads(width)
        self.stride = self.heads.stride
        self._width = width

    def features(self, layers: Layers[T], image: T) -> T:
        """Walk over the backbone; the feature map has 15 times the width as channels, at stride 4."""
        return features(layers, image, self._width)

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the 1541 arrays."""
        return {**_body_shapes(self._width), **self.heads.array_shapes(sizes)}

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from the last convolutions of heatmap and embedding."""
        return self.heads.sizes(shapes)

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> onnx.ModelProto:
        """Build the graph; its outputs are those of `fairmot_dla34.architectures.peaks.RawPeaks`."""
        from ..graph_builder import GraphBuilder

        builder = GraphBuilder(arrays)
        sizes = self.head_sizes({name: array.shape for name, array in arrays.items()})
        return peaks_onnx(builder, self.features(builder, "image"), self.heads, input_size, sizes)


@cache
def _body_shapes(width: int) -> Shapes:
    recorder = ShapeRecorder()
    features(recorder, 3, width)
    return recorder.shapes


HRNET_18 = PoseHrnet(18)
HRNET_32 = PoseHrnet(32)
