"""Labelled still images that scores are reported on, read from the sets of stills and from MOT17-mini."""

from __future__ import annotations

import csv
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.datasets import ReadOptions
from fairmot_dla34.datasets.formats.mot import read_mot
from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.geometry import tlwh_to_xyxy

sys.path.append(str(Path(__file__).parents[1] / "tools" / "sample_weights"))  # what is trained on is defined there
from data import MOST_BOXES, REPORT_CAMERA, REPORT_EVERY
from wildtrack import TrustedGround

__all__ = [
    "REPORT_CAMERA",
    "REPORT_EVERY",
    "Still",
    "TrustedGround",
    "camera",
    "is_upright",
    "on_trusted_ground",
    "only_upright",
    "read_last_frames",
    "read_set",
    "read_wildtrack",
    "reported",
    "without_crowds",
]

UPRIGHT = 1.6  # a labelled box is an upright person if its height is over this many widths
ABOVE_VISIBILITY = 0.5  # people of MOT17-mini of at most this visibility are ignored areas
NO_BOXES = np.empty((0, 4), np.float32)


@dataclass(frozen=True, eq=False)
class Still:
    """One labelled image; boxes are xyxy, image px.

    Attributes:
        path: Image file.
        people: ``(N, 4)`` float32 people that count.
        others: ``(M, 4)`` float32 labelled boxes that do not count. A detection on one, by IoU, is left out.
        areas: ``(A, 4)`` float32 ignored areas. A detection with half of its own box in one is left out.
    """

    path: Path
    people: NDArray[np.float32]
    others: NDArray[np.float32] = field(default_factory=NO_BOXES.copy)
    areas: NDArray[np.float32] = field(default_factory=NO_BOXES.copy)

    def read(self) -> NDArray[np.uint8]:
        """Return the image, ``(H, W, 3)`` BGR.

        Raises:
            ValueError: It cannot be read.
        """
        image = cv2.imread(str(self.path))
        if image is None:
            raise ValueError(f"{self.path} cannot be read; expected an image.")
        return np.asarray(image, np.uint8)


def read_set(folder: Path) -> list[Still]:
    """Read all images of a set of stills, sorted by name.

    Args:
        folder: Folder with ``images/`` and ``labels.csv`` (``file,id,left,top,width,height``, px).
    """
    boxes = defaultdict(list)
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            boxes[row["file"]].append([float(row[name]) for name in ("left", "top", "width", "height")])
    paths = sorted((folder / "images").iterdir())
    return [Still(path, tlwh_to_xyxy(np.array(boxes[path.name], np.float32).reshape(-1, 4))) for path in paths]


def reported(stills: Sequence[Still]) -> list[Still]:
    """Return the images that are never trained on: those whose position in the sorted list is divisible by 5."""
    return list(stills[::REPORT_EVERY])


def read_wildtrack(folder: Path) -> list[Still]:
    """Read the reported images of WILDTRACK, with all of the camera C7; people off the trusted ground do not count."""
    grounds: dict[str, TrustedGround] = {}
    stills = []
    for position, still in enumerate(read_set(folder)):
        name = camera(still)
        if position % REPORT_EVERY and name != REPORT_CAMERA:
            continue
        if name not in grounds:
            grounds[name] = TrustedGround.read(folder / "trusted_foot_grid.json", name)
        stands = on_trusted_ground(still.people, grounds[name])
        stills.append(Still(still.path, still.people[stands], still.people[~stands]))
    return stills


def camera(still: Still) -> str:
    """Return the camera of an image of WILDTRACK, such as ``C1``."""
    return still.path.name.partition("_")[0]


def on_trusted_ground(boxes: NDArray[np.float32], ground: TrustedGround) -> NDArray[np.bool_]:
    """Return ``(N,)`` whether the foot of each box, its bottom centre, is in a trusted cell; outside of all it is not.

    Args:
        boxes: ``(N, 4)`` xyxy, image px.
        ground: Cells of the camera.
    """
    columns = np.floor((boxes[:, 0] + boxes[:, 2]) / 2 / ground.cell).astype(np.int64)
    rows = np.floor(boxes[:, 3] / ground.cell).astype(np.int64)
    height, width = ground.trusted.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    trusted: NDArray[np.bool_] = inside & ground.trusted[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return trusted


def is_upright(boxes: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return ``(N,)`` whether each box, xyxy, is more than 1.6 times as high as wide."""
    width, height = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64).T
    upright: NDArray[np.bool_] = height > UPRIGHT * width
    return upright


def without_crowds(stills: Sequence[Still]) -> list[Still]:
    """Return the images with at most ten boxes; larger crowds of COCO are labelled in part."""
    return [still for still in stills if len(still.people) <= MOST_BOXES]


def only_upright(still: Still) -> Still:
    """Return an image in which upright people count, and no other labelled box does."""
    upright = is_upright(still.people)
    return Still(still.path, still.people[upright], still.people[~upright])


def read_last_frames(folder: Path, above_visibility: float | None = ABOVE_VISIBILITY) -> list[Still]:
    """Read the last frame of each sequence of MOT17-mini.

    Args:
        folder: Folder of the sequences.
        above_visibility: People of at most this visibility are ignored areas; None: all people count.
    """
    options = ReadOptions(0.0 if above_visibility is None else math.nextafter(above_visibility, 1.0))
    last = [sequence.images[-1] for sequence in read_mot(folder, options, DropReport())]
    return [Still(image.path, image.labels.boxes, areas=image.labels.ignored) for image in last]
