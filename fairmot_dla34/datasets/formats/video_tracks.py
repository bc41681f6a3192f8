"""Builds a sequence from tracks with keyframes, as labelling tools store them; boxes between are interpolated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ...errors import DatasetError
from ..classes import ClassChoice
from ..values import NO_IDENTITY, SourceSequence
from .building import Boxes, labelled_image
from .image_header import ImageHeader, read_header
from .labelled_media import LabelledMedia
from .reading import DropReport, ReadOptions

OTHER_CLASS = "boxes of other classes"
UNLABELLED = "frames that were not labelled, now ignored areas"
_MAX_BOXES = 5_000_000  # in one video: 460 people in each frame of 10,000


@dataclass(frozen=True)
class KeyBox:
    """Box of a track in one frame.

    Attributes:
        frame: Frame number from 0.
        box: xyxy, image px.
        is_shown: Whether the person is visible in this frame.
        continues: Whether the person is visible in the frames up to the next key.
    """

    frame: int
    box: Sequence[float]
    is_shown: bool
    continues: bool


@dataclass(frozen=True)
class KeyTrack:
    """Track of a labelling tool.

    Attributes:
        identity: Number of the person, unique in the video.
        class_number: Number of the class in the file.
        keys: Boxes by rising frame, at least one.
        place: File, and place in it, for messages.
        holds: Whether a last box that continues stays to the end of the video.
    """

    identity: int
    class_number: int
    keys: Sequence[KeyBox]
    place: str
    holds: bool = False

    @property
    def last_visible(self) -> int:
        """Last frame in which a key or the interpolation shows the person; -1 if there is none."""
        between = (second.frame - 1 for first, second in pairwise(self.keys) if first.continues)
        return max((*between, *(key.frame for key in self.keys if key.is_shown)), default=-1)

    def boxes(self, frame_count: int) -> Iterator[tuple[int, Sequence[float]]]:
        """Yield frame and box for every frame in which the person is visible."""
        for key, following in pairwise(self.keys):
            if key.is_shown:
                yield key.frame, key.box
            if key.continues:
                yield from _between(key, following)
        last = self.keys[-1]
        if last.is_shown:
            yield last.frame, last.box
        if last.continues and self.holds:
            yield from ((frame, last.box) for frame in range(last.frame + 1, frame_count))


def _between(first: KeyBox, second: KeyBox) -> Iterator[tuple[int, list[float]]]:
    """Yield the boxes between two keys, on straight lines."""
    length = second.frame - first.frame
    for frame in range(first.frame + 1, second.frame):
        share = (frame - first.frame) / length
        yield frame, [a + (b - a) * share for a, b in zip(first.box, second.box, strict=True)]


def build_sequence(
    media: LabelledMedia,
    tracks: Sequence[KeyTrack],
    choice: ClassChoice,
    options: ReadOptions,
    report: DropReport,
    *,
    labelled: range | None = None,
) -> SourceSequence:
    """Return the sequence of one video with the boxes of all frames.

    A frame that was not labelled becomes an ignored area as a whole: an empty label would train the network not to find
    the people in it.

    Args:
        media: Video, or images.
        tracks: Its tracks.
        choice: Classes to train on.
        options: What to read.
        report: Receives what is left out.
        labelled: Frames that were labelled, from 0; None: all.

    Raises:
        DatasetError: A track has a frame beyond the end, two tracks with one identity are in one frame, or the tracks
            have too many boxes.
    """
    count = media.frame_count
    _check_extent(media, tracks)
    wanted = [track for track in tracks if track.class_number in choice.numbers]
    for track in tracks:
        if track.class_number not in choice.numbers:
            report.add(OTHER_CLASS, sum(key.is_shown for key in track.keys), track.place)
    found = [Boxes() for _ in range(count)]
    owners: dict[tuple[int, int], KeyTrack] = {}
    for track in wanted:
        class_id, identity = choice.numbers[track.class_number], track.identity if options.use_ids else NO_IDENTITY
        for frame, box in track.boxes(count):
            if labelled is not None and frame not in labelled:
                continue
            if owners.setdefault((frame, track.identity), track) is not track:
                raise DatasetError(
                    f"{track.place}: id {track.identity} is in frame {frame} twice, also in another track with this id;"
                    " expected one. Give one of them another id."
                )
            found[frame].add(box, class_id, identity)
    left_out = [frame for frame in range(count) if labelled is not None and frame not in labelled]
    report.add(UNLABELLED, len(left_out), media.path)
    place = tracks[0].place.partition(",")[0] if tracks else str(media.path)
    images = []
    for path, boxes in zip(media.image_paths(), found, strict=True):
        header = ImageHeader(media.width, media.height) if media.is_video else read_header(path)
        images.append((path, header, boxes))
    for frame in left_out:
        header = images[frame][1]
        found[frame].ignored.append([0, 0, header.width, header.height])
    return SourceSequence(
        media.name,
        [labelled_image(path, header, boxes, report, place) for path, header, boxes in images],
        is_video=True,
        frame_rate=media.frame_rate,
        classes=choice.names,
        video=media.path if media.is_video else None,
    )


def _check_extent(media: LabelledMedia, tracks: Sequence[KeyTrack]) -> None:
    """Check that all frames exist, before boxes are interpolated."""
    total = 0
    for track in tracks:
        last = track.last_visible
        if last >= media.frame_count:
            raise DatasetError(
                f"{track.place}: frame {last}, counted from 0, is beyond the {media.frame_count} frames of"
                f" {media.path}; expected the video that was labelled beside the labels."
            )
        end = media.frame_count if track.holds else last + 1
        total += max(0, end - track.keys[0].frame)
    if total > _MAX_BOXES:
        raise DatasetError(
            f"{media.path} has tracks with {total} boxes; expected at most {_MAX_BOXES}. Divide the video."
        )
