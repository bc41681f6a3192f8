"""Architectures that are written once, as a walk over `Layers`: array shapes and ONNX graph follow from the walk.

Two differences from the original projects' computation, with equal results: the image's channel order and scale are
folded into the first convolution, and the size, offset and embedding heads are computed only at the peaks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ..config import InputSize
from .base import Architecture, Arrays, HeadSizes, Shape, Shapes
from .heads import Heads, peaks_onnx
from .layers import ShapeRecorder

if TYPE_CHECKING:
    import onnx


class LayeredArchitecture(Architecture):
    """A family of networks with FairMOT's four heads on the feature map of `features`, which a subclass defines.

    Attributes:
        heads: The four heads.
    """

    heads: Heads

    def array_shapes(self, sizes: HeadSizes) -> Shapes:
        """Return the shapes of the arrays: those below the heads, then those of the heads."""
        return {**self._body_shapes, **self.heads.array_shapes(sizes)}

    def head_sizes(self, shapes: Mapping[str, Shape]) -> HeadSizes:
        """Read the sizes from the last convolutions of the heads."""
        return self.heads.sizes(shapes)

    def build_onnx(self, arrays: Arrays, input_size: InputSize) -> onnx.ModelProto:
        """Build the graph; its outputs are those of `fairmot_dla34.architectures.peaks.RawPeaks`."""
        from .graph_builder import GraphBuilder

        builder = GraphBuilder(arrays, self.norm_epsilon)
        sizes = self.head_sizes({name: array.shape for name, array in arrays.items()})
        return peaks_onnx(builder, self.features(builder, "image"), self.heads, input_size, sizes)

    @cached_property
    def _body_shapes(self) -> Shapes:
        recorder = ShapeRecorder()
        self.features(recorder, 3)
        return recorder.shapes
