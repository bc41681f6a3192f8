"""Search for images that are both in a training and in a validation set: the same file, or a copy of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from ...errors import DatasetError
from ...files import file_digest
from .dataset import DatasetImage, unreadable


def check_no_overlap(training: Iterable[DatasetImage], validation: Iterable[DatasetImage]) -> None:
    """Check that no validation image is also a training image.

    Files of equal size are compared by content, so that copies are found too.

    Args:
        training: Images to train on.
        validation: Images to validate on.

    Raises:
        DatasetError: An image is in both, or a file cannot be read; the message names two files.
    """
    by_size: dict[int, list[DatasetImage]] = defaultdict(list)
    for image in training:
        by_size[_size(image.path)].append(image)
    digests: dict[Path, bytes] = {}
    shared = []
    for image in validation:
        for other in by_size.get(_size(image.path), ()):
            if (other.width, other.height) == (image.width, image.height) and _equal(image.path, other.path, digests):
                shared.append((image.path, other.path))
                break
    if shared:
        mine, other_path = shared[0]
        more = f", and {len(shared) - 1} more are" if len(shared) > 1 else ""
        raise DatasetError(
            f"{mine} is a validation image and also the training image {other_path}{more}; expected none in both, or "
            "the scores would be too good: validate on other images."
        )


def _equal(path: Path, other: Path, digests: dict[Path, bytes]) -> bool:
    try:
        return path.samefile(other) or _digest(path, digests) == _digest(other, digests)
    except OSError as error:
        raise unreadable(path, error) from error


def _digest(path: Path, digests: dict[Path, bytes]) -> bytes:
    if path not in digests:
        digests[path] = file_digest(path, "sha256")
    return digests[path]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from error
