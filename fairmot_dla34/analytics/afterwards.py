"""Analysis of a results file: the same outputs as during `track`, without the network."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import check_flag, check_frame_rate, check_path, shown
from ..console.progress import progress_bar
from ..console.signals import StopDeferred
from ..errors import InvalidInputError
from ..file_names import check_file_name
from ..interchange.frame_results import Times, frame_results, tracked_times
from ..interchange.results import TrackResults, read_results
from ..interchange.tracked_video import check_fits, check_within, read_tracked_video
from ..origin import Origin
from ..outputs import OutputClaim, SinkContext
from ..outputs.checks import check_output_dir
from ..outputs.reservation import read_record
from ..outputs.sink import TEXT_FOLDER
from ..values import Frame, FrameResult
from ..video.opening import open_source
from .config import AnalyticsConfig
from .heat import check_frame_size
from .plan import AnalyticsPlan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .live import LiveAnalysis

_NO_IMAGE = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class ResultsAnalysis:
    """Outcome of the analysis of a results file.

    Attributes:
        results: The file.
        paths: Files written.
        frames: Tracked frames.
        analytics: Totals as plain JSON types; see `AnalyticsSummary`.
    """

    results: Path
    paths: tuple[Path, ...]
    frames: int
    analytics: dict[str, Any]


def analyse_results(  # noqa: PLR0913 (one for each option)
    results: str | PathLike[str],
    config: AnalyticsConfig,
    *,
    source: str | PathLike[str] | None = None,
    size: tuple[int, int] | None = None,
    frame_rate: float | None = None,
    output_dir: str | PathLike[str] | None = None,
    name: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> ResultsAnalysis:
    """Analyse a results file and write events, counts per minute and, if the settings have one, the heat map.

    ``.jsonl`` results of `track` give the files that `track` writes with the same settings. Other results lack some
    times, see `fairmot_dla34.interchange.frame_results.tracked_times`.

    Args:
        results: Results file of `track`: ``.jsonl``, ``.csv`` or ``.txt`` (MOT).
        config: Settings.
        source: Video, or folder of images, that the results were made from. Frames beyond its end and boxes far outside
            its image are errors. The heat map is drawn over its first frame.
        size: Width and height of its frames, px, if there is no ``source``.
        frame_rate: Frames per second of the video, for results without times.
        output_dir: Parent of the folder ``analytics``; None: that of ``mot_results``, else the folder of the results.
        name: Stem of the files; None: that of the results.
        overwrite: Replace an analysis of other results.
        progress: Show progress on stderr.

    Raises:
        InvalidInputError: An argument is not one of those described, does not fit the others, or a line or zone is not
            within the frame.
        TrackFileError: The results cannot be read, or are of another video.
        SourceError: The video cannot be read.
        OutputError: A file cannot be written, or contains an analysis of other results.
    """
    plan = AnalyticsPlan(config)
    check_path("results", results, "a results file")
    if frame_rate is not None:
        check_frame_rate(frame_rate)
    if name is not None:
        check_file_name(name)
    if output_dir is not None:
        check_output_dir(output_dir)
    check_flag("overwrite", overwrite)
    if (source is None) == (size is None):
        raise InvalidInputError(
            f"{shown(str(results))} states no frame size; expected either source, the video that the results were made"
            " from, or size, the width and height of its frames."
        )
    found = read_results(results)
    frame_size = _frame_size(found, source, size, progress=progress)
    config.check_frame(frame_size)
    video = None if source is None else Path(source)
    times = tracked_times(found, source=video, frame_rate=frame_rate, progress=progress)
    live = plan.start(frame_size, _rate(times))
    live.image = _first_image(video) if video is not None and plan.needs_images else None
    place = _default_folder(found.path) if output_dir is None else Path(output_dir)
    origin = Origin(found.path.stem, f"results {found.path.resolve()}", str(found.path), _files(found.path, video))
    record = read_record(found.path)
    stem = name or found.path.stem
    with OutputClaim(place, stem, plan.kinds, origin, overwrite=overwrite, made_from=record) as claim:
        paths = _write(claim, live, found, times, progress=progress)
    return ResultsAnalysis(found.path, paths, len(times[0]), live.totals())


def _write(
    claim: OutputClaim, live: LiveAnalysis, found: TrackResults, times: Times, *, progress: bool
) -> tuple[Path, ...]:
    with (
        claim.open(SinkContext(_rate(times), analysis=live)) as sinks,
        progress_bar(f"analysing {found.path.name}", len(times[0]), enabled=progress) as bar,
    ):
        try:
            for result in frame_results(found, times):
                with StopDeferred():
                    live.add(result)
                    sinks.write(_frame(result), result)
                bar.update()
        finally:
            with StopDeferred():
                live.finish()
        return sinks.paths


def _frame(result: FrameResult) -> Frame:
    return Frame(result.index, result.time_s, _NO_IMAGE)


def _frame_size(
    found: TrackResults, source: str | PathLike[str] | None, size: tuple[int, int] | None, *, progress: bool
) -> tuple[int, int]:
    """Return the width and height of the frames, after a check that the results fit them."""
    if source is not None:
        last_frame = int(found.frames[-1]) if len(found) else 0
        video = read_tracked_video(source, last_frame, progress=progress)
        check_fits(found, video)
        return video.width, video.height
    width, height = check_frame_size(size)
    check_within(found, (width, height), f"a frame of {width}x{height} px, the given size")
    return width, height


def _rate(times: Times) -> float:
    """Return the analysed frames per second."""
    steps = np.diff(times[1])
    step_s = float(np.median(steps)) if len(steps) else 0.0
    return 1 / step_s if step_s > 0 else 30.0


def _first_image(video: Path) -> NDArray[np.uint8]:
    with open_source(video) as frames:
        return next(iter(frames)).image


def _default_folder(results: Path) -> Path:
    parent = results.absolute().parent
    return parent.parent if parent.name == TEXT_FOLDER else parent


def _files(results: Path, video: Path | None) -> tuple[Path, ...]:
    """Return the files that are read, which no output replaces."""
    return (results,) if video is None or video.is_dir() else (results, video)
