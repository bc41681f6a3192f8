"""Weights of the network: registry, download on first use, and checked reading. Imports nothing heavy."""

from __future__ import annotations

from .cache import cache_dir, kept_path
from .checkpoint_file import CheckpointFile, load_checkpoint
from .conversion import convert
from .conversion_report import Conversion
from .formats.pdparams_writing import write_pdparams
from .formats.writing import write_arrays
from .registry import WeightsEntry, registered
from .resolve import download_weights, find_entry, input_size_for, resolve_network, resolve_weights
from .verify import VerifiedFile, verify_file

__all__ = [
    "CheckpointFile",
    "Conversion",
    "VerifiedFile",
    "WeightsEntry",
    "cache_dir",
    "convert",
    "download_weights",
    "find_entry",
    "input_size_for",
    "kept_path",
    "load_checkpoint",
    "registered",
    "resolve_network",
    "resolve_weights",
    "verify_file",
    "write_arrays",
    "write_pdparams",
]
