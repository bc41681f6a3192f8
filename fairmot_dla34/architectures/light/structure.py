"""The structure of the light network, written once as a walk over `Layers`.

Written from papers: cross stage partial networks (CSPNet, arXiv 1911.11929), residual blocks (arXiv 1512.03385), a
top-down path with lateral connections (FPN, arXiv 1612.03144; PAN, arXiv 1803.01534), centres of objects as peaks of a
heatmap (CenterNet, arXiv 1904.07850), embeddings at the centres (FairMOT, arXiv 2004.01888).

Chosen by measurements in bf16 and int8 on a CPU with AMX (docs/architectures.md): maps at strides 2 and 4 cost most, so
few layers work on them. OpenVINO fuses a sum into the convolution before it, and copies for a concatenation. Channels
are multiples of 32, except after the first convolution.
"""

from __future__ import annotations

from typing import TypeVar

from ..heads import Heads
from ..layers import Layers

T = TypeVar("T")

BACKBONE, NECK = "light.backbone", "light.neck"
STEM_CHANNELS = 16  # at stride 2
CHANNELS = (32, 64, 128, 256)  # at strides 4, 8, 16 and 32
DEPTHS = (1, 2, 2)  # residual blocks at strides 8, 16 and 32; the deepest cells see about 500 px
EMBEDDING_SIZE = 64
HEADS = Heads(
    heatmap="light.head.heatmap",
    size="light.head.size",
    offset="light.head.offset",
    embedding="light.head.embedding",
    in_channels=64,
    hidden_channels=64,
    stride=4,
)


def features(layers: Layers[T], image: T) -> T:
    """Return the neck's feature map at stride 4 with 64 channels, below the heads."""
    return neck(layers, backbone(layers, image))


def backbone(layers: Layers[T], image: T) -> list[T]:
    """Return the maps at strides 4, 8, 16 and 32 (32, 64, 128 and 256 channels)."""
    x = layers.relu(layers.image_conv_norm(image, f"{BACKBONE}.stem.0", STEM_CHANNELS, 3, stride=2))
    maps = [_conv(layers, x, f"{BACKBONE}.stem.1", CHANNELS[0], 3, stride=2)]
    for i, (channels, depth) in enumerate(zip(CHANNELS[1:], DEPTHS, strict=True), start=1):
        x = _conv(layers, maps[-1], f"{BACKBONE}.stage{i}.down", channels, 3, stride=2)
        maps.append(_partial_stage(layers, x, f"{BACKBONE}.stage{i}", channels, depth))
    return maps


def neck(layers: Layers[T], maps: list[T]) -> T:
    """Join the maps from deep to shallow: enlarge, add the projected shallower map, convolve."""
    widths = (HEADS.in_channels, *CHANNELS[1:-1])  # at strides 4, 8 and 16
    x = _conv(layers, maps[-1], f"{NECK}.top", widths[-1], 1)
    for i, width in reversed(list(enumerate(widths))):
        lateral = layers.conv_norm(maps[i], f"{NECK}.lateral{i}", width, 1)
        joined = layers.relu(layers.add(lateral, layers.resize(x, 2)))
        x = _conv(layers, joined, f"{NECK}.node{i}", widths[max(i - 1, 0)], 3)
    return x


def _partial_stage(layers: Layers[T], x: T, name: str, channels: int, depth: int) -> T:
    """Cross stage partial stage: the residual blocks work on one half of the channels (arXiv 1911.11929, figure 2)."""
    half = channels // 2
    y = _conv(layers, x, f"{name}.part", half, 1)
    for i in range(depth):
        z = layers.conv_norm(_conv(layers, y, f"{name}.{i}.conv1", half, 3), f"{name}.{i}.conv2", half, 3)
        y = layers.relu(layers.add(z, y))
    other = _conv(layers, x, f"{name}.other", half, 1)
    return _conv(layers, layers.concat(y, other), f"{name}.transition", channels, 1)


def _conv(layers: Layers[T], x: T, name: str, channels: int, kernel: int, stride: int = 1) -> T:
    return layers.relu(layers.conv_norm(x, name, channels, kernel, stride))
