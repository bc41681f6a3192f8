"""Many cameras for months: one reader per camera, one network for all, and outputs in parts.

Names are loaded on first use, so importing this package imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .camera import Camera
    from .clock import CameraClock
    from .config import WatchConfig
    from .keep import Keep
    from .metrics import MetricsServer
    from .parts import PartWriter
    from .result import CameraResult, ResultWriter
    from .segment import Segment
    from .status import CameraStatus, PartTotals, State
    from .watch import Watch, streams_for

__all__ = [
    "Camera",
    "CameraClock",
    "CameraResult",
    "CameraStatus",
    "Keep",
    "MetricsServer",
    "PartTotals",
    "PartWriter",
    "ResultWriter",
    "Segment",
    "State",
    "Watch",
    "WatchConfig",
    "streams_for",
]

_HOMES = {
    "Camera": "camera",
    "CameraClock": "clock",
    "CameraResult": "result",
    "CameraStatus": "status",
    "Keep": "keep",
    "MetricsServer": "metrics",
    "PartTotals": "status",
    "PartWriter": "parts",
    "ResultWriter": "result",
    "Segment": "segment",
    "State": "status",
    "Watch": "watch",
    "WatchConfig": "config",
    "streams_for": "watch",
}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
