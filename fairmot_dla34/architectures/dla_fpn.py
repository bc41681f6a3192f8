"""The neck ``CenterNetDLAFPN`` of PaddleDetection, which DLA-34 and HRNetV2-W18 share.

Source: ``ppdet/modeling/necks/centernet_fpn.py`` of PaddleDetection 2.6; deep layer aggregation, arXiv 1707.06484.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from .layers import Layers

T = TypeVar("T")

NECK = "detector.neck"


def neck(layers: Layers[T], levels: list[T], channels: Sequence[int], *, deformable: bool) -> T:
    """Merge four levels into one map with the resolution and the channels of the first.

    First `DLAUp` merges the two deepest levels, then the three deepest, then all four; then one more `IDAUp` merges
    the results at the strides of the first three levels.

    Args:
        layers: Implementation of the layers.
        levels: Feature maps; each has half the sides of the one before.
        channels: Their channels.
        deformable: Use DCNv2 (``dcn_v2: True`` in PaddleDetection's configuration) instead of plain convolutions.
    """
    merged: list[T] = []
    for i in range(3):
        start = len(levels) - 2 - i
        name = f"{NECK}.dla_up.ida_{i}"
        joined = _iterative_merge(layers, levels[start:], name, channels[2 - i], (2, 2, 2), deformable=deformable)
        levels = levels[:start] + joined
        merged.insert(0, levels[-1])
    return _iterative_merge(layers, merged, f"{NECK}.ida_up", channels[0], (2, 4), deformable=deformable)[-1]


def _iterative_merge(
    layers: Layers[T], levels: list[T], name: str, channels: int, strides: tuple[int, ...], *, deformable: bool
) -> list[T]:
    """IDAUp: bring each level to the size of the one before and add that one, from shallow to deep."""

    def convolve(x: T, name: str) -> T:
        if deformable:
            return layers.deform_conv_norm_relu(x, name, channels)
        return layers.relu(layers.conv_norm(x, name, channels, 3))

    out = levels[:1]
    for i, level in enumerate(levels[1:], start=1):
        upsampled = layers.upsample(convolve(level, f"{name}.proj_{i}.0"), f"{name}.up_{i}", strides[i - 1])
        out.append(convolve(layers.add(upsampled, out[-1]), f"{name}.node_{i}.0"))
    return out
