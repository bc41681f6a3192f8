"""Training batches: which images, in which order, for which process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...config import InputSize, is_whole, shown
from ...datasets import Dataset, DatasetSequence
from ...datasets.prepared.manifest import PARTS
from ...errors import DatasetError, InvalidInputError
from ..config import LossConfig
from .partners import Partners
from .stream import BatchStream
from .work import Batch, BatchItem, BatchSettings, ImageBatchWork

__all__ = ["Batch", "BatchSource"]

PART = "train"
_ORDER, _PARTNERS = 0, 3  # first numbers of seeds: the variations of the images have another


class BatchSource:
    """Makes the batches of one process from the training parts of one or several datasets.

    An epoch shows each image once, in random order; the images that would fill only a part of the last batch are left
    out, others in each epoch. Fewer images than ``batch_size`` are repeated until they fill one batch, each in other
    variations. A batch depends on the datasets, the seed, the epoch and the step, never on the number of threads or
    processes: each process makes its share of the global batch, in the order of the ranks.

    For a contrastive loss, each image is followed by its partner, which shows the same people (see `Partners`). An
    epoch still shows each image once, and the partners beside them: it has twice as many steps.

    OpenCV shares its calls among threads of its own, one call at a time; the others run in the thread that makes them.
    That setting belongs to the whole process, and is left as it is. A program that does nothing else may call
    ``cv2.setNumThreads(1)``: the same images then take about 20 % less CPU time.

    Args:
        datasets: Datasets; the identities of each follow those of the ones before it.
        input_size: Network input.
        stride: Network px per heatmap cell.
        num_classes: Number of classes of the network.
        batch_size: Images of a step over all processes.
        seed: Seed of the order and of the variations.
        loss: Losses that the targets are for.
        rank: Number of this process, from 0.
        world_size: Number of processes.
        threads: Threads that decode and vary images.
        teacher_size: Make the images also at this size, for a teacher; None: do not.

    Attributes:
        num_identities: Number of identities over all datasets.
        sequence_of_identity: ``(num_identities,)`` int64, sequence of each identity, counted over all datasets.
        steps_per_epoch: Number of batches of an epoch, equal in all processes.

    Raises:
        DatasetError: The datasets have no training images, or their classes differ or are more than ``num_classes``.
        InvalidInputError: ``batch_size`` is not a multiple of ``world_size``, or of twice that for a contrastive loss.
    """

    def __init__(  # noqa: PLR0913 (settings of a run, all by keyword)
        self,
        datasets: Sequence[Dataset],
        *,
        input_size: InputSize,
        stride: int,
        num_classes: int,
        batch_size: int,
        seed: int,
        loss: LossConfig,
        rank: int = 0,
        world_size: int = 1,
        threads: int = 1,
        teacher_size: InputSize | None = None,
    ) -> None:
        if batch_size % world_size:
            raise InvalidInputError(
                f"batch_size is {batch_size} with {world_size} processes; expected a multiple of {world_size}."
            )
        if loss.contrastive and batch_size % (2 * world_size):
            raise InvalidInputError(
                f"batch_size is {batch_size} with {world_size} process{'es' if world_size > 1 else ''}; expected a "
                f"multiple of {2 * world_size}, because the loss contrastive needs pairs of images."
            )
        _check_classes(datasets, num_classes)
        self._items = _items(datasets)
        self._settings = BatchSettings(
            input_size, stride, num_classes, seed, neighbours=loss.neighbours, teacher_size=teacher_size
        )
        self._batch_size, self._own_size = batch_size, batch_size // world_size
        self._seed, self._rank, self._threads = seed, rank, threads
        self.num_identities = sum(dataset.num_identities for dataset in datasets)
        self.sequence_of_identity = _sequence_of_identity(datasets)
        self._partners = Partners(_sequences(datasets)) if loss.contrastive else None
        self.steps_per_epoch = max(1, len(self._items) // (batch_size // 2 if self._partners else batch_size))

    def batches(self, epoch: int, first_step: int = 0) -> BatchStream[Batch]:
        """Return the batches of an epoch, made in threads that end when the stream is exhausted or closed.

        Args:
            epoch: Number of the epoch, from 0.
            first_step: Step of the epoch to start with, from 0.

        Raises:
            InvalidInputError: The epoch has no such step.
        """
        if not is_whole(first_step, 0, self.steps_per_epoch):
            raise InvalidInputError(
                f"first_step is {shown(first_step)}; expected a whole number from 0 to {self.steps_per_epoch}."
            )
        depth = 2 + self._threads // self._own_size  # work for all threads while the consumer waits for a batch
        return BatchStream(self._work(epoch, first_step), threads=self._threads, depth=depth)

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Return the ``(steps_per_epoch * batch_size,)`` numbers of the images of an epoch, over all processes."""
        rng = np.random.default_rng([_ORDER, self._seed, epoch])
        needed = self.steps_per_epoch * self._batch_size // (2 if self._partners else 1)
        rounds = [rng.permutation(len(self._items)) for _ in range(-(-needed // len(self._items)))]
        images = np.concatenate(rounds)[:needed].astype(np.int64)
        if self._partners is None:
            return images
        partners = self._partners.choose(images, np.random.default_rng([_PARTNERS, self._seed, epoch]))
        return np.stack([images, partners], axis=1).ravel()

    def _work(self, epoch: int, first_step: int) -> Iterator[ImageBatchWork]:
        order = self.order(epoch)
        for step in range(first_step, self.steps_per_epoch):
            first = step * self._batch_size + self._rank * self._own_size
            items = [self._items[index] for index in order[first : first + self._own_size]]
            yield ImageBatchWork(self._settings, items, epoch, first)


def require_classes(dataset: Dataset, first: Dataset) -> None:
    """Check that a dataset has the classes of the first one.

    Raises:
        DatasetError: It has others, or in another order.
    """
    if dataset.classes != first.classes:
        raise DatasetError(
            f"{dataset.path} has the classes {', '.join(dataset.classes)}, but {first.path} has "
            f"{', '.join(first.classes)}; expected equal classes: prepare both with the same --classes."
        )


def _check_classes(datasets: Sequence[Dataset], num_classes: int) -> None:
    for dataset in datasets:
        require_classes(dataset, datasets[0])
        if len(dataset.classes) > num_classes:
            raise DatasetError(
                f"{dataset.path} has {len(dataset.classes)} classes; expected at most {num_classes}, the number of the "
                "network. Prepare the dataset with fewer --classes."
            )


def _sequences(datasets: Sequence[Dataset]) -> list[DatasetSequence]:
    return [sequence for dataset in datasets for sequence in dataset.sequences(PART)]


def _items(datasets: Sequence[Dataset]) -> list[BatchItem]:
    items, first_identity = [], 0
    for dataset in datasets:
        for sequence in dataset.sequences(PART):
            items += [BatchItem(dataset, image, first_identity, sequence.clip_boxes) for image in sequence.images]
        first_identity += dataset.num_identities
    if not items:
        names = ", ".join(str(dataset.path) for dataset in datasets) or "The list of datasets"
        raise DatasetError(f"{names}: no training images; prepare a dataset with some.")
    return items


def _sequence_of_identity(datasets: Sequence[Dataset]) -> NDArray[np.int64]:
    parts, first_sequence = [np.empty(0, np.int64)], 0
    for dataset in datasets:
        parts.append(dataset.sequence_of_identity + first_sequence)
        first_sequence += sum(len(dataset.sequences(part)) for part in PARTS)
    return np.concatenate(parts)
