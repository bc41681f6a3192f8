"""Training in PyTorch (extra `train`): network, losses, loop, validation. The rest of the package never imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import OutOfMemoryError, TrainingUnavailableError
from ..memory import is_lack_of_memory
from ..messages import install_command
from .config import LossConfig, TrainingConfig
from .distillation.config import DistillationConfig
from .summary import TrainingSummary

if TYPE_CHECKING:
    from .distillation.teacher import Teacher

__all__ = ["DistillationConfig", "LossConfig", "TrainingConfig", "TrainingSummary", "train"]


def train(config: TrainingConfig, teacher: Teacher | None = None) -> TrainingSummary:
    """Train a network, and write its weights and the files of the run to ``config.output_dir``.

    In processes started by ``torchrun``, each calls this function, and the first one writes the files.

    Args:
        config: Settings.
        teacher: Frozen network whose outputs are learned; None: the one that ``config.teacher`` names, if any.

    Returns:
        The result, equal in all processes.

    Raises:
        TrainingUnavailableError: PyTorch is not installed.
        DatasetError: A dataset is not prepared, is damaged or empty, or training and validation share images.
        WeightsError: The start weights cannot be used.
        InvalidInputError: Settings do not fit each other, the data or the weights.
        DeviceUnavailableError: The device cannot be used.
        OutputError: The folder of the run cannot be written, has an earlier run, or is in use.
        ResumeError: The run cannot be resumed.
        TrainingError: The loss is not finite, or another process has ended.
        OutOfMemoryError: A step needs more memory than there is.
    """
    _require_torch()
    from .run import run_training

    return run_training(config, teacher=teacher)


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        if is_lack_of_memory(error):
            raise OutOfMemoryError(
                "There is too little memory to load PyTorch; raise the limit of this process (ulimit -v, the "
                "container's memory)."
            ) from error
        missing = isinstance(error, ModuleNotFoundError) and error.name == "torch"
        why = "which is not installed" if missing else f"which cannot be loaded ({error})"
        raise TrainingUnavailableError(
            f"Training needs PyTorch, {why}; install it with {install_command('train')}."
        ) from error
