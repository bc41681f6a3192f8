"""Records of complete runs: a later run with ``--resume`` skips a source whose record still holds.

A record is a small JSON file in the folder ``.fairmot_dla34/complete`` of the output directory. It holds as long as
the source, the settings and the output files are those that it describes; anything unexpected means that it does not.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config import is_number, is_whole
from ..files import write_whole
from ..outputs.crop_folder import INDEX
from ..outputs.paths import regular_file
from ..outputs.reservation import STATE_FOLDER
from ..video.playlists import is_playlist
from .expansion import NamedSource, source_files

logger = logging.getLogger(__name__)

_MAX_RECORD_BYTES = 1_000_000
_EDGE_BYTES = 1 << 16  # read at both ends of a video: two recordings of one size and time differ there


@dataclass(frozen=True)
class Completion:
    """Facts about a complete run.

    Attributes:
        source: Digest of the source; see `source_digest`.
        settings: Digest of the settings; see `settings_digest`.
        outputs: Size, modification time in ns and number of files of each output, by its path in the output directory.
        summary: Summary of the run, as it is printed.
    """

    source: str
    settings: str
    outputs: Mapping[str, Sequence[int]]
    summary: Mapping[str, Any]

    def holds(self, output_dir: Path) -> bool:
        """Return whether all outputs are as the run left them."""
        try:
            return all(list(output_facts(output_dir / name)) == facts for name, facts in self.outputs.items())
        except OSError:
            return False


def read_completion(output_dir: Path, name: str) -> Completion | None:
    """Return the record of the outputs of a name; None if there is none, or a damaged one."""
    path = _record_path(output_dir, name)
    try:
        status = regular_file(path)
        if status is None or status.st_size > _MAX_RECORD_BYTES:
            return None
        content = json.loads(path.read_bytes())
        record = Completion(**{field.name: content[field.name] for field in fields(Completion)})
        return record if _is_sound(record) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def write_completion(
    output_dir: Path, name: str, source: str, settings: str, paths: Sequence[Path], summary: Mapping[str, Any]
) -> None:
    """Record a complete run; if that fails, log a warning, and the next run tracks the source again.

    Args:
        output_dir: The output directory.
        name: Stem of the outputs.
        source: Digest of the source.
        settings: Digest of the settings.
        paths: Outputs.
        summary: Summary of the run.
    """
    try:
        outputs = {os.path.relpath(path, output_dir): output_facts(path) for path in paths}
        content = asdict(Completion(source, settings, outputs, summary))
        write_whole(_record_path(output_dir, name), json.dumps(content, default=str).encode())
    except (OSError, ValueError) as error:  # also two drives of Windows
        logger.warning("%s: the run is complete, but --resume will repeat it (%s).", name, error)


def output_facts(path: Path) -> tuple[int, int, int]:
    """Return size, modification time in ns and number of files of an output; an index of crops has several files.

    Raises:
        OSError: The output does not exist.
    """
    status = path.stat()
    count = sum(len(files) for _, _, files in os.walk(path.parent)) if path.name == INDEX else 1
    return status.st_size, status.st_mtime_ns, count


def source_digest(source: NamedSource) -> str | None:
    """Return a digest of the paths, sizes and modification times of a source's files, and of both ends of a video.

    Returns:
        The digest; None for a source that cannot be compared: a camera, a URL, a playlist, or one that cannot be read.
    """
    if source.identity:
        return source.identity
    digest = hashlib.sha256()
    try:
        files = source_files(source)
        for file in files:
            status = file.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            digest.update(repr((str(file.resolve()), status.st_size, status.st_mtime_ns)).encode())
        if len(files) == 1:
            edges = _edges(files[0])
            if is_playlist(edges):
                return None
            digest.update(edges)
        elif files:
            digest.update(_sequence_info(files[0].parent))
    except OSError:
        return None
    return digest.hexdigest() if files else None


def settings_digest(settings: Mapping[str, object]) -> str:
    """Return a digest of settings by name: numbers, texts, arrays, and values made of them."""
    return hashlib.sha256(json.dumps(_plain(settings), sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """Return a value as JSON has it, which is equal for equal settings."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        members = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}  # no cached ones
        return {"type": type(value).__qualname__, **members}
    return repr(value)


def _edges(path: Path) -> bytes:
    """Return the first and the last bytes of a file."""
    with path.open("rb") as file:
        head = file.read(_EDGE_BYTES)
        file.seek(max(0, file.seek(0, os.SEEK_END) - _EDGE_BYTES))
        return head + file.read(_EDGE_BYTES)


def _sequence_info(folder: Path) -> bytes:
    """Return what states the frame rate of a folder of images: size and time of ``seqinfo.ini`` in it or above it."""
    found = [path.stat() for parent in (folder, folder.resolve().parent) if (path := parent / "seqinfo.ini").is_file()]
    return repr([(status.st_size, status.st_mtime_ns) for status in found]).encode()


def _record_path(output_dir: Path, name: str) -> Path:
    return output_dir / STATE_FOLDER / "complete" / f"{name}.json"


def _is_sound(record: Completion) -> bool:
    """Return whether the fields of a record are of their kinds."""
    summary = record.summary
    return (
        isinstance(record.source, str)
        and isinstance(record.settings, str)
        and isinstance(record.outputs, dict)
        and all(
            isinstance(facts, list) and all(is_whole(fact, 0, 2**63) for fact in facts)
            for facts in record.outputs.values()
        )
        and isinstance(summary, dict)
        and all(is_whole(summary.get(field), 0, 2**53) for field in ("frames", "track_ids"))
        and is_number(summary.get("seconds"))
    )
