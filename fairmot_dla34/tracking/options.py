"""Settings of a run as values that are checked when they are made: the model, the source, and the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    shown,
)
from ..errors import InvalidInputError
from ..file_names import check_file_name, safe_file_name
from ..origin import Origin
from ..outputs import OutputClaim, SinkContext, SinkKind, SinkSet
from ..outputs.anonymisation import Anonymisation, check_anonymise
from ..outputs.checks import check_formats, check_output_dir
from ..outputs.cover_plan import CoverPlan
from ..outputs.crop_folder import check_crop_folder
from ..outputs.crop_sink import DEFAULT_INTERVAL_S, check_crop_interval, crops_kind
from ..outputs.drawing_options import check_labels, check_line_width
from ..outputs.follow_sink import check_follow, follow_kind
from ..outputs.registry import as_sink_kind
from ..outputs.reservation import Record
from ..outputs.run_analysis import AnalysisPlan, RunAnalysis, check_plan
from ..outputs.window import Window, check_display
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
        tracker: Name of an association method (``auto``, ``jde``, ``byte``) or a `TrackerConfig`; None: ``auto``.
            Except with a `TrackerConfig`, the settings that the weights were published with apply, such as
            ``vertical_ratio=0`` for vehicles.
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
        return tracker_config(self.tracker, published_settings(self.weights))

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


def published_settings(weights: str | PathLike[str]) -> dict[str, object]:
    """Return the settings of the association that weights were published with, by name; empty for a file."""
    entry = find_entry(weights)
    return dict(entry.tracker_settings) if entry else {}


def class_names(weights: str | PathLike[str]) -> tuple[str, ...]:
    """Return the names of the classes of registered weights; empty for a file."""
    entry = find_entry(weights)
    return entry.class_names if entry else ()


def tracker_config(tracker: TrackerConfig | str | None, published: Mapping[str, object] | None = None) -> TrackerConfig:
    """Return the settings of the association.

    Args:
        tracker: All settings, or the name of a method; None: ``auto``.
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
        anonymise: People who are made unrecognisable in all images written and shown: ``heads`` or ``people`` (of
            everybody), ``except:ID,ID`` (everybody else) or ``only:ID,ID``; None: nobody. Outputs are then written up
            to half a second late.
        follow: Id of a track that a second video follows; None: none.
        save_crops: Write crops of each person.
        crop_interval_s: Seconds between two crops of a person, from 0 (every frame); None: 1.
        show: Show the frames in a window; only in the main thread.
        analytics: Plan of an analysis, such as `fairmot_dla34.analytics.AnalyticsPlan`, with outputs of its own under
            ``analytics/``; None: none.

    Raises:
        InvalidInputError: A number is out of its range, a value is of the wrong type, a format is unknown, or settings
            exclude each other.
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
    anonymise: str | None = None
    follow: int | None = None
    save_crops: bool = False
    crop_interval_s: float | None = None
    show: bool = False
    analytics: AnalysisPlan | None = None

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
        check_anonymise(self.anonymise)
        check_follow(self.follow)
        check_flag("save_crops", self.save_crops)
        check_crop_interval(self.crop_interval_s)
        check_flag("show", self.show)
        check_plan(self.analytics)
        self._check_together()

    def _check_together(self) -> None:
        """Check that every setting has an effect, and that none undoes another."""
        if self.crop_interval_s is not None and not self.save_crops:
            raise InvalidInputError(
                f"crop_interval_s is {self.crop_interval_s:g}, but there are no crops without save_crops=True."
            )
        people = self.anonymisation
        if people is None:
            return
        if self.save_crops and not people.ids:
            raise InvalidInputError(
                f"save_crops is True and anonymise is {self.anonymise!r}, so that nobody is left for crops; leave one"
                " of them out, or use except:ID or only:ID, with which people who stay visible have crops."
            )
        if not self.needs_images:
            raise InvalidInputError(
                f"anonymise is {self.anonymise!r}, but no output has images; expected a video, crops or a window."
            )

    @property
    def anonymisation(self) -> Anonymisation | None:
        """People who are made unrecognisable; None: nobody."""
        return check_anonymise(self.anonymise)

    @property
    def sinks(self) -> tuple[SinkKind | str, ...]:
        """Sinks to open, or their names, in order."""
        kinds: list[SinkKind | str] = [*self.formats]
        if self.visualization:
            kinds.append("video")
        if self.follow is not None:
            kinds.append(follow_kind(self.follow))
        if self.save_crops:
            kinds.append(self._crops_kind)
        if self.analytics is not None:
            kinds += self.analytics.kinds
        return tuple(kinds)

    @property
    def _crops_kind(self) -> SinkKind:
        interval_s = DEFAULT_INTERVAL_S if self.crop_interval_s is None else self.crop_interval_s
        return crops_kind(interval_s, self.anonymisation)

    @property
    def needs_images(self) -> bool:
        """True if a sink, a window or the analysis needs the images of the frames."""
        if self.show or (self.analytics is not None and self.analytics.needs_images):
            return True
        return any(as_sink_kind(kind).needs_images for kind in self.sinks)

    def cover_plan(self, frame_rate: float, hold_s: float) -> CoverPlan | None:
        """Return the plan that decides which people are covered; None if nobody is.

        Args:
            frame_rate: Frames per second of the results.
            hold_s: Seconds for which a lost person stays covered.
        """
        people = self.anonymisation
        return None if people is None else CoverPlan(people, frame_rate=frame_rate, hold_s=hold_s)

    def analysis_starter(self, frame_rate: float) -> Callable[[tuple[int, int]], RunAnalysis] | None:
        """Return a function that starts the analysis with the width and height of the frames; None without one.

        Args:
            frame_rate: Frames per second of the results.
        """
        plan = self.analytics
        return None if plan is None else lambda frame_size: plan.start(frame_size, frame_rate)

    def check_ids(self, track_ids: Iterable[int], source: str) -> None:
        """Check that every id in the settings was tracked.

        Args:
            track_ids: All ids of the run.
            source: Name of the source, for the message.

        Raises:
            InvalidInputError: An id was never tracked.
        """
        known = frozenset(track_ids)
        people = self.anonymisation
        asked = {
            "anonymise": frozenset() if people is None else people.ids,
            "follow": frozenset() if self.follow is None else frozenset({self.follow}),
        }
        for name, ids in asked.items():
            if missing := sorted(ids - known):
                raise InvalidInputError(
                    f"{name} is {shown(getattr(self, name))}, but nobody in {source} got the id {missing[0]}; expected"
                    f" ids from the {len(known)} in the results, which are complete: see the video or the text file."
                )

    def stem(self, origin: Origin) -> str:
        """Return the stem of the files of a source."""
        return self.name or safe_file_name(origin.name, "video")

    def claim(
        self,
        origin: Origin,
        part: Path | None = None,
        *,
        made_from: Record | None = None,
        beside: Sequence[SinkKind] = (),
    ) -> OutputClaim:
        """Reserve the output files of one run, before anything slow starts; close the claim after the outputs.

        Args:
            origin: Source of the run.
            part: Temporary folder for the outputs until `OutputClaim.publish`; None: they are written in their places.
            made_from: Record of results that the run reads in place of the source; see `OutputClaim`.
            beside: Kinds of files that the run writes itself; see `OutputClaim`.

        Raises:
            OutputError: A file cannot be written, another run writes it, it contains results of another source, or it
                is a file of this source.
        """
        name = self.stem(origin)
        if self.save_crops:
            check_crop_folder(self._crops_kind.path_in(Path(self.output_dir), name).parent, overwrite=self.overwrite)
        folder = Path(self.output_dir)
        return OutputClaim(
            folder,
            name,
            self.sinks,
            origin,
            overwrite=self.overwrite,
            made_from=made_from,
            part=part,
            beside=beside,
        )

    def open(
        self,
        claim: OutputClaim,
        frame_rate: float,
        *,
        draw_on_frames: bool = False,
        class_names: tuple[str, ...] = (),
        analysis: RunAnalysis | None = None,
    ) -> SinkSet:
        """Open the outputs of one video; earlier ones of the same source are replaced.

        Args:
            claim: Files of the run.
            frame_rate: Frames per second of the video written.
            draw_on_frames: Draw on the frames themselves instead of copies; nothing else may use them afterwards.
            class_names: Names of the network's classes; empty if they are not known.
            analysis: Analysis of the run, for its outputs; None without one.

        Raises:
            OutputError: A file cannot be written.
        """
        context = self._context(frame_rate, class_names)
        return claim.open(replace(context, draw_on_frames=draw_on_frames, analysis=analysis))

    def open_window(self, claim: OutputClaim, frame_rate: float, class_names: tuple[str, ...]) -> Window | None:
        """Return the window that shows the frames; None if there is none."""
        if not self.show:
            return None
        return Window(Path(self.output_dir), claim.name, self._context(frame_rate, class_names))

    def check_display(self) -> None:
        """Check that a window can be opened, if one is asked for.

        Raises:
            OutputError: There is no display, or OpenCV was built without windows.
            InvalidInputError: This is not the main thread.
        """
        if self.show:
            check_display()

    def _context(self, frame_rate: float, class_names: tuple[str, ...]) -> SinkContext:
        return SinkContext(
            frame_rate,
            self.draw_threshold,
            labels=self.labels,
            line_width=self.line_width,
            class_names=class_names,
        )
