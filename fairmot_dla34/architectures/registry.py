"""The registered architectures, by name."""

from __future__ import annotations

from collections.abc import Mapping

from ..registry import Registry
from .base import Architecture, Shape
from .dla34 import DLA34
from .hrnetv2 import HRNETV2_W18
from .light import LIGHT
from .pose_hrnet import HRNET_18, HRNET_32
from .yolov5s import YOLOV5S

_ARCHITECTURES: Registry[Architecture] = Registry("Architecture")


def register_architecture(architecture: Architecture) -> None:
    """Make an architecture known to checkpoints and weights.

    Args:
        architecture: The architecture; its name must be free.

    Raises:
        InvalidInputError: Another architecture of this name is registered.
    """
    _ARCHITECTURES.register(architecture)


def unregister_architecture(name: str) -> None:
    """Remove an architecture; nothing happens if the name is not registered."""
    _ARCHITECTURES.unregister(name)


def architecture_names() -> tuple[str, ...]:
    """Return the names of the registered architectures."""
    return _ARCHITECTURES.names()


def find_architecture(name: str) -> Architecture:
    """Return an architecture by name.

    Raises:
        InvalidInputError: The name is not registered.
    """
    return _ARCHITECTURES.find(name)


def identify_architecture(shapes: Mapping[str, Shape]) -> Architecture | None:
    """Return the architecture that arrays belong to, judged by their canonical names, on equality by their shapes.

    Args:
        shapes: Shapes by canonical name.

    Returns:
        The architecture with the largest share of its arrays present, on equal shares the one with more arrays, then
        the one with more arrays of the expected shape, then the one registered first; None if no array belongs to any.
        `Checkpoint` checks every array afterwards.
    """

    def share(architecture: Architecture) -> tuple[float, int, int]:
        expected = architecture.array_shapes(architecture.head_sizes(shapes))
        found = sum(name in shapes for name in expected)
        return found / max(1, len(expected)), found, sum(shapes.get(name) == shape for name, shape in expected.items())

    best = max(_ARCHITECTURES, key=share, default=None)
    return best if best is not None and any(share(best)) else None


register_architecture(DLA34)
register_architecture(HRNETV2_W18)
register_architecture(HRNET_18)
register_architecture(HRNET_32)
register_architecture(YOLOV5S)
register_architecture(LIGHT)
