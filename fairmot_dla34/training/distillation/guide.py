"""A teacher in a run: its size, what it gives, and its targets for each batch."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ...architectures import HeadSizes
from ...architectures.heads import Heads
from ...config import InputSize
from ...errors import InvalidInputError
from ..batches.work import Batch
from ..config import TrainingConfig
from .config import DistillationConfig
from .fairmot_teacher import FairMOTTeacher, load_teacher
from .student import Distillation, TeacherShape
from .targets import TeacherTargets, teacher_targets
from .teacher import Teacher, TeacherFacts, TeacherOutputs, check_outputs, teacher_facts
from .view import TeacherView

logger = logging.getLogger(__name__)

_GREY = 0.5
FoundTeacher = tuple[Teacher, TeacherFacts]


class Guide:
    """Asks a teacher about the images of each batch.

    Args:
        teacher: The teacher.
        facts: Facts about it.
        input_size: Network input of the student.
        stride: Student px per cell.
        neighbours: Give targets also to the four cells around each peak.
        device: Device of the run; a module is moved to it and frozen.

    Attributes:
        facts: Facts about the teacher.
        view: Transform from the student's px to the teacher's.
        shape: What the teacher gives, found by a call with a grey image.

    Raises:
        InvalidInputError: The teacher does not return what a teacher returns.
    """

    def __init__(
        self,
        teacher: Teacher,
        facts: TeacherFacts,
        input_size: InputSize,
        *,
        stride: int,
        neighbours: bool,
        device: torch.device,
    ) -> None:
        if isinstance(teacher, (nn.Module, FairMOTTeacher)):
            teacher.to(device)
        if isinstance(teacher, nn.Module):
            teacher.eval().requires_grad_(requires_grad=False)
        self._teacher, self.facts, self._device = teacher, facts, device
        self._stride, self._neighbours = stride, neighbours
        self.view = TeacherView(input_size, facts.input_size or input_size)
        size = self.view.teacher
        outputs = self._ask(torch.full((1, 3, size.height, size.width), _GREY, device=device))
        self.shape = TeacherShape(
            classes=0 if outputs.heatmap is None else outputs.heatmap.shape[1],
            channels=0 if outputs.features is None else outputs.features.shape[1],
            embedding_size=0 if outputs.embeddings is None else outputs.embeddings.shape[1],
            has_boxes=outputs.boxes is not None,
        )

    @property
    def other_size(self) -> InputSize | None:
        """Size at which the teacher sees the images; None: that of the student."""
        return None if self.view.teacher == self.view.student else self.view.teacher

    def teach(self, batch: Batch) -> Batch:
        """Return a batch with the teacher's targets.

        Raises:
            InvalidInputError: The batch has no images of the teacher's size, or the outputs are not those expected.
        """
        images = batch.images if self.other_size is None else batch.teacher_images
        if images is None:
            raise InvalidInputError(
                f"The batches have no images at the teacher's size {self.other_size}; expected a source that makes "
                "them: give --teacher-input-size the size of the student."
            )
        outputs = self._ask(images.to(self._device).float() / 255)
        return replace(batch, taught=self._targets(outputs))

    def distillation(
        self, config: DistillationConfig, heads: Heads, sizes: HeadSizes, classes: Sequence[str], *, has_labels: bool
    ) -> Distillation:
        """Return the losses of a student against this teacher.

        Args:
            config: Weights of the losses.
            heads: Heads of the student.
            sizes: Classes and embedding size of the student.
            classes: Names of the classes of the data.
            has_labels: Whether a part of the data has labels.

        Raises:
            InvalidInputError: The classes differ, or no loss can be computed.
        """
        if self.shape.classes not in {0, len(classes)}:
            raise InvalidInputError(
                f"Teacher {self.facts.name} has {self.shape.classes} classes, and the data has {len(classes)} "
                f"({', '.join(classes)}); expected equal numbers: use a teacher with the classes of the data."
            )
        names = self.shape.losses(config)
        if not names:
            raise InvalidInputError(
                f"Teacher {self.facts.name} gives nothing for the losses with a weight ({config}); expected at least "
                "one loss that it can teach."
            )
        logger.info("Teacher %s at %s: %s", self.facts.name, self.view.teacher, ", ".join(names))
        if not has_labels and "heatmap" not in names:
            logger.warning(
                "The data has no labels and the teacher gives no heatmap: the student does not learn to find people"
            )
        return Distillation(config, self.shape, channels=heads.in_channels, embedding_size=sizes.embedding_size)

    def _ask(self, images: Tensor) -> TeacherOutputs:
        with torch.no_grad():
            return check_outputs(self._teacher(images), self.facts.name, len(images))

    def _targets(self, outputs: TeacherOutputs) -> TeacherTargets:
        with torch.no_grad():
            return teacher_targets(outputs, self.view, stride=self._stride, neighbours=self._neighbours)


def find_teacher(config: TrainingConfig, teacher: Teacher | None, precision: str) -> FoundTeacher | None:
    """Return the teacher of a run and the facts about it; None: the run has none.

    Args:
        config: Settings.
        teacher: Teacher given in Python; None: the one that the settings name, if any.
        precision: ``fp32`` or ``bf16``.

    Raises:
        WeightsError: The teacher's weights cannot be found, downloaded or read.
        InvalidInputError: Two teachers are given, or settings of a teacher without one.
    """
    if teacher is not None and config.teacher is not None:
        raise InvalidInputError(
            f"teacher is {config.teacher} in the settings, and an object is given too; expected one of them."
        )
    if config.teacher is not None:
        teacher = load_teacher(config.teacher, config.teacher_input_size, precision=precision)
    elif teacher is None:
        config.check_without_teacher()
        return None
    elif config.teacher_input_size is not None:
        raise InvalidInputError(
            f"teacher_input_size is {config.teacher_input_size} beside a teacher that is an object; expected the size "
            "as its attribute input_size."
        )
    return teacher, teacher_facts(teacher)
