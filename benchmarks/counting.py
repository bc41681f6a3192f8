"""Measures counts of lines and zones against ground truth, beside supervision and ultralytics, and their speed.

    python benchmarks/counting.py --work W [--speed-only]

The rules get the same tracks: those of the sample weights and the default tracker on rendered scenes. Detections and
ground truth are kept in W. supervision, ultralytics and shapely must be installed, `pip install supervision
ultralytics shapely`. Lines and zones are set by the rules in `counting_scenes.py`. The truth is a brute-force count of
the ground-truth boxes, see `counting_truth.py`. The tables are printed as Markdown.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from counting_rules import Rule, directed, our_zone, ours, supervision, supervision_zone, ultralytics
from counting_scenes import counting_parts, lines_of, tracked, truth, zones_of
from counting_speed import speed_rows
from counting_truth import Border, crossings_of, visits_of, walks_of

from fairmot_dla34 import FairMOT, FrameResult
from fairmot_dla34.analytics import Line, LineCounter, Zone
from fairmot_dla34.analytics.lines import DEAD_BAND_HEIGHTS
from fairmot_dla34.analytics.walks import DEFAULT_GAP_S

BANDS = (0.0, 0.06, 0.2, 0.3)  # dead bands of the truth, in heights of a person
RULES: dict[str, Rule] = {"ours": ours, "supervision": supervision, "ultralytics": ultralytics}


def true_crossings(line: Line, results: list[FrameResult], band_heights: float = DEAD_BAND_HEIGHTS) -> tuple[int, int]:
    """Return the forward and backward crossings of ground truth, by brute force."""
    found = [sign for _, walk in walks_of(results, DEFAULT_GAP_S) for sign in crossings_of(line, walk, band_heights)]
    return found.count(1), found.count(-1)


def true_visits(zone: Zone, results: list[FrameResult]) -> tuple[float, int]:
    """Return the person-seconds and visits of ground truth, by brute force."""
    border = Border(zone)
    found = [visit for _, walk in walks_of(results, DEFAULT_GAP_S) for visit in visits_of(border, walk, DEFAULT_GAP_S)]
    return sum(dwell_s for *_, dwell_s in found), len(found)


def error(counts: tuple[int, int], expected: tuple[int, int]) -> int:
    """Return the absolute errors of both directions, added."""
    return abs(counts[0] - expected[0]) + abs(counts[1] - expected[1])


def young(lines: Sequence[Line], results: list[FrameResult]) -> tuple[int, int]:
    """Return the number of our crossings, and how many are of tracks younger than a second."""
    ages = []
    for line in lines:
        counter = LineCounter(line)
        found = [crossing for result in results for crossing in counter.update(result)] + counter.finish()
        ages += [crossing.age_s for crossing in found]
    return len(ages), sum(age_s < 1 for age_s in ages)


def band_rows(scenes: list[tuple[list[Line], list[FrameResult], list[FrameResult]]]) -> list[list[object]]:
    """Return dead bands of the truth with the crossings and the errors of each rule on tracks, over all scenes."""
    found = {
        rule: [[directed(RULES[rule], line, tracks) for line in lines] for lines, _, tracks in scenes] for rule in RULES
    }
    rows: list[list[object]] = []
    for band in BANDS:
        expected = [[true_crossings(line, boxes, band) for line in lines] for lines, boxes, _ in scenes]
        errors = [
            sum(error(c, e) for pair in zip(found[rule], expected, strict=True) for c, e in zip(*pair, strict=True))
            for rule in RULES
        ]
        rows.append([band, sum(sum(counts) for scene in expected for counts in scene), *errors])
    return rows


def line_row(lines: list[Line], boxes: list[FrameResult], tracks: list[FrameResult]) -> list[int]:
    """Return crossings, the errors of each rule on truth boxes, then on tracks, then our crossings and young ones."""
    expected = [true_crossings(line, boxes) for line in lines]
    row = [sum(map(sum, expected))]
    for results in (boxes, tracks):
        row += [
            sum(error(directed(rule, line, results), e) for line, e in zip(lines, expected, strict=True))
            for rule in RULES.values()
        ]
    return [*row, *young(lines, tracks)]


def zone_row(zones: list[Zone], boxes: list[FrameResult], tracks: list[FrameResult]) -> list[float]:
    """Return person-seconds, our error on truth boxes, ours and supervision's on tracks; visits and our error."""
    row = [0.0] * 6
    for zone in zones:
        (dwell_s, visits), (on_truth, _), (on_tracks, found) = (
            true_visits(zone, boxes),
            our_zone(zone, boxes),
            our_zone(zone, tracks),
        )
        theirs = supervision_zone(zone, tracks)
        values = (dwell_s, abs(on_truth - dwell_s), abs(on_tracks - dwell_s), abs(theirs - dwell_s))
        row = [a + b for a, b in zip(row, (*values, visits, abs(found - visits)), strict=True)]
    return row


def print_table(head: list[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |", flush=True)
    print()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder of detections and ground truth")
    parser.add_argument("--speed-only", action="store_true", help="measure the speed only")
    arguments = parser.parse_args()
    if not arguments.speed_only:
        arguments.work.mkdir(parents=True, exist_ok=True)
        measure_counts(arguments.work)
    print_table(["ms per frame", "20 people", "100 people", "500 people"], speed_rows())


def measure_counts(work: Path) -> None:
    """Print the errors of lines and zones by scene, and their sums."""

    @cache
    def load_model() -> FairMOT:
        return FairMOT("sample", precision="fp32")

    line_rows: list[list[int]] = []
    zone_rows: list[list[float]] = []
    names, scenes = [], []
    for part in counting_parts():
        boxes, tracks = truth(part, work), tracked(part, work, load_model)
        names.append(part.name)
        scenes.append((lines_of(part, boxes), boxes, tracks))
        line_rows.append(line_row(*scenes[-1]))
        zone_rows.append(zone_row(zones_of(boxes), boxes, tracks))
    head = ["scene", "crossings", *(f"{rule}, {kind}" for kind in ("truth", "tracks") for rule in RULES)]
    sums = [sum(column) for column in zip(*line_rows, strict=True)]
    table = zip([*names, "sum"], [*line_rows, sums], strict=True)
    print_table([*head, "our crossings", "younger than 1 s"], [[name, *row] for name, row in table])
    print_table(["dead band of the truth, heights", "crossings", *RULES], band_rows(scenes))
    totals = [sum(column) for column in zip(*zone_rows, strict=True)]
    zones = zip([*names, "sum"], [*zone_rows, totals], strict=True)
    columns = [
        "scene",
        "person-seconds",
        "ours, truth",
        "ours, tracks",
        "supervision, tracks",
        "visits",
        "ours, tracks",
    ]
    print_table(columns, [[name, *(f"{x:.1f}" for x in row[:4]), *map(int, row[4:])] for name, row in zones])


if __name__ == "__main__":
    main()
