"""Lines of FairMOT's ``labels_with_ids`` and of the ignored areas: writes them, and reads them with checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DatasetError
from ..values import ImageLabels

if TYPE_CHECKING:
    from pathlib import Path

LABEL_COLUMNS = "class id cx cy width height"
IGNORED_COLUMNS = "cx cy width height"
FARTHEST = 1.0  # image sizes by which a box may reach beyond the image
_ROUNDING = 1e-4  # in image sizes
_LARGEST_NUMBER = 2**53  # the largest whole number that float64 holds exactly


def label_lines(labels: ImageLabels, width: int, height: int) -> str:
    """Return the content of a label file: ``class id cx cy w h`` of each box, in shares of the image's sides.

    Args:
        labels: Boxes within `FARTHEST` of the image, in image px.
        width: Width of the image in px.
        height: Height of the image in px.
    """
    shares = _shares(labels.boxes, width, height).tolist()
    rows = zip(labels.class_ids.tolist(), labels.ids.tolist(), shares, strict=True)
    return "".join(f"{class_id} {identity} {_numbers(share)}\n" for class_id, identity, share in rows)


def ignored_lines(labels: ImageLabels, width: int, height: int) -> str:
    """Return the content of a file of ignored areas: ``cx cy w h``, in shares of the image's sides."""
    return "".join(f"{_numbers(share)}\n" for share in _shares(labels.ignored, width, height).tolist())


def read_label_lines(
    text: str, path: Path, size: tuple[int, int], *, num_classes: int, num_identities: int
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Parse the content of a label file.

    Args:
        text: Content of the file.
        path: The file, for messages.
        size: Width and height of its image in px.
        num_classes: Number of classes of the dataset.
        num_identities: Number of identities of the dataset.

    Returns:
        Boxes ``(N, 4)`` xyxy in image px, identities ``(N,)`` and classes ``(N,)``.

    Raises:
        DatasetError: A line is not a valid label; the message has its number.
    """
    rows, numbers = _rows(text, path, LABEL_COLUMNS)
    class_ids, ids = rows[:, 0], rows[:, 1]
    _check(
        path, numbers, ~_is_whole(class_ids, 0, num_classes - 1), class_ids, f"class is {{}}; {_classes(num_classes)}"
    )
    _check(path, numbers, ~_is_whole(ids, -1, num_identities - 1), ids, f"id is {{}}; {_identities(num_identities)}")
    boxes = _boxes(rows[:, 2:], path, numbers, size)
    return boxes, ids.astype(np.int64), class_ids.astype(np.int64)


def read_ignored_lines(text: str, path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    """Parse the content of a file of ignored areas; return them as ``(M, 4)`` xyxy in image px.

    Raises:
        DatasetError: A line is not a valid area; the message has its number.
    """
    rows, numbers = _rows(text, path, IGNORED_COLUMNS)
    return _boxes(rows, path, numbers, size)


def _shares(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float64]:
    """Convert ``(N, 4)`` xyxy in px to centre x, centre y, width and height in shares of the image's sides."""
    exact = boxes.astype(np.float64)
    low, high = exact[:, :2], exact[:, 2:]
    shares: NDArray[np.float64] = np.concatenate([(low + high) / 2, high - low], axis=1)
    shares /= np.array([width, height, width, height])
    return shares


def _numbers(values: list[float]) -> str:
    return " ".join(f"{value:.8f}" for value in values)  # 1e-8 of 8192 px is far below a float32's step


def _rows(text: str, path: Path, columns: str) -> tuple[NDArray[np.float64], list[int]]:
    """Return the numbers of all lines that are not blank, and the numbers of these lines from 1."""
    width = len(columns.split())
    rows, numbers = [], []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != width:
            raise DatasetError(f"{path}, line {number} has {len(fields)} columns; expected {width}: {columns}.")
        try:
            rows.append([float(field) for field in fields])
        except ValueError:
            raise DatasetError(f"{path}, line {number} is {line!r}; expected {width} numbers: {columns}.") from None
        numbers.append(number)
    table = np.array(rows, np.float64).reshape(-1, width)
    _check(path, numbers, ~np.isfinite(table).all(axis=1), table, "has the numbers {}; expected finite numbers")
    return table, numbers


def _boxes(shares: NDArray[np.float64], path: Path, numbers: list[int], size: tuple[int, int]) -> NDArray[np.float32]:
    """Convert ``(N, 4)`` centres and sides in shares of the image to xyxy in px, after a check."""
    sides = shares[:, 2:]
    _check(path, numbers, (sides <= 0).any(axis=1), sides, "width and height are {}; expected numbers above 0")
    low, high = shares[:, :2] - sides / 2, shares[:, :2] + sides / 2
    far = ((low < -FARTHEST - _ROUNDING) | (high > 1 + FARTHEST + _ROUNDING)).any(axis=1)
    _check(
        path, numbers, far, shares,
        "box (centre, size) is {}; expected shares of the image's width and height, from 0 to 1, at most one image"
        " beyond",
    )  # fmt: skip
    boxes: NDArray[np.float32] = (np.concatenate([low, high], axis=1) * np.array([*size, *size])).astype(np.float32)
    return boxes


def _check(path: Path, numbers: list[int], wrong: ArrayLike, values: NDArray[np.float64], message: str) -> None:
    """Raise an error about the first line that is wrong."""
    if np.any(wrong):
        first = int(np.argmax(wrong))
        value = " ".join(f"{number:.6g}" for number in np.atleast_1d(values[first]))
        raise DatasetError(
            f"{path}, line {numbers[first]}: {message.format(value)}. Correct the line or prepare again."
        )


def _is_whole(values: NDArray[np.float64], least: int, most: int) -> NDArray[np.bool_]:
    whole: NDArray[np.bool_] = (values == np.floor(values)) & (values >= least) & (values <= min(most, _LARGEST_NUMBER))
    return whole


def _classes(count: int) -> str:
    return f"expected a class from 0 to {count - 1}" if count > 1 else "expected 0, the only class"


def _identities(count: int) -> str:
    return f"expected -1 for none, or 0 to {count - 1}" if count else "expected -1: this dataset has no identities"
