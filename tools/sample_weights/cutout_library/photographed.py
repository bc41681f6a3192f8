"""Cut-outs and backgrounds from photographs and videos, of the images that may be trained on only (`data.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from data import PLACES
from numpy.typing import NDArray

from fairmot_dla34.datasets import NO_IDENTITY, SourceImage, SourceSequence
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError
from fairmot_dla34.video.opening import open_source

from .files import LibraryWriter
from .index import NEGATIVE, PERSON
from .mask_shapes import Mask, Shape
from .masks import mask_by_difference, mask_by_grab_cut, with_alpha

# Places whose cameras do not move: frames between two that people are cut out of.
STATIC = {"PETS09-S2L1": 6, "TUD-Campus": 2, "wildtrack": 1}
STILLS = ("pennfudan",)  # in the other sets people have any pose, and half of the masks were wrong
EMPTY = "coco256_negative"
TUD_SHAPE = Shape(sides=0.16, ends=0.07, main_part=0.97)
SHAPES = {"PETS09-S2L1": Shape(sides=0.27, ends=0.1), "TUD-Campus": TUD_SHAPE, "wildtrack": Shape(sides=0.27, ends=0.1)}
STILLS_SHAPE = Shape(fill=(0.3, 0.75), sides=0.13, ends=0.045, main_part=0.97)
# Left and upper side of the parts of the median images that hold no people; all other parts hold people who stand
# there for long. Checked by eye.
EMPTY_PARTS = {
    "PETS09-S2L1": (0, 0), "wildtrack-C1": (0, 250), "wildtrack-C2": (0, 215), "wildtrack-C3": (80, 290),
    "wildtrack-C4": (0, 235), "wildtrack-C5": (0, 325), "wildtrack-C6": (70, 200),
}  # fmt: skip
MEDIAN_IMAGES = 60
MIN_HEIGHTS = {"PETS09-S2L1": 36, "TUD-Campus": 70, "wildtrack": 70}  # px
MIN_STILL_HEIGHT = 70  # px
MOST_OVERLAP = 0.12  # share of a box that another box covers
AROUND = 0.15  # margin around a box, in its sides
UPRIGHT = 1.6  # least height of a person in stills, in widths
PATCHES = 5  # negatives from each image without people


@dataclass(frozen=True)
class _Candidate:
    """A labelled person that may be cut out.

    Attributes:
        key: Number of the identity in its sequence, or the place of the box among those of a still.
        box: ``(4,)`` xyxy, image px.
        cut: Sides at which the image border cuts the box off.
    """

    key: str
    box: NDArray[np.float32]
    cut: tuple[str, ...]


def add_static(writer: LibraryWriter, data: Path, place: str) -> None:
    """Add the people and the background of a place whose cameras do not move."""
    for sequence in _sequences(data, place):
        images = [image for _, image in _images(sequence, max(1, len(sequence.images) // MEDIAN_IMAGES))]
        plate = np.median(np.stack(images), axis=0).astype(np.uint8)
        if sequence.name in EMPTY_PARTS:
            left, top = EMPTY_PARTS[sequence.name]
            if plate.shape[0] > top and plate.shape[1] > left:
                writer.add_background(plate[top:, left:], place, sequence.name)
        for source, image in _images(sequence, STATIC[place]):
            for candidate in _candidates(source, MIN_HEIGHTS[place]):
                key = (
                    f"{sequence.name}/{candidate.key}"
                    if sequence.is_video
                    else f"{place}/{_still_key(source, candidate)}"
                )
                _add(writer, image, plate, candidate, SHAPES[place], place, key, f"{source.path.stem}-{candidate.key}")


def add_stills(writer: LibraryWriter, data: Path, place: str) -> None:
    """Add the upright people of stills whose mask is certain."""
    for sequence in _sequences(data, place):
        for source, image in _images(sequence, 1):
            for candidate in _candidates(source, MIN_STILL_HEIGHT):
                width, height = candidate.box[2:] - candidate.box[:2]
                if height > UPRIGHT * width:
                    key = f"{place}/{_still_key(source, candidate)}"
                    name = f"{source.path.stem}-{candidate.key}"
                    _add(writer, image, None, candidate, STILLS_SHAPE, place, key, name)


def add_empty(writer: LibraryWriter, data: Path) -> None:
    """Add images without people as backgrounds, and parts of them as negatives."""
    for sequence in _sequences(data, EMPTY):
        for number, (source, image) in enumerate(_images(sequence, 1)):
            writer.add_background(image, EMPTY, source.path.stem)
            rng = np.random.default_rng([number, 103])
            for patch_number in range(PATCHES):
                patch = _patch(image, rng)
                writer.add(patch, NEGATIVE, EMPTY, f"{source.path.stem}-{patch_number}")


def _sequences(data: Path, place: str) -> list[SourceSequence]:
    folder, read = PLACES[place]
    return read(data / folder, DropReport())


def _images(sequence: SourceSequence, every: int) -> Iterator[tuple[SourceImage, NDArray[np.uint8]]]:
    """Yield every so manieth image with its labels."""
    if sequence.video is not None:
        with open_source(str(sequence.video)) as source:
            for frame in source:
                if frame.index >= len(sequence.images):
                    return
                if frame.index % every == 0:
                    yield sequence.images[frame.index], frame.image
        return
    for labelled in sequence.images[::every]:
        image = cv2.imread(str(labelled.path))
        if image is None:
            raise DatasetError(f"{labelled.path} cannot be decoded. Replace the file.")
        yield labelled, np.asarray(image, np.uint8)


def _candidates(source: SourceImage, min_height: int) -> Iterator[_Candidate]:
    """Yield the people of an image who are large enough and whom no other box covers."""
    boxes, limits = source.labels.boxes, np.array([0, 0, source.width, source.height], np.float32)
    for number, (box, identity) in enumerate(zip(boxes, source.labels.ids.tolist(), strict=True)):
        others = np.delete(boxes, number, axis=0)
        sides = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
        shared = np.prod(np.maximum(sides, 0), axis=1) / max(float(np.prod(box[2:] - box[:2])), 1.0)
        if box[3] - box[1] < min_height or shared.sum() > MOST_OVERLAP:
            continue
        near = np.abs(box - limits) < 3
        beyond = np.array([*(box[:2] < 0), *(box[2:] > limits[2:])])
        cut = tuple(
            side for side, is_cut in zip(("left", "top", "right", "bottom"), near | beyond, strict=True) if is_cut
        )
        if {"left", "right"} <= set(cut) or {"top", "bottom"} <= set(cut):
            continue
        yield _Candidate(str(number if identity == NO_IDENTITY else identity), box, cut)


def _still_key(source: SourceImage, candidate: _Candidate) -> str:
    return f"{source.path.stem}-{candidate.key}"


def _add(
    writer: LibraryWriter, image: NDArray[np.uint8], plate: NDArray[np.uint8] | None, candidate: _Candidate,
    shape: Shape, place: str, key: str, name: str,
) -> None:  # fmt: skip
    """Cut out one person and add it if its mask is plausible."""
    box = candidate.box
    margin = AROUND * (box[2:] - box[:2])
    first = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
    last = np.minimum(np.ceil(box[2:] + margin), image.shape[1::-1]).astype(int)
    part = np.ascontiguousarray(image[first[1] : last[1], first[0] : last[0]])
    visible = np.clip(np.rint(box - np.tile(first, 2)), 0, np.tile(part.shape[1::-1], 2)).astype(int)
    inner = (int(visible[0]), int(visible[1]), int(visible[2]), int(visible[3]))
    mask: Mask | None
    if plate is None:
        mask = mask_by_grab_cut(part, inner)
    else:
        mask = mask_by_difference(part, np.ascontiguousarray(plate[first[1] : last[1], first[0] : last[0]]), inner)
    if mask is None or not shape.accepts(mask, inner, candidate.cut):
        return
    x, y = first.tolist()
    label = (float(box[0] - x), float(box[1] - y), float(box[2] - x), float(box[3] - y))
    writer.add(with_alpha(part, mask), PERSON, place, name, identity=key, box=label, cut=candidate.cut)


def _patch(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a random rectangle or ellipse with a soft edge, BGRA."""
    height = int(rng.uniform(0.2, 0.8) * image.shape[0])
    width = min(int(height * np.exp(rng.uniform(np.log(0.3), np.log(1.2)))), image.shape[1])
    x, y = int(rng.integers(image.shape[1] - width + 1)), int(rng.integers(image.shape[0] - height + 1))
    part = image[y : y + height, x : x + width]
    alpha = np.zeros((height, width), np.uint8)
    if rng.random() < 0.5:
        axes = (max(width // 2 - 4, 1), max(height // 2 - 4, 1))
        cv2.ellipse(alpha, (width // 2, height // 2), axes, 0, 0, 360, 255, -1)
    else:
        alpha[4:-4, 4:-4] = 255
    return np.dstack([part, cv2.GaussianBlur(alpha, (0, 0), 1.5)])
