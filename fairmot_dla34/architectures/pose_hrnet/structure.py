"""The structure of ifzhang's FairMOT on HRNet, written once as a walk over `Layers`.

Source: ``src/lib/models/networks/pose_hrnet.py`` and ``config/hrnet_w18.yaml``, ``hrnet_w32.yaml`` of ifzhang/FairMOT.
Papers: HRNet, arXiv 1908.07919; FairMOT, arXiv 2004.01888. Layers are named as there, with PaddleDetection's names of
arrays: a convolution and its batch norm are one layer.
"""

from __future__ import annotations

from typing import TypeVar

from ..heads import Heads
from ..layers import Layers

T = TypeVar("T")

BACKBONE = "detector.backbone"
STEM_CHANNELS = 64
BOTTLENECKS, BOTTLENECK_CHANNELS, EXPANSION = 4, 64, 4  # layer1
STAGE_MODULES = (1, 4, 3)  # NUM_MODULES of STAGE2, STAGE3 and STAGE4, which have 2, 3 and 4 branches
BRANCH_BLOCKS = 4  # NUM_BLOCKS, of every branch


def heads(width: int) -> Heads:
    """Return the heads of the network whose map at stride 4 has ``width`` channels."""
    return Heads(
        heatmap="detector.head.heatmap",
        size="detector.head.size",
        offset="detector.head.offset",
        embedding="reid.reid",
        in_channels=sum(width << branch for branch in range(len(STAGE_MODULES) + 1)),
        hidden_channels=256,  # head_conv
        stride=4,
    )


def features(layers: Layers[T], image: T, width: int) -> T:
    """Return the maps at strides 4, 8, 16 and 32 joined at stride 4; they have ``width`` channels times 1, 2, 4, 8."""
    x = layers.relu(layers.image_conv_norm(image, f"{BACKBONE}.conv1", STEM_CHANNELS, 3, stride=2))
    x = layers.relu(layers.conv_norm(x, f"{BACKBONE}.conv2", STEM_CHANNELS, 3, stride=2))
    for i in range(BOTTLENECKS):
        x = _bottleneck(layers, x, f"{BACKBONE}.layer1.{i}", projects=i == 0)
    maps = [x]
    for stage, modules in enumerate(STAGE_MODULES, start=2):
        maps = _transition(layers, maps, f"{BACKBONE}.transition{stage - 1}", width)
        for i in range(modules):
            name = f"{BACKBONE}.stage{stage}.{i}"
            maps = [_branch(layers, x, f"{name}.branches.{j}", width << j) for j, x in enumerate(maps)]
            maps = [_fuse(layers, maps, f"{name}.fuse_layers.{j}", j, width) for j in range(len(maps))]
    return layers.concat(maps[0], *(layers.resize(x, 1 << j, "bilinear") for j, x in enumerate(maps[1:], start=1)))


def _bottleneck(layers: Layers[T], x: T, name: str, *, projects: bool) -> T:
    channels = BOTTLENECK_CHANNELS
    y = layers.relu(layers.conv_norm(x, f"{name}.conv1", channels, 1))
    y = layers.relu(layers.conv_norm(y, f"{name}.conv2", channels, 3))
    y = layers.conv_norm(y, f"{name}.conv3", EXPANSION * channels, 1)
    residual = layers.conv_norm(x, f"{name}.downsample", EXPANSION * channels, 1) if projects else x
    return layers.relu(layers.add(y, residual))


def _transition(layers: Layers[T], maps: list[T], name: str, width: int) -> list[T]:
    """Add a map of half the sides of the last one; the first transition changes the channels of the only map, too."""
    last, branch = maps[-1], len(maps)
    new = layers.relu(layers.conv_norm(last, f"{name}.{branch}.0", width << branch, 3, stride=2))
    if branch == 1:
        maps = [layers.relu(layers.conv_norm(last, f"{name}.0", width, 3))]
    return [*maps, new]


def _branch(layers: Layers[T], x: T, name: str, channels: int) -> T:
    for i in range(BRANCH_BLOCKS):
        y = layers.relu(layers.conv_norm(x, f"{name}.{i}.conv1", channels, 3))
        x = layers.relu(layers.add(layers.conv_norm(y, f"{name}.{i}.conv2", channels, 3), x))
    return x


def _fuse(layers: Layers[T], maps: list[T], name: str, branch: int, width: int) -> T:
    """Sum all maps, brought to the sides and channels of the one of ``branch``."""
    fused: list[T] = []
    for i, x in enumerate(maps):
        if i > branch:
            projected = layers.conv_norm(x, f"{name}.{i}", width << branch, 1)
            part = layers.resize(projected, 1 << (i - branch))
        else:
            part = _halve(layers, x, f"{name}.{i}", times=branch - i, channels=(width << i, width << branch))
        fused = [layers.add(fused[0], part) if fused else part]
    return layers.relu(fused[0])


def _halve(layers: Layers[T], x: T, name: str, *, times: int, channels: tuple[int, int]) -> T:
    """Halve the sides ``times`` times; ``channels`` are those of all convolutions but the last, and of the last."""
    for i in range(times):
        is_last = i == times - 1
        x = layers.conv_norm(x, f"{name}.{i}", channels[is_last], 3, stride=2)
        x = x if is_last else layers.relu(x)
    return x
