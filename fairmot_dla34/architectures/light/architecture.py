"""The light network as an `Architecture`."""

from __future__ import annotations

from typing import TypeVar

from ..layered import LayeredArchitecture
from ..layers import Layers
from .structure import EMBEDDING_SIZE, HEADS, features

T = TypeVar("T")


class Light(LayeredArchitecture):
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


LIGHT = Light()
