"""Training data: published label formats in, one checked dataset in FairMOT's format out. NumPy and OpenCV only."""

from __future__ import annotations

from .dataset import Dataset, DatasetImage, DatasetSequence
from .values import NO_IDENTITY, ImageLabels, SourceImage, SourceSequence

__all__ = [
    "NO_IDENTITY",
    "Dataset",
    "DatasetImage",
    "DatasetSequence",
    "ImageLabels",
    "SourceImage",
    "SourceSequence",
]
