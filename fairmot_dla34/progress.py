"""The progress bar: tqdm on stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(name: str, total: int | None = None, *, enabled: bool = True) -> tqdm[Any]:
    """Start a bar with frames done, frames per second and, where the total is known, the time that remains.

    Args:
        name: What is tracked.
        total: Frames to come, or None where unknown.
        enabled: False for no bar; nor is there one where stderr is not a terminal.

    Returns:
        The bar, to be used as a context manager; call its ``update()`` once a frame.
    """
    from tqdm import tqdm

    silent = not enabled or sys.stderr is None or not sys.stderr.isatty()
    bar: tqdm[Any] = tqdm(total=total, desc=name, unit="frame", file=sys.stderr, disable=silent, dynamic_ncols=True)
    return bar
