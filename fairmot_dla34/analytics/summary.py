"""Totals of an analysis, for the end of a run and for tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .crowd import Presence, ZoneCounts
from .identities import IdSet
from .lines import Crossing, Line

YOUNG_S = 1.0


@dataclass
class LineSummary:
    """Totals of one line.

    Attributes:
        crossings: Crossings by the name of the direction.
        young: Crossings of tracks younger than a second, whose id may be new for a person who was counted before.
        unique_ids: Different ids that crossed in any direction.
    """

    crossings: dict[str, int]
    young: int = 0
    unique_ids: int = 0


@dataclass
class ZoneSummary:
    """Totals of one zone.

    Attributes:
        visits: Visits that started.
        finished: Visits that ended.
        unique_ids: Different ids that visited.
        mean_dwell_s: Mean dwell of finished visits, s; None without any.
        longest_dwell_s: Longest dwell of a finished visit, s; None without any.
        largest: Largest number of people at one time.
        largest_s: Time at which it was first reached; None if nobody was inside.
    """

    visits: int = 0
    finished: int = 0
    unique_ids: int = 0
    mean_dwell_s: float | None = None
    longest_dwell_s: float | None = None
    largest: int = 0
    largest_s: float | None = None


@dataclass
class AnalyticsSummary:
    """Totals of an analysis.

    Attributes:
        lines: Totals by the name of the line.
        zones: Totals by the name of the zone.
        unique_ids: Different ids in the results.
        largest: Largest number of people at one time.
        largest_s: Time at which it was first reached; None if there was nobody.
        heat_s: Person-seconds of the heat map; None without one.
    """

    lines: dict[str, LineSummary] = field(default_factory=dict)
    zones: dict[str, ZoneSummary] = field(default_factory=dict)
    unique_ids: int = 0
    largest: int = 0
    largest_s: float | None = None
    heat_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return names and values, ready for JSON."""
        return asdict(self)


class LineTotals:
    """Adds up the crossings of one line.

    Args:
        line: The line.
    """

    def __init__(self, line: Line) -> None:
        self._summary = LineSummary(dict.fromkeys(line.directions, 0))
        self._people = IdSet()

    def add(self, crossing: Crossing) -> None:
        """Count a crossing."""
        self._summary.crossings[crossing.direction] += 1
        self._summary.young += crossing.age_s < YOUNG_S
        self._people.add(crossing.track_id)

    def summary(self) -> LineSummary:
        """Return the totals so far."""
        totals = self._summary
        return LineSummary(dict(totals.crossings), totals.young, len(self._people))


@dataclass
class ZoneTotals:
    """Adds up the visits of one zone.

    Attributes:
        counts: Numbers of visits and people.
        longest_s: Longest dwell, s; None without a finished visit.
    """

    counts: ZoneCounts = field(default_factory=ZoneCounts)
    longest_s: float | None = None

    def add(self, dwell_s: float | None) -> None:
        """Count the start of a visit (None), or its end with the dwell in s."""
        if dwell_s is None:
            self.counts.entered += 1
            return
        self.counts.left += 1
        self.counts.dwell_s += dwell_s
        self.longest_s = dwell_s if self.longest_s is None else max(self.longest_s, dwell_s)

    def summary(self, unique_ids: int) -> ZoneSummary:
        """Return the totals so far.

        Args:
            unique_ids: Number of different ids that visited.
        """
        counts = self.counts
        return ZoneSummary(
            counts.entered,
            counts.left,
            unique_ids,
            counts.mean_dwell_s,
            self.longest_s,
            counts.largest,
            counts.largest_s,
        )


@dataclass
class PeopleTotals(Presence):
    """Adds up the people in the image.

    Attributes:
        ids: All ids.
    """

    ids: IdSet = field(default_factory=IdSet)
