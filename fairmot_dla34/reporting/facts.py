"""Facts that the report shows: runs the analysis over all results, and keeps events, minutes and visits."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analytics.analysis import Analysis, Event
from ..analytics.config import AnalyticsConfig, HeatSettings
from ..analytics.crowd import MinuteCounts
from ..analytics.lines import Crossing
from ..analytics.zones import Visit, ZoneEvent
from ..interchange.frame_results import frame_results

if TYPE_CHECKING:
    from ..analytics.heat import HeatMap
    from ..analytics.summary import AnalyticsSummary
    from ..interchange.frame_results import Times
    from ..interchange.results import TrackResults

MAX_EVENTS = 300
MAX_VISITS = 10
_MAX_MARKS = 20_000
_MARGIN_PX = 16  # around tracks, lines and zones, if the size of the frames is unknown
_LARGEST_SIDE = 100_000
_MOST_CELLS = 1000


@dataclass
class Facts:
    """Outcome of the analysis.

    Attributes:
        config: Settings, with a heat map.
        size: Width and height of the frames, px; without a video, of the part where people were.
        length_s: Length of the video, at least up to the last tracked frame.
        times_s: ``(F,)`` times of the tracked frames.
        people: ``(F,)`` people in them.
        summary: Totals.
        heat: The heat map.
        minutes: Counts per minute.
        events: First crossings and events of zones, by time.
        event_count: Number of all events.
        marks_s: Times of events.
        visits: Longest finished visits by zone, longest first.
    """

    config: AnalyticsConfig
    size: tuple[int, int]
    length_s: float
    times_s: NDArray[np.float64]
    people: NDArray[np.int64]
    summary: AnalyticsSummary
    heat: HeatMap
    minutes: list[MinuteCounts] = field(default_factory=list)
    events: list[Crossing | ZoneEvent] = field(default_factory=list)
    event_count: int = 0
    marks_s: list[float] = field(default_factory=list)
    visits: dict[str, list[Visit]] = field(default_factory=dict)

    @property
    def step_s(self) -> float:
        """Time between two tracked frames, s."""
        return 1 / _rate(self.times_s)


def find_facts(
    results: TrackResults,
    times: Times,
    config: AnalyticsConfig,
    *,
    size: tuple[int, int] | None,
    length_s: float = 0.0,
) -> Facts:
    """Analyse all results.

    Args:
        results: Results of one video.
        times: Tracked frames and their times.
        config: Settings; a heat map is added if they have none.
        size: Width and height of the frames, px; None if unknown.
        length_s: Length of the video, if it is known.

    Raises:
        InvalidInputError: A line or zone is not within the frame, or a value of the results is not accepted.
    """
    if config.heatmap is None:
        config = replace(config, heatmap=HeatSettings())
    if size is None:
        size = _size_around(results, config)
        config = replace(config, heatmap=_coarser(config.heatmap, size))
    seconds = times[1]
    analysis = Analysis(config, size, _rate(seconds))
    found = _Collected({zone.name: [] for zone in config.zones})
    people = np.zeros(len(seconds), np.int64)
    for number, result in enumerate(frame_results(results, times)):
        people[number] = len(result.tracks)
        found.add(analysis.update(result))
    found.add(analysis.finish())
    heat = analysis.heat
    assert heat is not None  # noqa: S101 (the settings have one)
    last_s = float(seconds[-1]) + 1 / _rate(seconds) if len(seconds) else 0.0
    return Facts(
        config,
        size,
        max(length_s, last_s, 0.1),
        seconds,
        people,
        analysis.summary(),
        heat,
        found.minutes,
        sorted(found.events, key=lambda event: event.time_s)[:MAX_EVENTS],
        found.count,
        found.marks_s,
        {name: [visit for _, _, visit in sorted(visits, reverse=True)] for name, visits in found.visits.items()},
    )


@dataclass
class _Collected:
    visits: dict[str, list[tuple[float, int, Visit]]]  # heaps by zone: dwell, a number against ties, visit
    minutes: list[MinuteCounts] = field(default_factory=list)
    events: list[Crossing | ZoneEvent] = field(default_factory=list)
    marks_s: list[float] = field(default_factory=list)
    count: int = 0

    def add(self, found: Iterable[Event]) -> None:
        for event in found:
            if isinstance(event, MinuteCounts):
                self.minutes.append(event)
                continue
            self.count += 1
            if len(self.events) < 4 * MAX_EVENTS:  # events of later times may come first
                self.events.append(event)
            if len(self.marks_s) < _MAX_MARKS:
                self.marks_s.append(event.time_s)
            if isinstance(event, ZoneEvent) and event.visit is not None:
                heap = self.visits[event.zone]
                heapq.heappush(heap, (event.visit.dwell_s, -self.count, event.visit))
                if len(heap) > MAX_VISITS:
                    heapq.heappop(heap)


def _rate(seconds: NDArray[np.float64]) -> float:
    """Return the analysed frames per second."""
    steps = np.diff(seconds)
    step_s = float(np.median(steps)) if len(steps) else 0.0
    return min(1e5, max(1e-3, 1 / step_s)) if step_s > 0 else 30.0


def _coarser(heat: HeatSettings | None, size: tuple[int, int]) -> HeatSettings:
    """Return the settings of a heat map with at most 1000 cells per side: one wrong box may be far away."""
    heat = heat or HeatSettings()
    return replace(heat, cell_px=max(heat.cell_px, float(math.ceil(max(size) / _MOST_CELLS))))


def _size_around(results: TrackResults, config: AnalyticsConfig) -> tuple[int, int]:
    """Return a size that holds all tracks, lines and zones."""
    points = [point for line in config.lines for point in (line.start, line.end)]
    points += [point for zone in config.zones for point in zone.points]
    corners = np.concatenate([results.boxes[:, 2:], np.array(points).reshape(-1, 2), [[160.0, 90.0]]])
    width, height = (min(_LARGEST_SIDE, math.ceil(side) + _MARGIN_PX) for side in corners.max(axis=0).tolist())
    return width, height
