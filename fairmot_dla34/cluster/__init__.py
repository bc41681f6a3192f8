"""Many videos on many machines with Ray, one long video in parts, and files in stores (extra ``cluster``).

`RayEngine` is an engine for `fairmot_dla34.batch.Batch`. `SplittingEngine` wraps any engine: it divides the network's
work on each video by time. The names below are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .ray_engine import RayEngine
    from .splitting import SplittingEngine

__all__ = ["RayEngine", "SplittingEngine"]

_HOMES = {"RayEngine": "ray_engine", "SplittingEngine": "splitting"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
