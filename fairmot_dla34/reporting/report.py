"""Report of a results file as one HTML page that works offline."""

from __future__ import annotations

import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from ..analytics.config import AnalyticsConfig
from ..config import check_choice, check_flag, check_frame_rate, check_path, shown
from ..errors import InvalidInputError, OutputError
from ..interchange.frame_results import tracked_times
from ..interchange.results import TrackResults, read_results
from ..interchange.tracked_video import TrackedVideo, check_fits, read_tracked_video
from ..interchange.writing import check_target, write_file
from ..messages import UNSAFE
from .facts import find_facts
from .images import VideoImages, read_images
from .page import report_page
from .people import find_people
from .playback import Playback, video_playback
from .texts import LANGUAGES


@dataclass(frozen=True)
class Report:
    """Outcome of `write_report`.

    Attributes:
        path: The page.
        size_bytes: Its size.
        frames: Number of tracked frames.
        ids: Number of ids in the results.
        shown: Number of ids in the page.
        crops: Number of crops in the page.
        notes: What the page lacks, and why; one sentence each.
    """

    path: Path
    size_bytes: int
    frames: int
    ids: int
    shown: int
    crops: int
    notes: tuple[str, ...]


def write_report(  # noqa: PLR0913 (one for each option)
    results: str | PathLike[str],
    config: AnalyticsConfig | None = None,
    *,
    source: str | PathLike[str] | None = None,
    output: str | PathLike[str] | None = None,
    frame_rate: float | None = None,
    embed_video: bool = False,
    language: str = "en",
    overwrite: bool = False,
    progress: bool = True,
) -> Report:
    """Write a page with the video, its time line, counts, a heat map, the longest stays and a crop of each person.

    Args:
        results: Results file of `track`: ``.jsonl``, ``.csv`` or ``.txt`` (MOT).
        config: Lines, zones and other settings of the analysis; None: a heat map alone.
        source: Video, or folder of images, that the results were made from. The page plays the video from its place,
            by a relative path. None: the page has no video, no frame and no crops.
        output: File to write; None: beside the results, with the ending ``.report.html``.
        frame_rate: Frames per second of the video, for results without times.
        embed_video: Put the video into the page; at most 50 MB.
        language: Language of the page, ``en`` or ``zh``.
        overwrite: Whether to replace an existing file.
        progress: Show progress on stderr while the video is decoded.

    Returns:
        Path and counts.

    Raises:
        InvalidInputError: An argument is not one of those described, does not fit the others, or a line or zone is not
            within the frame.
        TrackFileError: The results cannot be read, or are of another video.
        SourceError: The video cannot be read.
        OutputError: The page exists or cannot be written.
    """
    _check(config, source, frame_rate, language)
    check_flag("embed_video", embed_video)
    check_flag("overwrite", overwrite)
    check_path("results", results, "a results file")
    target = _target(Path(results), output)
    video_file = None if source is None else Path(source)
    _check_apart(target, Path(results), video_file)
    check_target(target, overwrite=overwrite)
    if embed_video and (video_file is None or video_file.is_dir()):
        raise InvalidInputError("embed_video is True without a video; expected a video file as source.")
    found = read_results(results)
    video = _video(found, source, progress=progress)
    playback = Playback()
    if video is not None:
        is_file = not video.images
        playback = video_playback(video.path, target, embed=embed_video) if is_file else Playback(name=video.file_name)
    times = tracked_times(found, source=video_file, frame_rate=frame_rate, progress=progress)
    size = None if video is None else (video.width, video.height)
    config = config or AnalyticsConfig()
    facts = find_facts(found, times, config, size=size, length_s=0.0 if video is None else video.duration_s)
    people = find_people(
        found, times, size=facts.size, gap_s=max(config.gap_s, 1.5 * facts.step_s), step_s=facts.step_s
    )
    images = VideoImages() if video is None else read_images(video.path, people, progress=progress)
    name = UNSAFE.sub("\N{REPLACEMENT CHARACTER}", found.path.name)
    page = report_page(
        facts, people, images, playback, results=name, has_source=video is not None, language=language
    ).encode("utf-8", "replace")
    write_file(target, [page])
    ids = len(np.unique(found.ids))
    notes = _notes(playback, video, ids, len(people), len(images.crops))
    return Report(target, len(page), len(times[0]), ids, len(people), len(images.crops), notes)


def _check(config: object, source: object, frame_rate: object, language: object) -> None:
    if config is not None and not isinstance(config, AnalyticsConfig):
        raise InvalidInputError(f"config is {shown(config)}; expected an AnalyticsConfig object or None.")
    if source is not None:
        check_path("source", source, "a video file or a folder of images")
    if frame_rate is not None:
        check_frame_rate(frame_rate)
    check_choice("language", language, LANGUAGES)


def _target(results: Path, output: str | PathLike[str] | None) -> Path:
    if output is None:
        return results.with_name(f"{results.stem}.report.html")
    check_path("output", output, "an HTML file to write")
    target = Path(output)
    if "\0" in os.fspath(output) or target.suffix.casefold() not in {".html", ".htm"}:
        raise InvalidInputError(
            f"output is {shown(os.fspath(output))}; expected the path of a file that ends in .html."
        )
    return target


def _check_apart(target: Path, results: Path, source: Path | None) -> None:
    """Check that nothing that is read would be replaced."""
    for path in filter(None, (results, source)):
        try:
            is_same = target.exists() and target.samefile(path)
        except (OSError, ValueError):
            continue
        if is_same:
            raise OutputError(f"{target} is what the report reads; expected another path to write: name another one.")


def _video(found: TrackResults, source: str | PathLike[str] | None, *, progress: bool) -> TrackedVideo | None:
    if source is None:
        return None
    video = read_tracked_video(source, int(found.frames[-1]) if len(found) else 0, progress=progress)
    check_fits(found, video)
    return video


def _notes(playback: Playback, video: TrackedVideo | None, ids: int, people: int, crops: int) -> tuple[str, ...]:
    notes = []
    if video is None:
        notes.append("no video, no frame and no crops without --source")
    elif playback.problem:
        notes.append(f"browsers do not play {playback.problem}: convert {playback.name} to H.264 in mp4 to see it")
    elif not playback.url:
        notes.append("a folder of images is not played: the boxes move over the first image")
    elif not playback.embedded:
        notes.append(f"the page plays {playback.name} from its place: keep both where they are, or use --embed-video")
    if people < ids:
        notes.append(f"{people} of {ids} ids are shown, those longest in view")
    if video is not None and crops < people:
        notes.append(f"{people - crops} ids have no crop: they are outside the image, or their frames are damaged")
    return tuple(notes)
