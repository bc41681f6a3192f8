"""Records of the parts that were written for one camera, and the lock that keeps other processes from writing them.

Both are in the folder ``.fairmot_dla34/parts/<camera>`` of the output directory.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..closing import ClosedOnExit
from ..config import is_number, is_whole
from ..errors import OutputError
from ..files import make_folder, output_error, write_whole
from ..outputs.locking import FileLock, LockHeldError
from ..outputs.paths import regular_file
from ..outputs.reservation import STATE_FOLDER
from .part_files import ForeignFileError, files_of, is_path_of, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

_FOLDER, _LOCK = "parts", "lock"
_RECORD = re.compile(r"[0-9]{10}\.json")
_TEMPORARY = re.compile(r"[0-9a-f]{16}\.tmp")
_MAX_RECORD_BYTES = 100_000
_MAX_FILES = 1000


@dataclass(frozen=True)
class PartRecord:
    """One part of a camera's outputs.

    Attributes:
        number: Position among all parts of the camera; later parts have larger numbers, whatever the clock shows.
        name: Stem of the files.
        started_s: Wall time of the first frame, Unix time in seconds.
        ended_s: Wall time of the last frame; None while the part is written.
        bytes: Size of all files; 0 while the part is written.
        files: Outputs: the path in the output directory, and the folder that it leads to; see `place_of`.
    """

    number: int
    name: str
    started_s: float
    ended_s: float | None
    bytes: int
    files: tuple[tuple[str, str], ...]


class PartRecords(ClosedOnExit):
    """The records of one camera, locked until `close`.

    Args:
        output_dir: The output directory.
        camera_name: Name of the camera.

    Attributes:
        output_dir: The output directory.

    Raises:
        OutputError: Another process writes parts of this camera, or the folder cannot be written.
    """

    def __init__(self, output_dir: Path, camera_name: str) -> None:
        self.output_dir = output_dir
        self._folder = output_dir / STATE_FOLDER / _FOLDER / camera_name
        lock_path = self._folder / _LOCK
        try:
            make_folder(self._folder)
            regular_file(lock_path)  # opening a pipe would wait
            self._lock = FileLock(lock_path)
        except LockHeldError:
            raise OutputError(
                f"Parts of camera {camera_name} in {output_dir} are already being written by a watch; stop it, or name"
                " another output directory."
            ) from None
        except OutputError:
            raise
        except OSError as error:
            raise output_error(self._folder, error) from error
        try:
            numbers = [int(path.stem) for path in self._paths()]
        except OSError as error:
            self._lock.close()
            raise output_error(self._folder, error) from error
        self._next_number = max(numbers, default=0) + 1

    def read_all(self) -> list[PartRecord]:
        """Return all parts, the oldest first, and remove temporary files of a killed process.

        A part that a killed process left ends with its newest file.
        """
        with contextlib.suppress(OSError):
            for path in list(self._folder.iterdir()):
                if _TEMPORARY.fullmatch(path.name):
                    path.unlink()
        records = []
        for path in sorted(self._paths()):
            record = _read(path)
            if record is None:
                logger.warning("%s is not the record of a part; files that it may stand for are kept.", path)
            else:
                records.append(record if record.ended_s is not None else self.measured(record))
        return records

    def start(self, name: str, started_s: float, paths: Iterable[Path]) -> PartRecord:
        """Record a part before its files are made.

        Args:
            name: Stem of the files.
            started_s: Wall time of the first frame, Unix time in seconds.
            paths: Outputs of the part, within the output directory.

        Raises:
            OutputError: The record cannot be written.
        """
        files = tuple(place_of(self.output_dir, path) for path in paths)
        record = PartRecord(self._next_number, name, started_s, None, 0, files)
        self.save(record)
        self._next_number += 1
        return record

    def measured(self, record: PartRecord, ended_s: float | None = None) -> PartRecord:
        """Return a record with the end and the size of its part.

        Args:
            record: The part.
            ended_s: Wall time of the last frame; None: the time of its newest file.
        """
        try:
            found = [status for _, status in files_of(self.output_dir, record.files)]
        except (OSError, ForeignFileError):  # reported when the part is to be deleted
            found = []
        newest_s = max((status.st_mtime for status in found), default=record.started_s)
        size = sum(status.st_size for status in found)
        return replace(record, ended_s=newest_s if ended_s is None else ended_s, bytes=size)

    def save(self, record: PartRecord) -> None:
        """Write a record.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._path(record)
        try:
            write_whole(path, json.dumps(asdict(record)).encode())
        except OSError as error:
            raise output_error(path, error) from error

    def forget(self, record: PartRecord) -> None:
        """Remove the record of a part whose files are deleted.

        Raises:
            OSError: It cannot be removed.
        """
        self._path(record).unlink(missing_ok=True)

    def close(self) -> None:
        """Release the lock; safe to call twice."""
        self._lock.close()

    def _path(self, record: PartRecord) -> Path:
        return self._folder / f"{record.number:010d}.json"

    def _paths(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if _RECORD.fullmatch(path.name)]


def _read(path: Path) -> PartRecord | None:
    """Return the record in a file; None if it is damaged or names files that are not those of a part."""
    try:
        status = regular_file(path)
        if status is None or status.st_size > _MAX_RECORD_BYTES:
            return None
        fields: dict[str, Any] = json.loads(path.read_bytes())
        files = tuple((str(place), str(folder)) for place, folder in fields["files"])
        record = PartRecord(**{**fields, "files": files})
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OutputError):
        return None
    ended_s = record.started_s if record.ended_s is None else record.ended_s
    is_sound = (
        record.number == int(path.stem)
        and isinstance(record.name, str)
        and is_number(record.started_s)
        and is_number(ended_s)
        and is_whole(record.bytes, 0, 2**63)
        and len(files) <= _MAX_FILES
        and record.name.startswith(path.parent.name + "_")
        and all(is_path_of(record.name, place) for place, _ in files)
    )
    return record if is_sound else None
