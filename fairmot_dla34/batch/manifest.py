"""The manifest of a batch: one line of JSON for each complete video, appended when its results are in their places.

A line states the source, the settings, the network and the outputs, so that a later batch with ``--resume`` knows what
is complete and unchanged. The last line of a name counts. A line that was not written to its end is ignored.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import ManifestError
from ..files import append_whole, make_folder, output_error
from ..outputs.paths import regular_file
from .entry import Entry, line_of, read_entry

MANIFEST = "manifest.jsonl"
_MAX_LINE_BYTES = 1_000_000
_EXPECTED = "expected one that fairmot_dla34 batch wrote: move the file, or name another --output-dir"


class Manifest:
    """The manifest of an output directory; it need not exist.

    Args:
        output_dir: The output directory.
    """

    def __init__(self, output_dir: Path) -> None:
        self.path = output_dir / MANIFEST

    def read(self) -> dict[str, Entry]:
        """Return the entries by name.

        Raises:
            ManifestError: The file has lines, and none of them is of a manifest.
            OutputError: It cannot be read, or is not a file.
        """
        entries: dict[str, Entry] = {}
        foreign = False
        if regular_file(self.path) is None:
            return entries
        try:
            with self.path.open("rb") as file:
                for line in _whole_lines(file):
                    entry = read_entry(line)
                    if entry is None:
                        foreign = True
                    else:
                        entries[entry.name] = entry
        except OSError as error:
            raise output_error(self.path, error) from error
        if foreign and not entries:
            raise ManifestError(f"{self.path} is not a manifest of a batch; {_EXPECTED}.")
        return entries

    def append(self, entry: Entry) -> None:
        """Append an entry, on the disk when the call returns.

        Raises:
            OutputError: It cannot be written; the manifest is as before.
        """
        try:
            make_folder(self.path.parent)
            with self.path.open("r+b" if self.path.exists() else "x+b", buffering=0) as file:
                file.truncate(_end_of_whole_lines(file))
                file.seek(0, os.SEEK_END)
                append_whole(file, line_of(entry))
                os.fsync(file.fileno())
        except OSError as error:
            raise output_error(self.path, error) from error

    def clear(self) -> None:
        """Remove the manifest, if there is one.

        Raises:
            OutputError: It cannot be removed.
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise output_error(self.path, error) from error


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that end in a line break; one that is far too long is yielded in parts, none of them sound."""
    while line := file.readline(_MAX_LINE_BYTES):
        if line.endswith(b"\n") or len(line) == _MAX_LINE_BYTES:
            yield line


def _end_of_whole_lines(file: BinaryIO) -> int:
    """Return the offset behind the last line break: what follows was not written to its end."""
    end = position = file.seek(0, os.SEEK_END)
    while position > 0:
        start = max(0, position - (1 << 16))
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        position = end = start
    return end
