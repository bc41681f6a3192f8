"""Settings of a run as values that are checked when they are made: the model, the source, and the outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..association import TrackerConfig
from ..association.gaps import check_max_gap
from ..backends import Backend, BackendOptions, check_backend, create_backend
from ..config import (
    DEFAULT_WEIGHTS,
    InputSize,
    check_flag,
    check_fraction,
    check_frame_rate,
    check_frame_stride,
    check_path,
)
from ..errors import InvalidInputError
from ..file_names import check_file_name, safe_file_name
from ..origin import Origin
from ..outputs import OutputClaim, SinkContext, SinkSet, find_sink
from ..outputs.checks import check_formats, check_output_dir
from ..outputs.drawing_options import check_labels, check_line_width
from ..video import Source, open_source
from ..weights import find_entry, resolve_network

SourceSpec = str | PathLike[str] | int | Iterable[NDArray[np.uint8]] | Source


@dataclass(frozen=True)
class ModelOptions:
    """Settings of the network, its backend and the association.

    Attributes:
        weights: A registered name (``fairmot_dla34 weights list``), downloaded on first use, or a checkpoint file.
        backend: ``auto``, ``openvino``, ``paddledet``, ``onnxruntime``, or the name of a registered backend.
        precision: ``auto`` (bf16 if the CPU has it, else fp32), ``fp32``, ``bf16``, or ``int8``, which OpenVINO runs
            once `fairmot_dla34.quantization.quantize` has made the network.
        input_size: Network input, ``"1088x608"`` or an `InputSize`; None: the size the weights were trained for.
        tracker: Name of an association method (``jde``, ``byte``, ``steady``) or a `TrackerConfig`; None: the method
            the weights were published with. Except with a `TrackerConfig`, the settings that they were published with
            apply, such as ``min_box_area=0`` for vehicles.
        use_gpu: Run on a GPU; an error if there is none.
        offline: Never open a connection for the weights; None or False: only if ``$FAIRMOT_DLA34_OFFLINE`` is set.
        threads: CPU threads for the network, without ``use_gpu``; None: as many as this process may use.
        streams: Images that the network processes at the same time, for several videos on one model.
        progress: Show a progress bar on stderr while weights are downloaded.

    Raises:
        InvalidInputError: A setting is unknown, out of its range or of the wrong type.
        BackendUnavailableError: The backend's package is not installed.
    """

    weights: str | PathLike[str] = DEFAULT_WEIGHTS
    backend: str = "auto"
    precision: str = "auto"
    input_size: InputSize | str | None = None
    tracker: TrackerConfig | str | None = None
    use_gpu: bool = False
    offline: bool | None = None
    threads: int | None = None
    streams: int = 1
    progress: bool = True

    def __post_init__(self) -> None:
        check_path("weights", self.weights, "a registered name or a checkpoint file")
        check_flag("progress", self.progress)
        if self.offline is not None:
            check_flag("offline", self.offline)
        if isinstance(self.backend, Backend):
            raise InvalidInputError(
                f"backend is a {type(self.backend).__name__}; expected a name. Use FairMOT.from_backend(backend) or "
                "Module.from_backend(backend) for a backend of your own."
            )
        check_backend(self.backend)
        _ = self.backend_options, self.tracker_config  # both check their part
        if self.input_size is not None:
            InputSize.parse(self.input_size)

    @property
    def tracker_config(self) -> TrackerConfig:
        """Settings of the association."""
        return tracker_config(self.tracker, published_tracker(self.weights))

    @property
    def backend_options(self) -> BackendOptions:
        """Settings of the backend."""
        return BackendOptions(self.precision, self.use_gpu, self.threads, self.streams)

    def load(self) -> Backend:
        """Find or download the weights and load the network.

        Raises:
            FairMOTError: One of the kinds listed for `FairMOT`.
        """
        network = resolve_network(self.weights, self.input_size, offline=self.offline, progress=self.progress)
        return create_backend(self.backend, network, self.backend_options)


def published_tracker(weights: str | PathLike[str]) -> dict[str, object]:
    """Return the settings of the association that weights were published with, by name; for a file: method ``jde``."""
    entry = find_entry(weights)
    return {**entry.tracker_settings, "method": entry.tracker_method} if entry else {"method": "jde"}


def class_names(weights: str | PathLike[str]) -> tuple[str, ...]:
    """Return the names of the classes of registered weights; empty for a file."""
    entry = find_entry(weights)
    return entry.class_names if entry else ()


def tracker_config(tracker: TrackerConfig | str | None, published: Mapping[str, object] | None = None) -> TrackerConfig:
    """Return the settings of the association.

    Args:
        tracker: All settings, or the name of a method; None: the published method, without one ``jde``.
        published: Settings that the weights were published with, by name; a `TrackerConfig` replaces them all.

    Raises:
        InvalidInputError: ``tracker`` is neither a `TrackerConfig` nor the name of a method.
    """
    if isinstance(tracker, TrackerConfig):
        return tracker
    chosen = {} if tracker is None else {"method": tracker}
    return TrackerConfig.from_mapping({**(published or {}), **chosen})


@dataclass(frozen=True)
class SourceOptions:
    """Settings for reading a source.

    Attributes:
        frame_rate: Frames per second of the source, if it does not state them or states a wrong number; None: its own.
        frame_stride: Track every n-th frame.
        newest_frame: If the network is slower than the source, leave frames out and continue with the newest one;
            None: for cameras and live streams only (``rtsp``, ``rtmp``, ``udp``, ``tcp``, ``rtp``, ``srt``,
            motion JPEG over ``http``).

    Raises:
        InvalidInputError: A number is out of its range, or a value is of the wrong type.
    """

    frame_rate: float | None = None
    frame_stride: int = 1
    newest_frame: bool | None = None

    def __post_init__(self) -> None:
        if self.frame_rate is not None:
            check_frame_rate(self.frame_rate)
        check_frame_stride(self.frame_stride)
        if self.newest_frame is not None:
            check_flag("newest_frame", self.newest_frame)

    def open(self, source: SourceSpec) -> Source:
        """Open a source.

        Raises:
            SourceNotFoundError, SourceError: The source does not exist or cannot be opened.
            InvalidInputError: The source is of an unknown kind, or an option does not fit it.
        """
        frames = open_source(source, frame_rate=self.frame_rate, frame_stride=self.frame_stride)
        if self.newest_frame and not frames.reads_ahead:
            frames.close()
            raise InvalidInputError(
                "newest_frame is True for an iterable of images; expected a video, a camera or a stream, which can be "
                "read while the network runs. Leave it out, and yield the newest image yourself."
            )
        return frames

    def takes_newest(self, frames: Source) -> bool:
        """Return whether frames of an open source are left out while the network is busy."""
        return frames.is_live if self.newest_frame is None else self.newest_frame


@dataclass(frozen=True)
class OutputOptions:
    """The outputs of a run, and their folder.

    Attributes:
        output_dir: Folder for ``mot_results/`` and ``mot_outputs/``; ``""`` is the current directory.
        visualization: Write a video with boxes and ids.
        draw_threshold: Smallest score that is drawn, in [0, 1]; text outputs keep every track.
        formats: Names of further outputs: ``mot``, ``jsonl``, ``csv``, ``kitti``, or registered sinks.
        fill_gaps: Longest gap of a track to fill by interpolation, in tracked frames, from 0 (none) to 300; outputs are
            then written that many frames late.
        name: Stem of the files; None: the name of the source.
        overwrite: Replace earlier results of another source that have the same name.
        labels: Text drawn beside a box: ``auto`` (id and score, only the id of a small person), ``id``, ``score`` (id
            and score), or ``none``.
        line_width: Width of the boxes' lines in px of the image, from 1 to 100; None: chosen by the size of the box.

    Raises:
        InvalidInputError: A number is out of its range, a value is of the wrong type, or a format is unknown.
    """

    output_dir: str | PathLike[str] = ""
    visualization: bool = True
    draw_threshold: float = 0.5
    formats: Sequence[str] = ("mot",)
    fill_gaps: int = 0
    name: str | None = None
    overwrite: bool = False
    labels: str = "auto"
    line_width: int | None = None

    def __post_init__(self) -> None:
        check_output_dir(self.output_dir)
        check_flag("visualization", self.visualization)
        check_fraction("draw_threshold", self.draw_threshold)
        check_max_gap(self.fill_gaps)
        object.__setattr__(self, "formats", check_formats(self.formats))
        if self.name is not None:
            check_file_name(self.name)
        check_flag("overwrite", self.overwrite)
        check_labels(self.labels)
        check_line_width(self.line_width)

    @property
    def sinks(self) -> tuple[str, ...]:
        """Names of the sinks to open, in order."""
        return (*self.formats, *(("video",) if self.visualization else ()))

    @property
    def needs_images(self) -> bool:
        """True if a sink needs the images of the frames."""
        return any(find_sink(name).needs_images for name in self.sinks)

    def claim(self, origin: Origin) -> OutputClaim:
        """Reserve the output files of one run, before anything slow starts; close the claim after the outputs.

        Args:
            origin: Source of the run.

        Raises:
            OutputError: A file cannot be written, another run writes it, it contains results of another source, or it
                is a file of this source.
        """
        name = self.name or safe_file_name(origin.name, "video")
        return OutputClaim(Path(self.output_dir), name, self.sinks, origin, overwrite=self.overwrite)

    def open(
        self,
        claim: OutputClaim,
        frame_rate: float,
        *,
        draw_on_frames: bool = False,
        class_names: tuple[str, ...] = (),
    ) -> SinkSet:
        """Open the outputs of one video; earlier ones of the same source are replaced.

        Args:
            claim: Files of the run.
            frame_rate: Frames per second of the video written.
            draw_on_frames: Draw on the frames themselves instead of copies; nothing else may use them afterwards.
            class_names: Names of the network's classes; empty if they are not known.

        Raises:
            OutputError: A file cannot be written.
        """
        context = SinkContext(
            frame_rate, self.draw_threshold, draw_on_frames, self.labels, self.line_width, class_names
        )
        return claim.open(context)
