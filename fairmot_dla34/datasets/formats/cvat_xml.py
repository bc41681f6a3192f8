"""Parser of CVAT's XML for videos. A document type definition is refused, so that no entity can grow or name a file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from ...config import shown
from ...errors import DatasetError
from ...video.regular_files import read_regular
from .reading import MAX_PX, line_error
from .video_tracks import KeyBox

_EXPECTED = 'CVAT\'s export "CVAT for video 1.1"'
_MAX_XML_BYTES = 1 << 28
_MAX_DEPTH = 50
_MAX_FRAME = 10_000_000
_MAX_IDENTITY = 2**53
_MEMBER = "annotations.xml"
_OTHER_SHAPES = frozenset({"polygon", "polyline", "points", "cuboid", "ellipse", "mask", "skeleton"})


@dataclass
class CvatTrack:
    """A track as it is in the file.

    Attributes:
        line: Line number of the element.
        identity: Its id.
        label: Name of its class.
        keys: Its boxes, as in the file.
    """

    line: int
    identity: int
    label: str
    keys: list[KeyBox] = field(default_factory=list)


@dataclass
class CvatFile:
    """Content of a file.

    Attributes:
        path: The file.
        labels: Names of the classes, in order.
        source: Name of the video, "" if not stated.
        size: Width and height in px, if stated.
        frames: Numbers of the labelled frames from 0, if stated.
        tracks: All tracks.
        left_out: Number of shapes other than upright boxes, by kind.
    """

    path: Path
    labels: list[str] = field(default_factory=list)
    source: str = ""
    size: tuple[int, int] | None = None
    frames: range | None = None
    tracks: list[CvatTrack] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


def read_cvat_file(path: Path) -> CvatFile:
    """Read an XML file, or the ``annotations.xml`` of a zip archive; nothing is extracted.

    Raises:
        DatasetError: It is not such a file; an error in an element names its line.
    """
    data = _from_zip(path) if path.suffix.casefold() == ".zip" else _read(path)
    return _Parser(path).parse(data)


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, _MAX_XML_BYTES)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror or error}); expected {_EXPECTED}.") from error


def _from_zip(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [entry for entry in archive.infolist() if entry.filename == _MEMBER]
            data = b""
            if len(members) == 1:
                with archive.open(members[0]) as file:
                    data = file.read(_MAX_XML_BYTES + 1)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise DatasetError(f"{path} cannot be read as a zip archive ({error}); expected {_EXPECTED}.") from error
    except Exception as error:  # zlib.error, lzma.LZMAError: damaged content
        raise DatasetError(f"{path} is damaged ({error}); expected {_EXPECTED}. Export it again.") from error
    if len(members) != 1:
        raise DatasetError(f"{path} has {len(members)} files {_MEMBER}; expected one, as in {_EXPECTED}.")
    if len(data) > _MAX_XML_BYTES:
        raise DatasetError(f"{path} has more than {_MAX_XML_BYTES} bytes in {_MEMBER}; expected {_EXPECTED}.")
    return data


class _Parser:
    """Handlers of expat, which calls them for each element."""

    def __init__(self, path: Path) -> None:
        self._file = CvatFile(path)
        self._path: list[str] = []
        self._text: list[str] = []
        self._meta: dict[str, str] = {}
        self._track: CvatTrack | None = None
        self._expat = expat.ParserCreate()
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._characters
        self._expat.StartDoctypeDeclHandler = self._doctype

    def parse(self, data: bytes) -> CvatFile:
        try:
            self._expat.Parse(data, True)  # noqa: FBT003 (expat takes no keywords)
        except expat.ExpatError as error:
            text = f"not XML ({expat.ErrorString(error.code)}); expected {_EXPECTED}."
            raise line_error(self._file.path, error.lineno, text) from error
        except (LookupError, ValueError) as error:
            if isinstance(error, DatasetError):
                raise
            raise DatasetError(f"{self._file.path} has an unknown encoding ({error}); expected UTF-8.") from error
        self._finish()
        return self._file

    def _error(self, text: str) -> DatasetError:
        return line_error(self._file.path, self._expat.CurrentLineNumber, text)

    def _doctype(self, *_: object) -> None:
        raise self._error(f"a document type definition, which is refused; expected {_EXPECTED}, which has none.")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._path and tag != "annotations":
            raise self._error(f"<{tag}> instead of <annotations>; expected {_EXPECTED}.")
        if len(self._path) >= _MAX_DEPTH:
            raise self._error(f"elements nested more than {_MAX_DEPTH} deep; expected {_EXPECTED}.")
        self._path.append(tag)
        self._text = []
        if self._path == ["annotations", "image"]:
            raise self._error(f'<image>: this is "CVAT for images", without tracks; expected {_EXPECTED}.')
        if self._path == ["annotations", "meta", "project"]:
            raise self._error("<project>: an export of a whole project; expected that of one task. Export each task.")
        if self._path == ["annotations", "track"]:
            self._track = self._new_track(attributes)
        elif self._track is not None and len(self._path) == 3:
            self._shape(tag, attributes, self._track)

    def _end(self, tag: str) -> None:
        if self._path[1:2] == ["meta"]:
            text = "".join(self._text).strip()
            if self._path[-3:] == ["labels", "label", "name"]:
                self._file.labels.append(text)
            elif tag not in self._meta or not self._meta[tag]:
                self._meta[tag] = text
        elif self._path == ["annotations", "track"] and self._track is not None:
            if self._track.keys:
                self._file.tracks.append(self._track)
            self._track = None
        self._path.pop()
        self._text = []

    def _characters(self, text: str) -> None:
        if self._path[1:2] == ["meta"]:
            self._text.append(text)

    def _new_track(self, attributes: Mapping[str, str]) -> CvatTrack:
        label = attributes.get("label", "").strip()
        if not label:
            raise self._error("a track without a label; expected the name of its class.")
        identity = self._whole(attributes, "id", _MAX_IDENTITY)
        return CvatTrack(self._expat.CurrentLineNumber, identity, label)

    def _shape(self, tag: str, attributes: Mapping[str, str], track: CvatTrack) -> None:
        if tag in _OTHER_SHAPES:
            self._file.left_out[tag] = self._file.left_out.get(tag, 0) + 1
            return
        if tag != "box":
            return
        frame = self._whole(attributes, "frame", _MAX_FRAME)
        if track.keys and frame <= track.keys[-1].frame:
            raise self._error(
                f"frame {frame} after frame {track.keys[-1].frame} in one track; expected each frame once, in order."
            )
        box = [self._number(attributes, name) for name in ("xtl", "ytl", "xbr", "ybr")]
        outside = attributes.get("outside", "0") == "1"
        if self._number(attributes, "rotation", 0.0) % 360:
            self._file.left_out["rotated box"] = self._file.left_out.get("rotated box", 0) + 1
            outside = True
        track.keys.append(KeyBox(frame, box, is_shown=not outside, continues=not outside))

    def _whole(self, attributes: Mapping[str, str], name: str, largest: int) -> int:
        text = attributes.get(name, "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= largest):
            raise self._error(f"{name} {shown(text)}; expected a whole number from 0 to {largest}.")
        return int(text)

    def _number(self, attributes: Mapping[str, str], name: str, default: float | None = None) -> float:
        text = attributes.get(name)
        if text is None and default is not None:
            return default
        try:
            value = float(text or "")
        except ValueError:
            value = MAX_PX * 2
        if not abs(value) <= MAX_PX:  # also NaN
            raise self._error(f"{name} {shown(text)}; expected px, a number not beyond {MAX_PX:g}.")
        return value

    def _finish(self) -> None:
        """Take from the meta data what the labels need."""
        meta, file = self._meta, self._file
        file.source = meta.get("source", "")
        sides = [meta.get(name, "") for name in ("width", "height")]
        if all(side.isascii() and side.isdecimal() and 0 < len(side) < 7 for side in sides):
            file.size = (int(sides[0]), int(sides[1]))
        first, last = meta.get("start_frame", ""), meta.get("stop_frame", "")
        step = meta.get("frame_filter", "").replace(" ", "").removeprefix("step=")
        if all(text.isascii() and text.isdecimal() and len(text) < 9 for text in (first, last)):
            stride = int(step) if step.isascii() and step.isdecimal() and 0 < len(step) < 9 else 1
            file.frames = range(int(first), int(last) + 1, max(1, stride))
