"""Networks and backends from checkpoint files, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fairmot_dla34.architectures import Network
from fairmot_dla34.backends import Backend, BackendOptions, create_backend
from fairmot_dla34.config import InputSize
from fairmot_dla34.weights import CheckpointFile


@dataclass(frozen=True)
class Request:
    """A checkpoint file at an input size, and how to run it."""

    weights: Path
    input_size: InputSize
    precision: str = "auto"
    use_gpu: bool = False
    keep_compiled: bool = True

    @property
    def network(self) -> Network:
        return Network(CheckpointFile(self.weights), self.input_size)

    def load(self, backend: str) -> Backend:
        options = BackendOptions(self.precision, self.use_gpu, keep_compiled=self.keep_compiled)
        return create_backend(backend, self.network, options)
