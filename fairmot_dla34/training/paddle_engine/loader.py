"""Batches of PaddleDetection's reader, made in one thread with errors and random numbers under control.

PaddleDetection's own loader waits for ever if an image cannot be read in its thread, shuffles alike for every seed, and
draws other random numbers in a resumed run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DatasetError, OutOfMemoryError
from ...memory import is_lack_of_memory


class SeededLoader:
    """The interface of ``ppdet.data.reader.TrainReader`` that `Trainer` uses.

    Each epoch's order and variations follow from the seed and the number of the epoch.

    Args:
        reader: A ``TrainReader``, whose transforms are used.
        images: Image files by ``im_id``, for messages.
        seed: Seed of the run.

    Attributes:
        dataset: The dataset of PaddleDetection.
        names: Image files of the batch that was yielded last.
    """

    def __init__(self, reader: Any, images: tuple[Path, ...], seed: int) -> None:
        self.dataset: Any = None
        self.names: list[str] = []
        self._reader = reader
        self._images = images
        self._seed = seed
        self._epoch = 0

    def __call__(self, dataset: Any, worker_num: int) -> SeededLoader:  # noqa: ARG002 (Trainer passes it)
        """Read the dataset, as ``BaseDataLoader.__call__`` does."""
        reader = self._reader
        self.dataset = dataset
        dataset.check_or_download_dataset()
        dataset.parse_dataset()
        dataset.set_transform(reader._sample_transforms)  # noqa: SLF001 (there is no public name)
        dataset.set_kwargs(**reader.kwargs)
        return self

    def __len__(self) -> int:
        return len(self.dataset) // int(self._reader.batch_size)

    def start_epoch(self, epoch: int) -> None:
        """Choose the order and the random numbers of the next pass."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        import paddle

        seed = int(np.random.SeedSequence([self._seed, self._epoch]).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (PaddleDetection's transforms use the global generators)
        size = int(self._reader.batch_size)
        order = np.random.default_rng(seed).permutation(len(self.dataset))[: len(self) * size].reshape(-1, size)
        with ThreadPoolExecutor(1, "fairmot_dla34 batches") as thread:
            waiting = thread.submit(self._batch, order[0].tolist())
            for number in range(len(order)):
                batch, names = waiting.result()
                if number + 1 < len(order):
                    waiting = thread.submit(self._batch, order[number + 1].tolist())
                self.names = names
                yield {name: paddle.to_tensor(array) for name, array in batch.items()}

    def _batch(self, indices: list[int]) -> tuple[dict[str, Any], list[str]]:
        names = [str(self._images[index]) for index in indices]
        samples = [self._sample(index) for index in indices]
        return self._reader._batch_transforms(samples), names  # noqa: SLF001 (as above)

    def _sample(self, index: int) -> Any:
        try:
            return self.dataset[index]
        except Exception as error:
            if is_lack_of_memory(error):
                raise OutOfMemoryError(
                    f"Reading {self._images[index]} needs more memory than there is; use a smaller --input-size."
                ) from error
            raise DatasetError(
                f"{self._images[index]} cannot be trained on ({type(error).__name__}: {error}); restore the file, or "
                "prepare the dataset again."
            ) from error
