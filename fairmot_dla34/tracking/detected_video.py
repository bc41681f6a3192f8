"""A video with the detections of its frames: the input of a job, whether a network computes them or a file has them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ..closing import ClosedOnExit
from ..errors import StateError
from .model import FairMOT
from .options import SourceOptions, SourceSpec
from .pipeline import Pipeline

if TYPE_CHECKING:
    from ..origin import Origin
    from ..outputs import SinkKind
    from ..outputs.reservation import Record
    from ..values import Detections, Frame
    from ..video import Source
    from .session import VideoTracker


class DetectedVideo(ClosedOnExit, ABC):
    """The frames of one video with their detections, read once; a context manager.

    It is opened quickly. `start` then does what is slow, such as loading a network, and the iteration follows it.

    Attributes:
        name: Name of the output files.
        origin: Identity of the source.
        made_from: Record of the results that the outputs count as results of; None: they are results of ``origin``.
        beside: Kinds of files that the video itself writes beside the outputs of the job.
        native_rate: Frames per second of the source, before the stride.
        frame_rate: Frames per second after the stride.
        frame_count: Number of frames expected; None if unknown.
        reads_ahead: Whether images may be read before they are asked for, and be drawn on.
        class_names: Names of the network's classes, known after `start`; empty if they are not known at all.
        backend: Text about the backend, known after `start`.
    """

    name: str
    origin: Origin
    made_from: Record | None = None
    beside: tuple[SinkKind, ...] = ()
    native_rate: float
    frame_rate: float
    frame_count: int | None
    reads_ahead: bool
    class_names: tuple[str, ...] = ()
    backend: str = ""

    @property
    @abstractmethod
    def frames_skipped(self) -> int:
        """Frames that could not be decoded so far."""

    @property
    @abstractmethod
    def frames_dropped(self) -> int:
        """Frames left out so far because a newer one had arrived."""

    @property
    @abstractmethod
    def ended(self) -> str:
        """End of the source; see `Source`."""

    @abstractmethod
    def start(self) -> VideoTracker:
        """Do what is slow, and return the tracker of the video, whose times the iteration adds to.

        Raises:
            FairMOTError: The network cannot be loaded, or the detections do not suit the settings.
        """

    @abstractmethod
    def __iter__(self) -> Iterator[tuple[Frame, Detections]]:
        """Yield each frame with its detections; after `start`.

        Raises:
            FairMOTError: An error of the source or the network, after the frames before it.
        """


class NetworkVideo(DetectedVideo):
    """A source whose frames a network detects.

    Args:
        load_model: Function that returns the model; called by `start`. The caller closes the model.
        source: A source; see `FairMOT.track`.
        reading: Settings for reading the source.

    Raises:
        FairMOTError: The source cannot be opened; see `SourceOptions.open`.

    Attributes:
        source: The open source.
    """

    def __init__(self, load_model: Callable[[], FairMOT], source: SourceSpec, reading: SourceOptions) -> None:
        self.source: Source = reading.open(source)
        self._model: FairMOT | None = None
        self.name, self.origin = self.source.name, self.source.origin
        self.native_rate, self.frame_rate = self.source.native_rate, self.source.frame_rate
        self.frame_count, self.reads_ahead = self.source.frame_count, self.source.reads_ahead
        self._load_model = load_model
        self._newest = reading.takes_newest(self.source)
        self._pipeline: Pipeline | None = None

    @property
    def model(self) -> FairMOT:
        """The model.

        Raises:
            StateError: `start` was not called.
        """
        if self._model is None:
            raise StateError("The model of this video is not loaded; call start first.")
        return self._model

    @property
    def frames_skipped(self) -> int:
        """Frames that could not be decoded so far."""
        return self.source.frames_skipped

    @property
    def frames_dropped(self) -> int:
        """Frames left out so far because a newer one had arrived."""
        return self._pipeline.frames_dropped if self._pipeline else 0

    @property
    def ended(self) -> str:
        """End of the source; see `Source`."""
        return self.source.ended

    def start(self) -> VideoTracker:
        """Load the model, and return the session of the video.

        Raises:
            FairMOTError: The model cannot be loaded.
        """
        self._model = model = self._load_model()
        session = model.session(self.native_rate)
        self.class_names, self.backend = model.class_names, str(model.backend.info)
        self._pipeline = Pipeline(session, self.source, newest=self._newest)
        return session

    def __iter__(self) -> Iterator[tuple[Frame, Detections]]:
        """Yield each frame with its detections."""
        return iter(()) if self._pipeline is None else self._pipeline.detections()

    def close(self) -> None:
        """Stop the threads and close the source; safe to call twice."""
        if self._pipeline is not None:
            self._pipeline.close()
        self.source.close()
