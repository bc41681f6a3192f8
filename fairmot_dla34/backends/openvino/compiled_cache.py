"""Compiled networks kept between starts, one file per checkpoint, input size, device, precision and version."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from ...architectures import Network
from ...weights import cache_dir
from .sealed_file import SealError, read_sealed, write_sealed

logger = logging.getLogger(__name__)

_KEPT = 6  # files of about 80 MB: a few input sizes and precisions; those of older releases are removed first
_ABANDONED_S = 3600  # age of the temporary file of a process that was killed while it wrote


@dataclass(frozen=True)
class Compiled:
    """A compiled network as the cache keeps it.

    Attributes:
        blob: The network in OpenVINO's format, verified if it was read from the cache.
        ports: Names, shapes and types of its inputs and outputs.
    """

    blob: bytes
    ports: str


class CompiledCache:
    """The file of one compiled network. Reading and writing never fail: a missing network is compiled again.

    Args:
        network: The network.
        target: Text of what else the compiled form depends on: library, version, device, precision, calibration.

    Raises:
        CheckpointError: The checkpoint cannot be read.
    """

    def __init__(self, network: Network, target: str) -> None:
        self._key = network.key(target)
        self.path = cache_dir() / "compiled" / f"{self._key}.blob"

    def read(self) -> Compiled | None:
        """Return the compiled network, or None if there is no file, or one that is not what was written."""
        try:
            header, blob = read_sealed(self.path, self._key)
        except FileNotFoundError:
            return None
        except (OSError, SealError) as error:
            log_unusable(error)
            return None
        with contextlib.suppress(OSError):  # a read-only cache
            self.path.touch()  # the files used last are kept
        return Compiled(blob, str(header.facts.get("ports")))

    def write(self, compiled: Compiled) -> None:
        """Write a compiled network; an error of the disk is only logged."""
        try:
            write_sealed(self.path, self._key, {"ports": compiled.ports}, compiled.blob)
        except OSError as error:
            logger.info("The compiled network was not kept for the next start: %s", error)
        else:
            self._remove_oldest()

    def _remove_oldest(self) -> None:
        files = [(_modified_s(path), path) for path in self.path.parent.glob("*.blob")]
        abandoned = [path for path in self.path.parent.glob("*.tmp") if _modified_s(path) < time.time() - _ABANDONED_S]
        for path in [path for _, path in sorted(files, reverse=True)[_KEPT:]] + abandoned:
            with contextlib.suppress(OSError):  # another process removed it, or it is a folder
                path.unlink()


def log_unusable(reason: Exception) -> None:
    """Log that a compiled network is not used, in one line."""
    logger.warning("The compiled network in the cache is not usable (%s); compiling again.", reason)


def _modified_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed meanwhile
        return 0.0
