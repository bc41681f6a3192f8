"""Training data: published label formats in, one checked dataset in FairMOT's format out. NumPy and OpenCV only."""

from __future__ import annotations

from .dataset import Dataset, DatasetImage, DatasetSequence
from .dataset_report import PreparedReport, report_json, report_text
from .formats import READERS
from .manifest import DroppedEntry, Manifest, SequenceEntry
from .overlap import check_no_overlap
from .prepare import PrepareOptions, prepare, prepare_sequences
from .reading import ReadOptions
from .values import NO_IDENTITY, ImageLabels, SourceImage, SourceSequence

__all__ = [
    "NO_IDENTITY",
    "READERS",
    "Dataset",
    "DatasetImage",
    "DatasetSequence",
    "DroppedEntry",
    "ImageLabels",
    "Manifest",
    "PrepareOptions",
    "PreparedReport",
    "ReadOptions",
    "SequenceEntry",
    "SourceImage",
    "SourceSequence",
    "check_no_overlap",
    "prepare",
    "prepare_sequences",
    "report_json",
    "report_text",
]
