"""Multi-object tracking of people in video with FairMOT (DLA-34).

The names below are loaded when they are first used: importing this package imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy_names import lazy_names

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
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
