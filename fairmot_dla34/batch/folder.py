"""The temporary folders of a batch: one driver at a time, and no leftovers of one that was killed."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import shutil
import time
from pathlib import Path

from ..closing import ClosedOnExit
from ..errors import OutputError
from ..files import make_folder, output_error
from ..outputs.locking import FileLock, LockHeldError
from ..outputs.paths import prepare_output_dir
from ..outputs.reservation import STATE_FOLDER

logger = logging.getLogger(__name__)

_PART = ".part"
_TEMPORARY = re.compile(r"[0-9a-f]{16}\.tmp")  # of `files.write_whole`
_OLD_S = 60.0  # age at which such a file belongs to no process that still writes it


class BatchFolder(ClosedOnExit):
    """The folder of temporary files in an output directory, locked against other batches until `close`.

    Leftovers of a batch that was killed are removed.

    Args:
        output_dir: The output directory; created if it does not exist.

    Raises:
        OutputError: It cannot be written, or another batch writes to it.
    """

    def __init__(self, output_dir: Path) -> None:
        prepare_output_dir(output_dir)
        self._state = output_dir / STATE_FOLDER
        self._parts = self._state / "batch"
        self._lock = self._locked(output_dir)
        try:
            self._remove_leftovers()
        except BaseException:
            self._lock.close()
            raise

    def new_part(self) -> Path:
        """Return the path of a temporary folder that does not exist."""
        return self._parts / f"{secrets.token_hex(8)}{_PART}"

    def close(self) -> None:
        """Remove the temporary folders and admit other batches; safe to call twice."""
        if not self._lock.closed:
            shutil.rmtree(self._parts, ignore_errors=True)
            self._lock.close()

    def _locked(self, output_dir: Path) -> FileLock:
        path = self._state / "batch.lock"
        try:
            make_folder(path.parent)
            lock = FileLock(path)
        except LockHeldError:
            raise OutputError(
                f"Another batch writes to {output_dir}; wait for its end, or name another --output-dir."
            ) from None
        except OSError as error:
            raise output_error(path, error) from error
        if lock.failure:
            logger.warning("%s cannot be locked (%s). Make sure that no other batch writes there.", path, lock.failure)
        return lock

    def _remove_leftovers(self) -> None:
        parts = list(self._parts.glob(f"*{_PART}")) if self._parts.is_dir() else []
        if parts:
            logger.info("Unfinished results of a batch that was killed are removed: %d.", len(parts))
        try:
            if self._parts.is_dir():
                shutil.rmtree(self._parts)
        except OSError as error:
            raise output_error(self._parts, error) from error
        for path in self._state.rglob("*.tmp"):
            with contextlib.suppress(OSError):  # harmless if it stays
                if _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime > _OLD_S:
                    path.unlink()
