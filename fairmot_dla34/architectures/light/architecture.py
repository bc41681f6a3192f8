"""The light network as an `Architecture`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from ...config import InputSize
from ..base import Architecture, Arrays, HeadSizes, Shape, Shapes
from ..heads import peaks_onnx
from ..layers import Layers, ShapeRecorder
from .structure import EMBEDDING_SIZE, HEADS, features

if TYPE_CHECKING:
    import onnx

T = TypeVar("T")


class Light(Architecture):
    """A small network for CPUs, with 64-dimensional embeddings; there are no other projects' checkpoints of it."""

    name = "light"
    title = "FairMOT light"
    graph_version = 1
    stride = HEADS.stride
    live_arrays = (
        r"light\.backbone\.stem\.[01]\.(conv|norm)\.weight",
        r"light\.head\.heatmap\.[02]\.conv\.weight",
    )
    float_layers = (  # docs/architectures.md has the reasons
        r"light\.backbone\.stem\.0",
        r"light\.head\.heatmap\.2\..*",
        r"light\.head\.(size|offset|embedding)\..*",
    )
    heads = HEADS
    embedding_size = EMBEDDING_SIZE

    def features(self, layers: Layers[T], image: T) -> T:
        """Walk over backbone and neck; the feature map has 64 channels at stride 4."""
        return features(layers, image)

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the 171 arrays."""
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


LIGHT = Light()
