"""Prints what became of several sources, as text or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..console.summary import analytics_lines
from ..errors import FairMOTError
from ..messages import counted, plain_line
from ..tracking.several import Outcome


def outcomes_json(outcomes: Sequence[Outcome], message: Callable[[Exception], str]) -> str:
    """Return the outcomes as a JSON list: the summary of each source with ``input``, ``status`` and ``error``.

    Args:
        outcomes: What became of each source.
        message: Function that returns the message of an error.
    """
    return rows_json([outcome_row(outcome, message) for outcome in outcomes])


def rows_json(rows: object) -> str:
    """Return plain values as JSON."""
    return json.dumps(rows, indent=2, default=str, ensure_ascii=False)


def outcomes_text(
    outcomes: Sequence[Outcome], message: Callable[[Exception], str], seconds: float | None = None
) -> str:
    """Return one line for each source, and the totals.

    Args:
        outcomes: What became of each source.
        message: Function that returns the message of an error.
        seconds: Seconds of the command; None: those of all sources, one after the other.
    """
    lines = [line for outcome in outcomes for line in (_line(outcome, message), *_analytics_lines(outcome))]
    counts = Counter(outcome.status for outcome in outcomes)
    done = [outcome.summary for outcome in outcomes if outcome.summary is not None and outcome.status != "skipped"]
    frames = sum(summary["frames"] for summary in done)
    if seconds is None:
        seconds = sum(summary["seconds"] for summary in done)
    parts = ", ".join(f"{count} {status}" for status, count in counts.items())
    rate = frames / seconds if seconds > 0 else 0.0
    lines.append(f"{counted(len(outcomes), 'video')}: {parts}; {frames} frames, {rate:.2f} frames/s")
    return "\n".join(lines)


def check_outcomes(
    outcomes: Sequence[Outcome], remedy: str = "remove the causes and run the same command with --resume"
) -> None:
    """Check that no source failed.

    Args:
        outcomes: What became of each source.
        remedy: What to do then, for the message.

    Raises:
        FairMOTError: Sources failed; the message lists them.
    """
    failed = [outcome.source.shown for outcome in outcomes if outcome.status == "failed"]
    if failed:
        raise FairMOTError(
            f"{len(failed)} of {len(outcomes)} sources failed: {', '.join(failed)}. The reasons are above; {remedy}."
        )


def outcome_row(outcome: Outcome, message: Callable[[Exception], str]) -> dict[str, Any]:
    """Return the summary of one source with ``input``, ``status`` and, after a failure, ``error``.

    Args:
        outcome: What became of the source.
        message: Function that returns the message of an error.
    """
    row = {"input": outcome.source.shown, "status": outcome.status, **(outcome.summary or {})}
    return row if outcome.error is None else {**row, "error": message(outcome.error)}


def _analytics_lines(outcome: Outcome) -> list[str]:
    """Return the totals of lines and zones of one source; none without an analysis."""
    totals = (outcome.summary or {}).get("analytics")
    return [f"  {line}" for line in analytics_lines(totals)] if totals else []


def _line(outcome: Outcome, message: Callable[[Exception], str]) -> str:
    """Return the line of one source."""
    shown, summary = plain_line(outcome.source.shown), outcome.summary
    if outcome.error is not None:
        return f"{shown}: failed: {message(outcome.error)}"
    if summary is None:
        return f"{shown}: {outcome.status}"
    amount = f"{summary['frames']} frames, {summary['track_ids']} ids"
    if outcome.status == "skipped":
        return f"{shown}: skipped, complete and unchanged: {amount}"
    ended = "" if outcome.status == "tracked" else f", {outcome.status}"
    return f"{shown}: {amount}, {summary['frames_per_second']:.2f} frames/s{ended}"
