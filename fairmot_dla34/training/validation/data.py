"""Sequences of the validation part, the names of their files, and their ground truth as MOTChallenge text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...datasets.prepared.dataset import Dataset, DatasetImage, DatasetSequence
from ...datasets.values import NO_IDENTITY, ImageLabels
from ...errors import DatasetError
from ...evaluation.average_precision import MIN_IOU, lies_in, overlap
from ...file_names import safe_file_name
from ...files import output_error, write_whole
from ...geometry import xyxy_to_tlwh
from ...values import Track

_PERSON, _DISTRACTOR = 1, 8  # classes of MOT17 ground truth
_RESERVED = "gt"  # a file gt.txt would count as the ground truth of a single sequence


@dataclass(frozen=True, eq=False)
class ValidationSequence:
    """A sequence to validate on.

    Attributes:
        dataset: The dataset it belongs to.
        sequence: Its images.
        names: Stem of its MOTChallenge files for each class; unique in the validation.
    """

    dataset: Dataset
    sequence: DatasetSequence
    names: tuple[str, ...]

    def frame(self, image: DatasetImage) -> int:
        """Return the number of an image, from 0 at the first image of this part."""
        return image.index - self.sequence.images[0].index

    @property
    def length(self) -> int:
        """Number of frames from the first image of this part to the last."""
        return self.frame(self.sequence.images[-1]) + 1


@dataclass(frozen=True)
class LabelledPositions:
    """Positions of the images of each sequence that have labels of a kind.

    Attributes:
        with_boxes: Positions of the images with a box, for each sequence.
        with_identities: Positions of the images with a box that has an identity, for each sequence.
    """

    with_boxes: tuple[tuple[int, ...], ...]
    with_identities: tuple[tuple[int, ...], ...]

    @classmethod
    def read(cls, sequences: Sequence[ValidationSequence]) -> LabelledPositions:
        """Read all labels.

        Raises:
            DatasetError: A file is missing or damaged, or an image has an identity twice.
        """
        with_boxes, with_identities = [], []
        for sequence in sequences:
            labels = [_checked_ids(sequence, image) for image in sequence.sequence.images]
            with_boxes.append(tuple(place for place, ids in enumerate(labels) if len(ids)))
            with_identities.append(tuple(place for place, ids in enumerate(labels) if (ids != NO_IDENTITY).any()))
        return cls(tuple(with_boxes), tuple(with_identities))


def _checked_ids(sequence: ValidationSequence, image: DatasetImage) -> NDArray[np.int64]:
    """Return the identities of an image, each of which may be there once: tracks could not be scored otherwise."""
    ids = sequence.dataset.labels(image).ids
    known, counts = np.unique(ids[ids != NO_IDENTITY], return_counts=True)
    if (counts > 1).any():
        raise DatasetError(
            f"{image.label_path} has identity {known[counts > 1][0]} twice; expected one box of each identity in an "
            f"image: correct the file, or write {NO_IDENTITY} for the box whose identity is unknown."
        )
    return ids


def spread(total: int, count: int) -> list[int]:
    """Return at most ``count`` different numbers below ``total``, evenly spread, from 0."""
    count = min(total, count)
    return [place * total // count for place in range(count)]


def validation_sequences(datasets: Sequence[Dataset], part: str) -> tuple[ValidationSequence, ...]:
    """Return the sequences of a part of all datasets that have images."""
    taken = {_RESERVED}
    found = []
    for dataset in datasets:
        for sequence in dataset.sequences(part):
            if not sequence.images:
                continue
            stem = safe_file_name(sequence.name, "sequence")
            classes = dataset.classes
            stems = [stem] if len(classes) == 1 else [f"{stem}_{safe_file_name(name, 'class')}" for name in classes]
            names = tuple(_unique(name, dataset.name, taken) for name in stems)
            found.append(ValidationSequence(dataset, sequence, names))
    return tuple(found)


def _unique(name: str, dataset: str, taken: set[str]) -> str:
    """Return a name that is not taken yet on a file system without case; it is taken then."""
    candidates = (safe_file_name(text, "sequence") for text in _numbered(name, f"{dataset}_{name}"))
    free = next(candidate for candidate in candidates if candidate.casefold() not in taken)
    taken.add(free.casefold())
    return free


def _numbered(name: str, longer: str) -> Iterator[str]:
    yield name
    yield longer
    number = 1
    while True:
        number += 1
        yield f"{number}_{longer}"


def people_of(labels: ImageLabels, class_id: int) -> NDArray[np.bool_]:
    """Return ``(N,)`` whether a box is of this class and has an identity."""
    people: NDArray[np.bool_] = (labels.class_ids == class_id) & (labels.ids != NO_IDENTITY)
    return people


def unscored_areas(labels: ImageLabels, class_id: int) -> NDArray[np.float32]:
    """Return ``(A, 4)`` areas in which tracks do not count: ignored ones, and boxes without an identity."""
    anonymous = (labels.class_ids == class_id) & (labels.ids == NO_IDENTITY)
    return np.concatenate([labels.ignored, labels.boxes[anonymous]])


def scored_tracks(tracks: Iterable[Track], labels: ImageLabels, class_id: int) -> tuple[Track, ...]:
    """Return the tracks of a class without those in areas where people were not labelled.

    MOTChallenge's distractors match one result each, by IoU; an area may hold a whole crowd. So a track is left out
    if at least half of its box lies in an area and it covers no person, as `match_detections` does for detections.
    """
    chosen = [track for track in tracks if track.class_id == class_id]
    boxes = np.array([track.box for track in chosen], np.float32).reshape(-1, 4)
    covers = (overlap(boxes, labels.boxes[people_of(labels, class_id)]) >= MIN_IOU).any(axis=1)
    left_out = lies_in(boxes, unscored_areas(labels, class_id)) & ~covers
    left_out |= (np.round(boxes[:, 2:] - boxes[:, :2], 2) <= 0).any(axis=1)  # evaluation refuses them, as written
    return tuple(track for track, out in zip(chosen, left_out.tolist(), strict=True) if not out)


def write_truth(sequence: ValidationSequence, folder: Path) -> list[str]:
    """Write the ground truth of a video, one file for each class, and its length.

    Args:
        sequence: Sequence.
        folder: Folder of ``<name>.txt``; the lengths are in ``seqinfo/<name>.ini`` below it.

    Returns:
        Names of the files that have a person with an identity; the others are not written.

    Raises:
        DatasetError: A file of labels is missing or damaged.
        OutputError: A file cannot be written.
    """
    lines: list[list[str]] = [[] for _ in sequence.names]
    scored = np.zeros(len(sequence.names), bool)
    for image in sequence.sequence.images:
        labels = sequence.dataset.labels(image)
        for class_id, name_lines in enumerate(lines):
            rows = _truth_lines(labels, class_id, sequence.frame(image) + 1, sequence.dataset.num_identities)
            name_lines.extend(rows)
            scored[class_id] |= bool(people_of(labels, class_id).any())
    names = [name for name, has_people in zip(sequence.names, scored.tolist(), strict=True) if has_people]
    for name, name_lines in zip(sequence.names, lines, strict=True):
        if name in names:
            seqinfo = f"[Sequence]\nname={name}\nseqLength={sequence.length}\n"
            write_text(folder / "seqinfo" / f"{name}.ini", seqinfo)
            write_text(folder / f"{name}.txt", "".join(name_lines))
    return names


def _truth_lines(labels: ImageLabels, class_id: int, frame: int, num_identities: int) -> list[str]:
    """Return the lines of one image: people, and areas as distractors with ids above those of people.

    Areas that nearly coincide with a person are left out: TrackEval would give the person's track to the distractor.
    """
    people = people_of(labels, class_id)
    boxes, areas = labels.boxes[people], unscored_areas(labels, class_id)
    areas = areas[~(overlap(areas, boxes) >= MIN_IOU).any(axis=1)]
    ids = [*(labels.ids[people] + 1).tolist(), *range(num_identities + 1, num_identities + 1 + len(areas))]
    kinds = [f"1,{_PERSON}"] * len(boxes) + [f"0,{_DISTRACTOR}"] * len(areas)
    rows = xyxy_to_tlwh(np.concatenate([boxes, areas])).tolist()
    return [
        f"{frame},{number},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{kind},1\n"
        for number, (left, top, width, height), kind in zip(ids, rows, kinds, strict=True)
        if round(width, 2) > 0 and round(height, 2) > 0
    ]


def write_text(path: Path, text: str) -> None:
    """Write a whole text file.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise output_error(path, error) from error
