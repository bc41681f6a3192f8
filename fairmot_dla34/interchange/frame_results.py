"""Frame results from a results file: all tracked frames in order with their times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..console.progress import progress_bar
from ..errors import InvalidInputError, TrackFileError
from ..values import FrameResult, Track
from ..video.opening import open_source
from .results import TrackResults

Times = tuple[NDArray[np.int64], NDArray[np.float64]]

_LONGEST_STRIDE_S = 1.0  # frames that lie farther apart had nobody between them


def tracked_times(
    results: TrackResults, *, source: Path | None = None, frame_rate: float | None = None, progress: bool = True
) -> Times:
    """Return the tracked frames of results and their times.

    JSON Lines state both. CSV states the times of frames with tracks; MOT text states no times. For those, the frames
    and times come from the video, if it is given. Without it, frames before the first and after the last track are
    unknown, and times of frames without tracks are interpolated.

    Args:
        results: Results of one video.
        source: Video, or folder of images, that they were made from. It is decoded if the results do not state all
            times.
        frame_rate: Frames per second of the source, as for `track`; for results without times only.
        progress: Show progress on stderr while the video is decoded.

    Returns:
        ``(F,)`` frame numbers from 1, and ``(F,)`` seconds.

    Raises:
        InvalidInputError: Times are missing and cannot be found, or a frame rate is given beside times.
        TrackFileError: Times go back, or a frame of the results is not in the video.
        SourceError: The video cannot be read.
    """
    stated = _has_times(results)
    if stated and frame_rate is not None:
        raise InvalidInputError(
            f"frame_rate is {frame_rate:g}, but {results.path} states the times of its frames; leave it out."
        )
    if stated and results.tracked_times is not None:
        frames, times = results.tracked_frames, results.tracked_times
    elif source is not None:
        frames, times = _decoded(results, source, frame_rate, progress=progress)
    elif stated:
        frames = _frames_between(results, _rate_of(results.frames, results.times))
        times = np.interp(frames, *_unique(results.frames, results.times))
    elif frame_rate is not None:
        frames = _frames_between(results, frame_rate)
        times = (frames - 1) / frame_rate
    elif not len(results):
        frames, times = results.tracked_frames, np.zeros(0)
    else:
        raise InvalidInputError(
            f"frame_rate is missing, because {results.path} states no times; expected the frames per second of its"
            " video, or the video itself (source='VIDEO')."
        )
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        number = frames[back[0] + 1]
        raise TrackFileError(
            f"{results.path}: the time of frame {number} is {times[back[0] + 1]:.3f} s, before that of the frame before"
            " it; expected times that rise with the frames."
        )
    return frames, times


def frame_results(results: TrackResults, times: Times) -> Iterator[FrameResult]:
    """Yield the results of each tracked frame.

    Args:
        results: Results of one video.
        times: Tracked frames and their times; see `tracked_times`.
    """
    first_frames: dict[int, int] = {}
    starts = np.searchsorted(results.frames, times[0], "left")
    ends = np.searchsorted(results.frames, times[0], "right")
    for place in range(len(times[0])):
        frame, time_s = int(times[0][place]), float(times[1][place])
        tracks = []
        for row in range(starts[place], ends[place]):
            track_id = int(results.ids[row])
            x1, y1, x2, y2 = results.boxes[row].tolist()
            tracks.append(
                Track(
                    track_id,
                    (x1, y1, x2, y2),
                    float(results.scores[row]),
                    frame - first_frames.setdefault(track_id, frame),
                    int(results.class_ids[row]),
                    filled=bool(results.filled[row]),
                )
            )
        yield FrameResult(frame - 1, time_s, tuple(tracks))


def _has_times(results: TrackResults) -> bool:
    """Return whether the results state times.

    Raises:
        TrackFileError: Some rows have a time and others have none.
    """
    all_times = results.times if results.tracked_times is None else results.tracked_times
    if not len(all_times):
        return results.tracked_times is not None
    known = np.isfinite(all_times)
    if known.any() and not known.all():
        raise TrackFileError(f"{results.path} states the times of some frames only; expected times of all or of none.")
    return bool(known.any())


def _decoded(results: TrackResults, source: Path, frame_rate: float | None, *, progress: bool) -> Times:
    numbers, seconds = [], []
    with (
        open_source(source, frame_rate=frame_rate) as video,
        progress_bar(f"reading times of {video.name}", video.frame_count, enabled=progress) as bar,
    ):
        rate = video.frame_rate
        for frame in video:
            numbers.append(frame.index + 1)
            seconds.append(frame.time_s)
            bar.update()
    frames, times = np.array(numbers, np.int64), np.array(seconds, np.float64)
    missing = np.flatnonzero(~np.isin(results.frames, frames))
    if len(missing):
        raise results.line_error(
            int(missing[0]),
            f"frame {results.frames[missing[0]]} is not among the {len(frames)} frames of {source}; name the video that"
            " these results were made from.",
        )
    stride = _stride(results, rate)
    kept = np.isin(frames, results.frames)
    if len(results.frames):
        kept |= (frames - results.frames[0]) % stride == 0
    return frames[kept], times[kept]


def _stride(results: TrackResults, rate: float) -> int:
    """Return the stride of the tracked frames, as far as the results show it; 1 if it would be above a second."""
    tracked = results.tracked_frames
    stride = int(tracked[1] - tracked[0]) if len(tracked) > 1 else 1
    return stride if stride <= max(1.0, _LONGEST_STRIDE_S * rate) else 1


def _frames_between(results: TrackResults, rate: float) -> NDArray[np.int64]:
    """Return the tracked frames from the first to the last one with tracks."""
    tracked = results.tracked_frames
    return np.arange(tracked[0], tracked[-1] + 1, _stride(results, rate)) if len(tracked) else tracked


def _rate_of(frames: NDArray[np.int64], times: NDArray[np.float64]) -> float:
    """Return the frames of the source per second."""
    lasted = float(times[-1] - times[0]) if len(times) else 0.0
    return float(frames[-1] - frames[0]) / lasted if lasted > 0 else 1.0


def _unique(frames: NDArray[np.int64], times: NDArray[np.float64]) -> Times:
    numbers, rows = np.unique(frames, return_index=True)
    return numbers, times[rows]
