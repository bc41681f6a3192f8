"""The `Family` protocol: conversion between a project's array names and canonical names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...architectures import Architecture
from ..formats.stored import StoredArray


class Family(Protocol):
    """A project whose checkpoints have other array names. A module of this package with these members is one.

    Attributes:
        NAME: Name for options and messages, such as ``ifzhang``.
    """

    NAME: str

    def matches(self, names: Collection[str]) -> bool:
        """Return True if array names are those of this family, without a wrapper's prefix.

        Args:
            names: All names of a file.
        """

    def to_canonical(self, arrays: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
        """Rename the arrays of a file to canonical names, in the file's order.

        Args:
            arrays: Arrays by the file's names, for which `matches` is true.

        Returns:
            Arrays by canonical name. Arrays that serve training only are left out; names of the package's own, such as
            ``fairmot_dla34.input_size``, stay.

        Raises:
            FormatError: The arrays belong to a network of this family that has no canonical names.
        """

    def from_canonical(
        self, arrays: Mapping[str, NDArray[np.float32]], architecture: Architecture
    ) -> dict[str, NDArray[Any]]:
        """Rename the arrays of a checkpoint to the family's names.

        Args:
            arrays: All arrays of the architecture, by canonical name.
            architecture: The architecture that the arrays belong to.

        Raises:
            InvalidInputError: The family has no network of this architecture, or cannot hold these arrays.
        """
