"""Summary of a tracking run as text for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..messages import counted
from ..values import Measured, TrackingSummary


def summary_text(summary: TrackingSummary) -> str:
    """Return the summary of a run as text for a person."""
    notes = {"corrupt ones left out": summary.frames_skipped, "left out to keep up": summary.frames_dropped}
    left_out = ", ".join(f"{count} {why}" for why, count in notes.items() if count)
    frames = f"{summary.frames} frames ({left_out})" if left_out else f"{summary.frames} frames"
    stages = ", ".join(
        f"{name} {seconds / max(summary.frames, 1) * 1e3:.1f}" for name, seconds in summary.stage_seconds.items()
    )
    rate = summary.frames_per_second
    ended = "" if summary.ended == "end" else f", ended: {summary.ended}"
    lines = [
        f"{summary.source}: {frames}, {summary.track_ids} ids, {rate:.2f} frames/s{ended}",
        f"network: {summary.backend}",
        *_measured_lines(summary.measured),
        f"ms per frame, stages overlap: {stages}",
        *([] if summary.analytics is None else analytics_lines(summary.analytics)),
        *(f"wrote {path}" for path in summary.paths),
    ]
    return "\n".join(lines)


def _measured_lines(measured: Measured) -> list[str]:
    """Return a line on what was measured in the video; no line if nothing was."""
    parts = {
        "score of a person {:.2f}": measured.person_score,
        "camera moves {:.1%} of a person's height per frame": measured.camera_motion,
        "heights are exact to {:.1%}": measured.height_noise,
        "embeddings tell {:.1%} of pairs apart": measured.appearance,
    }
    known = [text.format(value) for text, value in parts.items() if value is not None]
    return [f"measured: {', '.join(known)}"] if known else []


def analytics_lines(totals: Mapping[str, Any]) -> list[str]:
    """Return lines of text on the totals of an analysis.

    Args:
        totals: Totals by name, as `AnalyticsSummary.to_dict` returns them.
    """
    lines = [_line_text(name, line) for name, line in totals["lines"].items()]
    lines += [_zone_text(name, zone) for name, zone in totals["zones"].items()]
    lines.append(f"people: {counted(totals['unique_ids'], 'id')}{_largest(totals)}")
    if totals["heat_s"] is not None:
        lines.append(f"heat map: {totals['heat_s']:.1f} person-seconds")
    return lines


def _line_text(name: str, line: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{count} {direction}" for direction, count in line["crossings"].items())
    young = f"; {counted(line['young'], 'crossing')} by tracks younger than a second" if line["young"] else ""
    return f"line {name}: {counts}, by {counted(line['unique_ids'], 'id')}{young}"


def _zone_text(name: str, zone: Mapping[str, Any]) -> str:
    stay = ""
    if zone["mean_dwell_s"] is not None:
        stay = f", mean stay {zone['mean_dwell_s']:.1f} s, longest {zone['longest_dwell_s']:.1f} s"
    return (
        f"zone {name}: {counted(zone['visits'], 'visit')} by {counted(zone['unique_ids'], 'id')}{stay}{_largest(zone)}"
    )


def _largest(place: Mapping[str, Any]) -> str:
    """Return the largest number of people at one time, with that time; nothing if there was nobody."""
    if place["largest_s"] is None:
        return ""
    minutes, seconds = divmod(place["largest_s"], 60)
    hours, minutes = divmod(int(minutes), 60)
    return f", at most {place['largest']} at one time (first at {hours}:{minutes:02}:{int(seconds):02})"
