"""`FairMOT`: tracks the people in a video and yields the results; it writes no files."""

from __future__ import annotations

from collections.abc import Generator
from os import PathLike
from threading import Lock
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import NDArray

from ..association import TrackerConfig
from ..association.gaps import check_max_gap, with_filled_gaps
from ..backends import Backend
from ..closing import ClosedOnExit
from ..config import DEFAULT_FRAME_RATE, DEFAULT_WEIGHTS, InputSize, check_flag, check_fraction
from ..errors import InvalidInputError, StateError
from ..not_picklable import NotPicklable
from ..values import Detections, Frame, FrameResult, check_image
from ..video import Source
from .delayed_frames import pairs_with_filled_gaps
from .detector import Detector
from .options import ModelOptions, SourceOptions, SourceSpec, class_names, tracker_config
from .pipeline import Pipeline
from .session import Session

if TYPE_CHECKING:
    from typing_extensions import Self


class FairMOT(NotPicklable, ClosedOnExit):
    """The network and the association settings; one object serves any number of videos, also in several threads.

    Use it as a context manager, or call `close`. The arguments are explained in `ModelOptions`.

    Args:
        weights: A registered name, downloaded on first use, or a checkpoint file.
        backend: Name of the backend.
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        input_size: Network input such as ``"1088x608"``; None: the size the weights were trained for.
        tracker: Name of an association method or a `TrackerConfig`; None: ``auto``.
        use_gpu: Run on a GPU; an error if there is none.
        offline: Never open a connection for the weights.
        threads: CPU threads for the network; None: as many as this process may use.
        streams: Images that the network processes at the same time.
        progress: Show a progress bar on stderr while weights are downloaded.

    Raises:
        UnknownWeightsError: ``weights`` is neither a registered name nor a file.
        DownloadError: The weights cannot be downloaded, or ``offline`` forbids it.
        IntegrityError: The downloaded file is damaged.
        CheckpointError: The file is not a sound checkpoint.
        InvalidInputError: A setting is unknown, out of its range or of the wrong type.
        BackendUnavailableError: The backend's package is not installed.
        NotQuantizedError: The precision is ``int8``, and the weights were not quantised at this input size.
        DeviceUnavailableError: ``use_gpu`` and no GPU can be used.
    """

    def __init__(  # noqa: PLR0913 (the fields of ModelOptions)
        self,
        weights: str | PathLike[str] = DEFAULT_WEIGHTS,
        *,
        backend: str = "auto",
        precision: str = "auto",
        input_size: InputSize | str | None = None,
        tracker: TrackerConfig | str | None = None,
        use_gpu: bool = False,
        offline: bool | None = None,
        threads: int | None = None,
        streams: int = 1,
        progress: bool = True,
    ) -> None:
        options = ModelOptions(
            weights, backend, precision, input_size, tracker, use_gpu, offline, threads, streams, progress
        )
        self._set(options.load(), options.tracker_config, options)

    @classmethod
    def from_options(cls, options: ModelOptions) -> Self:
        """Load the model that options describe.

        Raises:
            FairMOTError: One of the kinds listed for the class.
        """
        model = cls.__new__(cls)
        model._set(options.load(), options.tracker_config, options)  # noqa: SLF001 (of this class)
        return model

    @classmethod
    def from_backend(cls, backend: Backend, *, tracker: TrackerConfig | str | None = None) -> Self:
        """Make a model on a backend that the caller has loaded, may share and closes.

        Args:
            backend: A loaded network. Several models may use one backend.
            tracker: Name of an association method or a `TrackerConfig`; None: ``auto``.

        Raises:
            InvalidInputError: ``backend`` is not a `Backend`, or ``tracker`` is not an association method.
        """
        if not isinstance(backend, Backend):
            raise InvalidInputError(
                f"backend is {backend!r}; expected a loaded Backend. For a backend's name use FairMOT(backend=...)."
            )
        model = cls.__new__(cls)
        model._set(backend, tracker_config(tracker), None)  # noqa: SLF001 (of this class)
        return model

    def _set(self, backend: Backend, config: TrackerConfig, options: ModelOptions | None) -> None:
        self.backend = backend
        self.tracker_config = config
        self.options = options  # None: the backend belongs to the caller
        self.class_names = () if options is None else class_names(options.weights)
        self._detector = Detector(backend)
        self._owns_backend = options is not None
        self._closed = False
        self._session: Session | None = None  # the video of `update`
        self._starting = Lock()

    @overload
    def track(
        self,
        source: SourceSpec,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
        with_frames: Literal[False] = False,
    ) -> Generator[FrameResult]: ...

    @overload
    def track(
        self,
        source: SourceSpec,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
        with_frames: Literal[True],
    ) -> Generator[tuple[Frame, FrameResult]]: ...

    @overload
    def track(
        self,
        source: SourceSpec,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
        with_frames: bool,
    ) -> Generator[FrameResult] | Generator[tuple[Frame, FrameResult]]: ...

    def track(
        self,
        source: SourceSpec,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
        with_frames: bool = False,
    ) -> Generator[FrameResult] | Generator[tuple[Frame, FrameResult]]:
        """Track a video, frame by frame, in constant memory. Ids start at 1 with each call.

        The source is opened and the arguments are checked when the call is made. Two threads, which end with the
        generator, read a video, a camera or a stream and run the network a few frames ahead. An iterable is read in
        the caller's thread, one image at a time.

        Args:
            source: A video file, a folder of images, a glob, a camera's index, an ``rtsp://`` or ``http://`` URL, an
                iterable of BGR arrays ``(H, W, 3)`` uint8, or a `Source`.
            frame_rate: Frames per second; see `SourceOptions`.
            frame_stride: Track every n-th frame.
            fill_gaps: Longest gap of a track to fill by interpolation, in tracked frames, from 0 (none) to 300;
                results then come that many frames late.
            newest_frame: Leave frames out if the network is slower than the source; see `SourceOptions`.
            with_frames: Yield each result with its `Frame`. ``fill_gaps`` images are then kept in memory. The image
                of an iterable is the caller's array, or a copy if gaps are filled; all images may be drawn on.

        Yields:
            One `FrameResult` per frame tracked, boxes in image px; ``with_frames``: pairs of `Frame` and `FrameResult`.

        Raises:
            SourceError, SourceNotFoundError: The source cannot be opened, or has no frame.
            InvalidInputError: An image is not a BGR uint8 array, or an argument is out of its range.
            StateError: The model is closed.
        """
        self._check_open()
        options = SourceOptions(frame_rate, frame_stride, newest_frame)
        check_max_gap(fill_gaps)
        check_flag("with_frames", with_frames)
        frames = options.open(source)
        pairs = self._pairs(frames, newest=options.takes_newest(frames))
        if with_frames:
            return pairs_with_filled_gaps(pairs, fill_gaps, reused=not frames.reads_ahead)
        return with_filled_gaps((result for _, result in pairs), fill_gaps)

    def _pairs(self, frames: Source, *, newest: bool) -> Generator[tuple[Frame, FrameResult]]:
        with frames, Pipeline(self.session(frames.native_rate), frames, newest=newest) as pipeline:
            yield from pipeline

    def update(self, image: NDArray[np.uint8], time_s: float | None = None) -> FrameResult:
        """Track the next image of a loop of the caller. Ids continue between calls; `reset` starts a new video.

        A model has one such video, for one thread at a time. It shares nothing with `track`, which may run at the same
        time. For several videos, or another frame rate without times, use a `session` for each.

        Args:
            image: ``(H, W, 3)`` uint8 BGR, as cv2.VideoCapture returns it; not changed, and not kept.
            time_s: Time of the image in seconds, from any start; see `Session.update`. None: 1/30 s after the previous
                image.

        Returns:
            The tracks in this image; ``index`` counts the images from 0.

        Raises:
            InvalidInputError: The image is not such an array, or the time is not a finite number. The next image may
                follow as if there had been no call.
            StateError: The model is closed, or another thread is in this method.
        """
        self._check_open()
        with self._starting:
            if self._session is None:
                self._session = self.session(DEFAULT_FRAME_RATE)
            session = self._session
        return session.update(image, time_s)

    def reset(self) -> None:
        """End the video of `update`: the next image is the first of a new one, and ids start at 1 again."""
        with self._starting:
            self._session = None

    def session(self, frame_rate: float) -> Session:
        """Start the tracking of one video, whose images are passed to `Session.update`: ids start at 1, times at 0.

        Args:
            frame_rate: Frames per second of the source, before frames are left out.

        Raises:
            InvalidInputError: The frame rate is not a number from 0.001 to 100000.
        """
        return Session(self._detector, self.tracker_config, frame_rate)

    def detect(self, image: NDArray[np.uint8], min_score: float = 0.3) -> Detections:
        """Run the network on one image, without tracking.

        Args:
            image: ``(H, W, 3)`` uint8 BGR.
            min_score: Smallest score returned, in [0, 1]. The default is PaddleDetection's ``det_thresh``; 0 returns
                all peaks of the heatmap, up to 500, most of them with a score near 0.

        Returns:
            Detections, best first, in image px.

        Raises:
            InvalidInputError: The image is not such an array, or ``min_score`` is out of its range.
            StateError: The model is closed.
        """
        check_image(image)
        check_fraction("min_score", min_score)
        self._check_open()
        found = self._detector.detect(image)
        return found[found.scores >= min_score]

    def close(self) -> None:
        """Free the network after the images in progress; safe to call twice.

        A backend given to `from_backend` stays open: it belongs to the caller.
        """
        self._closed = True
        self.reset()
        if self._owns_backend:
            self.backend.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StateError("This FairMOT was closed; make a new one for more images.")
