"""Table of the label formats that can be read, by the name used on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...config import check_choice
from ...errors import DatasetError
from ..values import SourceSequence
from .citypersons import read_citypersons
from .coco import read_coco
from .crowdhuman import read_crowdhuman
from .cvat import read_cvat
from .label_studio import read_label_studio
from .labels_with_ids import read_labels_with_ids
from .mot import read_mot, read_mot20
from .reading import DropReport, ReadOptions
from .yolo import read_yolo

Reader = Callable[[Path, ReadOptions, DropReport], list[SourceSequence]]

READERS: dict[str, Reader] = {
    "mot17": read_mot,
    "mot20": read_mot20,
    "mot15": read_mot,
    "dancetrack": read_mot,
    "mot": read_mot,
    "crowdhuman": read_crowdhuman,
    "citypersons": read_citypersons,
    "yolo": read_yolo,
    "coco": read_coco,
    "labels_with_ids": read_labels_with_ids,
    "cvat": read_cvat,
    "labelstudio": read_label_studio,
}


def read_format(name: str, root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read a source dataset.

    Args:
        name: Name of its format, a key of `READERS`.
        root: Folder of the dataset.
        options: What to read.
        report: Receives what is left out or changed.

    Returns:
        The sequences; at least one has a box.

    Raises:
        InvalidInputError: The format is unknown.
        DatasetError: The dataset is not of this format, or is damaged or empty.
    """
    check_choice("format", name, tuple(READERS))
    try:
        sequences = READERS[name](root, options, report)
    except OSError as error:
        place = error.filename or root
        raise DatasetError(f"{place} cannot be read ({error.strerror or error}); check its permissions.") from error
    except RecursionError as error:
        raise DatasetError(f"{root} has labels that are nested too deeply; expected the format {name}.") from error
    images = sum(len(sequence.images) for sequence in sequences)
    if not images:
        raise DatasetError(f"{root} has no labelled images of the format {name}; name the folder that has them.")
    if not any(len(image.labels) for sequence in sequences for image in sequence.images):
        raise DatasetError(
            f"{root} has {images} images but no box to train on ({_reasons(report)}). Check --classes,"
            " --min-visibility and the format."
        )
    return sequences


def _reasons(report: DropReport) -> str:
    """Return the largest counts of a report in one line."""
    largest = sorted(report.reasons.items(), key=lambda item: -item[1].count)[:3]
    return ", ".join(f"{dropped.count} {reason}" for reason, dropped in largest) or "no labels"
