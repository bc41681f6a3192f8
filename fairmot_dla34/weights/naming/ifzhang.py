"""Names of the arrays in checkpoints of ifzhang/FairMOT, the PyTorch code of the paper's authors.

The names of DLA-34 were taken from ``src/lib/models/networks/pose_dla_dcn.py``; `ifzhang_networks` has the others. No
array is transposed and no number changes. An array that the network of the same structure does not use is left out:
counters of batch norms, the classifier of ImageNet (``base.fc``), and the identity classifier of the training.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...architectures import Architecture, HeadSizes, find_architecture
from ...errors import InvalidInputError
from ..formats.errors import FormatError
from ..formats.stored import StoredArray
from .ifzhang_networks import HRNET, HRNET_MARK, YOLOV5S, YOLOV5S_MARK

NAME = "ifzhang"
OWN_PREFIX = "fairmot_dla34."  # of arrays that this package adds to files
_HEAD_NAMES = {
    "detector.head.heatmap": "hm",
    "detector.head.size": "wh",
    "detector.head.offset": "reg",
    "reid.reid": "id",
}

Rule = tuple[str, str]

# Canonical name to ifzhang's name, in this order. The last rules of each table are those of the norms' statistics.
_DLA34: tuple[Rule, ...] = (
    (r"detector\.backbone\.(base_layer|level[01])\.0\.conv\.(.*)", r"base.\1.0.\2"),
    (r"detector\.backbone\.(base_layer|level[01])\.0\.norm\.(.*)", r"base.\1.1.\2"),
    (r"detector\.backbone\.(.*\.tree[12])\.conv([12])\.conv\.(.*)", r"base.\1.conv\2.\3"),
    (r"detector\.backbone\.(.*\.tree[12])\.conv([12])\.norm\.(.*)", r"base.\1.bn\2.\3"),
    (r"detector\.backbone\.(.*)\.project\.conv\.(.*)", r"base.\1.project.0.\2"),
    (r"detector\.backbone\.(.*)\.project\.norm\.(.*)", r"base.\1.project.1.\2"),
    (r"detector\.backbone\.(.*)\.root\.conv\.conv\.(.*)", r"base.\1.root.conv.\2"),
    (r"detector\.backbone\.(.*)\.root\.conv\.norm\.(.*)", r"base.\1.root.bn.\2"),
    (r"detector\.neck\.(.*\.(?:proj|node)_\d)\.0\.conv\.conv_dcn\.(.*)", r"\1.conv.\2"),
    (r"detector\.neck\.(.*\.(?:proj|node)_\d)\.0\.conv\.conv_offset\.(.*)", r"\1.conv.conv_offset_mask.\2"),
    (r"detector\.neck\.(.*\.(?:proj|node)_\d)\.0\.norm\.(.*)", r"\1.actf.0.\2"),
    (r"detector\.neck\.(.*\.up_\d)\.weight", r"\1.weight"),
)
_RULES: dict[str, tuple[Rule, ...]] = {  # by the name of the architecture
    "dla34": _DLA34,
    "hrnet_18": HRNET,
    "hrnet_32": HRNET,
    "yolov5s": YOLOV5S,
}
_MARKS = {  # an array that only this network has; the names of hrnet_32 are those of hrnet_18
    "dla34": "base.base_layer.0.weight",
    "hrnet_18": HRNET_MARK,
    "yolov5s": YOLOV5S_MARK,
}


def matches(names: Collection[str]) -> bool:
    """Return True if the names are those of a network of ifzhang/FairMOT."""
    return _architecture_name(names) is not None


def to_canonical(arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """Rename the arrays of ifzhang's file to canonical names; see `Family.to_canonical`.

    The head ``wh`` has four distances to the sides, or width and height if it was trained without ``ltrb``; `HeadSizes`
    distinguishes the two by its channels, as ``mot_decode`` does by the option.

    Raises:
        FormatError: The names are of another project.
    """
    name = _architecture_name(arrays.keys())
    if name is None:
        raise FormatError("its array names are not those of a network of ifzhang/FairMOT.")
    canonical = {ifzhangs: own for own, ifzhangs in _names(find_architecture(name)).items()}
    return {
        canonical.get(name, name): array
        for name, array in arrays.items()
        if name in canonical or name.startswith(OWN_PREFIX)
    }


def from_canonical(arrays: Mapping[str, NDArray[np.float32]], architecture: Architecture) -> dict[str, NDArray[Any]]:
    """Rename the arrays of a checkpoint to ifzhang's names; see `Family.from_canonical`.

    A size head of width and height becomes one of the distances to the four sides, ifzhang/FairMOT's default, which
    gives the same boxes.

    Raises:
        InvalidInputError: ifzhang/FairMOT has no network of this architecture.
    """
    if architecture.name not in _RULES:
        raise InvalidInputError(
            f"{architecture.title} has no counterpart in ifzhang/FairMOT; expected one of {', '.join(_RULES)}: write "
            "another format, or canonical names (--to paddledetection)."
        )
    names = _names(architecture)
    if architecture.heads is not None:
        arrays = architecture.heads.with_ltrb_sizes(arrays)
    return {names[name]: array for name, array in arrays.items() if name in names}


def _architecture_name(names: Collection[str]) -> str | None:
    return next((name for name, mark in _MARKS.items() if mark in names), None)


@cache
def _names(architecture: Architecture) -> dict[str, str]:
    """Return ifzhang's name of each array of an architecture, by canonical name."""
    return {name: _renamed(name, _RULES[architecture.name]) for name in architecture.array_shapes(HeadSizes())}


def _renamed(name: str, rules: tuple[Rule, ...]) -> str:
    for head, ifzhangs in _HEAD_NAMES.items():
        if name.startswith(f"{head}."):
            return name.replace(head, ifzhangs, 1).replace(".conv.", ".", 1)
    for pattern, replacement in rules:
        renamed, count = re.subn(f"^{pattern}$", replacement, name)
        if count:
            return renamed.replace("._mean", ".running_mean").replace("._variance", ".running_var")
    raise KeyError(name)
