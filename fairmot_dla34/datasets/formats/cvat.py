"""Reader of tracks that were corrected in CVAT: exports "CVAT for video 1.1", XML or zip, beside their videos."""

from __future__ import annotations

from pathlib import Path

from ...errors import DatasetError
from ..classes import ClassChoice, choose_classes
from ..values import SourceSequence
from .cvat_xml import CvatFile, read_cvat_file
from .label_files import find_label_files, with_unique_names
from .labelled_media import find_media, open_media
from .reading import DropReport, ReadOptions
from .video_tracks import KeyTrack, build_sequence

_LAYOUT = 'exports "CVAT for video 1.1" (.xml or .zip) beside their videos'


def read_cvat(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read one sequence per export. The id of a track is the identity; boxes between keyframes are interpolated.

    Frames outside the range that the export states become ignored areas. Other shapes than upright boxes are left out.

    Args:
        root: Folder with the exports and the videos, or one export.
        options: What to read; without classes, people.
        report: Receives what is left out.

    Raises:
        DatasetError: A file is damaged or of another format, its video is missing, of another size or shorter.
    """
    paths = find_label_files(root, (".xml", ".zip"), _LAYOUT)
    files = [read_cvat_file(path) for path in paths]
    names = list(dict.fromkeys(name for file in files for name in _labels(file)))
    choice = choose_classes(dict(enumerate(names)), options.classes, root)
    folders = [path.parent for path in paths]
    return with_unique_names(
        [_sequence(file, names, choice, options, report, alone=folders.count(file.path.parent) == 1) for file in files]
    )


def _labels(file: CvatFile) -> list[str]:
    """Return the classes that the file states, and those of its tracks."""
    return list(dict.fromkeys([*file.labels, *(track.label for track in file.tracks)]))


def _sequence(
    file: CvatFile, names: list[str], choice: ClassChoice, options: ReadOptions, report: DropReport, *, alone: bool
) -> SourceSequence:
    for kind, count in file.left_out.items():
        report.add("shapes other than upright boxes", count, f"{kind} in {file.path}")
    tracks = [
        KeyTrack(track.identity, names.index(track.label), track.keys, f"{file.path}, line {track.line}")
        for track in file.tracks
    ]
    last = max((track.last_visible + 1 for track in tracks), default=0)
    media = open_media(find_media(file.path, [file.source], alone=alone), last)
    width, height = file.size or (media.width, media.height)
    if (width, height) != (media.width, media.height):
        raise DatasetError(
            f"{file.path} labels frames of {width}x{height} px, and {media.path} has {media.width}x{media.height} px;"
            " expected the video that was labelled."
        )
    return build_sequence(media, tracks, choice, options, report, labelled=file.frames)
