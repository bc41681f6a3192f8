"""Synthetic street scenes with exact ground truth: seeded, of any size, drawn without any input data.

Names are loaded on first use, so importing this package imports neither NumPy nor OpenCV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_names import lazy_names

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
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
