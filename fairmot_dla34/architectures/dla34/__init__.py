"""FairMOT with a DLA-34 backbone, exactly as PaddleDetection defines it."""

from __future__ import annotations

from .architecture import DLA34

__all__ = ["DLA34"]
