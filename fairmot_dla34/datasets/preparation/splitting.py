"""Division of sequences into a training and a validation part, without near-copies of an image on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import DatasetError, InvalidInputError
from ..values import SourceSequence

_MOST, _LEAST = 2.0, 0.5  # shares of the fraction that whole sequences may make up
_SHOWN_NAMES = 10


@dataclass(frozen=True, eq=False)
class PartSequence:
    """A sequence, or a stretch of one, that belongs to one part.

    Attributes:
        part: ``train`` or ``val``.
        origin: Index of the source sequence: its identities are the same people in both parts.
        sequence: Images and labels.
    """

    part: str
    origin: int
    sequence: SourceSequence


def split_as_published(sequences: Sequence[SourceSequence]) -> list[PartSequence]:
    """Return the parts into which the publisher split the dataset; sequences without a part are trained on."""
    return _ordered([PartSequence(item.part or "train", index, item) for index, item in enumerate(sequences)])


def split_by_name(sequences: Sequence[SourceSequence], names: Sequence[str]) -> list[PartSequence]:
    """Put the named sequences into the validation part and all others into the training part.

    Raises:
        InvalidInputError: A name is unknown.
        DatasetError: No sequence is left to train on.
    """
    known = {sequence.name for sequence in sequences}
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known)[:_SHOWN_NAMES]) + (", ..." if len(known) > _SHOWN_NAMES else "")
            raise InvalidInputError(
                f"val_sequences is {','.join(names)}, but the source has no {name!r}; it has {listed}."
            )
    parts = [
        PartSequence("val" if sequence.name in names else "train", index, sequence)
        for index, sequence in enumerate(sequences)
    ]
    if all(part.part == "val" for part in parts):
        raise DatasetError(f"val_sequences is {','.join(names)}, which leaves none to train on; name fewer.")
    return _ordered(parts)


def split_by_fraction(sequences: Sequence[SourceSequence], fraction: float) -> tuple[list[PartSequence], list[str]]:
    """Put about a fraction of the images into the validation part; the same images at each call.

    Videos: whole sequences if some of them make up half to twice the fraction, otherwise the last images of each
    video, because neighbouring frames are near-copies. Stills: by a hash of the file's name.

    Args:
        sequences: Sequences with at least one image.
        fraction: Share of the images, above 0 and below 1.

    Returns:
        The sequences of the parts, and notes for the report.

    Raises:
        DatasetError: One of the parts would be empty.
    """
    numbered = list(enumerate(sequences))
    videos = [(index, sequence) for index, sequence in numbered if sequence.is_video]
    stills = [(index, sequence) for index, sequence in numbered if not sequence.is_video]
    parts, notes = _split_videos(videos, fraction)
    chosen = _chosen_stills([sequence for _, sequence in stills], fraction)
    for (index, sequence), held_out in zip(stills, chosen, strict=True):
        parts += _cut(index, sequence, held_out)
    if len(parts) == 1:
        raise DatasetError(
            f"val is {fraction:g}, which leaves one part empty; expected at least two images with different names:"
            " leave it out, or label more."
        )
    missing = {"train", "val"} - {part.part for part in parts}
    if missing:  # several sequences of one image
        smallest = min(parts, key=lambda part: len(part.sequence.images))
        parts = [replace(part, part=next(iter(missing))) if part is smallest else part for part in parts]
    return _ordered(parts), notes


def _split_videos(videos: list[tuple[int, SourceSequence]], fraction: float) -> tuple[list[PartSequence], list[str]]:
    chosen = _whole_sequences([sequence for _, sequence in videos], fraction)
    if chosen:
        return [
            PartSequence("val" if sequence.name in chosen else "train", index, sequence) for index, sequence in videos
        ], [f"validation part: the whole of {', '.join(sorted(chosen)[:_SHOWN_NAMES])}"]
    parts = []
    for index, sequence in videos:
        count = len(sequence.images)
        held_out = min(max(1, round(count * fraction)), count - 1)
        parts += _cut(index, sequence, set(range(count - held_out, count)))
    share = f"{100 * fraction:.3g} %"
    return parts, [f"validation part: the last {share} of each video, in which people of the training part appear"] * (
        len(videos) > 0
    )


def _whole_sequences(videos: list[SourceSequence], fraction: float) -> set[str]:
    """Return the names of whole videos whose images are about a fraction of all, or an empty set.

    The videos are tried in the order of a hash, which prefers none by name or place.
    """
    total = sum(len(video.images) for video in videos)
    target = total * fraction
    chosen: set[str] = set()
    count = 0
    for video in sorted(videos, key=lambda video: _hash(video.name)):
        if abs(count + len(video.images) - target) < abs(count - target) and len(chosen) < len(videos) - 1:
            chosen.add(video.name)
            count += len(video.images)
    return chosen if _LEAST * target <= count <= min(_MOST * target, total - 1) else set()


def _chosen_stills(sequences: Sequence[SourceSequence], fraction: float) -> list[set[int]]:
    """Return the positions of the images that are held out in each sequence: those whose names have small hashes."""
    hashes = [[_hash(image.path.stem) for image in sequence.images] for sequence in sequences]
    values = sorted(value for group in hashes for value in group)
    limit = fraction
    if len(values) >= 2:  # neither part is left empty
        limit = min(max(fraction, values[1]), values[-1])
    return [{index for index, value in enumerate(group) if value < limit} for group in hashes]


def _hash(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big") / 2**64


def _cut(index: int, sequence: SourceSequence, held_out: set[int]) -> list[PartSequence]:
    """Divide one sequence; a part without images is left out."""
    images = {
        "train": [image for position, image in enumerate(sequence.images) if position not in held_out],
        "val": [image for position, image in enumerate(sequence.images) if position in held_out],
    }
    return [PartSequence(part, index, replace(sequence, images=members)) for part, members in images.items() if members]


def _ordered(parts: list[PartSequence]) -> list[PartSequence]:
    """Return the sequences of the training part, then those of the validation part, in the source's order."""
    return sorted(parts, key=lambda part: (part.part != "train", part.origin))
