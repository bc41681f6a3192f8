"""Conversion between deformable convolutions (DCNv2) and plain ones in the neck of DLA-34.

DCNv2 multiplies the number at each place of its kernel with a mask, the sigmoid of a convolution of the image. Without
offsets and masks that convolution is 0, the mask is 0.5, and DCNv2 with a doubled weight is the plain convolution. To
double a float is exact. Masks that are constant, but not 0.5, are in the weight of the plain convolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidInputError
from ..formats.stored import DerivedArray, StoredArray

BIAS, OFFSET_WEIGHT = ".conv.conv_dcn.bias", ".conv.conv_offset.weight"  # ends of canonical names
_WEIGHT, _OFFSET_BIAS = ".conv.conv_dcn.weight", ".conv.conv_offset.bias"
_OFFSET_CHANNELS, _MASK_CHANNELS = 18, 9  # of the 27 channels of conv_offset, in this order


def with_neutral_offsets(arrays: Mapping[str, StoredArray], *, has_bias: bool) -> dict[str, StoredArray]:
    """Describe plain convolutions as deformable ones: the weight doubled, and offsets, masks and bias of 0.

    Args:
        arrays: Arrays by canonical name, with plain convolutions in the neck.
        has_bias: The convolutions have biases; else they get biases of 0.
    """
    found = dict(arrays)
    for name in ending(arrays, _WEIGHT):
        weight, layer = arrays[name], name.removesuffix(_WEIGHT)
        channels = _OFFSET_CHANNELS + _MASK_CHANNELS
        found[name] = DerivedArray.of(weight, _doubled)
        found[layer + OFFSET_WEIGHT] = _zeros((channels, *weight.shape[1:]))
        found[layer + _OFFSET_BIAS] = _zeros((channels,))
        if not has_bias:
            found[layer + BIAS] = _zeros(weight.shape[:1])
    return found


def _doubled(weight: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):  # the check of the arrays refuses infinity
        return 2 * weight


def _zeros(shape: tuple[int, ...]) -> StoredArray:
    return StoredArray(shape, "<f4", None, lambda: [np.zeros(shape, "<f4").tobytes()])


def without_offsets(arrays: Mapping[str, NDArray[np.float32]], project: str) -> dict[str, NDArray[np.float32]]:
    """Return arrays with plain convolutions in the neck, which compute what the deformable ones do.

    Args:
        arrays: Arrays by canonical name, with deformable convolutions.
        project: Project that needs plain convolutions, for the message.

    Raises:
        InvalidInputError: A convolution has offsets, or masks that depend on the image.
    """
    plain = dict(arrays)
    layers = [name.removesuffix(_WEIGHT) for name in ending(arrays, _WEIGHT)]
    deformable = []
    for layer in layers:
        weight, bias = plain.pop(layer + OFFSET_WEIGHT), plain.pop(layer + _OFFSET_BIAS)
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


def ending(names: Iterable[str], end: str) -> list[str]:
    """Return the names that end so."""
    return [name for name in names if name.endswith(end)]
