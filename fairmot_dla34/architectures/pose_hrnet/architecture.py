"""ifzhang's FairMOT on HRNet as two `Architecture` instances, which differ in the channels of their maps."""

from __future__ import annotations

from typing import TypeVar

from ..layered import LayeredArchitecture
from ..layers import Layers
from .structure import features, heads

T = TypeVar("T")


class PoseHrnet(LayeredArchitecture):
    """FairMOT on HRNet (``--arch hrnet_18`` and ``hrnet_32`` of ifzhang/FairMOT).

    Both have the same array names, and differ in their shapes.

    Args:
        width: Channels of the map at stride 4; the maps at strides 8, 16 and 32 have 2, 4 and 8 times as many.
    """

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


HRNET_18 = PoseHrnet(18)
HRNET_32 = PoseHrnet(32)
