"""Reports of several processes: which one prints the summary, and which one prints an error that ends all of them.

Importing this module needs no PyTorch.
"""

from __future__ import annotations

import os

_MARK = "_is_reported_by_another_process"


def is_first_process() -> bool:
    """Return whether this process is the first of those that ``torchrun`` started, or the only one."""
    return os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0"


def mark_reported(error: BaseException) -> None:
    """Mark an error or a stop request that another process reports."""
    setattr(error, _MARK, True)


def is_reported(error: BaseException) -> bool:
    """Return whether another process reports the error or the stop request."""
    return bool(getattr(error, _MARK, False))
