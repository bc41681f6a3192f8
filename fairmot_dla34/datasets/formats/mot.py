"""Readers of MOTChallenge's datasets, of DanceTrack, and of any folder in their layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import DatasetError
from ..classes import ClassChoice, choose_classes
from ..values import NO_IDENTITY, SourceImage, SourceSequence
from .building import HIDDEN, Boxes, labelled_image
from .image_header import ImageHeader, read_header
from .mot_folders import SequenceFolder, find_sequences
from .mot_frames import frame_indices
from .mot_rows import PERSON, TruthRows, read_truth
from .mot_video import read_video_size
from .reading import DropReport, ReadOptions, line_error, read_text, require_folder

CLASSES = {  # of MOT16, MOT17 and MOT20
    1: "pedestrian", 2: "person on vehicle", 3: "car", 4: "bicycle", 5: "motorbike", 6: "non motorized vehicle",
    7: "static person", 8: "distractor", 9: "occluder", 10: "occluder on the ground", 11: "occluder full",
    12: "reflection", 13: "crowd",
}  # fmt: skip
_LIKE_PEOPLE = (2, 7, 8, 12, 13)  # the benchmark counts a detection of one as neither right nor wrong
_LAYOUT = "<sequence>/img1/*.jpg and <sequence>/gt/gt.txt"
OTHER_CLASS = "boxes of other classes"
DISTRACTOR = "boxes of a class that looks like people, now ignored areas"
NOT_COUNTED = "people marked as not to be counted (confidence 0), now ignored areas"
NO_IMAGE = "boxes of frames without an image"


def read_mot(root: Path, options: ReadOptions, report: DropReport, *, clip_boxes: bool = False) -> list[SourceSequence]:
    """Read sequences in MOTChallenge's layout, with images or, as `fairmot_dla34 synth` writes them, a video.

    Pedestrians that count (confidence not 0) become boxes. Pedestrians that do not count, those less visible than the
    minimum, and what looks like people (classes 2, 7, 8, 12 and 13) become ignored areas. Other classes are left out.
    A ``gt.txt`` of 10 columns is MOT15's: columns 8 to 10 are a position in 3D, and all boxes are of people.

    Args:
        root: Folder of a sequence, or of sequences, also in ``train`` and ``val`` folders.
        options: What to read.
        report: Receives what is left out.
        clip_boxes: Whether training clips boxes to the image.

    Raises:
        DatasetError: The folder is not of this layout, or a file is damaged.
    """
    require_folder(root, _LAYOUT)
    found = find_sequences(root, report)
    if not found:
        raise DatasetError(f"{root} has no sequence with ground truth; expected {_LAYOUT}. Name the folder above them.")
    choice = _choice(found, options, root)
    return [_sequence(folder, choice, options, report, clip_boxes=clip_boxes) for folder in found]


# FairMOT clips the boxes of MOT20 alone: jde.py, random_affine.
read_mot20 = partial(read_mot, clip_boxes=True)


def _choice(found: Sequence[SequenceFolder], options: ReadOptions, root: Path) -> ClassChoice:
    """Return the classes: those that CVAT names in ``gt/labels.txt``, else those of MOTChallenge."""
    files = [path for folder in found if (path := folder.truth.with_name("labels.txt")).is_file()]
    if not files:
        known = {PERSON: CLASSES[PERSON]} if options.classes is None else CLASSES
        return choose_classes(known, options.classes, root)
    named = {read_text(path, "one class name per line").strip(): path for path in files}
    if len(named) > 1 or len(files) < len(found):
        raise DatasetError(
            f"{files[0]} names the classes, and another sequence has other names or none; expected the same file in all"
            " sequences. Prepare them one by one."
        )
    names = next(iter(named)).split("\n")
    known = {number: name.strip() for number, name in enumerate(names, 1) if name.strip()}
    return replace(choose_classes(known, options.classes, files[0]), standard=False)


def _sequence(
    folder: SequenceFolder, choice: ClassChoice, options: ReadOptions, report: DropReport, *, clip_boxes: bool
) -> SourceSequence:
    rows = read_truth(folder.truth)
    if folder.video is None:
        paths: Sequence[Path] = folder.images
        headers = None
    else:
        size, count = read_video_size(folder.video, folder.length)
        digits = max(6, len(str(count)))
        paths = [folder.video.with_suffix("") / f"{number:0{digits}}.jpg" for number in range(1, count + 1)]
        headers = size
    indices = frame_indices(rows, [path.stem for path in paths])
    lost = indices < 0
    if len(rows) and lost.all():
        raise line_error(
            rows.path, int(rows.lines[0]), f"frame {rows.frames[0]}; expected a frame of {folder.folder}, which has "
            f"{len(paths)} images. No line of the file belongs to one of them."
        )  # fmt: skip
    report.add(NO_IMAGE, int(lost.sum()), _place(rows, lost))
    people, ignored = _kinds(rows, choice, options, report, ~lost)
    _check_unique(rows, indices, people)
    images = _images(rows, indices, people, ignored, paths, headers, choice, options, report)
    return SourceSequence(
        folder.name,
        images,
        is_video=True,
        frame_rate=folder.rate,
        classes=choice.names,
        part=folder.part,
        clip_boxes=clip_boxes,
        video=folder.video,
    )


def _kinds(
    rows: TruthRows, choice: ClassChoice, options: ReadOptions, report: DropReport, valid: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are boxes and which are ignored areas; the others are counted as left out."""
    wanted = valid & np.isin(rows.class_ids, list(choice.numbers))
    has_people = choice.standard and PERSON in choice.numbers
    like_people = valid & ~wanted & np.isin(rows.class_ids, _LIKE_PEOPLE) & has_people
    # MOTChallenge sets the confidence of every class but pedestrians to 0, also where the boxes are good.
    uncounted = wanted & (rows.confidences == 0) & (not choice.standard or rows.class_ids == PERSON)
    hidden = wanted & ~uncounted & (rows.visibilities < options.min_visibility)
    others = valid & ~wanted & ~like_people
    for mask, reason in (
        (others, OTHER_CLASS),
        (like_people, DISTRACTOR),
        (uncounted, NOT_COUNTED),
        (hidden, HIDDEN),
    ):
        report.add(reason, int(mask.sum()), _place(rows, mask))
    return wanted & ~uncounted & ~hidden, like_people | uncounted | hidden


def _images(  # noqa: PLR0913, PLR0917 (one pass over all that is known about the rows)
    rows: TruthRows,
    indices: NDArray[np.int64],
    people: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
    paths: Sequence[Path],
    size: ImageHeader | None,
    choice: ClassChoice,
    options: ReadOptions,
    report: DropReport,
) -> list[SourceImage]:
    """Return all images with their labels, also those without people."""
    found = [Boxes() for _ in paths]
    for row in np.flatnonzero(people):
        identity = int(rows.ids[row]) if options.use_ids else NO_IDENTITY
        found[indices[row]].add(rows.boxes[row].tolist(), choice.numbers[int(rows.class_ids[row])], identity)
    for row in np.flatnonzero(ignored):
        found[indices[row]].ignored.append(rows.boxes[row].tolist())
    return [
        labelled_image(path, size or read_header(path), boxes, report, rows.path)
        for path, boxes in zip(paths, found, strict=True)
    ]


def _check_unique(rows: TruthRows, indices: NDArray[np.int64], people: NDArray[np.bool_]) -> None:
    """Check that no person is twice in one frame."""
    seen: dict[tuple[int, int, int], int] = {}
    for row in np.flatnonzero(people & (rows.ids != NO_IDENTITY)):
        key = (int(indices[row]), int(rows.class_ids[row]), int(rows.ids[row]))
        line = int(rows.lines[row])
        if seen.setdefault(key, line) != line:
            raise line_error(
                rows.path, line, f"id {rows.ids[row]} is already in frame {rows.frames[row]}, in line {seen[key]};"
                " remove one of the two lines."
            )  # fmt: skip


def _place(rows: TruthRows, mask: NDArray[np.bool_]) -> str:
    return f"{rows.path}, line {rows.lines[int(np.argmax(mask))]}" if mask.any() else str(rows.path)
