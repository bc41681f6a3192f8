"""Street scenes with known truth: seeded, fast, of any size, without any data."""

from __future__ import annotations

from .config import PRESETS, SceneConfig
from .options import parse_scene
from .scene import Scene, SceneFrame
from .writing import WrittenScene, write_scene

__all__ = ["PRESETS", "Scene", "SceneConfig", "SceneFrame", "WrittenScene", "parse_scene", "write_scene"]
