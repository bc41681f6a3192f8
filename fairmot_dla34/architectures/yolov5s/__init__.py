"""ifzhang's light FairMOT, whose backbone and neck are those of YOLOv5s."""

from __future__ import annotations

from .architecture import YOLOV5S

__all__ = ["YOLOV5S"]
