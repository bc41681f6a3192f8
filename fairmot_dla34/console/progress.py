"""Progress of long tasks on stderr: a bar on a terminal, lines of text elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Protocol

from ..closing import ClosedOnExit
from ..messages import plain_line

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

INTERVAL_S = 30.0  # seconds between two lines; nothing is written before
_PREFIXES = ("", "k", "M", "G", "T")


class ProgressBar(Protocol):
    """A display of progress: tqdm's bar, or `ProgressLines`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None: ...

    def update(self, n: int = 1) -> object:
        """Add units that are done."""

    def close(self) -> None:
        """End the display."""


def progress_bar(
    name: str,
    total: int | None = None,
    *,
    enabled: bool = True,
    unit: str = "frame",
    unit_scale: bool = False,
    initial: int = 0,
) -> ProgressBar:
    """Start a display of units done, units per second and, if the total is known, the remaining time.

    A terminal gets a bar. Another stderr, such as a log file, gets a line every `INTERVAL_S` seconds.

    Args:
        name: Text before the bar.
        total: Units in all, or None if unknown.
        enabled: False for no display.
        unit: Name of one unit.
        unit_scale: Show numbers with SI prefixes, such as 79.5M.
        initial: Units done before the bar starts.

    Returns:
        The bar, a context manager; call its ``update(n)`` after ``n`` units, 1 by default.
    """
    if enabled and not is_terminal():
        return ProgressLines(name, total, unit=unit, unit_scale=unit_scale, initial=initial)
    from tqdm import tqdm

    return tqdm(
        total=total,
        initial=initial,
        desc=plain_line(name),
        unit=unit,
        unit_scale=unit_scale,
        file=sys.stderr,
        disable=not enabled,
        dynamic_ncols=True,
    )


def is_terminal() -> bool:
    """Return True if stderr is a terminal."""
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # closed
        return False


class ProgressLines(ClosedOnExit):
    """Writes a line such as ``street: 1234/5000 frames, 25.3 frames/s, 2 min 30 s left`` every `INTERVAL_S` seconds.

    The rate is that since the line before, so that a source that slows down shows.

    Args:
        name: Text before the numbers.
        total: Units in all, or None if unknown.
        unit: Name of one unit.
        unit_scale: Write numbers with SI prefixes.
        initial: Units done before the start.
    """

    def __init__(self, name: str, total: int | None, *, unit: str, unit_scale: bool, initial: int) -> None:
        self._name = plain_line(name)
        self._total = total
        self._unit = unit
        self._scaled = unit_scale
        self._done = self._last_done = initial
        self._last_s = time.monotonic()

    def update(self, n: int = 1) -> None:
        """Add units that are done; write a line if it is due."""
        self._done += n
        now_s = time.monotonic()
        if now_s - self._last_s < INTERVAL_S:
            return
        rate = (self._done - self._last_done) / max(now_s - self._last_s, 1e-9)
        self._last_s, self._last_done = now_s, self._done
        if sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):  # a full disk or a closed stream must not end the task
                sys.stderr.write(f"{self._line(rate)}\n")
                sys.stderr.flush()

    def close(self) -> None:
        """End the display; nothing is written."""

    def _line(self, rate: float) -> str:
        known = self._total is not None and self._total >= self._done
        plural = "" if self._scaled else "s"
        space = "" if self._scaled else " "
        amount = f"{self._number(self._done)}/{self._number(self._total or 0)}" if known else self._number(self._done)
        speed = f"{self._number(rate)}{space}{self._unit}{plural}/s" if self._scaled else f"{rate:.1f} {self._unit}s/s"
        parts = [f"{amount}{space}{self._unit}{plural}", speed]
        if known and rate > 0:
            parts.append(f"{duration_text(((self._total or 0) - self._done) / rate)} left")
        return f"{self._name}: {', '.join(parts)}"

    def _number(self, value: float) -> str:
        if not self._scaled:
            return f"{value:.0f}"
        power = 0
        while value >= 1000 and power < len(_PREFIXES) - 1:
            value, power = value / 1000, power + 1
        return f"{value:.1f} {_PREFIXES[power]}"


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``2 min 30 s``."""
    whole = round(seconds)
    for size, unit, part_size, part_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part_size} {part_unit}"
    return f"{whole} s"
