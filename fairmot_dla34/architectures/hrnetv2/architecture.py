"""FairMOT HRNetV2-W18 as an `Architecture`."""

from __future__ import annotations

from typing import TypeVar

from ..layered import LayeredArchitecture
from ..layers import Layers
from .structure import HEADS, features

T = TypeVar("T")


class HRNetV2W18(LayeredArchitecture):
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


HRNETV2_W18 = HRNetV2W18()
