"""All analyses of one video together: events while it runs, and totals at the end."""

from __future__ import annotations

from typing import TypeAlias

from ..config import check_frame_rate, shown
from ..errors import InvalidInputError, StateError
from ..values import FrameResult
from .config import AnalyticsConfig
from .crowd import CrowdTable, MinuteCounts
from .heat import HeatMap, check_frame_size
from .lines import Crossing, LineCounter
from .motion import Motion, MotionTracker, Path
from .observation import Observation
from .summary import AnalyticsSummary, LineTotals, PeopleTotals, ZoneTotals
from .zones import ZoneEvent, ZoneMonitor

Event: TypeAlias = Crossing | ZoneEvent | MinuteCounts

_FRAMES = 1.5  # a track that is seen in every frame is never lost, however slow the source


class Analysis:
    """Analyses the results of one video, fed in its order. Memory does not grow with the length of the video.

    Args:
        config: Settings.
        frame_size: Width and height of the frames, px.
        frame_rate: Frames per second that are analysed. Times are those of the frames; the rate only makes sure that
            ``gap_s`` and ``grace_s`` are longer than the time between two frames.

    Attributes:
        config: Settings.
        paths: Walks that ended in the latest frame.

    Raises:
        InvalidInputError: An argument has the wrong type, or a line or zone is not within the frame.
    """

    def __init__(self, config: AnalyticsConfig, frame_size: tuple[int, int], frame_rate: float) -> None:
        if not isinstance(config, AnalyticsConfig):
            raise InvalidInputError(f"config is {shown(config)}; expected an AnalyticsConfig object.")
        size = check_frame_size(frame_size)
        config.check_frame(size)
        shortest_s = _FRAMES / check_frame_rate(frame_rate)
        gap_s, grace_s = max(config.gap_s, shortest_s), max(config.grace_s, shortest_s)
        self.config = config
        self.paths: list[Path] = []
        self._lines = {line.name: LineCounter(line, gap_s=gap_s) for line in config.lines}
        self._zones = {zone.name: ZoneMonitor(zone, grace_s=grace_s) for zone in config.zones}
        self._heat = (
            HeatMap(size, config.heatmap.cell_px, of=config.heatmap.of, gap_s=gap_s) if config.heatmap else None
        )
        smoothing_s = max(config.smoothing_s, 2 * _FRAMES / frame_rate)
        self._motion = MotionTracker(config.ground, smoothing_s=smoothing_s, gap_s=gap_s)
        self._table = CrowdTable(config.lines, config.zones, hold_s=gap_s + grace_s, longest_frame_s=gap_s)
        self._line_totals = {line.name: LineTotals(line) for line in config.lines}
        self._zone_totals = {zone.name: ZoneTotals() for zone in config.zones}
        self._people = PeopleTotals()
        self._finished = False

    @property
    def heat(self) -> HeatMap | None:
        """The heat map; None if the settings have none."""
        return self._heat

    @property
    def motions(self) -> dict[int, Motion]:
        """Movement of each track in the latest frame, by id."""
        return self._motion.motions

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Crossings so far by line and direction, for drawing."""
        return {name: totals.summary().crossings for name, totals in self._line_totals.items()}

    @property
    def occupancy(self) -> dict[str, int]:
        """People in each zone among the tracks of the latest frame, by the name of the zone."""
        return {name: monitor.occupancy for name, monitor in self._zones.items()}

    def update(self, result: FrameResult) -> list[Event]:
        """Take the next frame.

        Returns:
            Crossings and events of zones that became certain in this frame, then minutes that are complete.

        Raises:
            InvalidInputError: The frame is before the previous one, or a box is not finite.
            StateError: The analysis is finished.
        """
        if self._finished:
            raise StateError("The analysis is finished; expected no more frames. Make a new Analysis for each video.")
        seen = Observation.of(result)
        found: list[Crossing | ZoneEvent] = []
        self.paths = self._motion.update(seen)
        for counter in self._lines.values():
            found += counter.update(seen)
        for monitor in self._zones.values():
            found += monitor.update(seen)
        if self._heat:
            self._heat.update(seen)
        self._note(seen)
        self._count(found)
        return [*found, *self._table.complete(seen.time_s)]

    def finish(self) -> list[Event]:
        """End all walks and visits at the end of the video; return the last events. Later calls return nothing."""
        if self._finished:
            return []
        self._finished = True
        found: list[Crossing | ZoneEvent] = []
        for counter in self._lines.values():
            found += counter.finish()
        for monitor in self._zones.values():
            found += monitor.finish()
        self.paths = self._motion.finish()
        self._count(found)
        return [*found, *self._table.complete()]

    def summary(self) -> AnalyticsSummary:
        """Return the totals so far; visits that are not finished have no dwell yet."""
        return AnalyticsSummary(
            {name: totals.summary() for name, totals in self._line_totals.items()},
            {name: totals.summary(self._zones[name].unique_ids) for name, totals in self._zone_totals.items()},
            len(self._people.ids),
            self._people.largest,
            self._people.largest_s,
            self._heat.total_s if self._heat else None,
        )

    def _note(self, seen: Observation) -> None:
        occupancy = self.occupancy
        self._table.observe(seen.time_s, len(seen.ids), occupancy)
        self._people.note(seen.time_s, len(seen.ids))
        for track_id in seen.ids:
            self._people.ids.add(track_id)
        for name, people in occupancy.items():
            self._zone_totals[name].counts.note(seen.time_s, people)

    def _count(self, found: list[Crossing | ZoneEvent]) -> None:
        for event in found:
            self._table.add(event)
            if isinstance(event, Crossing):
                self._line_totals[event.line].add(event)
            else:
                self._zone_totals[event.zone].add(event.visit.dwell_s if event.visit else None)
