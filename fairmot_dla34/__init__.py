"""Multi-object tracking of people in video with FairMOT (DLA-34).

The names below are loaded when they are first used: importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .association import Tracker
    from .association.config import TrackerConfig
    from .config import InputSize
    from .errors import FairMOTError
    from .module import Module
    from .tracking.model import FairMOT
    from .values import Detections, Frame, FrameResult, Track, TrackingSummary

__version__ = "2.0.0"

__all__ = [
    "Detections",
    "FairMOT",
    "FairMOTError",
    "Frame",
    "FrameResult",
    "InputSize",
    "Module",
    "Track",
    "Tracker",
    "TrackerConfig",
    "TrackingSummary",
    "__version__",
]

_HOMES = {
    "Detections": "values",
    "FairMOT": "tracking.model",
    "FairMOTError": "errors",
    "Frame": "values",
    "FrameResult": "values",
    "InputSize": "config",
    "Module": "module",
    "Track": "values",
    "Tracker": "association",
    "TrackerConfig": "association.config",
    "TrackingSummary": "values",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
