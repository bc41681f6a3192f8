"""FairMOT DLA-34 as an `Architecture`."""

from __future__ import annotations

from typing import TypeVar

from ..layered import LayeredArchitecture
from ..layers import Layers
from .structure import HEADS, features

T = TypeVar("T")


class Dla34(LayeredArchitecture):
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


DLA34 = Dla34()
