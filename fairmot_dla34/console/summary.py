"""Summary of a tracking run as text for a person."""

from __future__ import annotations

from ..values import TrackingSummary


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
        f"ms per frame, stages overlap: {stages}",
        *(f"wrote {path}" for path in summary.paths),
    ]
    return "\n".join(lines)
