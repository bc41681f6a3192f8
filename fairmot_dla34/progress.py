"""Progress bars on stderr, for frames and for downloads."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


def progress_bar(
    name: str,
    total: int | None = None,
    *,
    enabled: bool = True,
    unit: str = "frame",
    unit_scale: bool = False,
    initial: int = 0,
) -> tqdm[Any]:
    """Start a bar that shows units done, units per second and, if the total is known, the remaining time.

    Args:
        name: Text before the bar.
        total: Units in all, or None if unknown.
        enabled: False for no bar. A stderr that is not a terminal never gets one.
        unit: Name of one unit.
        unit_scale: Show numbers with SI prefixes, such as 79.5M.
        initial: Units done before the bar starts.

    Returns:
        The bar, a context manager; call its ``update(n)`` after ``n`` units, 1 by default.
    """
    from tqdm import tqdm

    bar: tqdm[Any] = tqdm(
        total=total,
        initial=initial,
        desc=name,
        unit=unit,
        unit_scale=unit_scale,
        file=sys.stderr,
        disable=not enabled or sys.stderr is None or not sys.stderr.isatty(),
        dynamic_ncols=True,
    )
    return bar
