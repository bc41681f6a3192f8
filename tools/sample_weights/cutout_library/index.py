"""Index of a library of cut-outs: people and hard negatives with alpha masks, and backgrounds without people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fairmot_dla34.errors import DatasetError

INDEX_FILE = "cutouts.json"
FORMAT = 1
PERSON, NEGATIVE = "person", "negative"
SIDES = "left", "top", "right", "bottom"
_REMEDY = "Build the library again with cutouts.py."


@dataclass(frozen=True)
class Cutout:
    """A person or a thing with an alpha mask.

    Attributes:
        file: Image of ``(H, W, 4)`` BGRA, relative to the library.
        kind: `PERSON` or `NEGATIVE`.
        place: Name of the place, such as ``pennfudan``.
        identity: Key of the person, equal in all images of it; empty for a negative.
        box: xyxy, px of ``file``; the box of a person is like the labels of its place.
        cut: Sides at which the border of the source image cuts it off, some of `SIDES`.
    """

    file: str
    kind: str
    place: str
    identity: str
    box: tuple[float, float, float, float]
    cut: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        """Height of the box in px."""
        return self.box[3] - self.box[1]

    @property
    def width(self) -> float:
        """Width of the box in px."""
        return self.box[2] - self.box[0]


@dataclass(frozen=True)
class Background:
    """An image without people.

    Attributes:
        file: Image file, relative to the library.
        place: Name of the place.
    """

    file: str
    place: str


@dataclass(frozen=True)
class Index:
    """Contents of a library.

    Attributes:
        cutouts: People and negatives.
        backgrounds: Images without people.
    """

    cutouts: tuple[Cutout, ...]
    backgrounds: tuple[Background, ...]

    def write(self, folder: Path) -> None:
        """Write the index into the folder of its images, instead of an earlier one."""
        content = {
            "format": FORMAT,
            "cutouts": [asdict(cutout) for cutout in self.cutouts],
            "backgrounds": [asdict(background) for background in self.backgrounds],
        }
        part = folder / f"{INDEX_FILE}.part"
        part.write_text(json.dumps(content, indent=0), "utf-8")
        part.replace(folder / INDEX_FILE)

    @classmethod
    def read(cls, folder: Path) -> Index:
        """Read and check the index of a library.

        Raises:
            DatasetError: The index is missing or damaged, or an image that it names is missing.
        """
        path = folder / INDEX_FILE
        try:
            content = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise DatasetError(f"{folder} is not a library of cut-outs: {INDEX_FILE} is missing. {_REMEDY}") from error
        except (OSError, ValueError) as error:
            raise DatasetError(f"{path} cannot be read as JSON: {error}. {_REMEDY}") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            found = content.get("format") if isinstance(content, dict) else type(content).__name__
            raise DatasetError(f"The format of {path} is {found!r}; expected {FORMAT}. {_REMEDY}")
        try:
            cutouts = tuple(_cutout(row) for row in content["cutouts"])
            backgrounds = tuple(Background(_text(row, "file"), _text(row, "place")) for row in content["backgrounds"])
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"An entry of {path} is damaged: {error!r}. {_REMEDY}") from error
        files = [cutout.file for cutout in cutouts] + [background.file for background in backgrounds]
        _check_files(folder, files)
        return cls(cutouts, backgrounds)

    def places(self) -> list[str]:
        """Return the names of all places, sorted."""
        people = {cutout.place for cutout in self.cutouts}
        return sorted(people | {background.place for background in self.backgrounds})


def _cutout(row: dict[str, Any]) -> Cutout:
    left, top, right, bottom = (float(value) for value in row["box"])
    kind, identity, cut = _text(row, "kind"), row["identity"], tuple(row["cut"])
    if not (right > left and bottom > top):
        raise ValueError(f"box is {row['box']}")
    if kind not in {PERSON, NEGATIVE} or bool(identity) != (kind == PERSON) or not set(cut) <= set(SIDES):
        raise ValueError(f"kind is {kind!r}, identity is {identity!r}, cut is {cut}")
    return Cutout(_text(row, "file"), kind, _text(row, "place"), identity, (left, top, right, bottom), cut)


def _text(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is {value!r}")
    return value


def _check_files(folder: Path, files: Iterable[str]) -> None:
    missing = [file for file in files if not (folder / file).is_file()]
    if missing:
        raise DatasetError(
            f"{len(missing)} images of the library {folder} are missing, such as {missing[0]}. {_REMEDY}"
        )
