"""The PaddleHub module: ``hub.Module(name="fairmot_dla34")``, and the same class without paddlehub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .association.config import TrackerConfig
from .backends import Backend
from .config import DEFAULT_FRAME_RATE, DEFAULT_WEIGHTS, InputSize
from .errors import StateError
from .hub.decorators import hub_decorators
from .hub.run import hub_run
from .tracking.model import FairMOT, SourceSpec
from .tracking.job import OutputOptions, track_to_files
from .tracking.image_stream import Stream
from .values import FrameResult, TrackingSummary

moduleinfo, runnable = hub_decorators()


@moduleinfo(
    name="fairmot_dla34",
    type="CV/multiple_object_tracking",
    author="fairmot_dla34 contributors",
    author_email="",
    summary="Multi-object tracking of people in video with FairMOT (DLA-34).",
    version="2.0.0",
)
class Module:
    """Track people in videos and image streams. The network is loaded at the first call and kept.

    Args:
        weights: A registered name or a checkpoint file; see `FairMOT`.
        backend: ``auto``, ``openvino``, ``paddledet`` or ``onnxruntime``; see `FairMOT`.
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        input_size: Network input such as ``"1088x608"``; None: the size the weights were trained for.
        tracker: ``jde``, ``byte``, ``steady`` or a `TrackerConfig`.
        offline: Never open a connection for the weights.
    """

    def __init__(
        self,
        *,
        weights: str | Path = DEFAULT_WEIGHTS,
        backend: str | Backend = "auto",
        precision: str = "auto",
        input_size: InputSize | str | None = None,
        tracker: TrackerConfig | str | None = None,
        offline: bool | None = None,
    ) -> None:
        self._settings = {
            "weights": weights,
            "backend": backend,
            "precision": precision,
            "input_size": input_size,
            "tracker": tracker,
            "offline": offline,
        }
        self._models: dict[bool, FairMOT] = {}
        self._stream: Stream | None = None

    def tracking(  # noqa: PLR0913 (PaddleHub's five arguments, then keywords)
        self,
        video_stream: SourceSpec,
        output_dir: str | Path = "",
        visualization: bool = True,
        draw_threshold: float = 0.5,
        use_gpu: bool = False,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
        formats: Sequence[str] = ("mot",),
        progress: bool = True,
    ) -> TrackingSummary:
        """Track a video and write the results.

        Args:
            video_stream: A video file, a folder of images, a glob, a camera's index, a URL, or BGR arrays.
            output_dir: Where ``mot_results/`` and ``mot_outputs/`` go; the current directory by default.
            visualization: Write a video with boxes and ids.
            draw_threshold: Smallest score that is drawn, in [0, 1]; text outputs keep every track.
            use_gpu: Run on a GPU; an error where there is none.
            frame_rate: Frames per second, where the source does not say or is wrong.
            frame_stride: Track every n-th frame.
            fill_gaps: Longest gap of a track to fill by interpolation, in tracked frames, from 0 (none) to 300;
                outputs then run so many frames late.
            newest_frame: Where the network is slower than the source, leave frames out and go on with the newest one;
                None: for cameras and live streams (``rtsp``, ``rtmp``, ``udp``, ``tcp``, ``rtp``, ``srt``).
            formats: Text outputs: ``mot``, ``jsonl``, ``csv``, ``kitti``.
            progress: Show a progress bar on stderr.

        Returns:
            Paths written, frames, ids, seconds per stage.

        Raises:
            FairMOTError: One of its kinds; see `fairmot_dla34.errors`. What was written until then is kept and valid.
        """
        options = OutputOptions(output_dir, visualization, draw_threshold, formats)
        return track_to_files(
            lambda: self._model(use_gpu),
            video_stream,
            options,
            frame_rate=frame_rate,
            frame_stride=frame_stride,
            fill_gaps=fill_gaps,
            newest_frame=newest_frame,
            progress=progress,
        )

    def stream_mode(
        self,
        output_dir: str | Path = "",
        visualization: bool = True,
        draw_threshold: float = 0.5,
        use_gpu: bool = False,
        *,
        frame_rate: float = DEFAULT_FRAME_RATE,
        name: str = "inputimages",
        formats: Sequence[str] = ("mot",),
    ) -> Stream:
        """Begin a stream of images: a context manager inside which `predict` works.

        Args:
            output_dir: As in `tracking`.
            visualization: As in `tracking`.
            draw_threshold: As in `tracking`.
            use_gpu: As in `tracking`.
            frame_rate: Frames per second of the images to come.
            name: File stem of the outputs; PaddleHub's by default.
            formats: As in `tracking`.

        Raises:
            FairMOTError: One of its kinds; see `fairmot_dla34.errors`.
        """
        options = OutputOptions(output_dir, visualization, draw_threshold, formats)
        stream = Stream(lambda: self._model(use_gpu), options, frame_rate=frame_rate, name=name)
        self._stream = stream
        return stream

    def predict(self, images: Sequence[NDArray[np.uint8]]) -> list[FrameResult]:
        """Track the next images of the stream; the same as `predict` of the object ``stream_mode`` gives.

        Args:
            images: BGR arrays ``(H, W, 3)`` uint8, in order.

        Returns:
            One result per image; ids go on between calls.

        Raises:
            StateError: Called outside ``with module.stream_mode(...):``.
            InvalidInputError: ``images`` is empty or holds something that is not a picture.
        """
        if self._stream is None:
            raise StateError(
                "predict was called outside stream_mode; call it inside `with module.stream_mode(output_dir=...):`."
            )
        return self._stream.predict(images)

    @runnable
    def run_cmd(self, argv: list[str]) -> str:
        """Run ``hub run fairmot_dla34 …``.

        Args:
            argv: The arguments after the module's name.

        Returns:
            The summary as text, which paddlehub prints.
        """
        return hub_run(self.tracking, argv)

    @classmethod
    def _run_func(cls, argv: list[str]) -> str:
        """What `hub run` calls. Where the working directory has a folder of the module's name, as a checkout of this
        project does, paddlehub 2.4.0 calls it on the class instead of an instance, where its own property fails.
        """  # noqa: D205
        summary: str = cls().run_cmd(argv)
        return summary

    def _model(self, use_gpu: bool) -> FairMOT:
        if use_gpu not in self._models:
            self._models[use_gpu] = FairMOT(use_gpu=use_gpu, **self._settings)  # type: ignore[arg-type]
        return self._models[use_gpu]
