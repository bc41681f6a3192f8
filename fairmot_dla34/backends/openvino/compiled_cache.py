"""Compiled networks kept between starts, one file per checkpoint, input size, device, precision and version."""

from __future__ import annotations

import contextlib
import logging

from ...architectures import Network
from ...files import write_whole
from ...weights import cache_dir

logger = logging.getLogger(__name__)

_KEPT = 6  # files of about 80 MB: a few input sizes and precisions; those of older releases are removed first


class CompiledCache:
    """The file of one compiled network. Reading and writing never fail: a missing network is compiled again.

    Args:
        network: The network.
        target: Text of what else the compiled form depends on: library, version, device, precision, calibration.

    Raises:
        CheckpointError: The checkpoint cannot be read.
    """

    def __init__(self, network: Network, target: str) -> None:
        self.path = cache_dir() / "compiled" / f"{network.key(target)}.blob"

    def read(self) -> bytes | None:
        """Return the compiled network, or None if there is no readable file."""
        try:
            blob = self.path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):  # a read-only cache
            self.path.touch()  # the files used last are kept
        return blob

    def write(self, blob: bytes) -> None:
        """Write a compiled network; an error of the disk is only logged."""
        try:
            write_whole(self.path, blob)
            self._remove_oldest()
        except OSError as error:
            logger.info("The compiled network was not kept for the next start: %s", error)

    def _remove_oldest(self) -> None:
        by_use = sorted(self.path.parent.glob("*.blob"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in by_use[_KEPT:]:
            path.unlink(missing_ok=True)
