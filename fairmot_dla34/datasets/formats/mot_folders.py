"""Sequences of a folder in MOTChallenge's layout: their images or video, ground truth and frame rate."""

from __future__ import annotations

import configparser
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...config import DEFAULT_FRAME_RATE
from ...errors import DatasetError
from ...video.probing import MAX_FRAME_RATE
from .reading import DropReport, entries_of, images_in, read_text

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".ts"})
PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val"}  # folders of published splits
_DETECTORS = ("FRCNN", "SDP", "DPM")  # in the order of preference; the images and labels are the same
_COPY = re.compile(r"(.+)-(" + "|".join(_DETECTORS) + ")", re.IGNORECASE)
_MAX_DEPTH = 4  # root/images/train/<sequence>
_IMAGE_FOLDER = "img1"
_MAX_FRAMES = 10_000_000


@dataclass(frozen=True)
class SequenceFolder:
    """Files of one sequence.

    Attributes:
        folder: Its folder.
        name: Name of the folder, without MOT17's suffix of the detector.
        part: Part of the published split, or None.
        truth: File of ground truth.
        images: Image files in natural order; empty for a video.
        video: Video file, or None.
        frame_rate: Frames per second; None if not stated.
        length: Number of frames that is stated, or None.
    """

    folder: Path
    name: str
    part: str | None
    truth: Path
    images: list[Path]
    video: Path | None
    frame_rate: float | None
    length: int | None

    @property
    def rate(self) -> float:
        """Frames per second, the default if not stated."""
        return self.frame_rate or DEFAULT_FRAME_RATE


def find_sequences(root: Path, report: DropReport) -> list[SequenceFolder]:
    """Return the annotated sequences below a folder, or the folder itself if it is one.

    Args:
        root: Folder of the dataset.
        report: Receives the sequences without ground truth and the copies that are left out.

    Raises:
        DatasetError: A folder cannot be read, or a sequence has neither images nor a video.
    """
    folders: list[Path] = []
    _collect(root, 0, folders, report)
    chosen = without_detector_copies(folders, report)
    parts = [next((PARTS[part] for part in reversed(_between(root, f)) if part in PARTS), None) for f in chosen]
    names = unique_names([plain_name(folder.absolute().name) for folder in chosen], [_between(root, f) for f in chosen])
    return [_open(folder, name, part) for folder, name, part in zip(chosen, names, parts, strict=True)]


def without_detector_copies(folders: Sequence[Path], report: DropReport) -> list[Path]:
    """Return folders without MOT17's copies: each sequence is there once for each of three public detectors."""
    best: dict[Path, Path] = {}
    for folder in folders:
        match = _COPY.fullmatch(folder.name)
        key = folder.with_name(match[1]) if match else folder
        if key in best:
            better, worse = sorted((best[key], folder), key=_preference)
            best[key] = better
            report.add("copies of a sequence for another detector", 1, worse)
        else:
            best[key] = folder
    return list(best.values())


def plain_name(name: str) -> str:
    """Return the name of a sequence without MOT17's suffix of the detector."""
    match = _COPY.fullmatch(name)
    return match[1] if match else name


def unique_names(names: Sequence[str], parents: Sequence[Sequence[str]]) -> list[str]:
    """Return names made unique by the folders above them, and by a number if that is not enough."""
    taken: set[str] = set()
    result = []
    for name, above in zip(names, parents, strict=True):
        free = name if names.count(name) == 1 else "_".join([*above, name])
        number = 2
        while free.casefold() in taken:
            free, number = f"{name}-{number}", number + 1
        taken.add(free.casefold())
        result.append(free)
    return result


def _collect(folder: Path, depth: int, found: list[Path], report: DropReport) -> None:
    """Add the sequences at or below a folder."""
    if _truth(folder) is not None:
        found.append(folder)
    elif (folder / _IMAGE_FOLDER).is_dir() or (folder / "seqinfo.ini").is_file():
        report.add("sequences without ground truth", 1, folder)
    elif depth < _MAX_DEPTH:
        for entry in entries_of(folder):
            if entry.is_dir():
                _collect(entry, depth + 1, found, report)


def _truth(folder: Path) -> Path | None:
    return next((path for path in (folder / "gt" / "gt.txt", folder / "gt.txt") if path.is_file()), None)


def _between(root: Path, folder: Path) -> list[str]:
    """Return the names of the folders between the root and a sequence, in lower case."""
    return [part.casefold() for part in folder.relative_to(root).parts[:-1]]


def _preference(folder: Path) -> int:
    match = _COPY.fullmatch(folder.name)
    return _DETECTORS.index(match[2].upper()) if match else -1


def _open(folder: Path, name: str, part: str | None) -> SequenceFolder:
    truth = _truth(folder)
    assert truth is not None  # noqa: S101 (found by _collect)
    info = read_seqinfo(folder / "seqinfo.ini")
    places = [folder / _IMAGE_FOLDER, folder]
    stated = info.get("imdir", "")
    if stated and not Path(stated).is_absolute() and ".." not in Path(stated).parts:
        places.insert(0, folder / stated)
    images = next((found for place in places if place.is_dir() and (found := images_in(place))), [])
    videos = [] if images else [path for path in entries_of(folder) if path.suffix.lower() in VIDEO_SUFFIXES]
    if not images and len(videos) != 1:
        count = f"{len(videos)} videos" if videos else "no video"
        raise DatasetError(
            f"{folder} has ground truth but no images and {count}; expected {folder / _IMAGE_FOLDER} or one video."
        )
    rate = _number(info.get("framerate", ""))
    length = _number(info.get("seqlength", ""))
    return SequenceFolder(
        folder,
        name,
        part,
        truth,
        images,
        videos[0] if videos else None,
        rate if rate is not None and 0 < rate <= MAX_FRAME_RATE else None,
        int(length) if length is not None and 1 <= length <= _MAX_FRAMES else None,
    )


def read_seqinfo(path: Path) -> dict[str, str]:
    """Return the entries of ``seqinfo.ini`` in lower case, none if there is no such file.

    Raises:
        DatasetError: The file is damaged.
    """
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(read_text(path, "the lines of a seqinfo.ini"))
        return dict(parser["Sequence"])
    except (configparser.Error, KeyError) as error:
        raise DatasetError(
            f"{path} is damaged ({' '.join(str(error).split())}); expected [Sequence] and lines of name=value."
        ) from error


def frame_rate_of(folder: Path) -> float:
    """Return the frame rate that ``seqinfo.ini`` states in a folder of images or above it, else the default."""
    for place in (folder, folder.parent):
        rate = _number(read_seqinfo(place / "seqinfo.ini").get("framerate", ""))
        if rate is not None and 0 < rate <= MAX_FRAME_RATE:
            return rate
    return DEFAULT_FRAME_RATE


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
