"""Reader of FairMOT's and JDE's own format: ``images/`` and ``labels_with_ids/``, with optional lists of images."""

from __future__ import annotations

from pathlib import Path

from ...errors import DatasetError
from ..values import SourceSequence
from .class_names import read_class_file
from .image_lists import by_lists
from .label_reading import read_tree, require_labels, to_sequences
from .label_rows import WITH_IDS
from .label_tree import find_folders
from .reading import DropReport, ReadOptions, require_folder

LABEL_FOLDER = "labels_with_ids"


def read_labels_with_ids(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read FairMOT's labels, ``class id cx cy w h`` as shares of the image, id -1 for none.

    Boxes may leave the image. Each folder of images is a sequence with its own identities. Lists of images in the root,
    ``train.txt`` and ``val.txt`` or ``<name>.train`` and ``<name>.val``, choose the images and their part.

    Args:
        root: Folder of the dataset, such as one that `prepare` wrote.
        options: What to read.
        report: Receives what is left out.

    Raises:
        DatasetError: The folder is not of this layout, an image has no label file, or a file is damaged.
    """
    require_folder(root, f"images/… and {LABEL_FOLDER}/…")
    folders = by_lists(root, find_folders(root, LABEL_FOLDER, report), report)
    tree = read_tree(folders, WITH_IDS)
    require_labels(tree, root, LABEL_FOLDER)
    for folder in folders:
        for image in folder.images:
            if image not in tree.rows:
                label = f"{image.stem}.txt" if folder.labels is None else folder.labels / f"{image.stem}.txt"
                raise DatasetError(
                    f"{image} has no label file; expected {label}. Write an empty file if nobody is in the image."
                )
    return to_sequences(tree, read_class_file(root), options, report)
