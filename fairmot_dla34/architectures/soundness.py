"""Checks of a checkpoint's arrays: shapes, number types, and numbers that a trained network can have.

The bounds exclude only numbers with which a network computes nothing. They leave a factor of at least 20,000 to the
trained FairMOT networks measured (weights up to 1.4, means up to 51, variances up to 4,500). A checkpoint damaged
within the bounds is not recognised here: its digest shows that, and `peaks.decode` refuses outputs that no working
network gives. A heatmap that is the same for every image is not refused: a network has one before its training.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError
from .base import Architecture, HeadSizes, Shape

MAX_CLASSES = 10_000
MAX_EMBEDDING_SIZE = 10_000
MAX_WEIGHT = 1e6  # products of a few larger ones exceed float32, and every result becomes NaN
MAX_VARIANCE = 1e8  # a layer with a larger variance returns nearly the same for every image
MIN_LIVE = 1e-6  # largest number of a layer that still passes something of the image on
MIN_VARIANCE = -1e-6  # rounding; from -1e-5 on, minus the epsilon of batch norm, the root does not exist


def check_shapes(architecture: Architecture, shapes: Mapping[str, Shape], label: str) -> HeadSizes:
    """Compare the shapes of a checkpoint with those its architecture needs.

    Args:
        architecture: The architecture that the arrays belong to.
        shapes: Shapes by canonical name; others than the architecture's are ignored.
        label: Name of the checkpoint in messages.

    Returns:
        Classes and embedding size.

    Raises:
        CheckpointError: An array is missing or misshapen, or there are more classes than any dataset has.
    """
    sizes = architecture.head_sizes(shapes)
    for number, limit, noun in (
        (sizes.num_classes, MAX_CLASSES, "classes"),
        (sizes.embedding_size, MAX_EMBEDDING_SIZE, "numbers in an embedding"),
    ):
        if number > limit:
            raise CheckpointError(f"{label}: {number} {noun}; expected at most {limit}: use another checkpoint.")
    expected = architecture.array_shapes(sizes)
    wrong = [name for name, shape in expected.items() if shapes.get(name) != shape]
    if wrong:
        name = wrong[0]
        found = f"has shape {shapes[name]}" if name in shapes else "is missing"
        others = f" {len(wrong) - 1} more of {len(expected)} arrays are missing or misshapen." if len(wrong) > 1 else ""
        raise CheckpointError(
            f"{label}: array {name} {found}; expected shape {expected[name]}, as in {architecture.title}.{others} Use "
            "a checkpoint of that network."
        )
    return sizes


def check_type(is_float: bool, type_name: str, name: str, label: str) -> None:
    """Refuse arrays of other types than float16, float32 and float64.

    Args:
        is_float: True if the type is one of these.
        type_name: Name of the type.
        name: Name of the array.
        label: Name of the checkpoint in messages.

    Raises:
        CheckpointError: The type is another.
    """
    if not is_float:
        raise CheckpointError(
            f"{label}: array {name} has type {type_name}; expected float16, float32 or float64: use another file."
        )


def sound_float32(array: NDArray[Any], name: str, label: str) -> NDArray[np.float32]:
    """Convert an array to float32, C-contiguous and writable, and check its numbers; a copy only if one is needed.

    Args:
        array: Array of any type.
        name: Its canonical name. Names that end in ``_variance`` are those of batch norms' variances.
        label: Name of the checkpoint in messages.

    Raises:
        CheckpointError: The array is not of floating point, or has numbers that are NaN, infinite, far larger than in
            any trained network, or negative variances.
    """
    kind = array.dtype.newbyteorder("=")
    check_type(kind in (np.float16, np.float32, np.float64), str(kind), name, label)
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, and is reported below
        converted = np.require(array, np.float32, ["C", "W"])
    low, high = float(converted.min(initial=0)), float(converted.max(initial=0))  # NaN if one number is
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = converted.size - int(np.count_nonzero(np.isfinite(converted)))
        raise CheckpointError(
            f"{label}: array {name} has {bad} of {converted.size} numbers that are NaN or infinite; expected finite "
            "numbers: the file is damaged or its training diverged, use another."
        )
    is_variance = name.endswith("_variance")
    lower, upper = (MIN_VARIANCE, MAX_VARIANCE) if is_variance else (-MAX_WEIGHT, MAX_WEIGHT)
    if low < lower or high > upper:
        worst, expected = (low, f">= {lower:g}") if low < lower else (high, f"<= {upper:g}")
        raise CheckpointError(
            f"{label}: array {name} has the number {worst:g}, which no trained network has; expected numbers "
            f"{'>= 0' if is_variance and low < lower else expected}: the file is damaged or its training diverged, "
            "use another."
        )
    return converted


def check_live(arrays: Mapping[str, NDArray[np.float32]], patterns: Sequence[str], label: str) -> None:
    """Refuse a network whose heatmap does not depend on the image, because an array between them is 0 throughout.

    Args:
        arrays: Arrays by canonical name.
        patterns: The architecture's ``live_arrays``.
        label: Name of the checkpoint in messages.

    Raises:
        CheckpointError: All numbers of such an array are 0, or so small that they make no difference.
    """
    live = re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else None
    for name, array in arrays.items():
        if live is not None and live.fullmatch(name) and not np.abs(array).max(initial=0) >= MIN_LIVE:
            raise CheckpointError(
                f"{label}: array {name} has no number beyond {MIN_LIVE:g}, so that the result would not depend on "
                "the image; expected a trained network: use another file."
            )
