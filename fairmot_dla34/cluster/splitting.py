"""Splits the network's work on one video among workers, by time; its tracks are made once, from all detections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..batch.engine import Engine
from ..batch.job import JobResult, run_job
from ..closing import ClosedOnExit
from ..config import is_number, shown
from ..errors import FairMOTError, InvalidInputError
from .chunk_detection import ChunkFacts, detect_chunk
from .finishing import finish_video
from .split_video import SplitVideo

_SHORTEST_S, _LONGEST_S = 1.0, 86400.0


def check_split(split: object) -> float:
    """Return the shortest length of a range in seconds.

    Raises:
        InvalidInputError: It is not a number from 1 to 86400.
    """
    if not is_number(split) or not _SHORTEST_S <= split <= _LONGEST_S:
        raise InvalidInputError(
            f"split is {shown(split)}; expected a number of seconds from {_SHORTEST_S:g} to {_LONGEST_S:g}."
        )
    return float(split)


class SplittingEngine(ClosedOnExit):
    """An engine that runs each `Job` in parts: ranges of its video, then one task that makes the tracks.

    The results are those of `run_job`, byte for byte. Other functions are run as they are. Detections of complete
    ranges are kept in the output directory until the video is complete, so that a later run continues there.

    Args:
        engine: The engine that runs the parts; `close` closes it.
        split: Shortest length of a range in seconds, 1 to 86400.

    Raises:
        InvalidInputError: The length is out of its range.
    """

    def __init__(self, engine: Engine, split: float = 300.0) -> None:
        self._engine, self._seconds = engine, check_split(split)

    def check(self) -> None:
        """Check that work can be started; see `Engine.check`."""
        self._engine.check()

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, on_start: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Any | BaseException]]:
        """Run the function on every item; see `Engine.run`."""
        if function is not run_job:
            yield from self._engine.run(function, items, on_start=on_start)
            return
        videos: dict[int, SplitVideo] = {}
        for index, job in enumerate(items):
            try:
                videos[index] = SplitVideo(job, self._seconds)
            except (FairMOTError, OSError) as error:
                yield index, error
                continue
            if on_start is not None:
                on_start(index)
        try:
            yield from self._detected(videos)
            whole = [(index, video) for index, video in videos.items() if video.is_complete]
            finished = self._engine.run(finish_video, [video.joint for _, video in whole])
            for place, value in finished:
                index, video = whole[place]
                if isinstance(value, JobResult):
                    video.remove_chunks()
                yield index, value
        finally:
            for video in videos.values():
                video.close()

    def close(self) -> None:
        """End the engine; see `Engine.close`."""
        self._engine.close()

    def _detected(self, videos: dict[int, SplitVideo]) -> Iterator[tuple[int, BaseException]]:
        """Detect all ranges, those that prove inexact once more; yield the videos that failed."""
        failed: set[int] = set()
        while True:
            waiting = [
                (index, number) for index, video in videos.items() if index not in failed for number in video.waiting()
            ]
            if not waiting:
                return
            chunks = [videos[index].chunks[number] for index, number in waiting]
            for place, value in self._engine.run(detect_chunk, chunks):
                index, number = waiting[place]
                if isinstance(value, ChunkFacts):
                    videos[index].add(number, value)
                elif index not in failed:
                    failed.add(index)
                    yield index, value
