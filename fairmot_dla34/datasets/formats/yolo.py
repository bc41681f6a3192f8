"""Reader of YOLO labels: ``images/`` and ``labels/`` with one text file per image."""

from __future__ import annotations

from pathlib import Path

from ..values import SourceSequence
from .class_names import read_class_file
from .label_reading import read_tree, require_labels, to_sequences
from .label_rows import YOLO
from .label_tree import find_folders
from .reading import DropReport, ReadOptions, require_folder

_LABEL_FOLDER = "labels"


def read_yolo(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read YOLO labels, ``class cx cy w h`` and an optional identity in column 6, as shares of the image.

    Both usual trees are read: ``images/train`` with ``labels/train``, and ``train/images`` with ``train/labels``. The
    folder ``test`` is left out. An image without a label file has no people, by YOLO's convention. Names of classes
    come from ``data.yaml``, ``classes.txt`` or ``*.names``.

    Args:
        root: Folder of the dataset.
        options: What to read; without classes, the only class, or else that of people.
        report: Receives what is left out.

    Raises:
        DatasetError: The folder is not of this layout, no image has labels, or a file is damaged.
    """
    require_folder(root, "images/… and labels/…")
    classes = read_class_file(root)
    tree = read_tree(find_folders(root, _LABEL_FOLDER, report, classes.parts), YOLO)
    require_labels(tree, root, _LABEL_FOLDER)
    return to_sequences(tree, classes, options, report)
