"""Export of a results file to the format of another tool."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from ..config import check_choice, check_flag, check_path, is_number, shown
from ..errors import InvalidInputError, OutputError
from ..messages import UNSAFE
from .fiftyone_labels import video_place
from .formats import TRACK_FORMATS, TrackFormat
from .label_studio import labelling_config
from .results import TrackResults, read_results
from .scene import Scene
from .tracked_video import TrackedVideo, check_fits, read_tracked_video
from .writing import check_target, write_file, write_folder

DEFAULT_TOLERANCE_PX = 0.5
_MAX_TOLERANCE_PX = 100.0
_MAX_LABEL_CHARS = 100


@dataclass(frozen=True)
class TrackExport:
    """Result of an export.

    Attributes:
        paths: Files or folders written.
        format: Name of the format.
        frames: Number of tracked frames.
        tracks: Number of tracks.
        boxes: Number of boxes written.
        left_out: Number of boxes left out because they lie wholly outside the image.
    """

    paths: tuple[Path, ...]
    format: str
    frames: int
    tracks: int
    boxes: int
    left_out: int


def export_tracks(  # noqa: PLR0913 (one for each option)
    results: str | PathLike[str],
    format: str,  # noqa: A002 (the name of the argument on the command line)
    *,
    source: str | PathLike[str] | None = None,
    output: str | PathLike[str] | None = None,
    labels: Sequence[str] = ("person",),
    keyframe_tolerance: float | None = None,
    video_url: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> TrackExport:
    """Write the tracks of a results file in the format of another tool.

    Args:
        results: Results file of `track`: MOT text, JSON Lines or CSV.
        format: A key of `TRACK_FORMATS`.
        source: Video, or folder of images, that the results were made from; all formats but ``cvat-mot`` and ``csv``
            need it. If it is given, frames beyond its end and boxes far outside its image are errors.
        output: File or folder to write; None: beside the results, named after them.
        labels: Name of each class, by its number from 0.
        keyframe_tolerance: Largest error in px of a box that the other tool interpolates between keyframes; None: 0.5.
            Only for ``cvat`` and ``labelstudio``.
        video_url: URL at which Label Studio finds the video; None: its local storage.
        overwrite: Whether to replace an existing file, or an earlier export to a folder.
        progress: Show progress on stderr if the frames of the video must be counted.

    Returns:
        Paths and counts.

    Raises:
        InvalidInputError: An argument is not one of those described, or does not fit the format.
        TrackFileError: The results cannot be read, or are of another video.
        SourceError: The video cannot be read.
        DatasetError: An image of the folder cannot be read.
        OutputError: The output exists or cannot be written.
    """
    check_choice("format", format, tuple(TRACK_FORMATS))
    check_flag("overwrite", overwrite)
    kind, names = TRACK_FORMATS[format], check_labels(labels)
    tolerance = check_tolerance(format, keyframe_tolerance)
    url = _check_url(format, video_url)
    _check_source(format, kind, source)
    check_path("results", results, "a results file")
    targets = _targets(Path(results), format, kind, output)
    for target in targets:
        _check_apart(target, Path(results), source)
        check_target(target, overwrite=overwrite)
    found = read_results(results)
    _check_classes(found, names)
    video = _video(format, kind, source, found, progress=progress)
    name = Path(results).stem if video is None else video.name
    scene = Scene(found, video, name, names, tolerance, url, clip=kind.clips)
    _write(scene, kind, targets)
    return TrackExport(
        targets,
        format,
        len(found.tracked_frames),
        len(np.unique(found.ids[scene.kept])),
        int(scene.kept.sum()),
        int((~scene.kept).sum()),
    )


def check_labels(labels: object) -> tuple[str, ...]:
    """Return the names of the classes.

    Raises:
        InvalidInputError: They are not distinct plain names.
    """
    names = tuple(labels) if isinstance(labels, Sequence) and not isinstance(labels, str) else ()
    plain = all(
        isinstance(name, str) and name.strip() == name and 0 < len(name) <= _MAX_LABEL_CHARS and not UNSAFE.search(name)
        for name in names
    )
    if not names or not plain or len(set(names)) < len(names):
        raise InvalidInputError(
            f"labels is {shown(labels)}; expected distinct names of the classes in the order of their numbers, such as"
            " person."
        )
    return names


def check_tolerance(format_name: str | None, value: object) -> float:
    """Return the tolerance of keyframes in px.

    Args:
        format_name: Name of the format; None: any.
        value: The tolerance; None: the default.

    Raises:
        InvalidInputError: It is not a number from 0 to 100, or the format has no keyframes.
    """
    if value is None:
        return DEFAULT_TOLERANCE_PX
    if not is_number(value) or not 0 <= float(value) <= _MAX_TOLERANCE_PX:
        raise InvalidInputError(
            f"keyframe_tolerance is {shown(value)}; expected a number of px from 0 to {_MAX_TOLERANCE_PX:g}."
        )
    if format_name is not None and not TRACK_FORMATS[format_name].has_keyframes:
        formats = " and ".join(name for name, kind in TRACK_FORMATS.items() if kind.has_keyframes)
        raise InvalidInputError(
            f"keyframe_tolerance is {value:g} with the format {format_name}, which has no keyframes; it is for"
            f" {formats}."
        )
    return float(value)


def _check_url(format_name: str, url: object) -> str:
    if url is None:
        return ""
    if not isinstance(url, str) or not url.strip() or UNSAFE.search(url):
        raise InvalidInputError(f"video_url is {shown(url)}; expected a URL, such as /data/local-files/?d=street.mp4.")
    if format_name != "labelstudio":
        raise InvalidInputError(f"video_url is {shown(url)} with the format {format_name}; it is for labelstudio.")
    return url


def _check_source(name: str, kind: TrackFormat, source: object) -> None:
    if source is None and kind.needs_video:
        raise InvalidInputError(
            f"source is missing: the format {name} states the size and the frames of the video; add --source with the"
            " video, or the folder of images, that the results were made from."
        )


def _targets(results: Path, name: str, kind: TrackFormat, output: str | PathLike[str] | None) -> tuple[Path, ...]:
    """Return the paths to write: the export, and Label Studio's labelling configuration."""
    if output is not None:
        check_path("output", output, "a file or folder to write")
        if not os.fspath(output) or "\0" in os.fspath(output):
            raise InvalidInputError(f"output is {shown(os.fspath(output))}; expected the path of a file or folder.")
    target = Path(output) if output is not None else results.with_name(f"{results.stem}{kind.suffix}")
    if not target.name:
        raise InvalidInputError(f"output is {shown(str(target))}; expected the path of a new file or folder.")
    return (target, target.with_suffix(".config.xml")) if name == "labelstudio" else (target,)


def _check_apart(target: Path, results: Path, source: str | PathLike[str] | None) -> None:
    """Check that nothing that is read would be replaced."""
    for path in (results, *(() if source is None else (Path(source),))):
        try:
            is_same = target.exists() and target.samefile(path)
            is_above = path.exists() and target.resolve() in path.resolve().parents
        except (OSError, ValueError):
            continue
        if is_same or (is_above and not target.is_dir()):
            raise OutputError(f"{target} is what the export reads; expected another path to write: name another one.")
        if is_above:
            raise OutputError(f"{target} has {path}, which the export reads; name another folder to write.")


def _check_classes(results: TrackResults, names: tuple[str, ...]) -> None:
    unnamed = np.flatnonzero(results.class_ids >= len(names))
    if len(unnamed):
        number = int(results.class_ids[unnamed[0]])
        raise results.line_error(
            int(unnamed[0]),
            f"class {number} has no name; the labels are {', '.join(names)}. Name {number + 1} of them in the order of"
            " the numbers: --label A,B.",
        )


def _video(
    name: str, kind: TrackFormat, source: str | PathLike[str] | None, results: TrackResults, *, progress: bool
) -> TrackedVideo | None:
    if source is None:
        return None
    last = int(results.tracked_frames[-1]) if len(results.tracked_frames) else 1
    video = read_tracked_video(source, last, progress=progress)
    if kind.needs_video_file and video.images:
        raise InvalidInputError(f"source is {str(source)!r}, a folder of images; the format {name} needs a video file.")
    check_fits(results, video)
    within = results.tracked_frames <= video.frame_count
    if not within.all():
        raise InvalidInputError(
            f"source is {str(source)!r} with {video.frame_count} frames, and {results.path} has frame"
            f" {results.tracked_frames[-1]}; expected the video that these results were made from."
        )
    return replace(video, path=Path(os.path.normpath(video.path)))


def _write(scene: Scene, kind: TrackFormat, targets: tuple[Path, ...]) -> None:
    if kind.file:
        write_file(targets[0], kind.file(scene))
        for target in targets[1:]:
            write_file(target, [labelling_config(scene.labels)])
    elif kind.folder:
        links = {video_place(scene): scene.facts.path} if kind.needs_video_file else {}
        write_folder(targets[0], kind.folder(scene), links)
