"""Training data: published label formats in, one checked dataset in FairMOT's format out. NumPy and OpenCV only."""

from __future__ import annotations

from .formats.reading import ReadOptions
from .formats.registry import READERS
from .preparation.prepare import PrepareOptions, prepare, prepare_sequences
from .preparation.report import PreparedReport, report_json, report_text
from .prepared.dataset import Dataset, DatasetImage, DatasetSequence
from .prepared.manifest import DroppedEntry, Manifest, SequenceEntry
from .prepared.overlap import check_no_overlap
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
