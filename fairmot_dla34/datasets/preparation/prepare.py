"""Preparation of a dataset: reads labels of any format, checks every image, and writes one dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...config import check_flag, check_path, is_number, is_whole, shown
from ...errors import DatasetError, InvalidInputError
from ...memory import require_import_memory
from ...outputs.checks import check_output_dir
from ..formats.reading import DropReport, ReadOptions
from ..formats.registry import read_format
from ..prepared.dataset import Dataset
from ..prepared.manifest import PREVIEW, DroppedEntry
from ..values import SourceSequence
from .assembly import Description, path_notes, without_duplicates, write_dataset
from .checking import check_images
from .claim import DatasetClaim, check_apart, check_images_apart
from .identities import with_box_identities
from .limits import limit_labels
from .preview import MAX_PREVIEWS, write_previews
from .report import PreparedReport
from .splitting import PartSequence, split_as_published, split_by_fraction, split_by_name


@dataclass(frozen=True)
class PrepareOptions:
    """Options of a preparation besides those of the reader.

    Attributes:
        val: Share of the images to validate on, or None.
        val_sequences: Names of the sequences to validate on; not beside ``val``.
        preview: Number of images to draw with their labels.
        overwrite: Whether to replace a dataset of another source.
        box_ids: Whether each box of a still image that has no identity becomes a person of its own.

    Raises:
        InvalidInputError: A value is not one of those described.
    """

    val: float | None = None
    val_sequences: tuple[str, ...] = ()
    preview: int = 0
    overwrite: bool = False
    box_ids: bool = False

    def __post_init__(self) -> None:
        if self.val is not None and not (is_number(self.val) and 0 < self.val < 1):
            raise InvalidInputError(f"val is {shown(self.val)}; expected a share above 0 and below 1, such as 0.2.")
        names: object = self.val_sequences
        if not (isinstance(names, tuple) and all(isinstance(name, str) and name for name in names)):
            raise InvalidInputError(f"val_sequences is {shown(names)}; expected names of sequences, such as a,b.")
        if self.val is not None and self.val_sequences:
            raise InvalidInputError(
                f"val is {self.val:g} and val_sequences is {','.join(names)}; expected one of the two."
            )
        if not is_whole(self.preview, 0, MAX_PREVIEWS):
            expected = f"expected a whole number from 0 to {MAX_PREVIEWS}"
            raise InvalidInputError(f"preview is {shown(self.preview)}; {expected}.")
        check_flag("overwrite", self.overwrite)
        check_flag("box_ids", self.box_ids)

    def split(self, sequences: Sequence[SourceSequence]) -> tuple[list[PartSequence], list[str]]:
        """Return the sequences of both parts, and notes about the choice."""
        if self.val_sequences:
            return split_by_name(sequences, self.val_sequences), []
        if self.val is not None:
            return split_by_fraction(sequences, float(self.val))
        return split_as_published(sequences), []


def prepare(  # noqa: PLR0913 (one for each option)
    format: str,  # noqa: A002 (the name of the argument on the command line)
    source: str | Path,
    output_dir: str | Path,
    *,
    val: float | None = None,
    val_sequences: Sequence[str] = (),
    min_visibility: float = 0.1,
    classes: Sequence[str] | None = None,
    use_ids: bool = True,
    box_ids: bool = False,
    preview: int = 0,
    overwrite: bool = False,
    progress: bool = True,
) -> PreparedReport:
    """Make a dataset to train on from a folder of labelled images.

    The dataset replaces an earlier one of the same source; an interruption leaves the earlier one. The source is never
    changed: images are linked, or copied if the file system has no links.

    Args:
        format: Label format, a key of `READERS`.
        source: Folder of the labelled images.
        output_dir: Folder of the dataset, apart from the source.
        val: Share of the images to validate on: whole videos, or the end of each, or stills by a hash of their names.
            None: the parts that the publisher of the dataset made, if any.
        val_sequences: Names of the sequences to validate on, instead of ``val``.
        min_visibility: Least visible share of a person; people below it become ignored areas.
        classes: Names or numbers of the classes to train on; None: people.
        use_ids: Whether to keep identities; without any, the embedding cannot be trained.
        box_ids: Whether each box of a still image that has no identity becomes a person of its own, as FairMOT trains
            the embedding on CrowdHuman.
        preview: Number of images to draw with their labels, 0 to 1000.
        overwrite: Whether to replace a dataset of another source.
        progress: Whether to show progress on stderr.

    Returns:
        The report.

    Raises:
        InvalidInputError: An argument is not one of those described, or the folders are not apart.
        DatasetError: The source cannot be read, has no boxes, more than half of its images cannot be decoded, or one
            part would be empty.
        OutputError: The output directory cannot be written, or has other files.
    """
    require_import_memory("numpy", "cv2", purpose="Preparing a dataset")
    check_path("source", source, "a folder of labelled images")
    _check_folder(output_dir)
    chosen = PrepareOptions(val, _as_tuple("val_sequences", val_sequences), preview, overwrite, box_ids)
    options = ReadOptions(min_visibility, None if classes is None else _as_tuple("classes", classes), use_ids)
    root, folder = Path(source), Path(output_dir)
    check_apart(root, folder)
    report = DropReport()
    if not root.exists():
        raise DatasetError(f"{root} does not exist; expected a folder of labelled images: check the spelling.")
    identity = {"format": format, "path": os.path.realpath(root)}
    with DatasetClaim(folder, identity, overwrite=overwrite) as claim:
        sequences = limit_labels(read_format(format, root, options, report), report, use_ids=use_ids)
        settings = {**asdict(options), "val": val, "val_sequences": list(chosen.val_sequences), "box_ids": box_ids}
        name = root.resolve().name or format
        return _write(claim, folder, sequences, chosen, report, (name, {**identity, "settings": settings}), progress)


def prepare_sequences(
    sequences: Sequence[SourceSequence],
    source: str | Path,
    output_dir: str | Path,
    *,
    name: str,
    report: DropReport | None = None,
    options: PrepareOptions | None = None,
    progress: bool = True,
) -> PreparedReport:
    """Make a dataset from labelled images that are in memory, for label formats without a reader.

    The dataset is checked and written as by `prepare`. Sequences with the part ``val`` become the validation part
    unless the options divide the images another way.

    Args:
        sequences: Images with their labels.
        source: Folder or file that they were read from; a dataset of another source is replaced only on request.
        output_dir: Folder of the dataset, apart from the source.
        name: Name of the dataset, and of its format in ``dataset.json``.
        report: What was left out while the labels were read; None: nothing.
        options: Division into parts, previews, replacement of other datasets.
        progress: Whether to show progress on stderr.

    Returns:
        The report.

    Raises:
        InvalidInputError: The folders are not apart.
        DatasetError: More than half of the images cannot be decoded, or one part would be empty.
        OutputError: The output directory cannot be written, or has other files.
    """
    require_import_memory("numpy", "cv2", purpose="Preparing a dataset")
    check_path("source", source, "the folder or file that the labels were read from")
    _check_folder(output_dir)
    folder, chosen, dropped = Path(output_dir), options or PrepareOptions(), report or DropReport()
    check_apart(Path(source), folder)
    identity = {"format": name, "path": os.path.realpath(source)}
    with DatasetClaim(folder, identity, overwrite=chosen.overwrite) as claim:
        limited = limit_labels(sequences, dropped, use_ids=True)
        settings = {"val": chosen.val, "val_sequences": list(chosen.val_sequences)}
        return _write(claim, folder, limited, chosen, dropped, (name, {**identity, "settings": settings}), progress)


def _write(
    claim: DatasetClaim,
    folder: Path,
    sequences: Sequence[SourceSequence],
    chosen: PrepareOptions,
    report: DropReport,
    source: tuple[str, dict[str, object]],
    progress: bool,
) -> PreparedReport:
    """Check the images, divide them into parts, and write the dataset; ``source`` is its name and its origin."""
    if chosen.box_ids:
        sequences = with_box_identities(sequences)
    checked = check_images(sequences, claim.temporary, report, progress=progress)
    check_images_apart((file.path for file in checked.files.values() if not file.is_temporary), folder)
    parts, notes = chosen.split(checked.sequences)
    parts = without_duplicates(parts, checked, report)
    dropped = tuple(DroppedEntry(reason, entry.count, entry.example) for reason, entry in report.reasons.items())
    description = Description(*source, dropped, (*notes, *path_notes(folder)))
    manifest = write_dataset(claim.staging, parts, checked, description, progress=progress)
    write_previews(Dataset.open(claim.staging), claim.staging / PREVIEW, chosen.preview)
    claim.commit()
    previews = tuple(sorted((folder / PREVIEW).glob("*.jpg"))) if chosen.preview else ()
    return PreparedReport(folder, manifest, previews)


def _check_folder(output_dir: str | Path) -> None:
    check_output_dir(output_dir)
    if not os.fspath(output_dir):  # as Path("") it would be the current folder
        raise InvalidInputError("output_dir is ''; expected the path of a folder.")


def _as_tuple(name: str, values: object) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidInputError(f"{name} is {shown(values)}; expected a list of names.")
    return tuple(values)
