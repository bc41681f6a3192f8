"""Validation of a network on labelled images: tracking scores, detection AP and identity retrieval."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ...architectures import Network
from ...association import Tracker, TrackerConfig
from ...backends import Backend, BackendOptions, create_backend
from ...backends.cpus import usable_cpus
from ...config import InputSize
from ...console.progress import progress_bar
from ...datasets.prepared.dataset import Dataset, DatasetImage
from ...datasets.values import ImageLabels
from ...errors import EvaluationUnavailableError
from ...evaluation import evaluate
from ...evaluation.average_precision import AveragePrecision, ImageMatches, match_detections
from ...outputs.sink import TEXT_FOLDER
from ...outputs.text_formats import mot_lines
from ...tracking.detector import Detector
from ...values import Detections, Track
from ...weights import load_checkpoint
from ..network.fairmot import FairMOTNetwork
from .data import (
    LabelledPositions,
    ValidationSequence,
    scored_tracks,
    validation_sequences,
    write_text,
    write_truth,
)
from .detecting import in_order
from .identity_sample import IdentitySample
from .samples import SampleImages
from .torch_backend import TorchBackend

logger = logging.getLogger(__name__)

TRACKING_FIGURES = ("hota", "mota", "idf1", "id_switches")
FIGURES = (*TRACKING_FIGURES, "ap50", "map_id", "tpr_far")
FOLDER, TRUTH_FOLDER = "validation", "gt"
_THREADS_PER_STREAM = 4  # fewer images at a time take less memory; more threads for each scale worse
_MAX_STREAMS = 8


@dataclass(frozen=True, eq=False)
class _Item:
    """An image to validate on, and its sequence."""

    sequence: ValidationSequence
    image: DatasetImage


@dataclass(eq=False)
class _Video:
    """Tracking of one video sequence, and the lines of its results so far, for each class."""

    sequence: ValidationSequence
    tracker: Tracker
    lines: list[list[str]] = field(default_factory=list)

    def add(self, frame: int, tracks: tuple[Track, ...], labels: ImageLabels) -> None:
        """Add the tracks of a frame to the results."""
        self.lines = self.lines or [[] for _ in self.sequence.names]
        for class_id, lines in enumerate(self.lines):
            scored = scored_tracks(tracks, labels, class_id)
            lines.append(mot_lines(frame, scored))


class Validator:
    """Validates networks on one part of datasets, and writes results and samples below the folder of a run.

    One pass of the network per image gives the detections for AP, tracking and samples. A second one, of the PyTorch
    network on a fixed sample of the images, gives the embeddings of labelled boxes.

    ``validation/gt/`` has the ground truth and ``validation/<name>/mot_results/`` the results of each video, as
    MOTChallenge text: ``fairmot_dla34 eval`` gives the same scores. Results in areas without labels are left out.

    Args:
        datasets: Datasets.
        part: ``val`` or ``train``.
        input_size: Network input.
        device: Device of the PyTorch network; on ``cuda`` it also computes the detections, otherwise OpenVINO does on
            the CPU, in fp32.
        threads: CPU threads; None: as many as this process may use.
        output_dir: Folder of the run.
        progress: Show a progress bar on stderr.

    Attributes:
        images: Number of images.
        why_missing: For each figure that the last validation did not compute, the reason in a sentence.
        sample_text: Description of the images and boxes that the identity figures were computed from.

    Raises:
        DatasetError: A file of labels is missing or damaged.
    """

    def __init__(
        self,
        datasets: Sequence[Dataset],
        part: str,
        input_size: InputSize,
        *,
        device: torch.device | str = "cpu",
        threads: int | None = None,
        output_dir: Path,
        progress: bool = False,
    ) -> None:
        self._sequences = validation_sequences(datasets, part)
        self._part = part
        self._input_size = input_size
        self._device = torch.device(device)
        self._threads = threads
        self._folder = output_dir / FOLDER
        self._progress = progress
        self._scored: list[str] | None = None  # names of the videos with ground truth, once that is written
        self.images = sum(len(sequence.sequence.images) for sequence in self._sequences)
        self._num_classes = max((len(dataset.classes) for dataset in datasets), default=1)
        positions = LabelledPositions.read(self._sequences)
        self._identities = IdentitySample(self._sequences, positions, input_size, self._device)
        self._samples = SampleImages(self._sequences, positions, output_dir)
        self.sample_text = ""
        self.why_missing: dict[str, str] = {}

    def validate(self, weights: Path, network: FairMOTNetwork, name: str) -> dict[str, float]:
        """Compute the figures of a network.

        Args:
            weights: Checkpoint file with the network's arrays.
            network: The network, on the device of this validator; its mode is restored.
            name: Name of this validation, such as ``epoch_003``: a file name.

        Returns:
            The figures that can be computed: ``hota``, ``mota``, ``idf1``, ``ap50``, ``map_id`` and ``tpr_far`` in per
            cent, and ``id_switches``. `why_missing` has the reasons for the others.

        Raises:
            DatasetError: An image or a file of labels cannot be read.
            CheckpointError: ``weights`` is not a sound checkpoint.
            BackendError: The network's outputs are not finite.
            OutputError: A file cannot be written.
            OutOfMemoryError: There is too little memory.
        """
        self.why_missing = {}
        if not self.images:
            self.why_missing = dict.fromkeys(FIGURES, f"The {self._part} part of the data has no images.")
            return {}
        was_training = network.training
        network.eval()
        try:
            with self._backend(weights, network) as backend:
                precisions = self._detect(backend, name)
            figures = self._tracking_figures(name) | self._detection_figures(precisions)
            return figures | self._identity_figures(network)
        finally:
            network.train(was_training)

    def _backend(self, weights: Path, network: FairMOTNetwork) -> Backend:
        if self._device.type == "cuda":
            return TorchBackend(network, self._input_size, self._device)
        threads = self._threads or usable_cpus()
        streams = min(max(threads // _THREADS_PER_STREAM, 1), _MAX_STREAMS)
        # A network that is used once is not kept in the cache folder of compiled networks, nor are facts of its file.
        options = BackendOptions("fp32", threads=threads, streams=streams, keep_compiled=False)
        checkpoint = load_checkpoint(weights, network.architecture)
        return create_backend("openvino", Network(checkpoint, self._input_size), options, announce=False)

    def _detect(self, backend: Backend, name: str) -> list[AveragePrecision]:
        """Detect and track in all images and write the results; return the detections of each class for AP."""
        detector = Detector(backend)

        def work(item: _Item) -> tuple[ImageLabels, Detections]:
            dataset = item.sequence.dataset
            return dataset.labels(item.image), detector.detect(dataset.read_image(item.image))

        precisions = [AveragePrecision() for _ in range(self._num_classes)]
        items = (_Item(sequence, image) for sequence in self._sequences for image in sequence.sequence.images)
        video: _Video | None = None
        with (
            progress_bar(f"validation {name}", self.images, enabled=self._progress, unit="image") as bar,
            closing(in_order(work, items, workers=backend.info.streams + 1)) as results,
        ):
            for item, (labels, detections) in results:
                if video is None or video.sequence is not item.sequence:
                    self._finish(video, name)
                    video = _Video(item.sequence, Tracker(TrackerConfig(), item.sequence.sequence.frame_rate))
                tracks = self._track(video, item, labels, detections)
                for class_id, precision in enumerate(precisions):
                    precision.add(_matches(detections, labels, class_id))
                self._samples.draw(name, item.sequence, item.image, labels, detections, tracks)
                bar.update()
        self._finish(video, name)
        return precisions

    def _track(
        self, video: _Video, item: _Item, labels: ImageLabels, detections: Detections
    ) -> tuple[Track, ...] | None:
        """Track a frame of a video as `FairMOT.track` does; None for an image that is no frame."""
        sequence = item.sequence.sequence
        if not sequence.is_video:
            return None
        frame = item.sequence.frame(item.image)
        tracks = video.tracker.update(detections, time_s=frame / sequence.frame_rate)
        video.add(frame, tracks, labels)
        return tracks

    def _finish(self, video: _Video | None, name: str) -> None:
        if video is not None and video.sequence.sequence.is_video:
            for stem, lines in zip(video.sequence.names, video.lines, strict=True):
                write_text(self._folder / name / TEXT_FOLDER / f"{stem}.txt", "".join(lines))

    def _tracking_figures(self, name: str) -> dict[str, float]:
        videos = [sequence for sequence in self._sequences if sequence.sequence.is_video]
        if not videos:
            return self._missing(TRACKING_FIGURES, f"The {self._part} part has no video; tracking scores need one.")
        truth = self._folder / TRUTH_FOLDER
        if self._scored is None:
            self._scored = [stem for sequence in videos for stem in write_truth(sequence, truth)]
        if not self._scored:
            return self._missing(
                TRACKING_FIGURES, f"No box in the videos of the {self._part} part has an identity to score."
            )
        try:
            scores = evaluate(truth, self._folder / name, sequences=self._scored).combined
        except EvaluationUnavailableError as error:
            return self._missing(TRACKING_FIGURES, str(error))
        return {figure: float(getattr(scores, figure)) for figure in TRACKING_FIGURES}

    def _detection_figures(self, precisions: Iterable[AveragePrecision]) -> dict[str, float]:
        values = [value for value in (precision.value() for precision in precisions) if value is not None]
        if not values:
            return self._missing(["ap50"], f"The {self._part} part has no people, so AP is undefined.")
        return {"ap50": float(np.mean(values))}

    def _identity_figures(self, network: FairMOTNetwork) -> dict[str, float]:
        figures, self.sample_text = self._identities.figures(network)
        logger.debug("Identity figures: %s", self.sample_text)
        found = {name: value for name, value in figures._asdict().items() if value is not None}
        if "map_id" not in found:
            self._missing(["map_id"], f"No identity has two boxes in one sequence ({self.sample_text}).")
        if "tpr_far" not in found:
            self._missing(
                ["tpr_far"], f"The boxes give no pair of one identity and of two identities ({self.sample_text})."
            )
        return found

    def _missing(self, figures: Iterable[str], reason: str) -> dict[str, float]:
        self.why_missing |= dict.fromkeys(figures, reason)
        return {}


def _matches(detections: Detections, labels: ImageLabels, class_id: int) -> ImageMatches:
    """Match the detections of a class with its labelled boxes, with or without identities."""
    boxes, scores = detections.boxes, detections.scores
    if detections.class_ids is not None:
        chosen = detections.class_ids == class_id
        boxes, scores = boxes[chosen], scores[chosen]
    return match_detections(boxes, scores, labels.boxes[labels.class_ids == class_id], labels.ignored)
