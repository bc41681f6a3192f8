"""Names and numbers of the arrays in checkpoints of two FairMOT networks for MindSpore.

Both have DLA-34 with the layers of ifzhang/FairMOT, and plain convolutions in the neck where FairMOT has deformable
ones (DCNv2)::

    project                             names begin with     bias of the neck's convolutions
    jingcjie/FairMOT-mindspore-jupyter  base, hm_fc          no
    ZJUT-ERCISS/fairmot_mindspore       backbone.base, head  yes

The names were taken from ``src/backbone_dla_conv.py``, which is also in ``research/cv/fairmot`` of mindspore-ai/models,
and ``src/models/fairmot.py``. Both expect RGB / 255, the epsilon of their norms is 1e-5, and no array is transposed.
`plain_neck` converts the neck; a bias that a project lacks goes into the mean of the norm behind it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...architectures import Architecture, HeadSizes
from ...architectures.dla34 import DLA34
from ...errors import InvalidInputError
from ..formats.errors import FormatError
from ..formats.stored import StoredArray
from .ifzhang import OWN_PREFIX
from .plain_neck import BIAS, OFFSET_WEIGHT, ending, with_neutral_offsets, without_offsets

_MARK = "base.base_layer.conv.weight"
_BACKBONE, _HEAD = "backbone.", "head."  # prefixes of ZJUT-ERCISS
_HEADS = {
    "detector.head.heatmap": "hm_fc",
    "detector.head.size": "wh_fc",
    "detector.head.offset": "reg_fc",
    "reid.reid": "id_fc",
}

# Canonical name to the name without the project's prefix.
_RULES: tuple[tuple[str, str], ...] = (
    (r"detector\.backbone\.base_layer\.0\.(.*)", r"base.base_layer.\1"),
    (r"detector\.backbone\.(level[01]\.0\..*)", r"base.\1"),
    (r"detector\.backbone\.(.*\.tree[12])\.conv1\.(.*)", r"base.\1.conv_bn_act.\2"),
    (r"detector\.backbone\.(.*\.tree[12])\.conv2\.(.*)", r"base.\1.conv_bn.\2"),
    (r"detector\.backbone\.(.*\.project\..*)", r"base.\1"),
    (r"detector\.backbone\.(.*\.root)\.conv\.conv\.(.*)", r"base.\1.conv.\2"),
    (r"detector\.backbone\.(.*\.root)\.conv\.(norm\..*)", r"base.\1.bn.\2"),
    (r"detector\.neck\.(.*)\.0\.conv\.conv_dcn\.(.*)", r"\1.conv.\2"),
    (r"detector\.neck\.(.*)\.0\.conv\.conv_offset\.(.*)", r"\1.conv.conv_offset_mask.\2"),
    (r"detector\.neck\.(.*)\.0\.norm\.(.*)", r"\1.actf.0.norm.\2"),
    (r"detector\.neck\.(.*\.up_\d\.weight)", r"\1"),
)
_NORM = {"weight": "gamma", "bias": "beta", "_mean": "moving_mean", "_variance": "moving_variance"}


class MindSporeNames:
    """Names of one of the two projects; see `Family` for the methods.

    Args:
        name: Name for options and messages.
        project: Name of the project.
        with_bias: True for ZJUT-ERCISS's names and layers, False for jingcjie's.
    """

    def __init__(self, name: str, project: str, *, with_bias: bool) -> None:
        self.NAME = name
        self._project, self._with_bias = project, with_bias

    def matches(self, names: Collection[str]) -> bool:
        """Return True if the names are those of this project, also with a prefix before all of them."""
        prefix = _prefix(names)
        if prefix is None:
            return False
        is_jingcjies = not prefix.endswith(_BACKBONE) or f"{prefix}hm_fc.0.weight" in names  # with any wrapper's name
        return is_jingcjies != self._with_bias

    def to_canonical(self, arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
        """Rename the arrays to canonical names, and compute those of the neck.

        The project's own tool that converts ifzhang's files keeps their deformable convolutions, which its network does
        not have: those arrays keep their numbers.

        Raises:
            FormatError: The names are of another project, or of ZJUT-ERCISS's earlier network with deformable
                convolutions of its own.
        """
        prefix = _prefix(arrays.keys())
        if prefix is None:
            raise FormatError(f"its array names are not those of {self._project}.")
        own = next((name for name in arrays if name.endswith(".conv.p_conv.weight")), None)
        if own is not None:
            raise FormatError(
                f"its neck has deformable convolutions, such as {own}, that compute something other than DCNv2; "
                f"expected plain ones, as in {self._project} since December 2022."
            )
        outer = prefix.removesuffix(_BACKBONE) if self._with_bias else prefix
        canonical = {outer + theirs: name for name, theirs in self.names().items()}
        renamed = {
            canonical.get(name, name): array
            for name, array in arrays.items()
            if name in canonical or name.startswith(OWN_PREFIX)
        }
        if ending(renamed, OFFSET_WEIGHT):
            return renamed
        return with_neutral_offsets(renamed, has_bias=self._with_bias or bool(ending(renamed, BIAS)))

    def from_canonical(
        self, arrays: Mapping[str, NDArray[np.float32]], architecture: Architecture
    ) -> dict[str, NDArray[Any]]:
        """Rename the arrays of a checkpoint to this project's names, and compute those of the neck.

        A size head of width and height becomes one of the distances to the four sides, which is what the projects'
        ``MotDecode`` expects.

        Raises:
            InvalidInputError: The architecture is not DLA-34, or a convolution of the neck has offsets or masks that
                depend on the image.
        """
        if architecture.name != DLA34.name:
            raise InvalidInputError(
                f"{architecture.title} has no counterpart in {self._project}; expected {DLA34.title}: write another "
                "format."
            )
        if architecture.heads is not None:
            arrays = architecture.heads.with_ltrb_sizes(arrays)
        plain = without_offsets(arrays, self._project)
        if not self._with_bias:
            for name in ending(plain, BIAS):
                mean = name.removesuffix(BIAS) + ".norm._mean"
                plain[mean] = plain[mean] - plain.pop(name)
        names = self.names()
        return {names[name]: array for name, array in plain.items() if name in names}

    def names(self) -> dict[str, str]:
        """Return this project's name of each array of DLA-34, by canonical name; its network lacks some of them."""
        return _all_names(with_bias=self._with_bias)


MINDSPORE = MindSporeNames("mindspore-jupyter", "jingcjie/FairMOT-mindspore-jupyter", with_bias=False)
MINDSPORE_ZJUT = MindSporeNames("mindspore-zjut", "ZJUT-ERCISS/fairmot_mindspore", with_bias=True)


def _prefix(names: Iterable[str]) -> str | None:
    """Return what precedes ``base.`` in the names of the network; optimisers have longer names of the same end."""
    found = [name.removesuffix(_MARK) for name in names if name == _MARK or name.endswith(f".{_MARK}")]
    return min(found, key=len, default=None)


@cache
def _all_names(*, with_bias: bool) -> dict[str, str]:
    """Return a project's name of each array of DLA-34, by canonical name."""
    return {name: _renamed(name, with_bias=with_bias) for name in DLA34.array_shapes(HeadSizes())}


def _renamed(name: str, *, with_bias: bool) -> str:
    for head, theirs in _HEADS.items():
        if name.startswith(f"{head}."):
            inner = name.removeprefix(f"{head}.").replace(".conv.", ".")
            return f"{_HEAD}{theirs}.fc.{inner}" if with_bias else f"{theirs}.{inner}"
    for pattern, replacement in _RULES:
        renamed, count = re.subn(f"^{pattern}$", replacement, name)
        if count:
            return (_BACKBONE if with_bias else "") + _with_parts(renamed)
    raise KeyError(name)


def _with_parts(name: str) -> str:
    """Write the numbers of layers and the arrays of norms as MindSpore does."""
    name = re.sub(r"\bida_(\d)", r"ida_nfs.\1", name)
    name = re.sub(r"\b(proj|up|node)_(\d)", lambda match: f"{match[1]}.{int(match[2]) - 1}", name)
    kind = "batchnorm." if ".bn." not in name and ".actf." not in name else ""
    return re.sub(r"\bnorm\.(\w+)$", lambda match: kind + _NORM[match[1]], name)
