"""Names and shapes of the arrays of FairMOT DLA-34, as PaddleDetection's checkpoints hold them.

The structure is that of ``ppdet/modeling``: ``backbones/dla.py``, ``necks/centernet_fpn.py``,
``heads/centernet_head.py`` and ``reid/fairmot_embedding_head.py`` (PaddleDetection 2.6). What a checkpoint holds
beyond it, the identity classifier and the loss weights, serves training only.
"""

from __future__ import annotations

from ...values import EMBEDDING_SIZE

Shapes = dict[str, tuple[int, ...]]

HEATMAP_WEIGHT = "detector.head.heatmap.2.conv.weight"  # (num_classes, 256, 1, 1)
BACKBONE_CHANNELS = (16, 32, 64, 128, 256, 512)  # DLA_cfg[34], output channels of level0 .. level5
TREE_DEPTHS = {2: 1, 3: 2, 4: 2, 5: 1}  # DLA_cfg[34], depth of the tree of each level
HEAD_CHANNELS = 256  # CenterNetHead.head_planes and FairMOTEmbeddingHead.ch_head
OFFSET_CHANNELS = 27  # DeformableConvV2 with a 3x3 kernel: 18 offsets and 9 masks


def expected_shapes(num_classes: int = 1) -> Shapes:
    """Return the shape of each array the network needs, by name, in the order PaddleDetection saves them.

    Args:
        num_classes: Channels of the heatmap, axis 0 of ``HEATMAP_WEIGHT``; 1 in every published checkpoint.
    """
    heads = {"heatmap": num_classes, "size": 4, "offset": 2}
    shapes = {**_backbone(), **_neck()}
    for name, channels in heads.items():
        shapes.update(_head(f"detector.head.{name}", channels))
    return {**shapes, **_head("reid.reid", EMBEDDING_SIZE)}


def _backbone() -> Shapes:
    name, channels = "detector.backbone", BACKBONE_CHANNELS
    shapes = {
        **_conv_norm(f"{name}.base_layer.0", 3, channels[0], 7),
        **_conv_norm(f"{name}.level0.0", channels[0], channels[0], 3),
        **_conv_norm(f"{name}.level1.0", channels[0], channels[1], 3),
    }
    for level, depth in TREE_DEPTHS.items():
        ch_in, ch_out = channels[level - 1], channels[level]
        level_root = ch_in if level > 2 else 0  # Tree(level_root=True): the root sees the level's input too
        shapes.update(_tree(f"{name}.level{level}", depth, ch_in, ch_out, 2 * ch_out + level_root))
    return shapes


def _tree(name: str, depth: int, ch_in: int, ch_out: int, root_in: int) -> Shapes:
    shapes: Shapes = {}
    if depth == 1:
        for block, block_in in (("tree1", ch_in), ("tree2", ch_out)):
            shapes.update(_conv_norm(f"{name}.{block}.conv1", block_in, ch_out, 3))
            shapes.update(_conv_norm(f"{name}.{block}.conv2", ch_out, ch_out, 3))
        shapes.update(_conv_norm(f"{name}.root.conv", root_in, ch_out, 1))
    else:
        shapes.update(_tree(f"{name}.tree1", depth - 1, ch_in, ch_out, 2 * ch_out))
        shapes.update(_tree(f"{name}.tree2", depth - 1, ch_out, ch_out, root_in + ch_out))
    if ch_in != ch_out:
        shapes.update(_conv_norm(f"{name}.project", ch_in, ch_out, 1))
    return shapes


def _neck() -> Shapes:
    shapes: Shapes = {}
    for index, ch_out in enumerate((256, 128, 64)):  # DLAUp walks from the coarsest level to stride 4
        inputs = [(2 * ch_out, 2)] * (index + 1)
        shapes.update(_ida_up(f"detector.neck.dla_up.ida_{index}", inputs, ch_out))
    return {**shapes, **_ida_up("detector.neck.ida_up", [(128, 2), (256, 4)], 64)}


def _ida_up(name: str, inputs: list[tuple[int, int]], ch_out: int) -> Shapes:
    """One iterative deep aggregation; ``inputs`` are (channels, upsampling stride) of what is added in turn."""
    shapes: Shapes = {}
    for index, (ch_in, stride) in enumerate(inputs, start=1):
        shapes.update(_deform_conv_norm(f"{name}.proj_{index}.0", ch_in, ch_out))
        shapes[f"{name}.up_{index}.weight"] = (ch_out, 1, 2 * stride, 2 * stride)
        shapes.update(_deform_conv_norm(f"{name}.node_{index}.0", ch_out, ch_out))
    return shapes


def _head(name: str, channels: int) -> Shapes:
    return {
        f"{name}.0.conv.weight": (HEAD_CHANNELS, 64, 3, 3),
        f"{name}.0.conv.bias": (HEAD_CHANNELS,),
        f"{name}.2.conv.weight": (channels, HEAD_CHANNELS, 1, 1),
        f"{name}.2.conv.bias": (channels,),
    }


def _conv_norm(name: str, ch_in: int, ch_out: int, kernel: int) -> Shapes:
    return {f"{name}.conv.weight": (ch_out, ch_in, kernel, kernel), **_norm(name, ch_out)}


def _deform_conv_norm(name: str, ch_in: int, ch_out: int) -> Shapes:
    return {
        f"{name}.conv.conv_offset.weight": (OFFSET_CHANNELS, ch_in, 3, 3),
        f"{name}.conv.conv_offset.bias": (OFFSET_CHANNELS,),
        f"{name}.conv.conv_dcn.weight": (ch_out, ch_in, 3, 3),
        f"{name}.conv.conv_dcn.bias": (ch_out,),
        **_norm(name, ch_out),
    }


def _norm(name: str, channels: int) -> Shapes:
    return {f"{name}.norm.{part}": (channels,) for part in ("weight", "bias", "_mean", "_variance")}
