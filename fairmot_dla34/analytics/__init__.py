"""Analyses of tracks: lines, zones, heat maps, speeds and crowding, from the results of each frame.

Names are loaded on first use, so importing this package imports neither NumPy nor OpenCV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

if TYPE_CHECKING:
    from .afterwards import ResultsAnalysis, analyse_results
    from .analysis import Analysis, Event
    from .anchors import anchor_points
    from .config import AnalyticsConfig, HeatSettings
    from .crowd import MinuteCounts, Presence, ZoneCounts
    from .ground import GroundPlane
    from .heat import HeatMap
    from .lines import Crossing, Line, LineCounter
    from .motion import Motion, MotionTracker, Path
    from .plan import AnalyticsPlan
    from .summary import AnalyticsSummary, LineSummary, ZoneSummary
    from .zones import Visit, Zone, ZoneEvent, ZoneMonitor

__all__ = [
    "Analysis",
    "AnalyticsConfig",
    "AnalyticsPlan",
    "AnalyticsSummary",
    "Crossing",
    "Event",
    "GroundPlane",
    "HeatMap",
    "HeatSettings",
    "Line",
    "LineCounter",
    "LineSummary",
    "MinuteCounts",
    "Motion",
    "MotionTracker",
    "Path",
    "Presence",
    "ResultsAnalysis",
    "Visit",
    "Zone",
    "ZoneCounts",
    "ZoneEvent",
    "ZoneMonitor",
    "ZoneSummary",
    "analyse_results",
    "anchor_points",
]

_HOMES = {
    "Analysis": "analysis",
    "AnalyticsConfig": "config",
    "AnalyticsPlan": "plan",
    "AnalyticsSummary": "summary",
    "Crossing": "lines",
    "Event": "analysis",
    "GroundPlane": "ground",
    "HeatMap": "heat",
    "HeatSettings": "config",
    "Line": "lines",
    "LineCounter": "lines",
    "LineSummary": "summary",
    "MinuteCounts": "crowd",
    "Motion": "motion",
    "MotionTracker": "motion",
    "Path": "motion",
    "Presence": "crowd",
    "ResultsAnalysis": "afterwards",
    "Visit": "zones",
    "Zone": "zones",
    "ZoneCounts": "crowd",
    "ZoneEvent": "zones",
    "ZoneMonitor": "zones",
    "ZoneSummary": "summary",
    "analyse_results": "afterwards",
    "anchor_points": "anchors",
}
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
