"""Report of results: one HTML page with the video, counts, a heat map, the longest stays and a crop of each person."""

from __future__ import annotations

from .report import Report, write_report
from .texts import LANGUAGES

__all__ = ["LANGUAGES", "Report", "write_report"]
