"""Tells faults that pass by themselves from those that end a camera."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import FairMOTError, InvalidInputError, SourceAccessError, SourceNotFoundError

if TYPE_CHECKING:
    from ..video import Source


class Remedy(Enum):
    """Reaction to a fault."""

    RETRY = "retry"
    RETRY_SLOWLY = "retry slowly"
    END = "end"


@dataclass(frozen=True)
class Fault:
    """End of a connection, or of an attempt to make one.

    Attributes:
        reason: Cause, without secrets; empty if a video file ended as expected.
        remedy: Reaction.
    """

    reason: str
    remedy: Remedy = Remedy.RETRY


def fault_of_error(error: Exception) -> Fault:
    """Return the fault that an error of a source means.

    Args:
        error: Error raised while a source was opened or read. The text of one from elsewhere is not shown: it may
            repeat a URL with its password.
    """
    if isinstance(error, SourceAccessError):
        return Fault(str(error), Remedy.RETRY_SLOWLY)
    if isinstance(error, (InvalidInputError, SourceNotFoundError)):
        return Fault(str(error), Remedy.END)
    if isinstance(error, FairMOTError):
        return Fault(str(error))
    return Fault(f"the source failed ({name_of(error)})")


def name_of(error: Exception) -> str:
    """Return a description of an error of any kind that cannot contain a secret.

    Args:
        error: Error; only the text of this package's own errors is used.
    """
    if isinstance(error, FairMOTError):
        return str(error)
    number = getattr(error, "errno", None)
    return type(error).__name__ + (f": {os.strerror(number)}" if isinstance(number, int) else "")


def fault_of_end(source: Source) -> Fault:
    """Return the fault that the end of a source means; a recording ends its camera.

    Args:
        source: Source that was read to its end.
    """
    is_recorded = not source.is_live and source.frame_count is not None
    if is_recorded:  # from its start again, the same people would be counted twice
        return Fault(source.end_reason, Remedy.END)
    return Fault(source.end_reason or "the stream ended")
