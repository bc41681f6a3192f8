"""Structure of FairMOT HRNetV2-W18: its layers, with PaddleDetection's names, channels and order.

`features` walks over the layers of `fairmot_dla34.architectures.layers`.

Sources: ``ppdet/modeling/backbones/hrnet.py`` and ``configs/mot/fairmot/_base_/fairmot_hrnetv2_w18_dlafpn.yml`` of
PaddleDetection 2.6; high-resolution networks, arXiv 1908.07919; FairMOT, arXiv 2004.01888.
"""

from __future__ import annotations

from typing import TypeVar

from ..dla_fpn import neck
from ..heads import Heads
from ..layers import Layers

T = TypeVar("T")

BACKBONE = "detector.backbone"
CHANNELS = (18, 36, 72, 144)  # HRNet.channels[18], of the branches at strides 4, 8, 16 and 32
STEM_CHANNELS = 64
BOTTLENECK_CHANNELS = 256
MODULES = {2: 1, 3: 4, 4: 3}  # modules of each stage; stage n has n branches
BLOCKS = 4  # of the first stage, and of each branch of a module
HEADS = Heads(
    heatmap="detector.head.heatmap",
    size="detector.head.size",
    offset="detector.head.offset",
    embedding="reid.reid",
    in_channels=CHANNELS[0],
    hidden_channels=256,  # the defaults of CenterNetHead.head_planes and FairMOTEmbeddingHead.ch_head
    stride=4,
)


def features(layers: Layers[T], image: T) -> T:
    """Return the neck's feature map at stride 4 with 18 channels, below the heads."""
    return neck(layers, backbone(layers, image), CHANNELS, deformable=False)


def backbone(layers: Layers[T], image: T) -> list[T]:
    """Return HRNet-W18's feature maps at strides 4, 8, 16 and 32 (18, 36, 72 and 144 channels)."""
    x = layers.relu(layers.image_conv_norm(image, f"{BACKBONE}.conv_layer1_1", STEM_CHANNELS, 3, stride=2))
    x = layers.relu(layers.conv_norm(x, f"{BACKBONE}.conv_layer1_2", STEM_CHANNELS, 3, stride=2))
    for i in range(1, BLOCKS + 1):
        x = _bottleneck_block(layers, x, f"{BACKBONE}.la1.block_layer2_{i}", project=i == 1)
    branches = [x]
    for stage, modules in MODULES.items():
        branches = _transition(layers, branches, stage)
        for module in range(1, modules + 1):
            prefix = f"{BACKBONE}.st{stage}.stage_st{stage}_{module}"
            branches = _exchange(layers, _branches(layers, branches, prefix, stage, module), prefix, stage, module)
    return branches


def _bottleneck_block(layers: Layers[T], x: T, name: str, *, project: bool) -> T:
    y = layers.relu(layers.conv_norm(x, f"{name}.conv1", STEM_CHANNELS, 1))
    y = layers.relu(layers.conv_norm(y, f"{name}.conv2", STEM_CHANNELS, 3))
    y = layers.conv_norm(y, f"{name}.conv3", BOTTLENECK_CHANNELS, 1)
    residual = layers.conv_norm(x, f"{name}.conv_down", BOTTLENECK_CHANNELS, 1) if project else x
    return layers.relu(layers.add(residual, y))


def _basic_block(layers: Layers[T], x: T, name: str, channels: int) -> T:
    y = layers.relu(layers.conv_norm(x, f"{name}.conv1", channels, 3))
    return layers.relu(layers.add(x, layers.conv_norm(y, f"{name}.conv2", channels, 3)))


def _transition(layers: Layers[T], branches: list[T], stage: int) -> list[T]:
    """Add the stage's new branch, at half the resolution of the last one; before stage 2, set the first's channels."""
    name = f"{BACKBONE}.tr{stage - 1}.transition_tr{stage - 1}_layer"
    new = layers.relu(layers.conv_norm(branches[-1], f"{name}_{stage}", CHANNELS[stage - 1], 3, stride=2))
    if stage == 2:
        branches = [layers.relu(layers.conv_norm(branches[0], f"{name}_1", CHANNELS[0], 3))]
    return [*branches, new]


def _branches(layers: Layers[T], branches: list[T], prefix: str, stage: int, module: int) -> list[T]:
    out = []
    for i, branch in enumerate(branches, start=1):
        x = branch
        for block in range(1, BLOCKS + 1):
            name = f"{prefix}.branches_func.bb_st{stage}_{module}_branch_layer_{i}_{block}"
            x = _basic_block(layers, x, name, CHANNELS[i - 1])
        out.append(x)
    return out


def _exchange(layers: Layers[T], branches: list[T], prefix: str, stage: int, module: int) -> list[T]:
    """FuseLayers: each branch becomes the sum of all, brought to its channels and resolution."""
    name = f"{prefix}.fuse_func.residual_st{stage}_{module}_layer"
    out = []
    for i, own in enumerate(branches):
        total = own
        for j, other in enumerate(branches):
            if j > i:
                small = layers.conv_norm(other, f"{name}_{i + 1}_{j + 1}", CHANNELS[i], 1)
                total = layers.add(total, layers.resize(small, 2 ** (j - i)))
            elif j < i:
                total = layers.add(total, _shrink(layers, other, f"{name}_{i + 1}_{j + 1}", j, i))
        out.append(layers.relu(total))
    return out


def _shrink(layers: Layers[T], x: T, name: str, start: int, end: int) -> T:
    """Halve a map's resolution from that of branch ``start`` to that of branch ``end``; counted from 0."""
    for step in range(1, end - start):
        x = layers.relu(layers.conv_norm(x, f"{name}_{step}", CHANNELS[start], 3, stride=2))
    return layers.conv_norm(x, f"{name}_{end - start}", CHANNELS[end], 3, stride=2)
