"""The structure of ifzhang's light FairMOT, written once as a walk over `Layers`.

Source of the behaviour: ``src/lib/models/yolo.py``, ``common.py`` and ``networks/config/yolov5s.yaml`` of
ifzhang/FairMOT, a YOLOv5s of 2021 (modules C3, activation SiLU) with one more upsampling, to stride 4. Papers: CSPNet,
arXiv 1911.11929; spatial pyramid pooling, arXiv 1406.4729; FairMOT, arXiv 2004.01888. Layers are numbered as there;
numbers without arrays are upsampling and concatenation.
"""

from __future__ import annotations

from typing import TypeVar

from ..heads import Heads
from ..layers import Layers

T = TypeVar("T")

BACKBONE, NECK = "detector.backbone", "detector.neck"
CHANNELS = (32, 64, 128, 256, 512)  # at strides 2 to 32
BACKBONE_DEPTHS = (1, 3, 3)  # bottlenecks at strides 4, 8 and 16
POOLS = (5, 9, 13)  # px of the map at stride 32
NORM_EPSILON = 1e-3  # initialize_weights
EMBEDDING_SIZE = 64  # --reid_dim 64 in the project's scripts
HEADS = Heads(
    heatmap="detector.head.heatmap",
    size="detector.head.size",
    offset="detector.head.offset",
    embedding="reid.reid",
    in_channels=CHANNELS[1],
    hidden_channels=64,
    stride=4,
    activation="silu",
)


def features(layers: Layers[T], image: T) -> T:
    """Return the neck's feature map at stride 4 with 64 channels, below the heads."""
    return neck(layers, backbone(layers, image))


def backbone(layers: Layers[T], image: T) -> list[T]:
    """Return the maps at strides 4, 8, 16 and 32 (64, 128, 256 and 512 channels)."""
    x = layers.activate(layers.image_focus_conv_norm(image, f"{BACKBONE}.0.conv", CHANNELS[0], 3), "silu")
    maps = []
    for i, depth in enumerate(BACKBONE_DEPTHS, start=1):
        x = _conv(layers, x, f"{BACKBONE}.{2 * i - 1}", CHANNELS[i], 3, stride=2)
        x = _c3(layers, x, f"{BACKBONE}.{2 * i}", CHANNELS[i], depth, shortcut=True)
        maps.append(x)
    x = _conv(layers, x, f"{BACKBONE}.7", CHANNELS[4], 3, stride=2)
    x = _pyramid_pooling(layers, x, f"{BACKBONE}.8", CHANNELS[4])
    return [*maps, _c3(layers, x, f"{BACKBONE}.9", CHANNELS[4], 1, shortcut=False)]


def neck(layers: Layers[T], maps: list[T]) -> T:
    """Bring the deepest map to the sides of each map before it and join the two, from deep to shallow."""
    x = maps[-1]
    for i, (lateral, channels) in enumerate(zip(maps[2::-1], CHANNELS[3:0:-1], strict=True)):
        number = 10 + 4 * i
        x = layers.resize(_conv(layers, x, f"{NECK}.{number}", channels, 1), 2)
        x = _c3(layers, layers.concat(x, lateral), f"{NECK}.{number + 3}", channels, 1, shortcut=False)
    return x


def _conv(layers: Layers[T], x: T, name: str, channels: int, kernel: int, stride: int = 1) -> T:
    return layers.activate(layers.conv_norm(x, name, channels, kernel, stride), "silu")


def _c3(layers: Layers[T], x: T, name: str, channels: int, depth: int, *, shortcut: bool) -> T:
    """Cross stage partial network: one half of the channels passes the bottlenecks, the other half does not."""
    half = channels // 2
    y = _conv(layers, x, f"{name}.cv1", half, 1)
    for i in range(depth):
        z = _conv(layers, _conv(layers, y, f"{name}.m.{i}.cv1", half, 1), f"{name}.m.{i}.cv2", half, 3)
        y = layers.add(y, z) if shortcut else z
    return _conv(layers, layers.concat(y, _conv(layers, x, f"{name}.cv2", half, 1)), f"{name}.cv3", channels, 1)


def _pyramid_pooling(layers: Layers[T], x: T, name: str, channels: int) -> T:
    x = _conv(layers, x, f"{name}.cv1", channels // 2, 1)
    pooled = [layers.max_pool(x, size, 1) for size in POOLS]
    return _conv(layers, layers.concat(x, *pooled), f"{name}.cv2", channels, 1)
