"""Parts by wall-clock time: the hour, the day, or a duration, and the boundaries between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ..config import check_flag, is_number, shown
from ..errors import InvalidInputError

if TYPE_CHECKING:
    from typing_extensions import Self

DAY_S = 86_400
_UNITS_S = {"s": 1, "m": 60, "h": 3600}
_SMALL_STEP_S = 60.0  # the clock goes back by less when it is synchronised
_EXPECTED = "expected hour, day, or a duration of at most 24h such as 15m, 6h or 90s"


@dataclass(frozen=True)
class Segment:
    """Length of the parts that outputs are cut into.

    ``hour`` and ``day`` follow the local clock, so a day is 23 or 25 hours long if daylight saving time starts or ends.
    A duration is counted from midnight UTC.

    Attributes:
        seconds: Length in seconds, from 1 to 86400.
        local: Whether parts begin with an hour or a day of the local clock.

    Raises:
        InvalidInputError: The length is out of its range, or neither an hour nor a day if ``local`` is true.
    """

    seconds: float
    local: bool = False

    def __post_init__(self) -> None:
        check_flag("local", self.local)
        if not is_number(self.seconds) or not 1 <= self.seconds <= DAY_S:
            raise InvalidInputError(f"segment is {shown(self.seconds)} seconds; expected from 1 to {DAY_S}.")
        if self.local and self.seconds not in {3600, DAY_S}:
            raise InvalidInputError(
                f"segment is {shown(self.seconds)} seconds of the local clock; expected 3600 or {DAY_S}."
            )

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read ``"hour"``, ``"day"``, or a duration such as ``"15m"``, ``"6h"`` or ``"90s"``.

        Raises:
            InvalidInputError: The text has another form, or the duration is out of its range.
        """
        if isinstance(text, str) and text in {"hour", "day"}:
            return cls(3600 if text == "hour" else DAY_S, local=True)
        match = re.fullmatch(r"([0-9]{1,6})([smh])", text) if isinstance(text, str) else None
        seconds = int(match[1]) * _UNITS_S[match[2]] if match else 0
        if not 1 <= seconds <= DAY_S:
            raise InvalidInputError(f"segment is {shown(text)}; {_EXPECTED}.")
        return cls(seconds)

    def start_of(self, wall_time: datetime) -> datetime:
        """Return the start, in UTC, of the part to which a time belongs.

        Args:
            wall_time: An aware time.
        """
        utc = wall_time.astimezone(timezone.utc)
        if self.local and self.seconds == DAY_S:
            local = wall_time.astimezone()
            return datetime(local.year, local.month, local.day).astimezone(timezone.utc)
        offset = (wall_time.astimezone().utcoffset() if self.local else None) or timedelta()
        midnight = utc.replace(hour=0, minute=0, second=0, microsecond=0) - offset
        parts = (utc - midnight) // timedelta(seconds=self.seconds)
        return midnight + parts * timedelta(seconds=self.seconds)

    def is_over(self, start: datetime, wall_time: datetime) -> bool:
        """Return whether a time belongs to a later part, or to an earlier one because the clock was set back.

        Steps back of up to a minute, as in the synchronisation of clocks, do not end a part.

        Args:
            start: Start of the part that is being written.
            wall_time: The time of the next frame.
        """
        return self.start_of(wall_time) > start or wall_time < start - timedelta(seconds=_SMALL_STEP_S)
