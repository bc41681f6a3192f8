"""Training images as links with labels beside them, in the layout and the numbers that PaddleDetection reads.

PaddleDetection finds the labels of an image by replacing "images" and the suffix everywhere in its path, so the images
get links with plain names. Identities of several datasets are numbered one after another here, in one list.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...datasets import NO_IDENTITY, Dataset, DatasetImage, ImageLabels
from ...errors import DatasetError
from ...files import make_folder, output_error, write_whole

logger = logging.getLogger(__name__)

LIST_NAME = "train"
_PART = "train"
_IMAGES, _LABELS, _LISTS = "images", "labels_with_ids", "image_lists"  # fixed in ppdet/data/source/mot.py


@dataclass(frozen=True)
class LinkedData:
    """Training data as PaddleDetection reads it.

    Attributes:
        folder: Folder of the links.
        images: The image files, in the order of the list.
        most_boxes: Largest number of boxes in an image.
    """

    folder: Path
    images: tuple[Path, ...]
    most_boxes: int


def check_data(datasets: Sequence[Dataset], batch_size: int) -> None:
    """Check the numbers of classes and images.

    Raises:
        DatasetError: A dataset has several classes, or there are fewer images than a batch has.
    """
    for dataset in datasets:
        if len(dataset.classes) > 1:
            raise DatasetError(
                f"{dataset.path} has {len(dataset.classes)} classes; expected one with --engine paddle. Prepare the "
                "dataset with one of its --classes, or use --engine torch."
            )
    number = sum(len(dataset.images(_PART)) for dataset in datasets)
    if number < batch_size:
        raise DatasetError(
            f"The data has {number} training images, fewer than a batch of {batch_size}; use a smaller --batch-size."
        )


def link_data(datasets: Sequence[Dataset], folder: Path, batch_size: int) -> LinkedData:
    """Write the folder that PaddleDetection trains on; an earlier one is replaced.

    Images without people are left out: PaddleDetection's `MOTRandomAffine` cannot read them.

    Args:
        datasets: Datasets with one class.
        folder: Folder to write.
        batch_size: Images of a step.

    Raises:
        DatasetError: A label file is missing or wrong, or too few images have people.
        OutputError: The folder cannot be written.
    """
    try:
        shutil.rmtree(folder, ignore_errors=True)
        for name in (_IMAGES, _LABELS, _LISTS):
            make_folder(folder / name)
        images, most_boxes = _link_all(datasets, folder)
        lines = [f"{_IMAGES}/{_link_name(number, image)}\n" for number, image in enumerate(images)]
        write_whole(folder / _LISTS / LIST_NAME, "".join(lines).encode())
    except DatasetError:
        raise
    except OSError as error:
        raise output_error(folder, error) from error
    if len(images) < batch_size:
        raise DatasetError(
            f"The data has {len(images)} training images with people, fewer than a batch of {batch_size}; use a "
            "smaller --batch-size, or --engine torch, which trains on images without people too."
        )
    return LinkedData(folder, tuple(images), most_boxes)


def _link_all(datasets: Sequence[Dataset], folder: Path) -> tuple[list[Path], int]:
    images: list[Path] = []
    most_boxes = empty = areas = first_identity = 0
    for dataset in datasets:
        for image in dataset.images(_PART):
            labels = dataset.labels(image)
            areas += len(labels.ignored)
            if not len(labels):
                empty += 1
                continue
            name = _link_name(len(images), image.path)
            _link(image.path.absolute(), folder / _IMAGES / name)
            text = _label_lines(labels, image, first_identity)
            (folder / _LABELS / name).with_suffix(".txt").write_text(text, "ascii")
            images.append(image.path)
            most_boxes = max(most_boxes, len(labels))
        first_identity += dataset.num_identities
    _warn(datasets, images, empty, areas)
    return images, most_boxes


def _warn(datasets: Sequence[Dataset], images: Sequence[Path], empty: int, areas: int) -> None:
    if empty:
        logger.warning(
            "%d of %d training images have no people and are left out: PaddleDetection cannot read them",
            empty, empty + len(images),
        )  # fmt: skip
    if areas:
        logger.warning("%d ignored areas are trained as background: PaddleDetection does not know them", areas)
    if sum(dataset.num_identities for dataset in datasets) == 1:
        logger.warning("The data has one identity: PaddleDetection scales embeddings by log(1) = 0 and trains none")
    if any(sequence.clip_boxes for dataset in datasets for sequence in dataset.sequences(_PART)):
        logger.warning("Boxes that leave the image are not clipped: PaddleDetection does so for all data or for none")


def _link_name(number: int, image: Path) -> str:
    return f"{number:08d}{'.png' if image.suffix.lower() == '.png' else '.jpg'}"


def _link(source: Path, target: Path) -> None:
    try:
        target.symlink_to(source)
    except OSError:  # a file system, or an account of Windows, without symbolic links
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)


def _label_lines(labels: ImageLabels, image: DatasetImage, first_identity: int) -> str:
    """Return lines ``class id cx cy w h``, normalised."""
    size = np.array([image.width, image.height])
    boxes = labels.boxes.astype(np.float64)
    centres, sides = (boxes[:, :2] + boxes[:, 2:]) / 2 / size, (boxes[:, 2:] - boxes[:, :2]) / size
    ids = np.where(labels.ids == NO_IDENTITY, NO_IDENTITY, labels.ids + first_identity)
    rows = zip(ids.tolist(), np.concatenate([centres, sides], axis=1).tolist(), strict=True)
    return "".join(f"0 {number} {' '.join(f'{value:.9f}' for value in box)}\n" for number, box in rows)
