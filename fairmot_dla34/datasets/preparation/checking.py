"""Decodes every image of a source once: bad images are named and left out, frames of videos are written as files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...console.progress import ProgressBar, progress_bar
from ...errors import DatasetError, SourceError
from ...files import output_error
from ...video.image_decoding import MAX_FILE_BYTES, decode_bgr
from ...video.opening import open_source
from ...video.regular_files import read_regular
from ..formats.reading import DropReport
from ..values import SourceImage, SourceSequence

BROKEN = "images that cannot be decoded"
_MOST_BROKEN = 0.5  # share of the images
_MAX_THREADS = 8
_FRAME_QUALITY = 95  # JPEG, of frames taken from a video

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class ImageFile:
    """A file whose content is a whole image.

    Attributes:
        path: Real path of the file, without symbolic links.
        suffix: ``.jpg`` or ``.png`` by content, "" for another format.
        digest: Digest of the content.
        is_temporary: Whether the file was made from a frame of a video, to be moved to its place.
    """

    path: Path
    suffix: str
    digest: bytes
    is_temporary: bool = False


@dataclass(frozen=True, eq=False)
class CheckedSequences:
    """Sequences whose images can be decoded.

    Attributes:
        sequences: Sequences without the bad images; every path is one of ``files``.
        files: File of each image by its path in the sequences.
    """

    sequences: list[SourceSequence]
    files: dict[Path, ImageFile]


def check_images(
    sequences: Sequence[SourceSequence], temporary: Path, report: DropReport, *, progress: bool = False
) -> CheckedSequences:
    """Decode all images, several at a time.

    Args:
        sequences: Sequences that a reader returned.
        temporary: Folder for the frames of videos; it exists.
        report: Receives the images left out.
        progress: Whether to show progress on stderr.

    Raises:
        DatasetError: More than half of the images cannot be decoded, or a video cannot be opened.
        OutputError: A frame cannot be written.
    """
    total = sum(len(sequence.images) for sequence in sequences)
    files: dict[Path, ImageFile] = {}
    faults: list[str] = []
    checked = []
    with progress_bar("checking", total, enabled=progress, unit="image") as bar, _threads() as pool:
        for index, sequence in enumerate(sequences):
            if sequence.video is None:
                results = run_threaded(pool, _check, sequence.images, bar)
            else:
                results = _written_frames(sequence, temporary / f"{index}", bar)
            good = []
            for image, result in zip(sequence.images, results, strict=True):
                if isinstance(result, ImageFile):
                    path = image.path if sequence.video is None else result.path
                    files[path] = result
                    good.append(replace(image, path=path))
                else:
                    faults.append(f"{image.path}: {result}")
            checked.append(replace(sequence, images=good, video=None))
    if not total:
        raise DatasetError("The source has no labelled images; expected at least one.")
    if len(faults) > _MOST_BROKEN * total:
        raise DatasetError(
            f"{len(faults)} of {total} images cannot be decoded, first {faults[0]}; expected most of them to be whole:"
            " copy or download the images again."
        )
    report.add(BROKEN, len(faults), "; ".join(faults[:3]))
    return CheckedSequences([sequence for sequence in checked if sequence.images], files)


def run_threaded(
    pool: ThreadPoolExecutor, function: Callable[[_Item], _Result], items: Sequence[_Item], bar: ProgressBar
) -> list[_Result]:
    """Call a function for each item in the threads of a pool; return the results in the order of the items."""
    results = []
    for result in pool.map(function, items):
        results.append(result)
        bar.update()
    return results


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Provide threads; an error or Ctrl-C leaves out the work that has not started."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    pool = ThreadPoolExecutor(min(cpus, _MAX_THREADS), thread_name_prefix="images")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _check(image: SourceImage) -> ImageFile | str:
    """Return the file of an image, or the reason why it cannot be used."""
    try:
        data = read_regular(image.path, MAX_FILE_BYTES)
        pixels = decode_bgr(data)
    except OSError as error:
        return str(error.strerror or error)
    if _is_cut_off(data):
        return "the file is cut off"
    return _other_size(image, pixels) or ImageFile(Path(os.path.realpath(image.path)), _suffix(data), _digest(data))


def _other_size(image: SourceImage, pixels: NDArray[np.uint8]) -> str:
    """Return the fault if an image has another size than its labels, or ""."""
    height, width = pixels.shape[:2]
    same = (width, height) == (image.width, image.height)
    return "" if same else f"{width}x{height} px instead of {image.width}x{image.height}"


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=16, usedforsecurity=False).digest()


def _suffix(data: bytes) -> str:
    """Return the suffix by which the readers of the format know an image."""
    if data.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    return ".png" if data.startswith(b"\x89PNG\r\n\x1a\n") else ""


def _is_cut_off(data: bytes) -> bool:
    """Return whether the end of a JPEG or PNG file is missing, which OpenCV fills with grey."""
    suffix = _suffix(data)
    if suffix == ".jpg":  # the end of a thumbnail is before the pixels, whose bytes contain neither marker
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    return suffix == ".png" and data.rfind(b"IEND") < 0


def _written_frames(sequence: SourceSequence, folder: Path, bar: ProgressBar) -> list[ImageFile | str]:
    """Write the frames of a video that have labels as JPEG files; return each file, or the reason why there is none."""
    results: list[ImageFile | str] = ["not in the video"] * len(sequence.images)
    try:
        with open_source(str(sequence.video)) as source:
            for frame in source:
                if frame.index >= len(results):
                    break
                image = sequence.images[frame.index]
                path = folder / f"{frame.index}" / f"{image.path.stem}.jpg"
                results[frame.index] = _other_size(image, frame.image) or write_jpeg(path, frame.image)
                bar.update()
    except SourceError as error:
        raise DatasetError(f"{sequence.video} has the images of {sequence.name}, but {error}") from error
    return results


def write_jpeg(path: Path, image: NDArray[np.uint8]) -> ImageFile:
    """Write a frame of a video as a JPEG file that is to be moved to its place; its folder is created.

    Raises:
        OutputError: The file cannot be written.
    """
    import cv2

    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _FRAME_QUALITY])[1].tobytes()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise output_error(path, error) from error
    return ImageFile(path, ".jpg", _digest(data), is_temporary=True)
