"""Conversions between the values of this package and those of pandas and supervision.

Importing this package loads neither of them; both are optional.
"""

from __future__ import annotations

from .dataframe import to_dataframe
from .detections import from_supervision, to_supervision

__all__ = ["from_supervision", "to_dataframe", "to_supervision"]
