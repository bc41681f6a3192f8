"""Facts of a run and its data for the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from ...config import InputSize
from ...datasets import Dataset
from ...datasets.prepared.manifest import read_manifest

_PACKAGES = ("fairmot_dla34", "torch", "numpy", "opencv-python")


@dataclass(frozen=True)
class DataFacts:
    """A part of a prepared dataset, as a model card names it.

    Attributes:
        name: Name of the dataset.
        part: ``train`` or ``val``.
        source_format: Format that it was prepared from.
        images: Number of images.
        boxes: Number of boxes, when it was prepared.
        identities: Number of identities, likewise.
        digest: Digest of the images and labels of the whole dataset.
        is_edited: Whether its labels were changed since it was prepared.
    """

    name: str
    part: str
    source_format: str
    images: int
    boxes: int
    identities: int
    digest: str
    is_edited: bool = False

    @classmethod
    def of(cls, dataset: Dataset, part: str) -> DataFacts:
        """Return the facts of a part of a dataset.

        Raises:
            DatasetError: Its description cannot be read.
        """
        manifest = read_manifest(dataset.path)
        return cls(
            dataset.name,
            part,
            str(manifest.source.get("format", "unknown")),
            len(dataset.images(part)),
            manifest.count(part, "boxes"),
            manifest.count(part, "identities"),
            dataset.digest,
            dataset.is_edited,
        )


@dataclass(frozen=True)
class CardFacts:
    """Facts of a run for the model card of its weights.

    Attributes:
        architecture: Title of the architecture, such as ``FairMOT DLA-34``.
        classes: Names of the classes.
        input_size: Network input.
        training: Data that was trained on.
        validation: Data that was validated on; empty: no validation.
        start: Name or file of the start weights; None: random numbers.
        start_digest: SHA-256 of the start weights, hexadecimal.
        settings: Settings of the run, by name.
        scores: Validation figures by name: ``start``, ``best`` and ``last``; those that exist.
        chosen_by: Name of the figure by which the best weights were chosen.
        why_missing: Reason for each figure that validation could not compute.
        steps: Finished steps.
        epochs: Finished passes over the training images.
        seconds: Duration of the steps and the validations between them.
        device: Description of the device.
        processes: Number of processes.
        command: Command and arguments that started the run.
        versions: Versions of packages by name.
        weights_step: Finished steps when the weights were those of the file; None: unknown.
        teacher: Name of the teacher; None: the run had none.
        teacher_digest: SHA-256 of the teacher, hexadecimal; "" or None: unknown.
    """

    architecture: str
    classes: Sequence[str]
    input_size: InputSize
    training: Sequence[DataFacts]
    validation: Sequence[DataFacts]
    start: str | None
    start_digest: str | None
    settings: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    steps: int
    epochs: float
    seconds: float
    device: str
    processes: int
    command: Sequence[str]
    chosen_by: str | None = None
    why_missing: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    weights_step: int | None = None
    teacher: str | None = None
    teacher_digest: str | None = None


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that decide the numbers of a run."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # such as opencv-python-headless in its place
            continue
    return found
