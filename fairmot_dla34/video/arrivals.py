"""Times and frame rate of a live stream without time stamps, from the arrivals of its packets."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BURST_STEP_S = 0.002  # packets that were waiting follow each other faster
_BURST_SHARE = 0.3  # of the usual step, if that is longer: the first read takes a few milliseconds too
_MAX_RATE = 120.0  # frames/s; a faster stream is not a camera in real time
_WHOLE_RATE_TOLERANCE = 0.05  # relative; cameras run at whole rates, and arrivals jitter


@dataclass(frozen=True)
class Arrivals:
    """Times and frame rate measured from the first arrivals.

    Attributes:
        times_s: Time of each packet; those that were waiting when reading started are spread over the time before.
        frame_rate: Frames per second, or None if it is unknown or implausible.
        steps: Intervals between packets that were measured.
    """

    times_s: list[float]
    frame_rate: float | None
    steps: int


def measure_arrivals(arrivals_s: Sequence[float], opened_s: float) -> Arrivals:
    """Measure the frame rate from the first packets of a stream.

    FFmpeg reads some packets when it opens a stream. They arrive here at once, and so does what a server has kept.

    Args:
        arrivals_s: Times at which the packets arrived, on any clock, in order.
        opened_s: Time at which opening started, on the same clock.
    """
    steps = [later - earlier for earlier, later in itertools.pairwise(arrivals_s)]
    waited = [step for step in steps if step > _BURST_STEP_S]
    shortest_s = _BURST_SHARE * median(waited) if waited else _BURST_STEP_S
    waiting = next((number for number, step in enumerate(steps) if step > shortest_s), len(steps))
    measured = steps[waiting + 1 :]  # the step at the end of the burst is only a part of one
    opening_s = (arrivals_s[waiting] - opened_s) / waiting if waiting else 0.0
    period_s = median(measured) if measured else opening_s
    if period_s < 1 / _MAX_RATE:
        return Arrivals(list(arrivals_s), None, len(measured))
    end_s = arrivals_s[waiting + 1] if measured else arrivals_s[waiting] + opening_s
    burst_step_s = min(period_s, opening_s) if waiting else period_s
    burst_s = [end_s - (waiting + 1 - number) * burst_step_s for number in range(waiting + 1)]
    return Arrivals([*burst_s, *arrivals_s[waiting + 1 :]], _whole(1 / period_s), len(measured))


def _whole(rate: float) -> float:
    whole = round(rate)
    return float(whole) if whole and abs(rate / whole - 1) < _WHOLE_RATE_TOLERANCE else rate
