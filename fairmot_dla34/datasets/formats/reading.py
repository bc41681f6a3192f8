"""Options of the readers, the report of what they leave out, and errors that name a file and a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ...config import check_flag, check_fraction
from ...errors import DatasetError, InvalidInputError
from ...video.images import is_image, natural_key
from ...video.regular_files import read_regular

MAX_TEXT_BYTES = 1 << 30  # twice the largest annotation file of COCO
MAX_PX = 1e6  # largest coordinate; far beyond every image that is accepted


@dataclass(frozen=True)
class ReadOptions:
    """Options of all readers.

    Attributes:
        min_visibility: Least visible share of a person, 0 to 1; a person below it becomes an ignored area.
        classes: Names or numbers of the classes to read, in the order of their new numbers; None: people.
        use_ids: Whether identities are read; if not, every box has `NO_IDENTITY`.
    """

    min_visibility: float = 0.1
    classes: tuple[str, ...] | None = None
    use_ids: bool = True

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidInputError: A value is not one of those described.
        """
        check_fraction("min_visibility", self.min_visibility)
        check_flag("use_ids", self.use_ids)
        names = self.classes
        if names is not None and not (
            isinstance(names, tuple) and names and all(isinstance(name, str) and name.strip() for name in names)
        ):
            raise InvalidInputError(f"classes is {names!r}; expected a tuple of names or numbers, such as ('person',).")


@dataclass
class Dropped:
    """Things that were left out for one reason.

    Attributes:
        count: Number of them.
        example: File, and line if there is one, of the first.
    """

    count: int
    example: str


@dataclass
class DropReport:
    """Counts of what a reader left out or changed, by reason in plain words.

    Attributes:
        reasons: Counts and examples by reason, in the order in which the reasons occurred.
    """

    reasons: dict[str, Dropped] = field(default_factory=dict)

    def add(self, reason: str, count: int, example: object) -> None:
        """Add to the count of a reason; a count of 0 changes nothing.

        Args:
            reason: Plain words, such as "boxes without area".
            count: Number of things.
            example: File, and line if there is one, of one of them.
        """
        if count > 0:
            entry = self.reasons.setdefault(reason, Dropped(0, str(example)))
            entry.count += count


def line_error(path: Path, line: int, text: str) -> DatasetError:
    """Return an error that names a line of a file."""
    return DatasetError(f"{path}, line {line}: {text}")


def read_text(path: Path, expected: str) -> str:
    """Read a text file in UTF-8, with or without a byte order mark, and with the line ends of any system.

    Args:
        path: The file.
        expected: What the file should be, for messages, such as "a file of labels".

    Raises:
        DatasetError: It cannot be read, is too large, or is not text.
    """
    try:
        data = read_regular(path, MAX_TEXT_BYTES)
    except OSError as error:
        reason = error.strerror or error
        raise DatasetError(f"{path} cannot be read ({reason}); expected {expected}.") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not a text file in UTF-8 (byte {error.start}); expected {expected}. Save it as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def require_folder(root: Path, expected: str) -> None:
    """Check that the source is a folder.

    Args:
        root: Path that the user named.
        expected: Content of the folder, for messages.

    Raises:
        DatasetError: It does not exist or is not a folder.
    """
    if not root.is_dir():
        state = "is not a folder" if root.exists() else "does not exist"
        raise DatasetError(f"{root} {state}; expected a folder with {expected}.")


def entries_of(folder: Path) -> list[Path]:
    """Return the entries of a folder in natural order; hidden ones are left out.

    Raises:
        DatasetError: The folder cannot be read.
    """
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise DatasetError(f"{folder} cannot be read ({error.strerror}); check its permissions.") from error
    return natural_order(found)


def natural_order(paths: Iterable[Path]) -> list[Path]:
    """Return paths ordered such that ``frame2`` comes before ``frame10``."""
    return sorted(paths, key=natural_key)


def images_in(folder: Path) -> list[Path]:
    """Return the image files directly in a folder, in natural order.

    Raises:
        DatasetError: The folder cannot be read.
    """
    return [path for path in entries_of(folder) if is_image(path)]
