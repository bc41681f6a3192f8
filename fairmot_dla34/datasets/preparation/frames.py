"""Makes a dataset without labels from a video or a folder of images, to learn from a teacher."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...console.progress import progress_bar
from ...errors import DatasetError
from ...files import file_digest, output_error
from ...video.image_decoding import MAX_FILE_BYTES, decode_bgr
from ...video.images import is_image, natural_key
from ...video.opening import open_source
from ...video.regular_files import read_regular
from ..formats.image_header import read_header
from ..formats.reading import DropReport
from ..prepared.dataset import Dataset
from ..prepared.manifest import read_manifest
from ..values import ImageLabels, SourceImage, SourceSequence
from .assembly import Description, write_dataset
from .checking import CheckedSequences, ImageFile, check_images, write_jpeg
from .claim import DatasetClaim
from .splitting import PartSequence

FORMAT = "frames without labels"  # in ``dataset.json``
MAX_FRAMES = 2000  # of a video
FRAMES_PER_SECOND = 5.0  # at most: frames closer in time show nearly the same
_THUMBNAIL = (16, 12)  # width and height
_SAME_GREY = 4.0  # largest difference of two thumbnails of one frame that was encoded twice


class KnownImages:
    """Images that must not be trained on, recognised after they were encoded again.

    Args:
        images: ``(H, W, 3)`` uint8 BGR images.
    """

    def __init__(self, images: Iterable[NDArray[np.uint8]] = ()) -> None:
        thumbnails = [_thumbnail(image) for image in images]
        self._thumbnails = np.array(thumbnails, np.float32).reshape(-1, _THUMBNAIL[0] * _THUMBNAIL[1])

    def __len__(self) -> int:
        return len(self._thumbnails)

    def has(self, image: NDArray[np.uint8]) -> bool:
        """Return whether one of the images looks the same."""
        if not len(self):
            return False
        difference = np.abs(self._thumbnails - _thumbnail(image)).max(axis=1)
        return bool(difference.min() <= _SAME_GREY)


def is_unlabelled(dataset: Dataset) -> bool:
    """Return whether a dataset was made by `prepare_frames`.

    Raises:
        DatasetError: Its description cannot be read.
    """
    return read_manifest(dataset.path).source.get("format") == FORMAT


def prepare_frames(
    source: Path,
    folder: Path,
    *,
    classes: Sequence[str],
    excluded: Sequence[Dataset] = (),
    part: str = "val",
    progress: bool = True,
) -> int:
    """Make a dataset without labels, or keep an earlier one of the same content.

    Frames are spread evenly over the whole video: at most `FRAMES_PER_SECOND` and `MAX_FRAMES`. The whole of each
    image is an ignored area, so that losses against labels leave it out.

    Args:
        source: Video file, or folder of images.
        folder: Folder of the dataset.
        classes: Names of the classes that a teacher finds.
        excluded: Datasets whose images must not be among the frames.
        part: Part of them.
        progress: Whether to show progress on stderr.

    Returns:
        Number of frames left out because they look like an image of ``excluded``; 0 if the earlier dataset is kept.

    Raises:
        SourceError: The video cannot be read.
        DatasetError: An image cannot be read, or every frame is among ``excluded``.
        OutputError: The folder cannot be written, or has other files.
    """
    origin = f"{_digest(source)} without {' '.join(dataset.digest for dataset in excluded) or 'nothing'}"
    identity = {"format": FORMAT, "path": f"{source.name} {origin} {' '.join(classes)}"}
    if _has(folder, identity):
        return 0
    known = KnownImages(dataset.read_image(image) for dataset in excluded for image in dataset.images(part))
    with DatasetClaim(folder, identity, overwrite=True) as claim:
        read = _images if source.is_dir() else _frames
        sequence, checked, left_out = read(source, claim.temporary, known, tuple(classes), progress=progress)
        if not sequence.images:
            raise DatasetError(
                f"Every frame of {source} looks like a validation image; expected others: use another video."
            )
        description = Description(sequence.name, {**identity, "settings": {}}, (), ())
        write_dataset(claim.staging, [PartSequence("train", 0, sequence)], checked, description, progress=False)
        claim.commit()
    return left_out


def _has(folder: Path, identity: dict[str, str]) -> bool:
    try:
        source = read_manifest(folder).source
    except DatasetError:
        return False
    return {key: source.get(key) for key in identity} == identity


def _digest(source: Path) -> str:
    """Return the SHA-256 of a video, or of the names and contents of a folder's images."""
    try:
        if not source.is_dir():
            return file_digest(source, "sha256").hex()
        digest = sha256()
        for path in _files(source):
            digest.update(path.name.encode() + b"\0" + file_digest(path, "sha256"))
        return digest.hexdigest()
    except OSError as error:
        raise DatasetError(f"{source} cannot be read ({error.strerror or error}); check its permissions.") from error


def _files(folder: Path) -> list[Path]:
    return sorted(filter(is_image, folder.iterdir()), key=natural_key)


def _frames(
    video: Path, temporary: Path, known: KnownImages, classes: tuple[str, ...], *, progress: bool
) -> tuple[SourceSequence, CheckedSequences, int]:
    """Write frames of a video; whenever there are too many, every second one is dropped."""
    kept: list[tuple[int, SourceImage, ImageFile]] = []
    left_out = 0
    with (
        open_source(video) as source,
        progress_bar("reading", source.frame_count, enabled=progress, unit="frame") as bar,
    ):
        stride = max(1, int(source.native_rate / FRAMES_PER_SECOND))
        for frame in source:
            bar.update()
            if frame.index % stride:
                continue
            if known.has(frame.image):
                left_out += 1
                continue
            file = write_jpeg(temporary / f"{frame.index:08d}.jpg", frame.image)
            kept.append((frame.index, _unlabelled(file.path, frame.image.shape[1], frame.image.shape[0]), file))
            if len(kept) > MAX_FRAMES:
                stride *= 2
                kept = _thinned(kept, stride)
        rate, name = source.native_rate / stride, source.name
    images = [image for _, image, _ in kept]
    sequence = SourceSequence(name, images, is_video=True, frame_rate=rate, classes=classes)
    return sequence, CheckedSequences([sequence], {image.path: file for _, image, file in kept}), left_out


def _thinned(kept: list[tuple[int, SourceImage, ImageFile]], stride: int) -> list[tuple[int, SourceImage, ImageFile]]:
    for index, image, _ in kept:
        if index % stride:
            try:
                image.path.unlink()
            except OSError as error:
                raise output_error(image.path, error) from error
    return [entry for entry in kept if entry[0] % stride == 0]


def _images(
    folder: Path, temporary: Path, known: KnownImages, classes: tuple[str, ...], *, progress: bool
) -> tuple[SourceSequence, CheckedSequences, int]:
    """Return images of a folder, evenly spread."""
    files = _files(folder)
    if not files:
        raise DatasetError(f"{folder} has no images and is no prepared dataset; expected images or a video file.")
    count = min(len(files), MAX_FRAMES)
    chosen = [files[position * len(files) // count] for position in range(count)]
    images, left_out = [], 0
    for path in chosen:
        if known and known.has(_read(path)):
            left_out += 1
            continue
        size = read_header(path)
        images.append(_unlabelled(path, size.width, size.height))
    # Nothing is known about their times, so they are not a video.
    sequence = SourceSequence(folder.resolve().name or "images", images, is_video=False, classes=classes)
    checked = CheckedSequences([], {})
    if images:
        checked = check_images([sequence], temporary, DropReport(), progress=progress)
        sequence = checked.sequences[0]
    return sequence, checked, left_out


def _read(path: Path) -> NDArray[np.uint8]:
    try:
        return decode_bgr(read_regular(path, MAX_FILE_BYTES))
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror or error}); replace or remove it.") from error


def _unlabelled(path: Path, width: int, height: int) -> SourceImage:
    """Return an image whose whole surroundings are ignored, so that no variation of it shows a place that counts."""
    everywhere = np.array([[-width, -height, 2 * width, 2 * height]], np.float32)
    empty = ImageLabels.empty()
    return SourceImage(path, width, height, ImageLabels(empty.boxes, empty.ids, empty.class_ids, everywhere))


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    import cv2

    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()
