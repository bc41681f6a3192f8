"""Tracks in the formats of labelling tools and data viewers: readers of results files, and one writer per format."""

from __future__ import annotations

from .export import TrackExport, export_tracks
from .formats import TRACK_FORMATS
from .results import TrackResults, read_results

__all__ = ["TRACK_FORMATS", "TrackExport", "TrackResults", "export_tracks", "read_results"]
