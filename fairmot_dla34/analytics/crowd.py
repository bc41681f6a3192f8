"""Counts per minute: crossings of each line, people in each zone and in the image, and the largest number at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from .lines import Crossing, Line
from .zones import Zone, ZoneEvent


@dataclass
class Presence:
    """Numbers of people at one place over some time.

    Attributes:
        person_s: Seconds that people were seen there, added up.
        largest: Largest number at one time.
        largest_s: Time at which it was first reached; None if nobody was there.
    """

    person_s: float = 0.0
    largest: int = 0
    largest_s: float | None = None

    def note(self, time_s: float, people: int) -> None:
        """Take the number of people in a frame."""
        if people > self.largest:
            self.largest, self.largest_s = people, time_s


@dataclass
class ZoneCounts(Presence):
    """Numbers of one zone over some time.

    Attributes:
        entered: Visits that started.
        left: Visits that ended.
        dwell_s: Sum of the dwell times of the visits that ended.
    """

    entered: int = 0
    left: int = 0
    dwell_s: float = 0.0

    @property
    def mean_dwell_s(self) -> float | None:
        """Mean dwell of the visits that ended, s; None if none did."""
        return self.dwell_s / self.left if self.left else None


@dataclass
class MinuteCounts:
    """One row of the table of counts.

    Attributes:
        start_s: Start of the minute, s.
        end_s: End of the minute, s.
        observed_s: Seconds of it that the frames cover.
        people: People in the image.
        lines: Crossings by direction, by the name of the line.
        zones: Numbers of each zone, by its name.
    """

    start_s: float
    end_s: float
    observed_s: float = 0.0
    people: Presence = field(default_factory=Presence)
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    zones: dict[str, ZoneCounts] = field(default_factory=dict)

    def mean(self, presence: Presence) -> float:
        """Return the mean number of people at a place, over the observed seconds."""
        return presence.person_s / self.observed_s if self.observed_s else 0.0

    def cells(self) -> list[tuple[str, Any]]:
        """Return the columns and cells of a table; the columns are the same in every row of an analysis."""
        cells: list[tuple[str, Any]] = [
            ("start_s", self.start_s),
            ("end_s", self.end_s),
            ("observed_s", round(self.observed_s, 3)),
            ("people mean", round(self.mean(self.people), 3)),
            ("people largest", self.people.largest),
        ]
        for name, directions in self.lines.items():
            cells += [(f"{name} {direction}", count) for direction, count in directions.items()]
        for name, zone in self.zones.items():
            dwell_s = zone.mean_dwell_s
            cells += [(f"{name} mean", round(self.mean(zone), 3)), (f"{name} largest", zone.largest)]
            cells += [
                (f"{name} visits", zone.entered),
                (f"{name} mean dwell_s", "" if dwell_s is None else round(dwell_s, 3)),
            ]
        return cells

    def to_row(self) -> dict[str, Any]:
        """Return the cells of a table by column."""
        return dict(self.cells())

    def to_dict(self) -> dict[str, Any]:
        """Return names and values, ready for JSON."""
        return {"event": "minute", **self.to_row()}


class CrowdTable:
    """Collects counts per minute. A row is complete, and returned, once no event can belong to it any more.

    Minutes without a frame have no row. An event that became certain after its minute was returned counts in the oldest
    minute that is open.

    Args:
        lines: Lines of the analysis.
        zones: Zones of the analysis.
        hold_s: Longest delay of ordinary events, s.
        longest_frame_s: Longest time for which the people of a frame count; later, nothing is observed.
        interval_s: Length of a row, s.
    """

    def __init__(
        self,
        lines: tuple[Line, ...],
        zones: tuple[Zone, ...],
        *,
        hold_s: float,
        longest_frame_s: float,
        interval_s: float = 60.0,
    ) -> None:
        self._lines, self._zones = lines, zones
        self._hold_s, self._longest_s, self._interval_s = hold_s, longest_frame_s, interval_s
        self._open: dict[int, MinuteCounts] = {}
        self._latest: tuple[float, int, dict[str, int]] | None = None
        self._next: int | None = None  # number of the first minute that was not returned

    def observe(self, time_s: float, people: int, occupancies: dict[str, int]) -> None:
        """Take the numbers of people of a frame, in the image and in each zone; each holds until the next frame."""
        if self._latest:
            start_s, before, inside = self._latest
            self._hold(start_s, min(time_s, start_s + self._longest_s), before, inside)
        self._latest = (time_s, people, occupancies)
        row = self._row(time_s)
        row.people.note(time_s, people)
        for name, number in occupancies.items():
            row.zones[name].note(time_s, number)

    def add(self, event: Crossing | ZoneEvent) -> None:
        """Count an event in the minute of its time."""
        row = self._row(event.time_s)
        if isinstance(event, Crossing):
            row.lines[event.line][event.direction] += 1
        elif event.visit is None:
            row.zones[event.zone].entered += 1
        else:
            row.zones[event.zone].left += 1
            row.zones[event.zone].dwell_s += event.visit.dwell_s

    def complete(self, time_s: float = math.inf) -> list[MinuteCounts]:
        """Return the rows that are complete at a time, oldest first; by default all."""
        numbers = sorted(number for number, row in self._open.items() if row.end_s + self._hold_s < time_s)
        if numbers:
            self._next = numbers[-1] + 1
        return [self._open.pop(number) for number in numbers]

    def _hold(self, start_s: float, end_s: float, people: int, occupancies: dict[str, int]) -> None:
        """Add the seconds from ``start_s`` to ``end_s``, divided at the borders of minutes."""
        while start_s < end_s:
            row = self._row(start_s)
            part_s = min(end_s, max(row.end_s, start_s)) - start_s or end_s - start_s
            row.observed_s += part_s
            row.people.person_s += part_s * people
            for name, number in occupancies.items():
                row.zones[name].person_s += part_s * number
            start_s += part_s

    def _row(self, time_s: float) -> MinuteCounts:
        number = math.floor(time_s / self._interval_s)
        if self._next is not None:
            number = max(number, self._next)
        if number not in self._open:
            self._open[number] = MinuteCounts(
                number * self._interval_s,
                (number + 1) * self._interval_s,
                lines={line.name: dict.fromkeys(line.directions, 0) for line in self._lines},
                zones={zone.name: ZoneCounts() for zone in self._zones},
            )
        return self._open[number]
