"""Settings of a training run. Importing this module needs no PyTorch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..architectures import architecture_names
from ..config import DEFAULT_WEIGHTS, InputSize, check_amount, check_choice, check_flag, is_whole, shown
from ..errors import InvalidInputError
from .distillation.config import DistillationConfig

PRECISIONS = ("auto", "fp32", "bf16")
ENGINES = ("torch", "paddle")
FREEZABLE = ("backbone", "norms")
FEW_IMAGES = 8  # in a step
GPU_BATCH, CPU_BATCH = 12, 2  # images a step: PaddleDetection's two GPUs with 6 each; a CPU is as fast with 2
LOSS_ADDITIONS = ("giou", "neighbours", "sequence_ids", "fixed_weights", "contrastive")
BEST_FIGURES = ("auto", "hota", "mota", "idf1", "ap50", "map_id")
_LARGEST = {"epochs": 100_000, "batch_size": 65_536, "threads": 1024, "val_every": 100_000}
DEFAULT_EPOCHS = 30  # fairmot_dla34_30e_1088x608.yml


@dataclass(frozen=True)
class LossConfig:
    """Losses of a run: those of the paper, or with additions by name.

    Attributes:
        giou: Add the GIoU loss of the boxes that size and offset make together (arXiv 1902.09630), weight 2.
        neighbours: Train size, offset and embedding also at the four cells around a centre, because a peak is often
            one cell off at inference.
        sequence_ids: Compare a person only with the people of the same sequence: the classifier's other outputs are
            left out of the softmax.
        fixed_weights: Weigh the detection losses by 1 and the identity loss by 0.15, instead of learning the two
            weights as the paper does.
        contrastive: Compare the embeddings of a batch with each other (arXiv 2004.11362), instead of training a
            classifier with one output for each identity. Images come in pairs that show the same people.

    Raises:
        InvalidInputError: ``sequence_ids`` and ``contrastive`` are both set.
    """

    giou: bool = False
    neighbours: bool = False
    sequence_ids: bool = False
    fixed_weights: bool = False
    contrastive: bool = False

    def __post_init__(self) -> None:
        if self.sequence_ids and self.contrastive:
            raise InvalidInputError(
                "loss has both sequence_ids and contrastive; leave one of them out, because sequence_ids limits a "
                "classifier and contrastive has none."
            )

    @classmethod
    def parse(cls, text: str) -> LossConfig:
        """Read ``paper``, or additions separated by commas such as ``giou,neighbours``.

        Raises:
            InvalidInputError: A name is unknown, or two additions exclude each other.
        """
        names = [name.strip() for name in text.split(",") if name.strip() not in {"", "paper"}]
        for name in names:
            check_choice("Loss", name, ("paper", *LOSS_ADDITIONS))
        return cls(**dict.fromkeys(names, True))

    def __str__(self) -> str:
        return ",".join(["paper", *(name for name in LOSS_ADDITIONS if getattr(self, name))])


@dataclass(frozen=True)
class TrainingConfig:
    """Settings of a training run.

    Attributes:
        data: Folders that `prepare` wrote, to train on; with a teacher also video files and folders of images, which
            have no labels.
        val: Folders that `prepare` wrote, to validate on; empty: the validation parts of ``data``.
        weights: Registered name or checkpoint file to start from; None: random numbers.
        arch: Name of the architecture; None: that of the weights, without weights dla34.
        input_size: Network input; None: the size the weights were trained for, without weights 1088x608.
        epochs: Passes over the training images; None with ``minutes``, otherwise `DEFAULT_EPOCHS`.
        minutes: Length of the run by the clock, instead of ``epochs``.
        batch_size: Images of a step over all processes; None: 12 on GPUs, 2 on a CPU.
        lr: Highest learning rate; None: 1e-4, PaddleDetection's.
        plain_neck: Compute the neck's deformable convolutions as plain ones (offset 0, mask 0.5): twice as fast to
            train on a CPU, and the offsets of the weights are set to 0.
        freeze: Parts that are not trained, of `FREEZABLE`: the backbone with the statistics of its norms; the
            statistics of all norms. None: the norms, if a run starts from weights and a step has fewer than
            `FEW_IMAGES` images, too few for statistics; otherwise nothing.
        loss: Losses.
        resume: Continue the run in ``output_dir``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, ``bf16``, or ``auto``: bf16 where the device computes it faster.
        seed: Seed of all random choices, from 0.
        threads: CPU threads of this process; None: its share of the CPUs that the processes of a machine may use.
        output_dir: Folder of the run.
        best: Figure by which the best weights are chosen, of `BEST_FIGURES`; ``auto``: HOTA for videos with
            identities and TrackEval installed, otherwise AP50.
        val_every: Epochs between two validations; None: about ten validations in the run.
        overwrite: Replace an earlier run in ``output_dir``.
        teacher: Registered name or checkpoint file of a frozen network whose outputs are learned; None: no teacher, or
            one that is given to `train` as an object.
        teacher_input_size: Network input of the teacher; None: the size it was trained for.
        distillation: Weights of the losses against the teacher; None: the default ones.

    Raises:
        InvalidInputError: A setting is unknown, out of its range, or excludes another.
    """

    data: tuple[Path, ...]
    val: tuple[Path, ...] = ()
    weights: str | os.PathLike[str] | None = DEFAULT_WEIGHTS
    arch: str | None = None
    input_size: InputSize | None = None
    epochs: int | None = None
    minutes: float | None = None
    batch_size: int | None = None
    lr: float | None = None
    plain_neck: bool = False
    freeze: tuple[str, ...] | None = None
    loss: LossConfig = LossConfig()
    resume: bool = False
    device: str = "auto"
    precision: str = "auto"
    seed: int = 0
    threads: int | None = None
    output_dir: Path = Path("run")
    best: str = "auto"
    val_every: int | None = None
    overwrite: bool = False
    teacher: str | os.PathLike[str] | None = None
    teacher_input_size: InputSize | None = None
    distillation: DistillationConfig | None = None

    def __post_init__(self) -> None:
        for name in ("data", "val"):
            object.__setattr__(self, name, _paths(name, getattr(self, name)))
            _check_distinct(name, getattr(self, name))
        object.__setattr__(self, "output_dir", _paths("output_dir", (self.output_dir,))[0])
        if not self.data:
            raise InvalidInputError("data is empty; expected at least one folder that prepare wrote.")
        for name, kind, text in (
            ("loss", LossConfig, "a LossConfig"),
            ("device", str, "a str"),
            ("freeze", (tuple, type(None)), "a tuple"),
            ("teacher", (str, os.PathLike, type(None)), "a registered name or a checkpoint file"),
            ("distillation", (DistillationConfig, type(None)), "a DistillationConfig"),
        ):
            if not isinstance(getattr(self, name), kind):
                raise InvalidInputError(f"{name} is {shown(getattr(self, name))}; expected {text}.")
        for name in ("input_size", "teacher_input_size"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, InputSize.parse(getattr(self, name)))
        self._check_choices()
        self._check_numbers()
        for name in ("plain_neck", "resume", "overwrite"):
            check_flag(name, getattr(self, name))
        if self.epochs is not None and self.minutes is not None:
            raise InvalidInputError(
                f"epochs is {self.epochs} and minutes is {self.minutes:g}; expected one of them: leave the other out."
            )
        if self.resume and self.overwrite:
            raise InvalidInputError("resume and overwrite exclude each other; leave one of them out.")

    def check_without_teacher(self) -> None:
        """Check that a run without a teacher has no settings of one.

        Raises:
            InvalidInputError: It has.
        """
        for name in ("teacher_input_size", "distillation"):
            if getattr(self, name) is not None:
                raise InvalidInputError(
                    f"{name} is {getattr(self, name)} without a teacher; name one, or leave it out."
                )

    def _check_choices(self) -> None:
        if self.arch is not None:
            check_choice("arch", self.arch, architecture_names())
        check_choice("precision", self.precision, PRECISIONS)
        check_choice("best", self.best, BEST_FIGURES)
        for name in self.freeze or ():
            check_choice("freeze", name, FREEZABLE)

    def _check_numbers(self) -> None:
        for name, largest in _LARGEST.items():
            value = getattr(self, name)
            if value is not None and not is_whole(value, 1, largest):
                raise InvalidInputError(f"{name} is {shown(value)}; expected a whole number from 1 to {largest}.")
        if not is_whole(self.seed, 0, 2**32 - 1):
            raise InvalidInputError(f"seed is {shown(self.seed)}; expected a whole number from 0 to 4294967295.")
        for name in ("minutes", "lr"):
            if getattr(self, name) is not None and not check_amount(name, getattr(self, name)):
                raise InvalidInputError(f"{name} is 0; expected a positive number.")


def _paths(name: str, folders: object) -> tuple[Path, ...]:
    if not isinstance(folders, (tuple, list)) or not all(isinstance(each, (str, os.PathLike)) for each in folders):
        expected = "a path" if name == "output_dir" else "a tuple of paths"
        raise InvalidInputError(f"{name} is {shown(folders)}; expected {expected}.")
    return tuple(map(Path, folders))


def _check_distinct(name: str, folders: tuple[Path, ...]) -> None:
    """Check that no folder is given twice: each of its people would become two identities that look alike."""
    found: dict[str, Path] = {}
    for folder in folders:
        try:
            real = os.path.realpath(folder)
        except (OSError, ValueError):  # such as a null character; reported when the folder is opened
            continue
        if real in found:
            other = "" if found[real] == folder else f", also as {found[real]}"
            raise InvalidInputError(f"{name} has the folder {folder} twice{other}; expected each folder once.")
        found[real] = folder
