"""The PaddleHub module: ``hub.Module(name="fairmot_dla34")``, and the same class without paddlehub."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .analytics.config import AnalyticsConfig
from .analytics.plan import plan_of
from .arguments.run_settings import RunSettings
from .association import TrackerConfig
from .backends import Backend
from .closing import ClosedOnExit
from .config import DEFAULT_FRAME_RATE, DEFAULT_WEIGHTS, InputSize, check_flag
from .errors import InvalidInputError, StateError
from .hub.decorators import hub_decorators
from .hub.run import hub_run
from .not_picklable import NotPicklable
from .tracking.image_stream import ImageStream
from .tracking.job import track_to_files
from .tracking.model import FairMOT
from .tracking.open_streams import ModuleStream, OpenStreams
from .tracking.options import ModelOptions, OutputOptions, SourceOptions, SourceSpec
from .values import FrameResult, TrackingSummary

if TYPE_CHECKING:
    from typing_extensions import Self

moduleinfo, runnable = hub_decorators()


@moduleinfo(
    name="fairmot_dla34",
    type="CV/multiple_object_tracking",
    author="fairmot_dla34 contributors",
    author_email="",
    summary="Multi-object tracking of people in video with FairMOT (DLA-34).",
    version="2.0.0",
)
class Module(NotPicklable, ClosedOnExit):
    """Track people in videos and image streams. The network is loaded at the first call and kept until `close`.

    Args:
        weights: A registered name, downloaded on first use, or a checkpoint file.
        backend: Name of the backend.
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        input_size: Network input such as ``"1088x608"``; None: the size the weights were trained for.
        tracker: Name of an association method or a `TrackerConfig`; None: ``auto``. ``"jde"`` is PaddleDetection's.
        offline: Never open a connection for the weights.
        threads: CPU threads for the network; None: as many as this process may use.
        streams: Images that the network processes at the same time, for calls in several threads.

    Raises:
        InvalidInputError: A setting is unknown, out of its range or of the wrong type.
        BackendUnavailableError: The backend's package is not installed.
    """

    def __init__(
        self,
        *,
        weights: str | PathLike[str] = DEFAULT_WEIGHTS,
        backend: str = "auto",
        precision: str = "auto",
        input_size: InputSize | str | None = None,
        tracker: TrackerConfig | str | None = None,
        offline: bool | None = None,
        threads: int | None = None,
        streams: int = 1,
    ) -> None:
        self._options = ModelOptions(
            weights, backend, precision, input_size, tracker, offline=offline, threads=threads, streams=streams
        )
        self._models: dict[bool, FairMOT] = {}  # by use_gpu
        self._loading = threading.Lock()  # calls in several threads share one model
        self._given_model: FairMOT | None = None  # set by `from_backend`
        self._streams = OpenStreams()

    @classmethod
    def from_backend(cls, backend: Backend, *, tracker: TrackerConfig | str | None = None) -> Self:
        """Make a module on a backend that the caller has loaded, may share and closes.

        Args:
            backend: A loaded network. Calls with ``use_gpu=True`` are refused.
            tracker: Name of an association method or a `TrackerConfig`; None: ``auto``.

        Raises:
            InvalidInputError: ``backend`` is not a `Backend`, or ``tracker`` is not an association method.
        """
        module = cls(tracker=tracker)
        module._given_model = FairMOT.from_backend(backend, tracker=tracker)
        return module

    def tracking(  # noqa: PLR0913 (PaddleHub's five arguments, then keywords)
        self,
        video_stream: SourceSpec,
        output_dir: str | PathLike[str] = "",
        visualization: bool = True,
        draw_threshold: float = 0.5,
        use_gpu: bool = False,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
        formats: Sequence[str] = ("mot",),
        name: str | None = None,
        overwrite: bool = False,
        labels: str = "auto",
        line_width: int | None = None,
        anonymise: str | None = None,
        follow: int | None = None,
        save_crops: bool = False,
        crop_interval_s: float | None = None,
        show: bool = False,
        analytics: AnalyticsConfig | str | PathLike[str] | None = None,
        progress: bool = True,
    ) -> TrackingSummary:
        """Track a video and write the results.

        Args:
            video_stream: A video file, a folder of images, a glob, a camera's index, a URL, or BGR arrays.
            output_dir: Folder for ``mot_results/`` and ``mot_outputs/``; the current directory by default.
            visualization: Write a video with boxes and ids.
            draw_threshold: Smallest score that is drawn, in [0, 1]; text outputs keep every track.
            use_gpu: Run on a GPU; an error if there is none.
            frame_rate: Frames per second; see `SourceOptions`.
            frame_stride: Track every n-th frame.
            fill_gaps: Longest gap of a track to fill; see `OutputOptions`.
            newest_frame: Leave frames out if the network is slower than the source; see `SourceOptions`.
            formats: Further outputs: ``mot``, ``jsonl``, ``csv``, ``kitti``, or the name of a registered sink.
            name: File stem of the outputs; None: the name of the source.
            overwrite: Replace results of another source that have the same name.
            labels: Text beside a box: ``auto``, ``id``, ``score`` or ``none``; see `OutputOptions`.
            line_width: Width of the boxes' lines in px; None: chosen by the size of the box.
            anonymise: People made unrecognisable in all images written and shown: ``heads``, ``people``,
                ``except:ID,ID`` or ``only:ID,ID``; see `OutputOptions`.
            follow: Id of a track that a second video follows.
            save_crops: Write crops of each person, one folder per id.
            crop_interval_s: Seconds between two crops of a person; None: 1.
            show: Show the frames in a window: q quits, space pauses, s saves a frame. Only in the main thread.
            analytics: Lines, zones and heat map, or a TOML file with them; counts are drawn on the video and written
                to ``analytics/``. See `AnalyticsConfig`.
            progress: Show progress on stderr, also while weights are downloaded: a bar on a terminal, else a line
                every 30 s.

        Returns:
            Paths written, frames, ids, seconds per stage. ``ended`` shows if a live source was ``lost`` or
            ``stalled``: that is logged, and not an error here.
            It is ``closed`` if the window was closed.

        Raises:
            FairMOTError: One of its kinds; see `fairmot_dla34.errors`. Everything written before it is kept and valid.
        """
        check_flag("use_gpu", use_gpu)
        check_flag("progress", progress)
        return track_to_files(
            lambda: self._model(use_gpu, progress=progress),
            video_stream,
            source_options=SourceOptions(frame_rate, frame_stride, newest_frame),
            output_options=OutputOptions(
                output_dir,
                visualization,
                draw_threshold,
                formats,
                fill_gaps,
                name,
                overwrite,
                labels,
                line_width,
                anonymise,
                follow,
                save_crops,
                crop_interval_s,
                show,
                plan_of(analytics),
            ),
            progress=progress,
        )

    def stream_mode(  # noqa: PLR0913 (PaddleHub's four arguments, then keywords)
        self,
        output_dir: str | PathLike[str] = "",
        visualization: bool = True,
        draw_threshold: float = 0.5,
        use_gpu: bool = False,
        *,
        frame_rate: float = DEFAULT_FRAME_RATE,
        name: str = "inputimages",
        formats: Sequence[str] = ("mot",),
        overwrite: bool = False,
        labels: str = "auto",
        line_width: int | None = None,
    ) -> ImageStream:
        """Start a stream of images: a context manager inside which `predict` works.

        Streams may be nested: `predict` of the module uses the innermost one that is open, of the calling thread if
        it has opened one. `predict` of the returned object always uses that stream.

        Args:
            output_dir: Folder of the outputs; see `tracking`.
            visualization: Write a video with boxes and ids.
            draw_threshold: Smallest score that is drawn, in [0, 1].
            use_gpu: Run on a GPU; an error if there is none.
            frame_rate: Frames per second of the images to come. ``auto`` measures motion in seconds: its tracks depend
                on this rate, those of ``jde`` and ``byte`` only by the length of the lost buffer.
            name: File stem of the outputs; PaddleHub's by default.
            formats: Further outputs; see `tracking`.
            overwrite: Replace results of a video that have the same name.
            labels: Text beside a box; see `tracking`.
            line_width: Width of the boxes' lines in px; see `tracking`.

        Raises:
            FairMOTError: One of its kinds; see `fairmot_dla34.errors`.
        """
        check_flag("use_gpu", use_gpu)
        options = OutputOptions(
            output_dir,
            visualization,
            draw_threshold,
            formats,
            overwrite=overwrite,
            labels=labels,
            line_width=line_width,
        )
        load = partial(self._model, use_gpu)
        return ModuleStream(self._streams, load, options, frame_rate=frame_rate, name=name)

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> list[FrameResult]:
        """Track the next images of the innermost open stream; see `stream_mode`.

        Args:
            images: BGR arrays ``(H, W, 3)`` uint8, in order.

        Returns:
            One result per image; ids continue between calls.

        Raises:
            StateError: Called outside ``with module.stream_mode(...):``.
            InvalidInputError: ``images`` is empty or holds something that is not an image.
        """
        stream = self._streams.innermost()
        if stream is None:
            raise StateError(
                "predict was called outside stream_mode; call it inside `with module.stream_mode(output_dir=...):`."
            )
        return stream.predict(images)

    def close(self) -> None:
        """Free the network; the next call loads it again. A backend given to `from_backend` stays open."""
        with self._loading:
            models, self._models = self._models, {}
        for model in models.values():
            model.close()

    @runnable
    def run_cmd(self, argv: list[str]) -> str:
        """Run ``hub run fairmot_dla34 …``.

        Args:
            argv: The arguments after the module's name.

        Returns:
            The summary as text, which paddlehub prints.
        """
        return hub_run(argv, self._options, self._track_with)

    @classmethod
    def _run_func(cls, argv: list[str]) -> str:
        """Run ``hub run`` on a new instance.

        paddlehub 2.4.0 calls this on the class if the working directory has a folder of the module's name, as a
        checkout of this project has. Its own property of this name works on instances only.
        """
        summary: str = cls().run_cmd(argv)
        return summary

    def _track_with(self, video_stream: str, settings: RunSettings) -> TrackingSummary:
        """Track a video with settings of the command line; the module's own model is used if they ask for it."""
        own = replace(settings.model, use_gpu=self._options.use_gpu) == self._options
        if self._given_model is not None and not own:
            raise InvalidInputError(
                f"This Module runs on the backend it was given ({self._given_model.backend.info}); expected no options "
                "about the network or the association."
            )
        with ExitStack() as stack:

            def load() -> FairMOT:
                use_gpu = settings.model.use_gpu
                return self._model(use_gpu) if own else stack.enter_context(FairMOT.from_options(settings.model))

            return track_to_files(load, video_stream, source_options=settings.source, output_options=settings.output)

    def _model(self, use_gpu: bool, *, progress: bool = True) -> FairMOT:
        if self._given_model is not None:
            if use_gpu:
                raise InvalidInputError(
                    "use_gpu is True, but this Module runs on the backend it was given "
                    f"({self._given_model.backend.info}); expected use_gpu=False, or a Module made by its constructor."
                )
            return self._given_model
        with self._loading:
            if use_gpu not in self._models:
                self._models[use_gpu] = FairMOT.from_options(replace(self._options, use_gpu=use_gpu, progress=progress))
            return self._models[use_gpu]
