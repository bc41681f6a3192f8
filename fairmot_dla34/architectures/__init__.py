"""Network architectures: array names and shapes, ONNX graphs, and the decoding of their outputs."""

from __future__ import annotations

from .base import Architecture, HeadSizes
from .checkpoint import Checkpoint, CheckpointSource, Network
from .registry import (
    architecture_names,
    find_architecture,
    identify_architecture,
    register_architecture,
    unregister_architecture,
)

__all__ = [
    "Architecture",
    "Checkpoint",
    "CheckpointSource",
    "HeadSizes",
    "Network",
    "architecture_names",
    "find_architecture",
    "identify_architecture",
    "register_architecture",
    "unregister_architecture",
]
