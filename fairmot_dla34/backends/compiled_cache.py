"""Compiled networks kept between runs, one file per weights, input size, device, precision and version."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path

from ..errors import CheckpointError
from ..weights import cache_dir
from . import BackendRequest

logger = logging.getLogger(__name__)

_KEPT = 6  # files of about 80 MB: a few input sizes and precisions; those of older releases go first
_PACKAGE = Path(__file__).resolve().parent.parent


class CompiledCache:
    """One compiled network on disk. Never a reason to fail: where it cannot be read or written, it is compiled again.

    Args:
        request: Weights and input size.
        runtime: Whatever else the compiled form depends on: library, version, device, precision.
    """

    def __init__(self, request: BackendRequest, runtime: str) -> None:
        key = hashlib.sha256(runtime.encode())
        key.update(str(request.input_size).encode())
        for source in sorted([*(_PACKAGE / "network").glob("*.py"), _PACKAGE / "backends" / "openvino.py"]):
            key.update(source.read_bytes())  # a change to how the graph is built is a change of the graph
        try:
            with request.weights.open("rb") as file:
                for chunk in iter(lambda: file.read(1 << 20), b""):
                    key.update(chunk)
        except OSError as error:
            raise CheckpointError(
                f"{request.weights} cannot be read ({error.strerror or error}); expected a checkpoint: check the path "
                "and its permissions."
            ) from error
        self.path = cache_dir() / "compiled" / f"{key.hexdigest()[:32]}.blob"

    def read(self) -> bytes | None:
        """Return the compiled network, or None where there is none."""
        try:
            blob = self.path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):  # a read-only cache
            self.path.touch()  # the ones used last are kept
        return blob

    def write(self, blob: bytes) -> None:
        """Keep a compiled network; a disk that does not take it is only logged."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(blob)
                Path(name).replace(self.path)
                self._drop_oldest()
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            logger.info("The compiled network was not kept for the next run: %s", error)

    def _drop_oldest(self) -> None:
        by_use = sorted(self.path.parent.glob("*.blob"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in by_use[_KEPT:]:
            path.unlink(missing_ok=True)
