"""Annotated training sequences, and random crops of their frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.geometry import LETTERBOX_GREY, Letterbox
from fairmot_dla34.video import open_source

INPUT_SIZE = InputSize(864, 480)  # network input of the sample weights
PEDESTRIAN = 1  # class in MOT ground truth
MIN_VISIBILITY = 0.25  # people with a lower visibility are ignored: neither targets nor negatives
MIN_SHARE_IN_CROP = 0.25  # people with a smaller share of their box in the crop are ignored too
IGNORED_CLASSES = {2, 7, 8, 12}  # MOT17: person on vehicle, static person, distractor, reflection


@dataclass(frozen=True)
class People:
    """People in one frame.

    Attributes:
        boxes: ``(N, 4)`` xyxy, image px, including occluded parts.
        ids: ``(N,)`` ids; -1 marks a person to ignore. After `number_identities` they count from 0 over all sequences.
    """

    boxes: NDArray[np.float32]
    ids: NDArray[np.int64]


@dataclass
class Sequence:
    """One annotated sequence.

    Attributes:
        name: Name of the sequence.
        frames: JPEG or PNG bytes of each frame, decoded on demand.
        people: People in each frame.
    """

    name: str
    frames: list[NDArray[np.uint8]] = field(default_factory=list)
    people: list[People] = field(default_factory=list)

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return frame ``index`` as ``(H, W, 3)`` uint8 BGR."""
        return np.asarray(cv2.imdecode(self.frames[index], cv2.IMREAD_COLOR), np.uint8)


@dataclass(frozen=True)
class Crop:
    """Square cut of a frame, for training.

    Attributes:
        image: ``(S, S, 3)`` uint8 BGR.
        people: People whose boxes reach into the crop; boxes in crop px.
    """

    image: NDArray[np.uint8]
    people: People


def load_real(root: Path) -> list[Sequence]:
    """Load the training frames of the real sequences in ``root``; no published score is measured on them."""
    pets = _load(
        root / "PETS09-S2L1/vtest_480x360.avi", root / "PETS09-S2L1/gt_480x360.txt", last=560, name="PETS09-S2L1"
    )
    tud = _load(root / "TUD-Campus/img1", root / "TUD-Campus/gt/gt.txt", last=50, name="TUD-Campus")
    mini = []
    for folder in sorted((root / "MOT17-mini").glob("**/img1")):
        frames = len(list(folder.iterdir()))
        mini.append(_load(folder, folder.parent / "gt/gt.txt", last=frames - 1, name=folder.parent.name))
    return [pets, tud, *mini]


def load_rendered(root: Path) -> list[Sequence]:
    """Load the complete scenes that `render.py` wrote to ``root``."""
    return [
        _load(folder / "img1", folder / "gt/gt.txt", last=10**6, name=folder.name)
        for folder in sorted(root.iterdir())
        if (folder / "done").exists()
    ]


def _load(video: Path, truth: Path, last: int, name: str) -> Sequence:
    rows = np.loadtxt(truth, delimiter=",", ndmin=2)
    sequence = Sequence(name)
    if video.is_dir():
        images: Iterator[NDArray[np.uint8]] = (np.fromfile(path, np.uint8) for path in sorted(video.iterdir())[:last])
    else:
        with open_source(video) as source:
            images = iter([cv2.imencode(".png", frame.image)[1] for frame, _ in zip(source, range(last), strict=False)])
    for number, encoded in enumerate(images, start=1):
        sequence.frames.append(encoded)
        sequence.people.append(people_from_rows(rows[rows[:, 0] == number]))
    return sequence


def people_from_rows(rows: NDArray[np.float64]) -> People:
    """Return the people of one frame from its rows of a MOT ground truth file, ``(N, 9)`` or wider."""
    has_class, has_visibility = rows[:, 7] >= 1, rows[:, 8] >= 0
    person = np.where(has_class, rows[:, 7] == PEDESTRIAN, rows[:, 6] != 0)
    occluded = (rows[:, 6] == 0) | (has_visibility & (rows[:, 8] < MIN_VISIBILITY))
    distractor = np.isin(rows[:, 7], list(IGNORED_CLASSES))
    kept = person | distractor
    boxes = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1).astype(np.float32)
    ids = np.where(person & ~occluded, rows[:, 1], -1).astype(np.int64)
    return People(boxes[kept], ids[kept])


def number_identities(sequences: list[Sequence]) -> int:
    """Replace all ids, in place, by ids from 0 that are unique over all sequences; return the number of ids."""
    count = 0
    for sequence in sequences:
        known: dict[int, int] = {-1: -1}
        for index, people in enumerate(sequence.people):
            for identity in people.ids.tolist():
                if identity not in known:
                    known[identity] = count
                    count += 1
            ids = np.array([known[identity] for identity in people.ids.tolist()], np.int64)
            sequence.people[index] = People(people.boxes, ids)
    return count


def random_crop(sequence: Sequence, size: int, rng: np.random.Generator) -> Crop:
    """Cut ``size`` x ``size`` px at 0.7 to 1.4 times the letterbox scale, with random stretch, flip and colours."""
    index = int(rng.integers(len(sequence.frames)))
    image, people = sequence.image(index), sequence.people[index]
    height, width = image.shape[:2]
    scale = Letterbox(width, height, INPUT_SIZE).ratio * float(np.exp(rng.uniform(np.log(0.7), np.log(1.4))))
    stretch = float(rng.uniform(0.92, 1.08))
    scale_x, scale_y = scale * stretch, scale / stretch
    source_w, source_h = size / scale_x, size / scale_y
    left, top = _crop_corner(people, (width, height), (source_w, source_h), rng)
    flip = rng.random() < 0.5
    matrix = np.array([[scale_x, 0, -left * scale_x], [0, scale_y, -top * scale_y]])
    boxes = (people.boxes - [left, top, left, top]) * [scale_x, scale_y, scale_x, scale_y]
    if flip:
        matrix[0] = [-scale_x, 0, size + left * scale_x]
        boxes = np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], axis=1)
    # Pixel centres are at half px, as in cv2.resize.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    if scale < 0.7:  # warpAffine does not average as INTER_AREA does
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.35 / scale), np.uint8)
    grey = (LETTERBOX_GREY,) * 3
    cut = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_CONSTANT, borderValue=grey)
    return Crop(_change_colours(np.asarray(cut, np.uint8), rng), _people_in_crop(boxes, people.ids, size))


def _people_in_crop(boxes: NDArray[np.float64], ids: NDArray[np.int64], size: int) -> People:
    """Keep people whose boxes reach into the crop; those below `MIN_SHARE_IN_CROP` get id -1."""
    sides = np.clip(boxes[:, 2:], 0, size) - np.clip(boxes[:, :2], 0, size)
    share = sides.prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    inside = share > 0
    ids = np.where(share < MIN_SHARE_IN_CROP, -1, ids)
    return People(boxes[inside].astype(np.float32), ids[inside])


def _crop_corner(
    people: People, size: tuple[int, int], source: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    """Return the top left corner of the crop, image px: mostly near a random person, sometimes anywhere."""
    (width, height), (source_w, source_h) = size, source
    if len(people.boxes) and rng.random() < 0.85:
        box = people.boxes[rng.integers(len(people.boxes))]
        x, y = (box[:2] + box[2:]) / 2
        left, top = x - source_w * rng.uniform(0.1, 0.9), y - source_h * rng.uniform(0.1, 0.9)
    else:
        left, top = rng.uniform(0, max(width - source_w, 1)), rng.uniform(0, max(height - source_h, 1))
    margin_x, margin_y = 0.15 * source_w, 0.15 * source_h
    left = float(np.clip(left, -margin_x, max(width - source_w, 0) + margin_x))
    top = float(np.clip(top, -margin_y, max(height - source_h, 0) + margin_y))
    return left, top


def _change_colours(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change hue, saturation and brightness at random, and sometimes add blur or noise."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV).astype(np.int16)
    hsv[..., 0] = (hsv[..., 0] + int(rng.integers(-6, 7))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.6, 1.4), 0, 255)
    hsv[..., 2] = np.clip(hsv[..., 2] * rng.uniform(0.7, 1.3) + rng.uniform(-15, 15), 0, 255)
    changed = np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2BGR), np.uint8)
    if rng.random() < 0.15:
        changed = np.asarray(cv2.GaussianBlur(changed, (0, 0), float(rng.uniform(0.4, 1.2))), np.uint8)
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(2, 8), changed.shape).astype(np.float32)
        changed = np.clip(changed + noise, 0, 255).astype(np.uint8)
    return changed
