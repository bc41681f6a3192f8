"""Base class of text outputs: a file that contains whole frames only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..errors import StateError
from ..files import append_whole, output_error
from .paths import create_file

if TYPE_CHECKING:
    from pathlib import Path

    from ..values import Frame, FrameResult


class TextSink(ClosedOnExit, ABC):
    """A text file to which each frame is added in one write, which is undone if it fails.

    Subclasses implement `format`, and set ``header`` if the file has one.

    Attributes:
        path: File that the sink writes.
    """

    header = ""

    def __init__(self, path: Path) -> None:
        """Create or empty the file, and make its folder.

        Args:
            path: File to write.

        Raises:
            OutputError: The file cannot be created.
        """
        self.path = path
        self._file = create_file(path)
        try:
            self._append(self.header)
        except BaseException:
            self._file.close()
            raise

    @abstractmethod
    def format(self, result: FrameResult) -> str:
        """Return the lines of one frame, each ended by a newline; empty if the format has no line for it."""

    def write(self, frame: Frame, result: FrameResult) -> None:  # noqa: ARG002 (the protocol's)
        """Add one frame's result and pass it to the operating system.

        Args:
            frame: Not used by text.
            result: Tracks of the frame.

        Raises:
            OutputError: The result cannot be written; the file ends with the previous frame.
            StateError: The sink is closed.
        """
        if self._file.closed:
            raise StateError(f"{self.path} is closed; write every result before close().")
        self._append(self.format(result))

    def close(self) -> None:
        """Close the file; safe to call twice.

        Raises:
            OutputError: The file was deleted, moved, replaced or changed while it was written.
        """
        if self._file.closed:
            return
        try:
            self._file.check_in_place()
            self._file.check_whole()
        finally:
            self._file.close()

    def _append(self, text: str) -> None:
        try:
            self._file.check_whole()
            append_whole(self._file, text)
        except OSError as error:
            raise output_error(self.path, error) from error
