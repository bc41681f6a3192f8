"""Assembles a dataset from checked sequences in two parts: identities, files, counts, notes and the digest."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...console.progress import progress_bar
from ...errors import DatasetError
from ...files import output_error, write_whole
from ..formats.reading import DropReport
from ..prepared.image_table import content_digest
from ..prepared.manifest import IGNORED, MANIFEST, PARTS, DroppedEntry, Manifest, SequenceEntry
from .checking import CheckedSequences
from .identities import IdentityCounts, compact_identities
from .naming import unique_names
from .splitting import PartSequence
from .writing import write_parts

DUPLICATES = "validation images that are also in the training part"


@dataclass(frozen=True)
class Description:
    """Facts about a dataset that do not follow from its images and labels.

    Attributes:
        name: Name of the dataset.
        source: Format, path and settings that it is made from.
        dropped: Reasons for which something was left out or changed.
        notes: Remarks in plain words.
    """

    name: str
    source: Mapping[str, Any]
    dropped: tuple[DroppedEntry, ...]
    notes: tuple[str, ...]


def write_dataset(
    folder: Path,
    parts: Sequence[PartSequence],
    checked: CheckedSequences,
    description: Description,
    *,
    progress: bool = False,
) -> Manifest:
    """Write all files of a dataset; ``dataset.json`` is the last one.

    Args:
        folder: Empty folder.
        parts: Sequences of both parts.
        checked: Files of the images.
        description: Other facts for ``dataset.json``.
        progress: Whether to show progress on stderr.

    Returns:
        The content of ``dataset.json``.

    Raises:
        OutputError: A file cannot be written.
        DatasetError: An image cannot be read any more.
    """
    numbered, counts = compact_identities(parts)
    names = _names(numbered)
    total = sum(len(part.sequence.images) for part in numbered)
    with progress_bar("writing", total, enabled=progress, unit="image") as bar:
        entries = write_parts(folder, numbered, names, checked.files, bar)
    areas = [file for entry in entries if (folder / (file := entry.beside(IGNORED))).exists()]
    manifest = Manifest(
        description.name,
        description.source,
        numbered[0].sequence.classes,
        tuple(map(_entry, numbered, names, counts)),
        sum(count.new for count in counts),
        description.dropped,
        (*description.notes, *_notes(numbered, counts)),
        content_digest(folder, entries, areas),
    )
    try:
        write_whole(folder / MANIFEST, manifest.json().encode())
    except OSError as error:
        raise output_error(folder / MANIFEST, error) from error
    return manifest


def without_duplicates(
    parts: Sequence[PartSequence], checked: CheckedSequences, report: DropReport
) -> list[PartSequence]:
    """Leave validation images out that are also training images, whatever their names.

    Raises:
        DatasetError: No validation image remains.
    """
    trained = {
        checked.files[image.path].digest for part in parts if part.part == "train" for image in part.sequence.images
    }
    kept = []
    for part in parts:
        images = part.sequence.images
        if part.part == "val":
            copies = [image for image in images if checked.files[image.path].digest in trained]
            report.add(DUPLICATES, len(copies), copies[0].path if copies else "")
            paths = {image.path for image in copies}
            images = [image for image in images if image.path not in paths]
        if images:
            kept.append(PartSequence(part.part, part.origin, replace(part.sequence, images=images)))
    if len({part.part for part in kept}) < len({part.part for part in parts}):
        raise DatasetError(
            "Every validation image is also in the training part, so nothing is left to validate on; remove the copies"
            " from the source."
        )
    return kept


def path_notes(folder: Path) -> list[str]:
    """Return a note if other programs cannot read a dataset in this folder because of its path."""
    path = os.path.abspath(folder)  # noqa: PTH100 (as the user names it: links are not followed)
    traps = [text for text in ("images", ".png", ".jpg") if text in path]
    if not traps:
        return []
    return [f"PaddleDetection and FairMOT cannot read this dataset, because {traps[0]!r} is in the path of its folder"]


def _names(parts: Sequence[PartSequence]) -> list[str]:
    """Return the folder names of the sequences, equal for both parts of one."""
    sources = {part.origin: part.sequence.name for part in parts}
    names = dict(zip(sources, unique_names(sources.values(), "sequence"), strict=True))
    return [names[part.origin] for part in parts]


def _entry(part: PartSequence, name: str, counts: IdentityCounts) -> SequenceEntry:
    sequence = part.sequence
    return SequenceEntry(
        name=name,
        part=part.part,
        is_video=sequence.is_video,
        frame_rate=sequence.frame_rate,
        images=len(sequence.images),
        boxes=sum(len(image.labels) for image in sequence.images),
        identities=counts.present,
        new_identities=counts.new,
        source_name=sequence.name,
        clip_boxes=sequence.clip_boxes,
    )


def _notes(parts: Sequence[PartSequence], counts: Sequence[IdentityCounts]) -> list[str]:
    notes = []
    identities = sum(count.new for count in counts)
    empty = sum(not len(image.labels) for part in parts for image in part.sequence.images)
    if empty:
        what = "image without boxes is" if empty == 1 else "images without boxes are"
        notes.append(f"{empty} {what} kept, to learn what is not a person")
    if identities == 0:
        notes.append("no identities: training leaves the embedding as it is in the start weights")
    if identities == 1:
        notes.append("only one identity: the embedding learns nothing from it")
    if not any(part.part == PARTS[0] for part in parts):
        notes.append("no training part: use this dataset to validate on (train --val)")
    return notes
