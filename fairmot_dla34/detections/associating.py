"""The second half of tracking: makes tracks from a detections file, and writes what `track` would have written."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np

from ..association import TrackerConfig
from ..config import shown
from ..errors import InvalidInputError
from ..file_names import safe_file_name
from ..origin import Origin
from ..outputs.anonymisation import Anonymisation
from ..outputs.reservation import Record
from ..tracking.detected_video import DetectedVideo
from ..tracking.job import BarMaker, VideoJob
from ..tracking.options import OutputOptions, SourceSpec, tracker_config
from ..tracking.session import VideoTracker
from ..values import Detections, Frame, FrameResult, TrackingSummary
from .blocks import DetectedFrame
from .file import read_detections
from .header import DEFAULT_MIN_SCORE, damaged
from .images import RecordedImages

_BLACK = np.zeros(3, np.uint8)


class FileVideo(DetectedVideo):
    """A video whose detections are in a file.

    Args:
        path: Detections file of a whole source.
        tracker: Name of an association method or a `TrackerConfig`; None: ``auto``. Except with a `TrackerConfig`, the
            settings that the weights were published with apply, as in `track`.
        source: Source to read the images from; None: the one that was detected. Only with ``images``.
        images: Whether images are needed; without, the source may be gone.
        anonymisation: People who are made unrecognisable; None: nobody.

    Raises:
        DetectionsFileError: The file cannot be used.
        InvalidInputError: The file is about a part of a video, lacks scores that the settings need, or the source is
            not needed.
        SourceError: The images cannot be read.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        tracker: TrackerConfig | str | None,
        *,
        source: SourceSpec | None,
        images: bool,
        anonymisation: Anonymisation | None,
    ) -> None:
        self._file = file = read_detections(path)
        header = file.header
        if not header.is_whole or not file.ending.frames:
            raise InvalidInputError(
                f"{file.path} has {file.ending.frames} frames of a part of {header.source.shown}; expected the"
                " detections of the whole video: join the parts with join_detections."
            )
        self._config = _config(file.path, tracker, header.tracker_settings)
        if anonymisation is not None and anonymisation.covers_unknown:
            _check_scores(file.path, header.min_score, DEFAULT_MIN_SCORE, "anonymise")
        if source is not None and not images:
            raise InvalidInputError(
                f"source is {shown(source)}, but no output needs images; leave it out, or ask for a video or crops."
            )
        self._images = RecordedImages(header, source) if images else None
        self._tracker: VideoTracker | None = None
        facts = header.source
        files = () if self._images is None else self._images.source.origin.files
        self.name = safe_file_name(file.path.absolute().stem, "video")
        self.origin = Origin(self.name, f"detections {file.path.resolve()}", str(file.path), (file.path, *files))
        self.made_from = Record(source=facts.digest, shown=facts.shown, name=self.name)
        self.native_rate, self.frame_rate = header.native_rate, header.native_rate / header.frame_stride
        self.frame_count = file.ending.frames
        self.reads_ahead = self._images is None or self._images.source.reads_ahead
        self.class_names, self.backend = header.class_names, str(header.backend)

    @property
    def frames_skipped(self) -> int:
        """Frames that could not be decoded when the source was detected."""
        return self._file.ending.frames_skipped

    @property
    def frames_dropped(self) -> int:
        """Frames that were left out when the source was detected, because a newer one had arrived."""
        return self._file.ending.frames_dropped

    @property
    def ended(self) -> str:
        """End of the source when it was detected; see `Source`."""
        return self._file.ending.ended

    def start(self) -> VideoTracker:
        """Return the tracker of the video.

        Raises:
            InvalidInputError: The settings need scores that the file does not have.
        """
        self._tracker = _FileTracker(self._config, self.native_rate, self._file.path, self._file.header.min_score)
        return self._tracker

    def __iter__(self) -> Iterator[tuple[Frame, Detections]]:
        """Yield each frame with its detections; without images, each image is a black one that takes no memory."""
        if self._tracker is None:
            return
        found = iter(self._file)
        while True:
            with self._tracker.times.measure("decode"):
                detected = next(found, None)
                if detected is None:
                    return
                image = _black(detected) if self._images is None else self._images.image(detected)
            yield Frame(detected.index, detected.time_s, image), detected.detections

    def close(self) -> None:
        """Close the source of the images; safe to call twice."""
        if self._images is not None:
            self._images.close()


class AssociationJob(VideoJob):
    """Makes tracks from a detections file and writes the results, byte for byte those of `TrackingJob`.

    Args:
        file: File that `detect_to_file` wrote.
        tracker: Name of an association method or a `TrackerConfig`; None: ``auto``, with the settings that the weights
            were published with.
        source: Source to read the images from, if an output needs them; None: the one that was detected, which must not
            have changed.
        output_options: Outputs and their folder; None: the defaults.
        progress: Whether, or how, progress is shown; see `VideoJob`.
        part: Temporary folder for the outputs; see `VideoJob`.
    """

    def __init__(
        self,
        file: str | PathLike[str],
        *,
        tracker: TrackerConfig | str | None = None,
        source: SourceSpec | None = None,
        output_options: OutputOptions | None = None,
        progress: bool | BarMaker = True,
        part: Path | None = None,
    ) -> None:
        options = output_options or OutputOptions()
        super().__init__(
            lambda: FileVideo(
                file,
                tracker,
                source=source,
                images=options.needs_images,
                anonymisation=options.anonymisation,
            ),
            output_options=options,
            progress=progress,
            part=part,
        )


def associate_to_files(
    file: str | PathLike[str],
    *,
    tracker: TrackerConfig | str | None = None,
    source: SourceSpec | None = None,
    output_options: OutputOptions | None = None,
    progress: bool = True,
) -> TrackingSummary:
    """Run an `AssociationJob`, which explains the arguments.

    Returns:
        Paths written, frames, ids, seconds per stage; counts and backend are those of the run that detected.

    Raises:
        DetectionsFileError: The file cannot be used.
        InvalidInputError: The settings need scores that the file does not have, or do not fit each other.
        SourceError: Images are needed, and the source is gone or has changed.
        OutputError: A result cannot be written.
    """
    job = AssociationJob(file, tracker=tracker, source=source, output_options=output_options, progress=progress)
    return job.run()


class _FileTracker(VideoTracker):
    """A tracker that refuses to use scores below the smallest one in a file."""

    def __init__(self, config: TrackerConfig, frame_rate: float, path: Path, min_score: float) -> None:
        super().__init__(config, frame_rate)
        self._path, self._min_score = path, min_score
        _check_scores(path, min_score, self._tracker.least_score, f"Association method {config.method!r}")

    def associate(self, frame: Frame, detections: Detections) -> FrameResult:
        """Join a frame's detections to the tracks.

        Raises:
            InvalidInputError: The method has lowered its bound on scores below the smallest one in the file.
        """
        if self._tracker.lowest_score < self._min_score:  # of a method from outside, which states no least score
            _check_scores(self._path, self._min_score, self._tracker.lowest_score, "The association method")
        return super().associate(frame, detections)


def _config(path: Path, tracker: TrackerConfig | str | None, published: object) -> TrackerConfig:
    """Return the settings of the association.

    Raises:
        InvalidInputError: ``tracker`` is neither a `TrackerConfig` nor the name of a method.
        DetectionsFileError: The settings in the file are not settings of `TrackerConfig`.
    """
    try:
        settings = TrackerConfig.from_mapping(published)  # type: ignore[arg-type]  # it checks the kind
    except InvalidInputError as error:
        raise damaged(str(path), "its header has settings of no tracker") from error
    return tracker_config(tracker, {name: vars(settings)[name] for name in published})  # type: ignore[attr-defined]


def _check_scores(path: Path, min_score: float, needed: float, user: str) -> None:
    """Check that a file has all scores that something needs.

    Raises:
        InvalidInputError: It does not.
    """
    if np.float32(needed) < np.float32(min_score):
        raise InvalidInputError(
            f"{user} uses scores from {needed:.9g}, but {path} has none below {min_score:.9g}; expected a file with all"
            f" of them: repeat detect with --min-score {needed:.9g} or lower."
        )


def _black(detected: DetectedFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.broadcast_to(_BLACK, (detected.height, detected.width, 3))
