"""Training data without labels: videos and folders of images become datasets in the folder of the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...datasets import Dataset
from ...datasets.preparation.frames import is_unlabelled, prepare_frames
from ...datasets.prepared.manifest import MANIFEST
from ...errors import DatasetError, InvalidInputError, SourceError
from ...file_names import safe_file_name
from ..batches.source import PART as TRAINED_PART
from ..config import TrainingConfig
from ..folder import check_no_earlier_run, claimed_folder, emptied_on_error
from ..processes.restarts import is_run_of_this_job
from ..processes.world import World
from ..validation.part import VALIDATION_PART

logger = logging.getLogger(__name__)

FOLDER = "frames"  # in the folder of the run
_NEEDS_LABELS = ("giou", "sequence_ids", "fixed_weights")  # additions to the losses against labels


def with_frames(config: TrainingConfig, world: World, teacher: object | None) -> TrainingConfig:
    """Return the settings with a dataset in place of each video and each folder of images.

    The first process makes the datasets, and the others wait for it.

    Args:
        config: Settings.
        world: Processes of the run.
        teacher: The teacher; None: the run has none, so that all data must be prepared.

    Raises:
        InvalidInputError: A video is given without a teacher.
        SourceError: A video cannot be read.
        DatasetError: A dataset or an image cannot be read.
        OutputError: The folder of the run cannot be written, has an earlier run, or is in use.
    """
    videos = [path for path in config.data if not _is_prepared(path)]
    if not videos:
        return config
    if teacher is None:
        if video := next((path for path in videos if path.is_file()), None):
            raise InvalidInputError(
                f"data has {video}, which is no folder that prepare wrote; without labels, training needs --teacher."
            )
        return config  # opening the folder raises the error
    folders = {video: _folder(config, position, video) for position, video in enumerate(videos)}
    if world.is_first:
        _make(config, folders, teacher)
    world.from_first(None)
    if missing := next((folder for folder in folders.values() if not _is_prepared(folder)), None):
        raise DatasetError(
            f"Process {world.rank} does not find {missing}, which process 0 made; expected an --output-dir that all "
            "machines share."
        )
    return replace(config, data=tuple(folders.get(path, path) for path in config.data))


def check_labels(config: TrainingConfig, data: Sequence[Dataset], *, has_teacher: bool) -> bool:
    """Return whether a part of the data has labels.

    Args:
        config: Settings.
        data: Training data.
        has_teacher: Whether the run has a teacher.

    Raises:
        DatasetError: Data without labels is validated on, or trained on without a teacher.
        InvalidInputError: A setting concerns the labels, and there are none.
    """
    without = [dataset for dataset in data if is_unlabelled(dataset)]
    if without and not has_teacher:
        raise DatasetError(f"{without[0].path} has no labels; expected labels, or a --teacher to learn from.")
    for folder in config.val:
        if is_unlabelled(Dataset.open(folder)):
            raise DatasetError(f"{folder} has no labels; expected labels to validate on: prepare others for --val.")
    has_labels = len(without) < len(data)
    given = [name for name in _NEEDS_LABELS if getattr(config.loss, name)]
    if given and not has_labels:
        raise InvalidInputError(
            f"loss has {', '.join(given)}, but the data has no labels; leave out what only labels have a loss for."
        )
    return has_labels


def _is_prepared(path: Path) -> bool:
    try:
        return (path / MANIFEST).is_file()
    except (OSError, ValueError):  # such as a null character; reported when it is opened
        return False


def _folder(config: TrainingConfig, position: int, video: Path) -> Path:
    return config.output_dir / FOLDER / f"{position + 1}-{safe_file_name(video.stem, 'video')}"


def _make(config: TrainingConfig, folders: dict[Path, Path], teacher: object) -> None:
    for video in folders:
        _check_exists(video)
    prepared = [Dataset.open(path) for path in config.data if path not in folders]
    validation = [Dataset.open(path) for path in config.val]
    with (
        emptied_on_error(config.output_dir, FOLDER),
        claimed_folder(config.output_dir, resume=True, overwrite=False),
    ):
        if not (config.resume or config.overwrite or is_run_of_this_job(config.output_dir)):
            check_no_earlier_run(config.output_dir)
        classes = (prepared or validation)[0].classes if prepared or validation else _class_names(teacher)
        for video, folder in folders.items():
            excluded, part = _validated(prepared, validation)
            left_out = prepare_frames(video, folder, classes=classes, excluded=excluded, part=part)
            if left_out:
                logger.warning("%s: %d frames that look like validation images are left out", video, left_out)
            frames = Dataset.open(folder).images(TRAINED_PART)
            logger.info("%s: %d frames to learn from, in %s", video, len(frames), folder)


def _check_exists(video: Path) -> None:
    try:
        exists = video.exists()
    except (OSError, ValueError) as error:
        raise SourceError(f"{str(video)!r} cannot be read ({error}); expected a video file.") from error
    if not exists:
        raise SourceError(
            f"{video} does not exist; expected a folder that prepare wrote, a video file or a folder of images: check "
            "the spelling and the current folder."
        )


def _validated(prepared: Sequence[Dataset], validation: Sequence[Dataset]) -> tuple[list[Dataset], str]:
    """Return the datasets that are validated on, and their part; see `validation_part`."""
    with_part = [dataset for dataset in validation or prepared if dataset.images(VALIDATION_PART)]
    part = VALIDATION_PART if with_part or not validation else TRAINED_PART
    return list(validation or with_part), part


def _class_names(teacher: object) -> tuple[str, ...]:
    """Return names for the classes of a teacher, which has only their number."""
    number = getattr(teacher, "num_classes", 1)
    return ("person",) if number == 1 else tuple(f"class_{index}" for index in range(number))
