"""Association of detections into tracks, independent of the network and of video."""

from __future__ import annotations

from .config import TrackerConfig
from .registry import AssociationMethod, find_method, method_names, register_method, unregister_method
from .tracker import Tracker

__all__ = [
    "AssociationMethod",
    "Tracker",
    "TrackerConfig",
    "find_method",
    "method_names",
    "register_method",
    "unregister_method",
]
