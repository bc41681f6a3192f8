"""Synthetic street scenes with exact ground truth: seeded, of any size, drawn without any input data.

Names are loaded on first use, so importing this package imports neither NumPy nor OpenCV.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .config import PRESETS, SceneConfig, parse_scene
    from .ground_truth import SceneFrame, truth_lines
    from .scene import Scene
    from .writing import WrittenScene, write_scene

__all__ = [
    "PRESETS",
    "Scene",
    "SceneConfig",
    "SceneFrame",
    "WrittenScene",
    "parse_scene",
    "truth_lines",
    "write_scene",
]

_HOMES = {
    "PRESETS": "config",
    "Scene": "scene",
    "SceneConfig": "config",
    "SceneFrame": "ground_truth",
    "WrittenScene": "writing",
    "parse_scene": "config",
    "truth_lines": "ground_truth",
    "write_scene": "writing",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
