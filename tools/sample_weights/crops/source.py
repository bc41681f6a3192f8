"""Chooses the images of batches of crops: places by weight, several sizes in turn, pairs that show one person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pasting.library import Library

from fairmot_dla34.training.batches.source import BatchSource
from fairmot_dla34.training.batches.stream import BatchStream
from fairmot_dla34.training.batches.work import Batch, BatchItem

from .work import MOSAICS, CropJob, CropWork

STEPS_PER_EPOCH = 500  # a unit of the progress bar: crops have no passes over the images
BACKGROUNDS = 0.1  # share of the pairs that are people pasted into images without people, if there is a library
_CROPS = 2  # first number of a seed: `BatchSource` uses others


class Plan(NamedTuple):
    """Make-up of a batch; all have about the same number of pixels.

    Attributes:
        crops: Number of crops, even.
        size: Side of the crops in px.
        share: Share of the batches.
    """

    crops: int
    size: int
    share: float


SMALL = (Plan(12, 192, 0.2), Plan(4, 320, 0.5), Plan(2, 448, 0.3))
LARGE = (Plan(4, 320, 0.35), Plan(2, 448, 0.35), Plan(2, 576, 0.3))


class CropSource(BatchSource):
    """Makes batches of pairs of crops, in one process.

    A batch depends on the datasets, the library, the seed, the epoch and the step alone, as those of `BatchSource` do.

    Args:
        *arguments: Those of `BatchSource`; the batch size is not used.
        weights: Share of the crops by the name of the dataset's folder, in any unit.
        plans: Make-up of the batches.
        cutouts: Library of people to paste; None: nothing is pasted.
        without: Places of which the library is not to use anything.
        **settings: Those of `BatchSource`.
    """

    def __init__(
        self,
        *arguments: Any,
        weights: Mapping[str, float],
        plans: tuple[Plan, ...] = SMALL,
        cutouts: Path | None = None,
        without: Collection[str] = (),
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.steps_per_epoch = STEPS_PER_EPOCH
        self._plans = plans
        self._library = None
        if cutouts is not None:
            self._library = Library.open(cutouts, without=without, first_identity=self.num_identities)
        by_dataset: dict[str, list[int]] = {}
        for number, item in enumerate(self._items):
            by_dataset.setdefault(item.dataset.path.name, []).append(number)
        self._groups = list(by_dataset.values())
        shares = np.array([weights[name] for name in by_dataset])
        self._shares = shares / shares.sum()

    def batches(self, epoch: int, first_step: int = 0) -> BatchStream[Batch]:
        """Return the batches of an epoch from a step on."""
        work = (self._crops(epoch, step) for step in range(first_step, self.steps_per_epoch))
        return BatchStream(work, threads=self._threads, depth=2 + self._threads)

    def _crops(self, epoch: int, step: int) -> CropWork:
        seed = [_CROPS, self._seed, epoch, step]
        rng = np.random.default_rng(seed)
        plan = self._plans[rng.choice(len(self._plans), p=[plan.share for plan in self._plans])]
        jobs: list[CropJob] = []
        while len(jobs) < plan.crops:
            jobs += self._pair(rng)
        return CropWork(self._settings, jobs, plan.size, seed, self._library)

    def _pair(self, rng: np.random.Generator) -> list[CropJob]:
        if self._library and rng.random() < BACKGROUNDS:
            return [CropJob(None), CropJob(None)]
        image = self._image(rng)
        partner = self._chosen_partner(image, rng)
        return [CropJob(self._items[number], self._others(rng)) for number in (image, partner)]

    def _image(self, rng: np.random.Generator) -> int:
        group = self._groups[rng.choice(len(self._groups), p=self._shares)]
        return group[rng.integers(len(group))]

    def _chosen_partner(self, image: int, rng: np.random.Generator) -> int:
        assert self._partners is not None  # noqa: S101 (the loss of the recipe is contrastive)
        return int(self._partners.choose(np.array([image]), rng)[0])

    def _others(self, rng: np.random.Generator) -> tuple[BatchItem, ...]:
        if rng.random() > MOSAICS:
            return ()
        return tuple(self._items[self._image(rng)] for _ in range(rng.integers(1, 4)))
