"""Comparison of two checkpoints on a video: the largest differences of their detections, and their track ids."""

from __future__ import annotations

from itertools import islice
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..architectures import Network
from ..association import Tracker, TrackerConfig
from ..association.config import DEFAULT_CONF_THRES
from ..backends import Backend, BackendOptions, create_backend
from ..config import InputSize, check_path
from ..console.progress import progress_bar
from ..errors import InvalidInputError
from ..geometry import Letterbox, iou
from ..quantization.agreement import matched_pairs
from ..values import Detections, Frame, Peaks, Track
from ..video import open_source
from ..weights import CheckpointFile, resolve_network, resolve_weights
from ..weights.formats import open_arrays
from .comparison_report import FLOAT16_LIMITS, LIMITS, Comparison

MAX_FRAMES = 50
_SAME_PLACE = 0.5  # least IoU of the boxes of one track in both results


def compare_networks(
    weights: str | PathLike[str],
    other: str | PathLike[str],
    *,
    video: str | PathLike[str],
    input_size: InputSize | str | None = None,
    progress: bool = True,
) -> Comparison:
    """Run two checkpoints in fp32 on the first 50 frames of a video, and compare detections and tracks.

    Detections that count have a score above 0.4, the threshold of ``jde``, in one of the results. Limits are those of
    float32's rounding, or of float16's if only ``other`` has float16 arrays; `comparison_report` has the numbers.

    Args:
        weights: A registered name or a checkpoint file.
        other: A checkpoint file, such as a conversion of ``weights``, or a registered name.
        video: A video with people in it: any text that `FairMOT.track` accepts.
        input_size: Network input of both; None: the size that ``weights`` were trained for.
        progress: Show the number of frames on stderr.

    Raises:
        InvalidInputError: Neither network finds anybody in the frames, their embeddings or classes differ in number, or
            the size is not valid.
        SourceError, SourceNotFoundError: The video cannot be opened or read.
        BackendError: A network cannot be run.
        OutOfMemoryError: The memory that this process may use is not enough.
        WeightsError: One of its kinds; see `fairmot_dla34.errors`.
    """
    check_path("video", video, "a video, a folder of images or a camera's index")
    network = resolve_network(weights, input_size, progress=progress)
    networks = network, Network(CheckpointFile(resolve_weights(other, progress=progress)), network.input_size)
    limits = FLOAT16_LIMITS if _has_float16(networks[1]) and not _has_float16(networks[0]) else LIMITS
    counts = _Counts()
    options = BackendOptions("fp32", keep_compiled=False)
    with (
        open_source(str(video)) as source,
        create_backend("openvino", networks[0], options) as first,
        create_backend("openvino", networks[1], options) as second,
        progress_bar(f"comparison on {source.name}", MAX_FRAMES, enabled=progress) as bar,
    ):
        sides = [_Side(backend, Tracker(TrackerConfig(), source.native_rate)) for backend in (first, second)]
        for frame in islice(source, MAX_FRAMES):
            (a, tracks_a), (b, tracks_b) = (side.process(frame, network.input_size) for side in sides)
            counts.add(a, b)
            counts.add_tracks(tracks_a, tracks_b)
            bar.update()
        name = source.name
    if not counts.detections:
        raise InvalidInputError(
            f"Neither network finds anybody in {counts.frames} frames of {name}, so that the comparison shows nothing; "
            "expected a video with people in its first frames: name another one."
        )
    return Comparison(
        str(weights),
        str(other),
        name,
        network.input_size,
        counts.frames,
        counts.detections,
        counts.unmatched,
        score=counts.worst[0],
        box_px=counts.worst[1],
        embedding=counts.worst[2],
        tracks=len(counts.ids),
        equal_ids=counts.equal_ids,
        limits=limits,
    )


class _Side:
    """One network with a tracker of its own."""

    def __init__(self, backend: Backend, tracker: Tracker) -> None:
        self._backend, self._tracker = backend, tracker

    def process(self, frame: Frame, size: InputSize) -> tuple[Peaks, tuple[Track, ...]]:
        height, width = frame.image.shape[:2]
        letterbox = Letterbox(width, height, size)
        peaks = self._backend.infer(letterbox.apply(frame.image))
        boxes = letterbox.to_image_px(peaks.boxes)
        found = Detections(boxes, peaks.scores, peaks.embeddings, peaks.class_ids)
        return peaks, self._tracker.update(found, time_s=frame.time_s)


class _Counts:
    """Counts and largest differences over frames."""

    def __init__(self) -> None:
        self.frames = self.detections = self.unmatched = 0
        self.worst: list[float] = [0.0, 0.0, 0.0]  # score, box in network px, 1 - cosine
        self.ids: set[int] = set()
        self.equal_ids = True

    def add(self, a: Peaks, b: Peaks) -> None:
        """Add the peaks of a frame. A peak above the threshold may have a partner of half that score."""
        threshold = DEFAULT_CONF_THRES
        _check_sizes(a, b)
        i, j = matched_pairs(a, b, threshold / 2, threshold / 2)
        counted = (a.scores[i] > threshold) | (b.scores[j] > threshold)
        i, j = i[counted], j[counted]
        alone = sum(int(np.count_nonzero(peaks.scores > threshold)) for peaks in (a, b))
        alone -= int(np.count_nonzero(a.scores[i] > threshold) + np.count_nonzero(b.scores[j] > threshold))
        self.frames += 1
        self.detections += len(i) + alone
        self.unmatched += alone
        cosines = (np.asarray(a.embeddings)[i].astype(float) * np.asarray(b.embeddings)[j]).sum(axis=1)
        found = (np.abs(a.scores[i] - b.scores[j]), np.abs(a.boxes[i] - b.boxes[j]), 1 - cosines)
        self.worst = [max(worst, _largest(values)) for worst, values in zip(self.worst, found, strict=True)]

    def add_tracks(self, a: tuple[Track, ...], b: tuple[Track, ...]) -> None:
        """Add the tracks of a frame: the same ids, each at the same place."""
        boxes = [{track.track_id: track.box for track in tracks} for tracks in (a, b)]
        self.ids |= set(boxes[0])
        self.equal_ids &= boxes[0].keys() == boxes[1].keys() and all(
            _iou(box, boxes[1][number]) > _SAME_PLACE for number, box in boxes[0].items()
        )


def _check_sizes(a: Peaks, b: Peaks) -> None:
    sizes = [np.asarray(peaks.embeddings).shape[1] for peaks in (a, b)]
    if sizes[0] != sizes[1]:
        raise InvalidInputError(
            f"The networks give embeddings of {sizes[0]} and {sizes[1]} numbers; expected one size: compare a "
            "checkpoint with a conversion of it."
        )


def _largest(values: NDArray[np.floating]) -> float:
    return float(values.max(initial=0))


def _iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return float(iou(np.array([a]), np.array([b]))[0, 0])


def _has_float16(network: Network) -> bool:
    with open_arrays(Path(network.label)) as found:
        return any(array.type_name == "float16" for array in found.values())
