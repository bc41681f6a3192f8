"""Light FairMOT: this project's own small network, fast on two CPU cores."""

from __future__ import annotations

from .architecture import LIGHT

__all__ = ["LIGHT"]
