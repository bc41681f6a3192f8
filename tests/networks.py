"""Checkpoint files of random weights, and backends loaded from checkpoint files in one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fairmot_dla34.architectures import Network
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.backends import Backend, BackendOptions, create_backend
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.config import InputSize
from fairmot_dla34.weights import CheckpointFile


@dataclass(frozen=True)
class Request:
    """A checkpoint file at an input size, and the options of its backend."""

    weights: Path
    input_size: InputSize
    precision: str = "auto"
    use_gpu: bool = False
    keep_compiled: bool = True

    @property
    def network(self) -> Network:
        return Network(CheckpointFile(self.weights), self.input_size)

    def load(self, backend: str, *, threads: int | None = None, streams: int = 1) -> Backend:
        options = BackendOptions(self.precision, self.use_gpu, threads, streams, self.keep_compiled)
        return create_backend(backend, self.network, options)


def write_checkpoint(path: Path, arrays: Arrays) -> Path:
    """Write arrays to an ``.npz`` checkpoint and return its path."""
    np.savez(path, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    return path


def write_random_checkpoint(folder: Path, seed: int = 0) -> Path:
    """Write a DLA-34 checkpoint of random weights, which gives many peaks on any image, and return its path."""
    return write_checkpoint(folder / f"random_{seed}.npz", random_checkpoint(seed).arrays)
