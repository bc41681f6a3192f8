"""The structure of FairMOT DLA-34, written once as a walk over `Layers`.

Source: ``DLA``, ``CenterNetDLAFPN``, ``CenterNetHead`` and ``FairMOTEmbeddingHead`` of PaddleDetection 2.6
(``ppdet/modeling/backbones/dla.py``, ``necks/centernet_fpn.py``, ``heads/centernet_head.py``,
``reid/fairmot_embedding_head.py``). Papers: DLA, arXiv 1707.06484; FairMOT, arXiv 2004.01888.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from ..dla_fpn import neck
from ..heads import Heads
from ..layers import Layers

T = TypeVar("T")

BACKBONE = "detector.backbone"
CHANNELS = (16, 32, 64, 128, 256, 512)  # DLA_cfg[34], output channels of level0 .. level5
TREE_DEPTHS = {2: 1, 3: 2, 4: 2, 5: 1}  # DLA_cfg[34], depth of the tree of each level
HEADS = Heads(
    heatmap="detector.head.heatmap",
    size="detector.head.size",
    offset="detector.head.offset",
    embedding="reid.reid",
    in_channels=CHANNELS[2],
    hidden_channels=256,  # CenterNetHead.head_planes and FairMOTEmbeddingHead.ch_head
    stride=4,  # down_ratio in fairmot_dla34.yml
)


def features(layers: Layers[T], image: T) -> T:
    """Return the neck's feature map at stride 4 with 64 channels, below the heads."""
    return neck(layers, backbone(layers, image), CHANNELS[2:], deformable=True)


def backbone(layers: Layers[T], image: T) -> list[T]:
    """Return DLA-34's feature maps at strides 4, 8, 16 and 32 (64, 128, 256, 512 channels)."""
    x = layers.relu(layers.image_conv_norm(image, f"{BACKBONE}.base_layer.0", CHANNELS[0], 7))
    x = layers.relu(layers.conv_norm(x, f"{BACKBONE}.level0.0", CHANNELS[0], 3))
    x = layers.relu(layers.conv_norm(x, f"{BACKBONE}.level1.0", CHANNELS[1], 3, stride=2))
    levels = []
    for level, depth in TREE_DEPTHS.items():
        # Tree(level_root=True): from level 3 on, the root sees the level's input too.
        tree = _Tree(layers, CHANNELS[level - 1], CHANNELS[level])
        x = tree.walk(x, f"{BACKBONE}.level{level}", depth=depth, stride=2, level_root=level > 2)
        levels.append(x)
    return levels


class _Tree(Generic[T]):
    """Hierarchical deep aggregation (arXiv 1707.06484, figure 3): two subtrees and a 1x1 root over all children."""

    def __init__(self, layers: Layers[T], channels_in: int, channels: int) -> None:
        self._layers = layers
        self._channels_in, self._channels = channels_in, channels

    def walk(
        self, x: T, name: str, *, depth: int, stride: int, level_root: bool = False, children: tuple[T, ...] = ()
    ) -> T:
        layers = self._layers
        bottom = layers.max_pool(x, stride) if stride > 1 else x
        if level_root:
            children = (*children, bottom)
        changes_channels = self._channels_in != self._channels
        if depth > 1:
            if changes_channels:  # PaddleDetection's outer trees hold a projection and never apply it
                layers.unused_conv_norm(bottom, f"{name}.project", self._channels, 1)
            x1 = self.walk(x, f"{name}.tree1", depth=depth - 1, stride=stride)
            inner = _Tree(layers, self._channels, self._channels)
            return inner.walk(x1, f"{name}.tree2", depth=depth - 1, stride=1, children=(*children, x1))
        residual = layers.conv_norm(bottom, f"{name}.project", self._channels, 1) if changes_channels else bottom
        x1 = self._basic_block(x, residual, f"{name}.tree1", stride)
        x2 = self._basic_block(x1, x1, f"{name}.tree2", 1)
        joined = layers.concat(x2, x1, *children)
        return layers.relu(layers.conv_norm(joined, f"{name}.root.conv", self._channels, 1))

    def _basic_block(self, x: T, residual: T, name: str, stride: int) -> T:
        layers = self._layers
        x = layers.relu(layers.conv_norm(x, f"{name}.conv1", self._channels, 3, stride))
        return layers.relu(layers.add(layers.conv_norm(x, f"{name}.conv2", self._channels, 3), residual))
