"""FairMOT with an HRNet backbone, exactly as ifzhang's FairMOT defines it: ``hrnet_18`` and ``hrnet_32``."""

from __future__ import annotations

from .architecture import HRNET_18, HRNET_32

__all__ = ["HRNET_18", "HRNET_32"]
