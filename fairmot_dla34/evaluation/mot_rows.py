"""Rows of one MOT text file, and errors that name its lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import TrackFileError


@dataclass(frozen=True)
class MotRows:
    """Rows of one file, in the order of the file.

    Attributes:
        path: File the rows were read from.
        lines: ``(N,)`` line number of each row, from 1.
        values: ``(N, C)`` columns of the file, C from 7 to 10.
    """

    path: Path
    lines: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def frames(self) -> NDArray[np.int64]:
        """``(N,)`` frame numbers, from 1."""
        return self.values[:, 0].astype(np.int64)

    @property
    def ids(self) -> NDArray[np.int64]:
        """``(N,)`` ids, from 0."""
        return self.values[:, 1].astype(np.int64)

    @property
    def boxes(self) -> NDArray[np.float64]:
        """``(N, 4)`` left, top, width, height, image px."""
        return self.values[:, 2:6]

    @property
    def flagged(self) -> NDArray[np.bool_]:
        """``(N,)`` whether column 7 is not 0 after truncation, as in TrackEval; rows with 0 are not scored."""
        flagged: NDArray[np.bool_] = np.trunc(self.values[:, 6]) != 0
        return flagged

    @property
    def column_8(self) -> NDArray[np.float64]:
        """``(N,)`` class in MOT16, MOT17 and MOT20, else -1 or a 3D coordinate; -1 if there is no column 8."""
        return self.values[:, 7] if self.values.shape[1] > 7 else np.full(len(self), -1.0)

    def require(self, condition: NDArray[np.bool_], message: Callable[[int], str]) -> None:
        """Check that a condition holds for every row.

        Args:
            condition: ``(N,)`` whether each row meets the condition.
            message: Returns what is wrong with the row of an index.

        Raises:
            TrackFileError: A row does not meet the condition; the error names the first one.
        """
        if not condition.all():
            row = int(np.argmin(condition))
            raise line_error(self.path, int(self.lines[row]), message(row))


def line_error(path: Path, line: int, text: str) -> TrackFileError:
    """Return an error that names a line of a file."""
    return TrackFileError(f"{path}, line {line}: {text}")
