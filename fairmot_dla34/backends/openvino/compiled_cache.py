"""Compiled networks kept between runs, one file per weights, input size, device, precision and version."""

from __future__ import annotations

import contextlib
import logging

from ...weights import cache_dir
from ..base import BackendRequest
from .network_files import network_key, write_whole

logger = logging.getLogger(__name__)

_KEPT = 6  # files of about 80 MB: a few input sizes and precisions; those of older releases go first


class CompiledCache:
    """One compiled network on disk. Never a reason to fail: where it cannot be read or written, it is compiled again.

    Args:
        request: Weights and input size.
        runtime: Whatever else the compiled form depends on: library, version, device, precision, calibration.
    """

    def __init__(self, request: BackendRequest, runtime: str) -> None:
        self.path = cache_dir() / "compiled" / f"{network_key(request, runtime)}.blob"

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
            write_whole(self.path, blob)
            self._drop_oldest()
        except OSError as error:
            logger.info("The compiled network was not kept for the next run: %s", error)

    def _drop_oldest(self) -> None:
        by_use = sorted(self.path.parent.glob("*.blob"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in by_use[_KEPT:]:
            path.unlink(missing_ok=True)
