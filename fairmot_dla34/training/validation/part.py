"""Choice of the images that a run validates on."""

from __future__ import annotations

from collections.abc import Sequence

from ...datasets import Dataset
from ...datasets.prepared.overlap import check_no_overlap
from ...errors import DatasetError, InvalidInputError
from ..batches.source import PART as TRAINED_PART
from ..batches.source import require_classes
from ..config import TrainingConfig

VALIDATION_PART = "val"


def validation_part(data: Sequence[Dataset], val: Sequence[Dataset]) -> tuple[Sequence[Dataset], str]:
    """Return the datasets to validate on, and their part.

    Args:
        data: Datasets that are trained on; their validation parts are used if ``val`` is empty.
        val: Datasets to validate on: their validation parts, or all of their images if they have none.

    Raises:
        DatasetError: Images are in both, a class list differs, or only some of ``val`` have a validation part.
    """
    for dataset in val:
        require_classes(dataset, data[0])
    with_part = [dataset for dataset in val or data if dataset.images(VALIDATION_PART)]
    if with_part and val and len(with_part) < len(val):
        raise DatasetError(
            f"{with_part[0].path} has a validation part and another --val folder has none; expected one kind: prepare "
            "them with the same --val."
        )
    part = VALIDATION_PART if with_part or not val else TRAINED_PART
    chosen = val or with_part
    check_no_overlap(
        (image for dataset in data for image in dataset.images(TRAINED_PART)),
        (image for dataset in chosen for image in dataset.images(part)),
    )
    return chosen, part


def check_use(config: TrainingConfig) -> None:
    """Check that a run without validation has no settings of one.

    Raises:
        InvalidInputError: It has.
    """
    given = {
        "best": config.best != "auto" and config.best,
        "val_every": config.val_every,
    }
    for name, value in given.items():
        if value:
            raise InvalidInputError(
                f"{name} is {value}, but the data has no validation part; prepare it with --val, name a --val folder, "
                f"or leave {name} out."
            )
