"""Formats the state of the cameras as text and JSON: a line while they run, and the summary at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from ..console.progress import duration_text
from ..messages import counted, plain_line
from .status import CameraStatus, State


def running_line(statuses: Sequence[CameraStatus], frames_per_second: float) -> str:
    """Return a line such as ``3 cameras: 2 running, 1 waiting (door); 24.9 frames/s, 7 people, lag 0.12 s``.

    Args:
        statuses: State of every camera.
        frames_per_second: Rate of all cameras together since the line before.
    """
    counts = Counter(status.state for status in statuses)
    states = ", ".join(
        f"{counts[state]} {state}{_names(statuses, state)}" for state in reversed(State) if counts[state]
    )
    people = sum(status.people or 0 for status in statuses if status.state is State.RUNNING)
    lags = [status.lag_s for status in statuses if status.state is State.RUNNING and status.lag_s is not None]
    lag = f", lag at most {max(lags):.2f} s" if lags else ""
    noun = "person" if people == 1 else "people"
    return f"{counted(len(statuses), 'camera')}: {states}; {frames_per_second:.1f} frames/s, {people} {noun}{lag}"


def summary_text(statuses: Iterable[CameraStatus], seconds: float, network: str) -> str:
    """Return the summary at the end: one line for each camera, and the totals.

    Args:
        statuses: State of every camera.
        seconds: Duration of the watch.
        network: Description of the network.
    """
    rows = list(statuses)
    tracked = sum(_tracked(status) for status in rows)
    amount = f"{counted(tracked, 'frame')} tracked in {duration_text(seconds)}"
    rate = f"{tracked / max(seconds, 1e-9):.2f} frames/s"
    total = f"{counted(len(rows), 'camera')}: {amount}, {rate}"
    return "\n".join([*map(_summary_line, rows), total, f"network: {network}"])


def status_fields(statuses: Iterable[CameraStatus]) -> list[dict[str, Any]]:
    """Return the state of every camera as mappings for JSON."""
    return [{**asdict(status), "state": status.state.value} for status in statuses]


def _names(statuses: Sequence[CameraStatus], state: State) -> str:
    """Return the names of the cameras of a state in brackets; nothing for those that run, and for many."""
    names = [status.name for status in statuses if status.state is state]
    return "" if state is State.RUNNING or len(names) > 5 else f" ({', '.join(names)})"


def _tracked(status: CameraStatus) -> int:
    return status.frames - status.dropped


def _summary_line(status: CameraStatus) -> str:
    notes = {"left out to keep up": status.dropped, "corrupt ones skipped": status.corrupt}
    left_out = ", ".join(f"{count} {why}" for why, count in notes.items() if count)
    parts = [counted(status.frames, "frame") + (f" ({left_out})" if left_out else "")]
    parts.append(counted(status.reconnects, "reconnect"))
    if status.last_error:
        parts.append(f"last error: {status.last_error}")
    return plain_line(f"{status.name}: {', '.join(parts)}", limit=None)
