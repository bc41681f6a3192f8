"""FairMOT: frames in, tracks out. Reads video; writes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..association.gaps import with_filled_gaps
from ..backends import Backend, BackendRequest, check_backend, create_backend
from ..config import DEFAULT_WEIGHTS, InputSize, TrackerConfig
from .pipeline import Pipeline, takes_newest
from .session import Session
from ..values import Detections, FrameResult, check_image
from ..video import open_source
from ..weights import find_entry, input_size_for, resolve_weights

SourceSpec = str | Path | int | Iterable[NDArray[np.uint8]]


class FairMOT:
    """The network and the association settings; one object serves any number of videos, one after the other.

    Args:
        weights: A registered name (see ``fairmot_dla34 weights list``), downloaded on first use, or a checkpoint file.
        backend: ``auto``, ``openvino``, ``paddledet``, ``onnxruntime``, or an object with the `Backend` protocol.
        precision: ``auto`` (bf16 where the CPU has it, else fp32), ``fp32``, ``bf16``, or ``int8``, which OpenVINO runs
            once `fairmot_dla34.quantization.quantize` has made the network.
        input_size: Network input, ``"1088x608"`` or an `InputSize`; None: the size the weights were trained for.
        tracker: ``jde``, ``byte``, ``steady`` or a `TrackerConfig`; None: the method the weights were published with.
        use_gpu: Run on a GPU; an error where there is none.
        offline: Never open a connection for the weights; None: as ``$FAIRMOT_DLA34_OFFLINE`` says.

    Raises:
        UnknownWeightsError, DownloadError, IntegrityError, CheckpointError: See `fairmot_dla34.weights`.
        InvalidInputError: A setting is out of its range.
        BackendUnavailableError: The backend's package is not installed.
        NotQuantizedError: ``int8`` of weights that were not quantised at this input size.
        DeviceUnavailableError: ``use_gpu`` and no GPU can be used.
    """

    def __init__(
        self,
        weights: str | Path = DEFAULT_WEIGHTS,
        *,
        backend: str | Backend = "auto",
        precision: str = "auto",
        input_size: InputSize | str | None = None,
        tracker: TrackerConfig | str | None = None,
        use_gpu: bool = False,
        offline: bool | None = None,
    ) -> None:
        entry = find_entry(str(weights))
        if tracker is None:
            tracker = entry.tracker_method if entry else "jde"
        self.tracker_config = tracker if isinstance(tracker, TrackerConfig) else TrackerConfig(method=tracker)
        if isinstance(backend, str):
            check_backend(backend, precision)
            size = input_size_for(entry, input_size)
            path = resolve_weights(weights, offline=offline)
            backend = create_backend(backend, BackendRequest(Path(path), size, precision, use_gpu))
        self.backend = backend
        self._network_lock = threading.Lock()

    def track(
        self,
        source: SourceSpec,
        *,
        frame_rate: float | None = None,
        frame_stride: int = 1,
        fill_gaps: int = 0,
        newest_frame: bool | None = None,
    ) -> Iterator[FrameResult]:
        """Track a video, frame by frame, in constant memory. Ids start at 1 with each call.

        Frames of a video, a camera or a stream are read, and run through the network, in two threads, a few frames
        ahead; the threads end with the generator. An iterable is asked for one image at a time.

        Args:
            source: A video file, a folder of images, a glob, a camera's index, an ``rtsp://`` or ``http://`` address,
                or an iterable of BGR arrays ``(H, W, 3)`` uint8.
            frame_rate: Frames per second, where the source does not say or is wrong.
            frame_stride: Track every n-th frame.
            fill_gaps: Longest gap of a track to fill by interpolation, in tracked frames, from 0 (none) to 300;
                results then come so many frames late.
            newest_frame: Where the network is slower than the source, leave frames out and go on with the newest one;
                None: for cameras and live streams (``rtsp``, ``rtmp``, ``udp``, ``tcp``, ``rtp``, ``srt``).

        Yields:
            One `FrameResult` per frame tracked, boxes in image px.

        Raises:
            SourceError, SourceNotFoundError: The source cannot be opened, or has no frame.
            InvalidInputError: An array is not a BGR uint8 picture, or an argument is out of its range.
        """
        with open_source(source, frame_rate=frame_rate, frame_stride=frame_stride) as frames:
            newest = takes_newest(frames, newest_frame)
            with Pipeline(self.session(frames.native_rate), frames, newest=newest) as pipeline:
                yield from with_filled_gaps((result for _, result in pipeline), fill_gaps)

    def session(self, frame_rate: float) -> Session:
        """Begin one video: fresh ids, fresh time.

        Args:
            frame_rate: Frames per second of the source. Frames left out are told by the time of those that come.
        """
        return Session(self.backend, self.tracker_config, frame_rate, self._network_lock)

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """Run the network on one picture, without tracking.

        Args:
            image: ``(H, W, 3)`` uint8, BGR.

        Returns:
            Up to 500 peaks of the heatmap, best first, in image px; most have a score near 0.

        Raises:
            InvalidInputError: The image is not such an array.
        """
        check_image(image)
        return self.session(1.0).detect(image)

    def close(self) -> None:
        """Free the network, after the pass under way."""
        with self._network_lock:
            self.backend.close()
