"""Plan of a run: its settings with every choice made, and what saved states and model cards say about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..architectures import Architecture, Checkpoint
from ..config import InputSize
from ..datasets import Dataset
from .batches.source import PART as TRAINED_PART
from .config import CPU_BATCH, DEFAULT_EPOCHS, FEW_IMAGES, GPU_BATCH, LossConfig, TrainingConfig
from .device import choose_precision, describe_device
from .distillation.config import DistillationConfig
from .distillation.guide import FoundTeacher, Guide
from .distillation.unlabelled import check_labels
from .optimizer import DEFAULT_RATE
from .processes.world import World
from .records.card_facts import CardFacts, DataFacts, package_versions
from .schedule import RunLength
from .start import read_start
from .state import Progress
from .validation.part import check_use, validation_part


@dataclass(frozen=True, eq=False)
class RunPlan:
    """Settings of a run with every choice made.

    Attributes:
        config: Settings as they were given.
        data: Datasets to train on.
        validation: Datasets to validate on; empty: no validation.
        part: Part of them.
        architecture: Architecture of the network.
        start_digest: SHA-256 of the start weights, hexadecimal; None: random numbers.
        input_size: Network input.
        batch_size: Images of a step over all processes.
        freeze: Parts that are not trained.
        precision: ``fp32`` or ``bf16``.
        has_labels: Whether a part of the training data has labels.
        guide: The teacher; None: the run has none.
    """

    config: TrainingConfig
    data: Sequence[Dataset]
    validation: Sequence[Dataset]
    part: str
    architecture: Architecture
    start_digest: str | None
    input_size: InputSize
    batch_size: int
    freeze: tuple[str, ...]
    precision: str
    has_labels: bool = True
    guide: Guide | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, equal in all datasets."""
        return self.data[0].classes

    @property
    def rate(self) -> float:
        """Highest learning rate."""
        return self.config.lr or DEFAULT_RATE

    def length(self, steps_per_epoch: int) -> RunLength:
        """Return the length of the run."""
        minutes = self.config.minutes
        epochs = self.config.epochs or (DEFAULT_EPOCHS if minutes is None else None)
        return RunLength(steps_per_epoch, epochs, None if minutes is None else 60 * minutes)

    def settings(self) -> dict[str, str]:
        """Return the settings that decide the numbers of a run; a resumed one must share them."""
        config = self.config
        settings = {
            "data": _names(self.data),
            "val": _names(self.validation) or "nothing",
            "weights": f"SHA-256 {self.start_digest[:16]}" if self.start_digest else "none",
            "best": config.best,
            "architecture": self.architecture.name,
            "input_size": str(self.input_size),
            "batch_size": str(self.batch_size),
            "lr": f"{self.rate:g}",
            "plain_neck": str(config.plain_neck),
            "freeze": ",".join(self.freeze) or "nothing",
            "loss": str(config.loss),
            "precision": self.precision,
            "seed": str(config.seed),
            "length": "--epochs" if config.minutes is None else "--minutes",
        }
        if self.guide is not None:
            settings["teacher"] = str(self.guide.facts)
            settings["teacher_input_size"] = str(self.guide.view.teacher)
            settings["distillation"] = str(self.distillation)
        return settings

    @property
    def distillation(self) -> DistillationConfig:
        """Weights of the losses against the teacher."""
        return self.config.distillation or DistillationConfig()

    def card_facts(
        self, progress: Progress, why_missing: Mapping[str, str], *, steps_per_epoch: int, world: World, threads: int
    ) -> CardFacts:
        """Return the facts of the run for its model cards.

        Args:
            progress: Position of the run.
            why_missing: Reason for each figure that validation could not compute.
            steps_per_epoch: Steps of a pass over the training images.
            world: Processes of the run.
            threads: CPU threads of a process.
        """
        return CardFacts(
            architecture=self.architecture.title,
            classes=self.classes,
            input_size=self.input_size,
            training=[DataFacts.of(dataset, TRAINED_PART) for dataset in self.data],
            validation=[DataFacts.of(dataset, self.part) for dataset in self.validation],
            start=None if self.config.weights is None else str(self.config.weights),
            start_digest=self.start_digest,
            settings=self.settings(),
            scores=progress.scores,
            steps=progress.step,
            epochs=progress.step / steps_per_epoch,
            seconds=progress.elapsed_s,
            device=describe_device(world.device, threads),
            processes=world.size,
            command=sys.argv,
            chosen_by=progress.best_figure,
            why_missing=why_missing,
            versions=package_versions(),
            teacher=None if self.guide is None else self.guide.facts.name,
            teacher_digest=None if self.guide is None else self.guide.facts.digest,
        )


def make_plan(
    config: TrainingConfig, world: World, teacher: FoundTeacher | None = None
) -> tuple[RunPlan, Checkpoint | None]:
    """Make the choices that the settings leave open, and check them; nothing is written.

    Args:
        config: Settings.
        world: Processes of the run.
        teacher: Teacher of the run with the facts about it; None: the run has none.

    Returns:
        The plan, and the checkpoint that the run starts from; None: random numbers.

    Raises:
        DatasetError: A dataset is not prepared or is damaged, or training and validation share images.
        WeightsError: The start weights cannot be used.
        InvalidInputError: Settings do not fit each other, the data or the weights.
        DeviceUnavailableError: The GPU lacks the precision.
    """
    data = [Dataset.open(folder) for folder in config.data]
    has_labels = check_labels(config, data, has_teacher=teacher is not None)
    validation, part = validation_part(data, [Dataset.open(folder) for folder in config.val])
    if not validation:
        check_use(config)
    precision = choose_precision(config.precision, world.device)
    architecture, checkpoint, input_size = read_start(config)
    batch_size = config.batch_size or default_batch_size(world, config.loss)
    guide = None
    if teacher is not None:
        neighbours = config.loss.neighbours
        stride = architecture.stride
        guide = Guide(*teacher, input_size, stride=stride, neighbours=neighbours, device=world.device)
    plan = RunPlan(
        config=config,
        data=data,
        validation=validation,
        part=part,
        architecture=architecture,
        start_digest=checkpoint.digest if checkpoint else None,
        input_size=input_size,
        batch_size=batch_size,
        freeze=chosen_parts(config.freeze, batch_size, has_start=checkpoint is not None),
        precision=precision,
        has_labels=has_labels,
        guide=guide,
    )
    return plan, checkpoint


def default_batch_size(world: World, loss: LossConfig | None = None) -> int:
    """Return the images of a step over all processes, if no number is given: a multiple of what they need."""
    size = GPU_BATCH if world.device.type == "cuda" else CPU_BATCH
    least = world.size * (2 if loss and loss.contrastive else 1)  # pairs of images for a contrastive loss
    return -(-size // least) * least


def chosen_parts(freeze: tuple[str, ...] | None, batch_size: int, *, has_start: bool) -> tuple[str, ...]:
    """Return the parts that are not trained; see `TrainingConfig.freeze`."""
    if freeze is not None:
        return freeze
    return ("norms",) if has_start and batch_size < FEW_IMAGES else ()


def _names(datasets: Sequence[Dataset]) -> str:
    return ", ".join(f"{dataset.name} {dataset.digest}" for dataset in datasets)
