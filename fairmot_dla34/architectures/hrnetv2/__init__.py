"""FairMOT with an HRNetV2-W18 backbone, exactly as PaddleDetection defines it."""

from __future__ import annotations

from .architecture import HRNETV2_W18

__all__ = ["HRNETV2_W18"]
