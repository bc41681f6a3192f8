"""From detections to tracks: the part of this package that knows no network and no video."""

from __future__ import annotations

from .tracker import Tracker

__all__ = ["Tracker"]
