"""Counting rules that the benchmark compares: ours, supervision's LineZone and ultralytics' ObjectCounter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from fairmot_dla34 import FrameResult, Track
from fairmot_dla34.analytics import Line, LineCounter, Zone, ZoneMonitor

Counts = tuple[int, int]  # forward and backward
Rule = Callable[[Line, list[FrameResult]], Counts]


def ours(line: Line, results: list[FrameResult]) -> Counts:
    """Count with `LineCounter`."""
    counter = LineCounter(line)
    found = [crossing for result in results for crossing in counter.update(result)] + counter.finish()
    forward = sum(crossing.direction == line.forward for crossing in found)
    return forward, len(found) - forward


def supervision(line: Line, results: list[FrameResult]) -> Counts:
    """Count with `supervision.LineZone` and the foot point, its best fit to the truth."""
    import supervision as sv

    zone = sv.LineZone(sv.Point(*line.start), sv.Point(*line.end), triggering_anchors=[sv.Position.BOTTOM_CENTER])
    for result in results:
        zone.trigger(_detections(result))
    return zone.in_count, zone.out_count


def ultralytics(line: Line, results: list[FrameResult]) -> Counts:
    """Count with `count_objects` of ultralytics' ObjectCounter, with foot points in place of centres."""
    from shapely.geometry import LineString, Point
    from ultralytics.solutions.object_counter import ObjectCounter

    counter: Any = object.__new__(ObjectCounter)  # its constructor loads a network
    counter.region = [line.start, line.end]
    counter.r_s, counter.LineString, counter.Point = LineString(counter.region), LineString, Point
    counter.in_count = counter.out_count = 0
    counter.counted_ids, counter.names = set(), {0: "person"}
    counter.classwise_count = defaultdict(lambda: {"IN": 0, "OUT": 0})
    previous: dict[int, tuple[float, float]] = {}
    for result in results:
        for track in result.tracks:
            foot = ((track.box[0] + track.box[2]) / 2, track.box[3])
            counter.count_objects(foot, track.track_id, previous.get(track.track_id), 0)
            previous[track.track_id] = foot
    return counter.in_count, counter.out_count


def directed(rule: Rule, line: Line, results: list[FrameResult]) -> Counts:
    """Return a rule's counts in the directions of our line, found with one person who crosses forward."""
    first, second = rule(line, _forward_walk(line))
    counts = rule(line, results)
    return counts if first > second else counts[::-1]


def _forward_walk(line: Line) -> list[FrameResult]:
    middle = (np.array(line.start) + np.array(line.end)) / 2
    along = np.subtract(line.end, line.start) / line.length_px
    steps = [middle + offset * np.array([-along[1], along[0]]) for offset in np.linspace(-30, 30, 8)]
    return [
        FrameResult(index, index / 10, (Track(1, (x - 5, y - 30, x + 5, y), 1.0, 0),))
        for index, (x, y) in enumerate(np.array(steps).tolist())
    ]


def our_zone(zone: Zone, results: list[FrameResult]) -> tuple[float, int]:
    """Return the person-seconds and visits of `ZoneMonitor`."""
    monitor = ZoneMonitor(zone)
    events = [event for result in results for event in monitor.update(result)] + monitor.finish()
    visits = [event.visit for event in events if event.visit]
    return sum(visit.dwell_s for visit in visits), len(visits)


def supervision_zone(zone: Zone, results: list[FrameResult]) -> float:
    """Return the person-seconds of `supervision.PolygonZone`: its count in each frame times the time of a frame."""
    import supervision as sv

    polygon = sv.PolygonZone(np.array(zone.points).round().astype(int), triggering_anchors=[sv.Position.BOTTOM_CENTER])
    frame_s = results[1].time_s - results[0].time_s
    return float(sum(polygon.trigger(_detections(result)).sum() for result in results) * frame_s)


def _detections(result: FrameResult) -> Any:
    import supervision as sv

    if not result.tracks:
        return sv.Detections.empty()
    return sv.Detections(
        xyxy=np.array([track.box for track in result.tracks]),
        tracker_id=np.array([track.track_id for track in result.tracks]),
        class_id=np.zeros(len(result.tracks), int),
    )
