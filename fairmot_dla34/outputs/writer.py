"""What every output can do, and the part that all text outputs share."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from ..errors import StateError
from ..files import output_error

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from ..values import Frame, FrameResult


class ResultWriter(Protocol):
    """Takes the results of one video, frame by frame.

    Attributes:
        path: The file it writes.
    """

    path: Path

    def write(self, frame: Frame, result: FrameResult) -> None:
        """Add one frame's result; what is written is in the file when this returns, as far as the format allows.

        Raises:
            OutputError: It cannot be written.
            StateError: The writer is closed.
        """

    def close(self) -> None:
        """Finish the file; safe to call twice.

        Raises:
            OutputError: The end cannot be written.
        """


class TextWriter(ABC):
    """A text file that holds whole frames only, whatever happens: a frame is one write, taken back if it fails."""

    suffix = ".txt"
    header = ""

    def __init__(self, path: Path) -> None:
        """Create or empty the file, and its folder.

        Args:
            path: The file to write.

        Raises:
            OutputError: It cannot be created.
        """
        self.path = path
        self._length = 0  # bytes that are whole
        self._file = create(path)
        try:
            self._append(self.header)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def format(self, result: FrameResult) -> str:
        """The lines of one frame, each ended by a newline; empty where the format has nothing to say."""

    def write(self, frame: Frame, result: FrameResult) -> None:  # noqa: ARG002 (the protocol's)
        """Add one frame's result and hand it to the system.

        Args:
            frame: Not used; drawing needs it.
            result: The frame's tracks.

        Raises:
            OutputError: It cannot be written; the file ends with the frame before.
            StateError: The writer is closed.
        """
        if self._file.closed:
            raise StateError(f"{self.path} is closed; write every result before close().")
        self._append(self.format(result))

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()

    def _append(self, text: str) -> None:
        data = text.encode()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except BaseException as error:  # also Ctrl-C between two parts
            with contextlib.suppress(OSError):  # a device cannot be cut
                self._file.truncate(self._length)
                self._file.seek(self._length)
            if isinstance(error, OSError):
                raise output_error(self.path, error) from error
            raise
        self._length += len(data)


def create(path: Path) -> FileIO:
    """Create or empty a file, and make its folder.

    Args:
        path: The file to write.

    Returns:
        It, open for writing without a buffer.

    Raises:
        OutputError: The folder or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise output_error(path.parent, error) from error
    try:
        return path.open("wb", buffering=0)
    except OSError as error:
        raise output_error(path, error) from error
