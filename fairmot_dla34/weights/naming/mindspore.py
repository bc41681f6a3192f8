"""Names and numbers of the arrays in checkpoints of two FairMOT networks for MindSpore.

Both have DLA-34 with the layers of ifzhang/FairMOT, and plain convolutions in the neck where FairMOT has deformable
ones (DCNv2)::

    project                             names begin with     bias of the neck's convolutions
    jingcjie/FairMOT-mindspore-jupyter  base, hm_fc          no
    ZJUT-ERCISS/fairmot_mindspore       backbone.base, head  yes

The names were taken from ``src/backbone_dla_conv.py``, which is also in ``research/cv/fairmot`` of mindspore-ai/models,
and ``src/models/fairmot.py``. Both expect RGB / 255, and the
epsilon of their norms is 1e-5. DCNv2 without offsets multiplies each number with its mask, sigmoid(0) = 0.5: with the
doubled weight, which is exact, it is the plain convolution. In the other direction this needs offsets and masks that do
not depend on the image.
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
from ..formats.stored import DerivedArray, StoredArray
from .ifzhang import OWN_PREFIX

_MARK = "base.base_layer.conv.weight"
_BACKBONE, _HEAD = "backbone.", "head."  # prefixes of ZJUT-ERCISS
_HEADS = {
    "detector.head.heatmap": "hm_fc",
    "detector.head.size": "wh_fc",
    "detector.head.offset": "reg_fc",
    "reid.reid": "id_fc",
}
_WEIGHT, _BIAS = ".conv.conv_dcn.weight", ".conv.conv_dcn.bias"
_OFFSET_WEIGHT, _OFFSET_BIAS = ".conv.conv_offset.weight", ".conv.conv_offset.bias"
_OFFSET_CHANNELS, _MASK_CHANNELS = 18, 9  # of the 27 channels of conv_offset, in this order

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
        return prefix is not None and prefix.endswith(_BACKBONE) == self._with_bias

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
        if _ending(renamed, _OFFSET_WEIGHT):
            return renamed
        return _with_neutral_offsets(renamed, has_bias=self._with_bias or bool(_ending(renamed, _BIAS)))

    def from_canonical(
        self, arrays: Mapping[str, NDArray[np.float32]], architecture: Architecture
    ) -> dict[str, NDArray[Any]]:
        """Rename the arrays of a checkpoint to this project's names, and compute those of the neck.

        Raises:
            InvalidInputError: The architecture is not DLA-34, or a convolution of the neck has offsets or masks that
                depend on the image.
        """
        if architecture.name != DLA34.name:
            raise InvalidInputError(
                f"{architecture.title} has no counterpart in {self._project}; expected {DLA34.title}: write another "
                "format."
            )
        plain = _without_offsets(arrays, self._project)
        if not self._with_bias:
            for name in _ending(plain, _BIAS):
                mean = name.removesuffix(_BIAS) + ".norm._mean"
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


def _with_neutral_offsets(arrays: Mapping[str, StoredArray], *, has_bias: bool) -> dict[str, StoredArray]:
    found = dict(arrays)
    for name in _ending(arrays, _WEIGHT):
        weight, layer = arrays[name], name.removesuffix(_WEIGHT)
        channels = _OFFSET_CHANNELS + _MASK_CHANNELS
        found[name] = DerivedArray.of(weight, _doubled)
        found[layer + _OFFSET_WEIGHT] = _zeros((channels, *weight.shape[1:]))
        found[layer + _OFFSET_BIAS] = _zeros((channels,))
        if not has_bias:
            found[layer + _BIAS] = _zeros(weight.shape[:1])
    return found


def _doubled(weight: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):  # the check of the arrays refuses infinity
        return 2 * weight


def _zeros(shape: tuple[int, ...]) -> StoredArray:
    return StoredArray(shape, "<f4", None, lambda: [np.zeros(shape, "<f4").tobytes()])


def _without_offsets(arrays: Mapping[str, NDArray[np.float32]], project: str) -> dict[str, NDArray[np.float32]]:
    """Return the arrays with the plain convolutions that equal the deformable ones."""
    plain = dict(arrays)
    layers = [name.removesuffix(_WEIGHT) for name in _ending(arrays, _WEIGHT)]
    deformable = []
    for layer in layers:
        weight, bias = plain.pop(layer + _OFFSET_WEIGHT), plain.pop(layer + _OFFSET_BIAS)
        if np.any(weight) or np.any(bias[:_OFFSET_CHANNELS]):
            deformable.append(layer)
        mask = (1 + np.tanh(bias[_OFFSET_CHANNELS:].astype(np.float64) / 2)) / 2  # sigmoid, of each place of the kernel
        side = weight.shape[-1]
        plain[layer + _WEIGHT] = (arrays[layer + _WEIGHT] * mask.reshape(side, side)).astype(np.float32)
    if deformable:
        raise InvalidInputError(
            f"{len(deformable)} of the neck's {len(layers)} convolutions are deformable, such as {deformable[0]}, and "
            f"{project} has plain ones there; expected offsets and masks of 0. Write another format, or train the "
            "network with --plain-neck first."
        )
    return plain


def _ending(names: Iterable[str], end: str) -> list[str]:
    return [name for name in names if name.endswith(end)]


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
