"""FairMOT DLA-34 in PyTorch, for training; its modules carry PaddleDetection's names.

Structure: ``ppdet/modeling`` of PaddleDetection 2.6, as `fairmot_dla34.architectures.dla34.graph` builds it (papers: DLA, arXiv
1707.06484; DCNv2, arXiv 1811.11168; FairMOT, arXiv 2004.01888). ``tensor.shape`` comments have B for the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fairmot_dla34.architectures.dla34.arrays import BACKBONE_CHANNELS, HEAD_CHANNELS, OFFSET_CHANNELS, TREE_DEPTHS
from fairmot_dla34.values import EMBEDDING_SIZE

PADDLE_NAMES = {"running_mean": "_mean", "running_var": "_variance"}  # PyTorch's batch norm -> Paddle's


class Outputs(NamedTuple):
    """The heatmap everywhere, the other heads at P cells only, as in `fairmot_dla34.architectures.heads`."""

    heatmap: Tensor  # (B, 1, H/4, W/4) logits
    size: Tensor  # (P, 4) in cells
    offset: Tensor  # (P, 2) in cells
    embedding: Tensor  # (P, 128)


class ConvNorm(nn.Module):
    """Convolution and batch norm."""

    def __init__(self, ch_in: int, ch_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(ch_in, ch_out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(ch_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class DeformConv(nn.Module):
    """DCNv2, 3x3, as it is with offsets 0 and mask 0.5: half a plain convolution.

    Sampling at learned offsets takes 2.6 times as long to train. ``conv_offset`` is there for the names' sake.
    """

    def __init__(self, ch_in: int, ch_out: int) -> None:
        super().__init__()
        self.conv_offset = nn.Conv2d(ch_in, OFFSET_CHANNELS, 3, padding=1)
        self.conv_dcn = nn.Conv2d(ch_in, ch_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, 0.5 * self.conv_dcn.weight, self.conv_dcn.bias, padding=1)


class DeformConvNorm(nn.Module):
    """DCNv2, batch norm, ReLU."""

    def __init__(self, ch_in: int, ch_out: int) -> None:
        super().__init__()
        self.conv = DeformConv(ch_in, ch_out)
        self.norm = nn.BatchNorm2d(ch_out)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(x)))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a residual."""

    def __init__(self, ch_in: int, ch_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(ch_in, ch_out, 3, stride)
        self.conv2 = ConvNorm(ch_out, ch_out, 3)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        return functional.relu(self.conv2(functional.relu(self.conv1(x))) + residual)


class Root(nn.Module):
    """A 1x1 convolution over everything a tree has made."""

    def __init__(self, ch_in: int, ch_out: int) -> None:
        super().__init__()
        self.conv = ConvNorm(ch_in, ch_out, 1)

    def forward(self, *children: Tensor) -> Tensor:
        return functional.relu(self.conv(torch.cat(children, dim=1)))


class Tree(nn.Module):
    """Hierarchical deep aggregation."""

    def __init__(
        self, depth: int, ch_in: int, ch_out: int, stride: int, root_in: int, *, level_root: bool = False
    ) -> None:
        super().__init__()
        self.level_root = level_root
        self.pool = nn.MaxPool2d(stride) if stride > 1 else nn.Identity()
        self.tree1: nn.Module
        self.tree2: nn.Module
        if depth == 1:
            self.tree1 = BasicBlock(ch_in, ch_out, stride)
            self.tree2 = BasicBlock(ch_out, ch_out, 1)
            self.root = Root(root_in, ch_out)
        else:
            self.tree1 = Tree(depth - 1, ch_in, ch_out, stride, 2 * ch_out)
            self.tree2 = Tree(depth - 1, ch_out, ch_out, 1, root_in + ch_out)
        self.project = ConvNorm(ch_in, ch_out, 1) if ch_in != ch_out else None

    def forward(self, x: Tensor, *children: Tensor) -> Tensor:
        bottom = self.pool(x)
        if self.level_root:
            children = (*children, bottom)
        if isinstance(self.tree1, Tree):
            x1 = self.tree1(x)
            return self.tree2(x1, *children, x1)
        x1 = self.tree1(x, bottom if self.project is None else self.project(bottom))
        return self.root(self.tree2(x1, x1), x1, *children)


class Backbone(nn.Module):
    """DLA-34: its feature maps at strides 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        channels = BACKBONE_CHANNELS
        self.base_layer = nn.Sequential(ConvNorm(3, channels[0], 7))
        self.level0 = nn.Sequential(ConvNorm(channels[0], channels[0], 3))
        self.level1 = nn.Sequential(ConvNorm(channels[0], channels[1], 3, 2))
        for level, depth in TREE_DEPTHS.items():
            ch_in, ch_out, level_root = channels[level - 1], channels[level], level > 2
            root_in = 2 * ch_out + (ch_in if level_root else 0)
            setattr(self, f"level{level}", Tree(depth, ch_in, ch_out, 2, root_in, level_root=level_root))

    def forward(self, x: Tensor) -> list[Tensor]:
        for stage in (self.base_layer, self.level0, self.level1):
            x = functional.relu(stage(x))
        levels = []
        for level in TREE_DEPTHS:
            x = getattr(self, f"level{level}")(x)
            levels.append(x)
        return levels


class Upsampling(nn.ConvTranspose2d):
    """Always in float32: PyTorch's bf16 kernel for one channel a group is 4 to 8 times slower."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.float()).to(x.dtype)


class IdaUp(nn.Module):
    """Iterative deep aggregation: bring each level to the size of the one before and add it."""

    def __init__(self, inputs: list[tuple[int, int]], ch_out: int) -> None:
        super().__init__()
        for i, (ch_in, stride) in enumerate(inputs, start=1):
            up = Upsampling(ch_out, ch_out, 2 * stride, stride, stride // 2, groups=ch_out, bias=False)
            setattr(self, f"proj_{i}", nn.Sequential(DeformConvNorm(ch_in, ch_out)))
            setattr(self, f"up_{i}", up)
            setattr(self, f"node_{i}", nn.Sequential(DeformConvNorm(ch_out, ch_out)))

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        out = levels[:1]
        for i, level in enumerate(levels[1:], start=1):
            upsampled = getattr(self, f"up_{i}")(getattr(self, f"proj_{i}")(level))
            out.append(getattr(self, f"node_{i}")(upsampled + out[-1]))
        return out


class DlaUp(nn.Module):
    """From the two deepest levels up to stride 4."""

    def __init__(self) -> None:
        super().__init__()
        for i, ch_out in enumerate((256, 128, 64)):
            setattr(self, f"ida_{i}", IdaUp([(2 * ch_out, 2)] * (i + 1), ch_out))

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        merged: list[Tensor] = []
        for i in range(3):
            start = len(levels) - 2 - i
            levels = levels[:start] + getattr(self, f"ida_{i}")(levels[start:])
            merged.insert(0, levels[-1])
        return merged


class Neck(nn.Module):
    """CenterNetDLAFPN."""

    def __init__(self) -> None:
        super().__init__()
        self.dla_up = DlaUp()
        self.ida_up = IdaUp([(128, 2), (256, 4)], 64)

    def forward(self, levels: list[Tensor]) -> Tensor:
        return self.ida_up(self.dla_up(levels))[-1]


class HeadConv(nn.Module):
    """A convolution under PaddleDetection's name, of maps, or of single neighbourhoods as large as its kernel."""

    def __init__(self, ch_in: int, ch_out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(ch_in, ch_out, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() == 2:  # (P, ch_in * kernel * kernel)
            return functional.linear(x, self.conv.weight.flatten(1), self.conv.bias)
        return self.conv(x)


def _neighbourhoods(features: Tensor, cells: Tensor) -> Tensor:
    """``(P, C * 9)``: the zero-padded 3x3 neighbourhoods of cells of ``(B, C, h, w)``."""
    padded = functional.pad(features, (1, 1, 1, 1)).permute(0, 2, 3, 1)  # (B, h + 2, w + 2, C)
    taps = torch.arange(3)
    picture, row, column = (part[:, None, None] for part in cells.unbind(1))
    around = padded[picture, row + taps[:, None], column + taps]  # (P, 3, 3, C)
    return around.permute(0, 3, 1, 2).flatten(1)


def _head(ch_out: int) -> nn.Sequential:
    return nn.Sequential(HeadConv(64, HEAD_CHANNELS, 3), nn.ReLU(), HeadConv(HEAD_CHANNELS, ch_out, 1))


class FairMOTNetwork(nn.Module):
    """The whole network."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = nn.Module()
        self.detector.backbone = Backbone()
        self.detector.neck = Neck()
        self.detector.head = nn.Module()
        self.detector.head.heatmap = _head(1)
        self.detector.head.size = _head(4)
        self.detector.head.offset = _head(2)
        self.reid = nn.Module()
        self.reid.reid = _head(EMBEDDING_SIZE)

    def forward(self, images: Tensor, cells: Tensor) -> Outputs:
        """Run it.

        Args:
            images: ``(B, 3, H, W)`` RGB in [0, 1], sides divisible by 32.
            cells: ``(P, 3)`` picture, row and column of the cells where all heads are wanted.
        """
        features = self.detector.neck(self.detector.backbone(images))
        around = _neighbourhoods(features, cells)
        head = self.detector.head
        return Outputs(head.heatmap(features), *(one(around) for one in (head.size, head.offset, self.reid.reid)))

    def load_arrays(self, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        """Take a checkpoint's arrays, PaddleDetection's names."""
        state = {name: torch.from_numpy(arrays[_paddle_name(name)].copy()) for name in self._names()}
        self.load_state_dict(state, strict=False)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return the arrays under PaddleDetection's names; the offsets' are 0, as `DeformConv` behaves."""
        state = self.state_dict()
        arrays = {_paddle_name(name): state[name].float().numpy().copy() for name in self._names()}
        for name, array in arrays.items():
            if ".conv_offset." in name:
                array[...] = 0
        return arrays

    def _names(self) -> list[str]:
        return [name for name in self.state_dict() if not name.endswith("num_batches_tracked")]


def _paddle_name(name: str) -> str:
    module, _, leaf = name.rpartition(".")
    return f"{module}.{PADDLE_NAMES.get(leaf, leaf)}"
