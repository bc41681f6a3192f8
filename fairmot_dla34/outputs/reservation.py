"""Reserves one output file: a lock against other runs, and a record of the source whose results it contains.

Both are in the folder ``.fairmot_dla34`` of the output directory.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import logging
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..config import is_whole
from ..errors import OutputError
from ..files import make_folder, output_error, write_whole
from ..messages import plain_line
from .locking import FileLock, LockHeldError
from .paths import regular_file
from .registry import find_sink, sink_names
from .sink import ANALYTICS_FOLDER, DETECTIONS_FOLDER

if TYPE_CHECKING:
    from ..origin import Origin

logger = logging.getLogger(__name__)

STATE_FOLDER = ".fairmot_dla34"
_MAX_RECORD_BYTES = 10_000
_MAX_PROCESS = 2**32


@dataclass(frozen=True)
class Record:
    """Source and name of the results in one output file, and the process that reserved it.

    Attributes:
        source: Digest of the identity of the source whose results the file contains; "" before the first run.
        shown: That source in messages, without credentials.
        name: Name of that run's outputs.
        process: Process that reserved the file last.
    """

    source: str = ""
    shown: str = ""
    name: str = ""
    process: int = 0


class Reservation(ClosedOnExit):
    """The lock of one output file, held until `close` or the end of the process.

    Args:
        path: The output file.

    Raises:
        OutputError: Another run holds it, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._record_path, lock_path = _state_paths(path)
        self._lock = _locked(path, lock_path)
        try:
            self.record = read_record(path)
            self._write(replace(self.record, process=os.getpid()))
        except BaseException:
            self._lock.close()
            raise

    def take(self, source: str, shown: str, name: str) -> None:
        """Record the source whose results replace the file's; see `Record`.

        Raises:
            OutputError: The record cannot be written.
        """
        self._write(Record(source, plain_line(shown), name, os.getpid()))

    def close(self) -> None:
        """Release the file for other runs; safe to call twice."""
        if not self._lock.closed and not self.record.source:
            with contextlib.suppress(OSError):
                self._record_path.unlink()
        self._lock.close()

    def _write(self, record: Record) -> None:
        try:
            write_whole(self._record_path, json.dumps(asdict(record)).encode())
        except OSError as error:
            raise output_error(self._record_path, error) from error
        self.record = record


def read_record(path: Path) -> Record:
    """Return the record of an output file; an empty one if it has none or a damaged one."""
    try:
        record_path = _state_paths(path)[0]
        if regular_file(record_path) is None:
            return Record()
        with record_path.open("rb") as file:
            fields = json.loads(file.read(_MAX_RECORD_BYTES))
        record = Record(**{name: fields[name] for name in ("source", "shown", "name", "process")})
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return Record()
    texts = (record.source, record.shown, record.name)
    valid = all(isinstance(text, str) for text in texts) and is_whole(record.process, 0, _MAX_PROCESS)
    return record if valid else Record()


def forget_reservation(path: Path) -> None:
    """Remove the record and the lock of an output file that was deleted, unless another run holds the lock.

    Raises:
        OSError: They cannot be removed.
    """
    record_path, lock_path = _state_paths(path)
    try:
        if lock_path.is_file() and not lock_path.is_symlink():
            FileLock(lock_path).close()
    except LockHeldError:
        return
    record_path.unlink(missing_ok=True)
    lock_path.unlink(missing_ok=True)


def digest_of(origin: Origin) -> str:
    """Return a digest of a source's identity. It is slow to compute, because a URL's query may contain a password."""
    identity = origin.identity.encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", identity, STATE_FOLDER.encode(), 50_000).hex()


def _locked(path: Path, lock_path: Path) -> FileLock:
    try:
        make_folder(lock_path.parent)
        regular_file(lock_path)  # opening a pipe would wait
        lock = _own_lock(path, lock_path)
    except OutputError:
        raise
    except OSError as error:
        raise output_error(lock_path, error) from error
    if lock.failure:
        logger.warning(
            "%s cannot be locked (%s). Make sure that no other run writes files of this name.", path, lock.failure
        )
    return lock


def _own_lock(path: Path, lock_path: Path) -> FileLock:
    with contextlib.suppress(LockHeldError):
        return FileLock(lock_path)
    process = read_record(path).process
    if process == os.getpid():
        gc.collect()  # a run that Ctrl-C ended may still exist in a reference cycle with its traceback
    try:
        return FileLock(lock_path)
    except LockHeldError:
        other = f"process {process}" if process else "another process"
        raise OutputError(
            f"{path} is being written by another run ({other}); wait for its end, or choose another name (--name)."
        ) from None


def _state_paths(path: Path) -> tuple[Path, Path]:
    """Return the paths of record and lock. They depend only on the file that is written, whatever links lead to it."""
    real = Path(os.path.realpath(path))
    folder = real.parent / STATE_FOLDER
    listed = {ANALYTICS_FOLDER, DETECTIONS_FOLDER, *(find_sink(kind).folder for kind in sink_names())}
    if real.parent.name in listed:  # by other programs
        folder = real.parent.parent / STATE_FOLDER / real.parent.name
    return folder / f"{real.name}.json", folder / f"{real.name}.lock"
