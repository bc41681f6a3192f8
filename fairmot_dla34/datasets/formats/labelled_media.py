"""Finds the video, or the folder of images, that a file of labels belongs to, and reads its size, rate and length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from urllib.parse import unquote

from ...errors import DatasetError, SourceError
from ...video.facts import read_video_facts
from .image_header import read_header
from .mot_folders import VIDEO_SUFFIXES, frame_rate_of
from .reading import entries_of, images_in

_IMAGE_FOLDERS = ("images", "img1")
_FRAME = re.compile(r"frame_(\d{1,9})", re.IGNORECASE)  # CVAT's names of the frames of a video
_UPLOAD = re.compile(r"[0-9a-f]{8}-")  # Label Studio puts it before the name of an uploaded file


@dataclass(frozen=True)
class LabelledMedia:
    """Frames that a file of labels belongs to.

    Attributes:
        path: Video file, or folder of images.
        name: Name of the sequence.
        width: Width of the first frame in px.
        height: Height of the first frame in px.
        frame_rate: Frames per second.
        frame_count: Number of frames.
        images: Image files in order; empty for a video.
    """

    path: Path
    name: str
    width: int
    height: int
    frame_rate: float
    frame_count: int
    images: tuple[Path, ...] = ()

    @property
    def is_video(self) -> bool:
        """True for a video file, False for images."""
        return not self.images

    def image_paths(self) -> Sequence[Path]:
        """Return the path of each image; those of a video do not exist, and only their stems count."""
        if self.images:
            return self.images
        digits = max(6, len(str(self.frame_count)))
        return [self.path.with_suffix("") / f"{number:0{digits}}.jpg" for number in range(1, self.frame_count + 1)]


def find_media(labels: Path, stated: Sequence[str], *, alone: bool) -> Path:
    """Return the video or the folder of images of a file of labels.

    It is beside the file: a video with a name that the labels state, one with the same stem as the file, a folder
    ``images`` or ``img1``, or the only video. Folders that the labels state are not followed.

    Args:
        labels: File of labels.
        stated: Names, paths or URLs of the video in the labels.
        alone: Whether the file is the only one of its folder, so that the only video must be its own.

    Raises:
        DatasetError: There is none.
    """
    entries = entries_of(labels.parent)
    videos = [path for path in entries if path.suffix.casefold() in VIDEO_SUFFIXES and path.is_file()]
    names = [_last_part(name.partition("?")[0]) for name in stated]
    names += [_UPLOAD.sub("", name, count=1) for name in names]
    names += [_last_part(name.rpartition("=")[2]) for name in stated if "=" in name]  # Label Studio's local storage
    for wanted in names:
        for path in videos:
            if wanted and path.name.casefold() == wanted.casefold():
                return path
    stem = labels.name.partition(".")[0].casefold()
    same = [path for path in videos if path.name.partition(".")[0].casefold() == stem]
    folders = [path for path in entries if path.is_dir() and path.name.casefold() in {*_IMAGE_FOLDERS, stem}]
    folders = [path for path in folders if images_in(path)]
    if len(same) == 1:
        return same[0]
    if alone and not same and len(videos) + len(folders) == 1:
        return [*videos, *folders][0]
    listed = f"{len(videos)} videos" if videos else "no video"
    name = next((name for name in names if name), "the video")
    raise DatasetError(
        f"{labels.parent} has {listed} and {len(folders)} folders of images, none clearly that of {labels.name};"
        f" expected {name} beside the labels, under that name."
    )


def _last_part(place: str) -> str:
    """Return the file name of a path or URL."""
    return PurePath(unquote(place).replace("\\", "/").replace("\0", "")).name


def open_media(path: Path, last_frame: int) -> LabelledMedia:
    """Read size, rate and length.

    Args:
        path: Video file, or folder of images.
        last_frame: Number of the last labelled frame, from 1.

    Raises:
        DatasetError: It cannot be read, or the order of the images is not certain.
    """
    if path.is_dir():
        return _open_images(path)
    try:
        facts = read_video_facts(path, last_frame)
    except SourceError as error:
        raise DatasetError(f"{path} cannot be read as the labelled video: {error}") from error
    return LabelledMedia(path, path.stem, facts.width, facts.height, facts.frame_rate, facts.frame_count)


def _open_images(folder: Path) -> LabelledMedia:
    images = images_in(folder)
    numbers = [match and int(match[1]) for match in (_FRAME.fullmatch(path.stem) for path in images)]
    if all(number is not None for number in numbers):
        if numbers != list(range(len(images))):
            raise DatasetError(
                f"{folder} has {len(images)} images from {images[0].name} to {images[-1].name}; expected every frame"
                " from 0 on. Export all frames."
            )
    elif images != sorted(images, key=lambda path: path.name):
        raise DatasetError(
            f"{folder} has images whose numbers differ in length, so the order in which they were labelled is not"
            " certain; expected names such as 000001.jpg."
        )
    header = read_header(images[0])
    name = folder.absolute().parent.name
    return LabelledMedia(folder, name, header.width, header.height, frame_rate_of(folder), len(images), tuple(images))
