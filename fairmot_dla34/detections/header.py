"""Header and ending of a detections file: the settings of the run as JSON, and what is known after the last frame.

A file is the line ``fairmot_dla34 detections 1``, a line of JSON (`Header`), blocks (``blocks.py``), and an end: the
bytes ``end.``, uint32 number of bytes of the JSON that follows (`Ending`), and CRC-32 of the header's line and of it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..backends.base import BackendInfo
from ..config import is_number, is_whole, shown
from ..errors import DetectionsFileError

DEFAULT_MIN_SCORE = 0.1  # lowest_score of `auto`, and the smallest score that the cover plan of --anonymise uses
FORMAT_VERSION = 1
SUFFIX = ".detections"
MAGIC = "fairmot_dla34 detections"
FIRST_LINE = f"{MAGIC} {FORMAT_VERSION}\n".encode()
END_MARK = b"end."
END = struct.Struct("<4sII")  # the mark, bytes of the JSON that follows, CRC-32 of the line of the header and of it
MAX_JSON_BYTES = 1 << 20
_LARGEST = 2**63 - 1
_ENDINGS = ("end", "lost", "stalled", "interrupted")


@dataclass(frozen=True)
class SourceFacts:
    """Identity of the source of a detections file.

    Attributes:
        name: Name of the outputs of the source.
        shown: Source in messages, without credentials.
        digest: Digest of its identity, by which later runs recognise its results.
        path: Absolute path of a local file, folder or pattern; None for a camera, a URL or images from Python.
        files: Number of its files; 0 without a path.
        size: Bytes of all its files.
        modified_ns: Newest modification time of its files in ns since 1970.
        is_live: Whether its frames arrived in real time.
    """

    name: str
    shown: str
    digest: str
    path: str | None = None
    files: int = 0
    size: int = 0
    modified_ns: int = 0
    is_live: bool = False


@dataclass(frozen=True)
class Header:
    """Settings of the run that wrote a detections file.

    Attributes:
        package_version: Version of this package.
        source: The source.
        native_rate: Frames per second of the source, before the stride.
        frame_stride: Every n-th frame was detected.
        first_frame: First frame of the source in this file, from 0: a multiple of the stride, or 0.
        last_frame: Frame after the last one in this file; None: up to the end of the source.
        min_score: Smallest score in the file; detections below it were left out.
        weights: Weights in messages; "" if they are unknown.
        network: Digest of weights, input size and version of the graph; "" if it is unknown.
        backend: Runtime, device and precision of the network.
        input_size: Width and height of the network's input, px.
        class_names: Names of the network's classes, by class id; empty if they are not known.
        tracker_settings: Settings of `TrackerConfig` that the weights were published with.
    """

    package_version: str
    source: SourceFacts
    native_rate: float
    frame_stride: int
    min_score: float
    weights: str
    network: str
    backend: BackendInfo
    input_size: tuple[int, int]
    class_names: tuple[str, ...] = ()
    tracker_settings: Mapping[str, Any] = field(default_factory=dict)
    first_frame: int = 0
    last_frame: int | None = None

    @property
    def is_whole(self) -> bool:
        """True if the file is about the whole source, not about a part of it."""
        return self.first_frame == 0 and self.last_frame is None

    def encoded(self) -> bytes:
        """Return the header as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"


@dataclass(frozen=True)
class Ending:
    """Facts about a detections file that are known after its last frame.

    Attributes:
        frames: Number of frames in the file.
        detections: Number of detections in the file.
        embedding_size: Numbers per embedding; 0 without embeddings.
        frames_skipped: Frames that could not be decoded.
        frames_dropped: Frames left out because a newer one had arrived.
        ended: Reason for the end, as in `TrackingSummary`: ``end``, ``lost``, ``stalled`` or ``interrupted``.
        stage_seconds: Busy seconds per stage of the run, as in `TrackingSummary`.
        digest: SHA-256 of all frames; equal for equal frames, whatever chunks they were detected in.
    """

    frames: int
    detections: int
    embedding_size: int
    frames_skipped: int
    frames_dropped: int
    ended: str
    stage_seconds: Mapping[str, float]
    digest: str

    def encoded(self) -> bytes:
        """Return the ending as JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def decoded_header(content: bytes, shown_file: str) -> Header:
    """Return the header that `Header.encoded` wrote.

    Args:
        content: Bytes of the line.
        shown_file: File in messages.

    Raises:
        DetectionsFileError: It is not one.
    """
    values = _mapping(content, Header, shown_file, "header")
    source = _checked(values["source"], SourceFacts, shown_file, "source")
    backend = _checked(values["backend"], BackendInfo, shown_file, "backend")
    names, settings, size = values["class_names"], values["tracker_settings"], values["input_size"]
    first, last = values["first_frame"], values["last_frame"]
    sound = {
        "package_version": isinstance(values["package_version"], str),
        "source": _is_source(source),
        "native_rate": is_number(values["native_rate"]) and 1e-3 <= values["native_rate"] <= 1e5,
        "frame_stride": is_whole(values["frame_stride"], 1, 10**9),
        "first_frame": is_whole(first, 0, _LARGEST),
        "last_frame": last is None or is_whole(last, 1, _LARGEST),
        "min_score": is_number(values["min_score"]) and 0 <= values["min_score"] <= 1,
        "weights": isinstance(values["weights"], str),
        "network": isinstance(values["network"], str),
        "backend": _is_backend(backend),
        "input_size": isinstance(size, list) and len(size) == 2 and all(is_whole(side, 1, 10**6) for side in size),
        "class_names": isinstance(names, list) and all(isinstance(name, str) for name in names),
        "tracker_settings": isinstance(settings, dict),
    }
    _require(sound, values, shown_file, "header")
    return Header(
        **{
            **values,
            "source": SourceFacts(**source),
            "backend": BackendInfo(**backend),
            "class_names": tuple(names),
            "input_size": tuple(size),
        }
    )


def decoded_ending(content: bytes, shown_file: str) -> Ending:
    """Return the ending that `Ending.encoded` wrote.

    Args:
        content: Bytes of the ending.
        shown_file: File in messages.

    Raises:
        DetectionsFileError: It is not one.
    """
    values = _mapping(content, Ending, shown_file, "end")
    seconds = values["stage_seconds"]
    counts = ("frames", "detections", "embedding_size", "frames_skipped", "frames_dropped")
    sound = {name: is_whole(values[name], 0, _LARGEST) for name in counts}
    sound["ended"] = isinstance(values["ended"], str) and values["ended"] in _ENDINGS
    sound["stage_seconds"] = isinstance(seconds, dict) and all(map(is_number, seconds.values()))
    sound["digest"] = isinstance(values["digest"], str)
    _require(sound, values, shown_file, "end")
    return Ending(**values)


def damaged(shown_file: str, problem: str) -> DetectionsFileError:
    """Return the error for a file whose content is not that of a complete detections file."""
    return DetectionsFileError(
        f"{shown_file} is not a complete detections file ({problem}); expected a file that fairmot_dla34 detect wrote:"
        " copy it again, or repeat detect."
    )


def _mapping(content: bytes, kind: type, shown_file: str, what: str) -> dict[str, Any]:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise damaged(shown_file, f"its {what} is not JSON") from error
    return _checked(values, kind, shown_file, what)


def _checked(values: object, kind: type, shown_file: str, what: str) -> dict[str, Any]:
    """Return a JSON object that has exactly the fields of a dataclass."""
    names = [entry.name for entry in fields(kind)]
    if not isinstance(values, dict) or sorted(values) != sorted(names):
        raise damaged(shown_file, f"its {what} has other fields than {', '.join(names)}")
    return values


def _require(sound: Mapping[str, bool], values: Mapping[str, Any], shown_file: str, what: str) -> None:
    for name, is_sound in sound.items():
        if not is_sound:
            raise damaged(shown_file, f"its {what} has {name}={shown(values[name])}")


def _is_source(source: Mapping[str, Any]) -> bool:
    texts = all(isinstance(source[name], str) and len(source[name]) <= 4096 for name in ("name", "shown", "digest"))
    counts = all(is_whole(source[name], 0, _LARGEST) for name in ("files", "size", "modified_ns"))
    path = source["path"]
    sound_path = path is None or (isinstance(path, str) and 0 < len(path) <= 4096 and Path(path).is_absolute())
    return texts and bool(source["name"]) and counts and sound_path and isinstance(source["is_live"], bool)


def _is_backend(backend: Mapping[str, Any]) -> bool:
    texts = all(isinstance(backend[name], str) for name in ("name", "version", "device", "precision"))
    threads = backend["threads"]
    return texts and (threads is None or is_whole(threads, 1, 2**20)) and is_whole(backend["streams"], 1, 2**20)
