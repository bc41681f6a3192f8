"""Reader of tracks that were corrected in Label Studio: its JSON export of video timelines, beside the videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config import is_number, is_whole, shown
from ...errors import DatasetError
from ..classes import ClassChoice, choose_classes
from ..values import SourceSequence
from .json_reading import objects, parse_json
from .label_files import find_label_files, with_unique_names
from .labelled_media import LabelledMedia, find_media, open_media
from .reading import DropReport, ReadOptions, read_text
from .video_tracks import KeyBox, KeyTrack, build_sequence

_LAYOUT = 'exports of Label Studio in the format "JSON" (.json) beside their videos'
_EXPECTED = 'Label Studio\'s export in the format "JSON", a list of tasks'
WITHOUT_ANNOTATION = "tasks without annotation"
ROTATED = "rotated boxes"
UNNAMED = "regions without a label"
_MOST_PER_CENT = 300.0
_SAME_RATE = 0.0005  # share by which the frame rate of a project may differ from that of the video
_SAME_COUNT = 2  # frames
_LONGER_SOUND_S = 2.0  # a browser counts to the end of the sound, which may be later than the last frame


@dataclass(frozen=True)
class _Task:
    """A task with one annotation: its place for messages, the video it names, and its regions."""

    path: Path
    place: str
    videos: tuple[str, ...]
    regions: list[dict[str, Any]]


def read_label_studio(root: Path, options: ReadOptions, report: DropReport) -> list[SourceSequence]:
    """Read one sequence per task. Each region is a person; boxes between keyframes are interpolated.

    Label Studio counts frames by the frame rate of the labelling configuration. If that is not the rate of the video,
    the boxes belong to other frames, which is an error.

    Args:
        root: Folder with the exports and the videos, or one export.
        options: What to read; without classes, people.
        report: Receives what is left out.

    Raises:
        DatasetError: A file is damaged or of another format, a video is missing, or was counted at another frame rate.
    """
    paths = find_label_files(root, (".json",), _LAYOUT)
    tasks = [task for path in paths for task in _tasks(path, report)]
    if not tasks:
        raise DatasetError(
            f"{root} has no task with an annotation; expected corrected tasks: submit them in Label Studio, and export"
            " again."
        )
    names = list(dict.fromkeys(_label(region) for task in tasks for region in task.regions))
    named = {number: name for number, name in enumerate(names) if name}
    choice = choose_classes(named or {0: "person"}, options.classes, root)
    return with_unique_names([_sequence(task, names, choice, options, report, alone=len(tasks) == 1) for task in tasks])


def _tasks(path: Path, report: DropReport) -> list[_Task]:
    value = parse_json(read_text(path, _EXPECTED), path, _EXPECTED)
    tasks = []
    for number, task in enumerate(objects(value, path, "")):
        place = f"{path}, task {number + 1}"
        data = task.get("data")
        if not isinstance(data, dict) or ("annotations" not in task and "predictions" not in task):
            raise DatasetError(f"{place}: no data or no annotations; expected {_EXPECTED}, not JSON-MIN.")
        annotations = objects(task.get("annotations") or [], path, f", task {number + 1}: annotations")
        kept = [entry for entry in annotations if entry.get("was_cancelled") is not True]
        if not kept:
            report.add(WITHOUT_ANNOTATION, 1, place)
            continue
        if len(kept) > 1:
            raise DatasetError(f"{place}: {len(kept)} annotations; expected one. Delete the others, and export again.")
        results = objects(kept[0].get("result") or [], path, f", task {number + 1}: result")
        regions = [region for region in results if str(region.get("type", "")).casefold() == "videorectangle"]
        videos = tuple(text for text in data.values() if isinstance(text, str))
        tasks.append(_Task(path, place, videos, regions))
    return tasks


def _sequence(
    task: _Task, names: list[str], choice: ClassChoice, options: ReadOptions, report: DropReport, *, alone: bool
) -> SourceSequence:
    last = max((_last_frame(region, task.place) for region in task.regions), default=0)
    media = open_media(find_media(task.path, task.videos, alone=alone), last)
    tracks = []
    for number, region in enumerate(task.regions):
        place = f"{task.place}, region {number + 1}"
        _check_rate(region, media, place)
        keys = _keys(region, media, place, report)
        if not _label(region):
            report.add(UNNAMED, 1, place)
        elif keys:
            tracks.append(KeyTrack(number, names.index(_label(region)), keys, place, holds=True))
    return build_sequence(media, tracks, choice, options, report)


def _label(region: dict[str, Any]) -> str:
    labels = _value(region).get("labels")
    first = labels[0] if isinstance(labels, list) and labels else ""
    return first.strip() if isinstance(first, str) else ""


def _value(region: dict[str, Any]) -> dict[str, Any]:
    value = region.get("value")
    return value if isinstance(value, dict) else {}


def _sequence_of(region: dict[str, Any], place: str) -> list[dict[str, Any]]:
    sequence = _value(region).get("sequence")
    if not isinstance(sequence, list) or not all(isinstance(key, dict) for key in sequence):
        raise DatasetError(f"{place}: sequence {shown(sequence)}; expected a list of keyframes.")
    return sequence


def _last_frame(region: dict[str, Any], place: str) -> int:
    frames = [key.get("frame") for key in _sequence_of(region, place)]
    return max((frame for frame in frames if is_whole(frame, 1, 10**7)), default=0)


def _check_rate(region: dict[str, Any], media: LabelledMedia, place: str) -> None:
    """Check that the project counted the frames of the video as they are."""
    value = _value(region)
    count, duration = value.get("framesCount"), value.get("duration")
    if not is_whole(count, 1) or abs(count - media.frame_count) <= _SAME_COUNT:
        return
    rate = count / duration if is_number(duration) and duration > 0 else 0.0
    is_longer = abs(count - media.frame_count) > _LONGER_SOUND_S * media.frame_rate
    if is_longer or abs(rate / media.frame_rate - 1) > _SAME_RATE:
        raise DatasetError(
            f"{place}: Label Studio counted {count} frames, and {media.path} has {media.frame_count} at"
            f' {media.frame_rate:g} frames/s; expected this video, and frameRate="{media.frame_rate:g}" in the'
            " labelling configuration."
        )


def _keys(region: dict[str, Any], media: LabelledMedia, place: str, report: DropReport) -> list[KeyBox]:
    keys: dict[int, KeyBox] = {}
    for key in _sequence_of(region, place):
        frame = key.get("frame")
        if not is_whole(frame, 1, 10**7):
            raise DatasetError(f"{place}: frame {shown(frame)}; expected a whole number from 1.")
        if frame - 1 in keys:
            raise DatasetError(f"{place}: frame {frame} twice; expected one keyframe per frame.")
        stated = [key.get(name) for name in ("x", "y", "width", "height")]
        shares = [float(share) for share in stated if is_number(share) and abs(share) <= _MOST_PER_CENT]
        if len(shares) != 4 or min(shares[2:]) < 0:
            raise DatasetError(
                f"{place}, frame {frame}: box {shown(stated)}; expected x, y, width, height in per cent."
            )
        rotation = key.get("rotation", 0)
        is_upright = not (is_number(rotation) and rotation % 360)
        report.add(ROTATED, int(not is_upright), place)
        x, y, width, height = (share / 100 for share in shares)
        box = [x * media.width, y * media.height, (x + width) * media.width, (y + height) * media.height]
        continues = key.get("enabled", True) is not False
        keys[frame - 1] = KeyBox(frame - 1, box, is_shown=is_upright, continues=is_upright and continues)
    return [keys[frame] for frame in sorted(keys)]
