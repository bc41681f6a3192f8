"""The two decorators of a PaddleHub module: paddlehub's own if it is loaded, else equivalent ones.

paddlehub is never imported here: its import lasts seconds and loads Paddle. A process that loads this package through
paddlehub has already imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def hub_decorators() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return ``moduleinfo`` and ``runnable``."""
    hub = sys.modules.get("paddlehub.module.module")
    if hub is not None:
        return hub.moduleinfo, hub.runnable
    return _moduleinfo, _runnable


def _moduleinfo(**info: str) -> Callable[[type], type]:
    """Set the attributes that paddlehub's decorator sets, with ``version`` as a plain string."""

    def mark(cls: type) -> type:
        for name, value in info.items():
            setattr(cls, name, value)
        return cls

    return mark


def _runnable(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
