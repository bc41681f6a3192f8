"""ifzhang's light FairMOT as an `Architecture`."""

from __future__ import annotations

from typing import TypeVar

from ..layered import LayeredArchitecture
from ..layers import Layers
from .structure import EMBEDDING_SIZE, HEADS, NORM_EPSILON, features

T = TypeVar("T")


class Yolov5s(LayeredArchitecture):
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


YOLOV5S = Yolov5s()
