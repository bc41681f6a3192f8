"""The ranges of one video that is split: planned from its packets, kept on the disk, and repeated if inexact."""

from __future__ import annotations

import hashlib
import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path

from ..association import Tracker
from ..batch.job import Job
from ..batch.part_progress import PROGRESS_FILE, PartProgress
from ..detections import DEFAULT_MIN_SCORE
from ..errors import InvalidInputError
from ..outputs.reservation import STATE_FOLDER
from ..tracking.completion import source_digest
from .chunk_detection import Chunk, ChunkFacts, read_facts
from .chunks import divide, without_start
from .finishing import Joint
from .packet_table import read_packet_table

logger = logging.getLogger(__name__)

_KEY_CHARS = 16


class SplitVideo:
    """The ranges of one video, and what is known about each.

    Args:
        job: Job of the video.
        seconds: Shortest length of a range.

    Attributes:
        chunks: The ranges.

    Raises:
        FairMOTError: The source is not a video file, or cannot be read.
    """

    def __init__(self, job: Job, seconds: float) -> None:
        path, settings = job.source.path, job.settings
        if path is None or not path.is_file():
            raise InvalidInputError(
                f"{job.source.shown} is not a video file; expected one, as only those can be split."
            )
        self._job, self._started_s, self._source = job, time.time(), source_digest(job.source)
        table = read_packet_table(path, frame_rate=settings.reading.frame_rate)
        if table.unusual:
            logger.info("%s is decoded from its start for each part: %s.", job.source.shown, table.unusual)
        key = hashlib.sha256(f"{settings.digest} {self._source} {seconds}".encode()).hexdigest()[:_KEY_CHARS]
        self._folder = Path(settings.writing.output_dir) / STATE_FOLDER / "chunks" / f"{job.name}-{key}"
        _remove_others(self._folder)
        config = settings.model.tracker_config
        least = Tracker(config, frame_rate=30.0).least_score
        self.chunks = [
            Chunk(
                path,
                frames,
                self._folder / f"{number:05}.detections",
                settings.model,
                settings.reading,
                min(DEFAULT_MIN_SCORE, least),
                settings.network,
            )
            for number, frames in enumerate(divide(table, seconds))
        ]
        self._facts: list[ChunkFacts | None] = [read_facts(chunk) for chunk in self.chunks]
        found = sum(facts is not None for facts in self._facts)
        if found:
            logger.info("%s: %d of %d parts are complete.", job.source.shown, found, len(self.chunks))
        self._progress = PartProgress(job.part / PROGRESS_FILE).started(job.name, table.count)

    @property
    def is_complete(self) -> bool:
        """True if all ranges are detected, exactly."""
        return None not in self._facts

    @property
    def joint(self) -> Joint:
        """The last task of the video."""
        return Joint(self._job, tuple(chunk.out for chunk in self.chunks), self._source, self._started_s)

    def add(self, number: int, facts: ChunkFacts) -> None:
        """Keep the facts about a range that was detected."""
        self._facts[number] = facts
        frames = self.chunks[number].frames
        if frames.stop is not None:
            self._progress.update(frames.stop - frames.first)

    def waiting(self) -> list[int]:
        """Return the numbers of the ranges to be detected.

        A range that proved inexact, and all after it, are decoded from the start: the frames before it are exact, and
        its own loss or damage may change the indices of those after it.
        """
        inexact = next((number for number in range(len(self.chunks)) if self._is_inexact(number)), None)
        if inexact is not None:
            logger.info(
                "%s is decoded from its start for each part from frame %d on: its key frames there are not enough.",
                self._job.source.shown,
                self.chunks[inexact].frames.first,
            )
            for number in range(inexact, len(self.chunks)):
                facts = self._facts[number]
                if facts is None or not facts.from_start:
                    chunk = self.chunks[number]
                    self.chunks[number] = replace(chunk, frames=without_start(chunk.frames))
                    self._facts[number] = None
        return [number for number, facts in enumerate(self._facts) if facts is None]

    def _is_inexact(self, number: int) -> bool:
        facts = self._facts[number]
        if facts is None or facts.from_start:
            return False
        if not facts.is_exact or number == 0:
            return not facts.is_exact
        before = self._facts[number - 1]
        return before is not None and (before.from_start or before.tail != facts.head)

    def remove_chunks(self) -> None:
        """Remove the detections of the ranges."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._job.part, ignore_errors=True)


def _remove_others(folder: Path) -> None:
    """Remove the ranges of a video that an earlier run left, with other settings or of a source that changed."""
    name = folder.name[:-_KEY_CHARS]
    if not folder.parent.is_dir():
        return
    for other in folder.parent.iterdir():
        if other != folder and len(other.name) == len(folder.name) and other.name.startswith(name):
            shutil.rmtree(other, ignore_errors=True)
