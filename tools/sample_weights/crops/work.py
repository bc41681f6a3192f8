"""Makes batches of crops in pairs: both crops of a pair show one person, each composed and degraded in its way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from degradation.chain import degrade
from numpy.typing import NDArray
from pasting.library import Library

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import NO_IDENTITY, ImageLabels
from fairmot_dla34.training.batches.work import Batch, BatchItem, BatchSettings
from fairmot_dla34.training.losses.targets import make_targets

from .geometry import Crop
from .mosaic import mosaic

NEAR_A_PERSON = 0.85  # share of the pairs that have a person in them if the images do
MOSAICS = 0.15  # share of the crops that are joined with others
PASTES = 0.5  # share of the crops that cut-outs are pasted into
SHARED_PEOPLE = 6  # people from whom both crops of a pair choose those they paste
Crops = tuple[NDArray[np.uint8], ImageLabels]


@dataclass(frozen=True)
class CropJob:
    """Crop to make.

    Attributes:
        item: Image; None: a background of the library.
        others: Images that are joined with it; mostly none.
    """

    item: BatchItem | None
    others: tuple[BatchItem, ...] = ()


class CropWork:
    """The work on one batch of crops; see `BatchWork`.

    Args:
        settings: Settings of all batches; crops have a scale relative to the letterbox of their input size.
        jobs: Crops; two that follow each other are a pair.
        size: Side of the crops in px.
        seed: Seed of the batch.
        library: People to paste, and backgrounds; None: nothing is pasted.
    """

    def __init__(
        self, settings: BatchSettings, jobs: list[CropJob], size: int, seed: list[int], library: Library | None
    ) -> None:
        self._settings, self._jobs, self._size, self._seed, self._library = settings, jobs, size, seed, library
        self._images = torch.empty((len(jobs), 3, size, size), dtype=torch.uint8)
        self._labels = [ImageLabels.empty()] * len(jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, number: int) -> None:
        """Make one crop and write it into the batch."""
        pair, rng = (np.random.default_rng([*self._seed, *end]) for end in ([number // 2, 0], [number, 1]))
        job = self._jobs[number]
        image, labels = self._base(job, self._shared_person(number, pair), rng)
        if job.others:
            parts = [(image, labels), *(self._cut(other, None, rng) for other in job.others)]
            image, labels = mosaic(parts, self._size, rng)
        if self._library and (job.item is None or rng.random() < PASTES):
            image, labels = self._library.narrowed(pair, SHARED_PEOPLE).paste(image, labels, rng)
        image = degrade(image, rng)
        self._images[number] = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
        self._labels[number] = labels

    def finish(self) -> Batch:
        """Return the batch."""
        settings = self._settings
        targets = make_targets(
            self._labels,
            InputSize(self._size, self._size),
            stride=settings.stride,
            num_classes=settings.num_classes,
            neighbours=settings.neighbours,
        )
        names = [str(job.item.image.path) if job.item else "background" for job in self._jobs]
        return Batch(self._images, targets, names)

    def _shared_person(self, number: int, pair: np.random.Generator) -> int | None:
        """Draw the identity that both crops of a pair show; None: they are anywhere in their images."""
        first = self._jobs[number - number % 2].item
        draws = pair.random(2)
        if first is None or draws[0] > NEAR_A_PERSON:
            return None
        ids = first.dataset.labels(first.image).ids
        return int(ids[int(draws[1] * len(ids))]) if len(ids) else None

    def _base(self, job: CropJob, identity: int | None, rng: np.random.Generator) -> Crops:
        if job.item is not None:
            return self._cut(job.item, identity, rng)
        assert self._library is not None  # noqa: S101 (jobs without an image are made with a library only)
        return self._library.background(rng, self._size), ImageLabels.empty()

    def _cut(self, item: BatchItem, identity: int | None, rng: np.random.Generator) -> Crops:
        """Cut a crop around the person of an identity; if the image lacks it, around anybody."""
        labels = item.dataset.labels(item.image)
        person, choice = None, rng.random()
        if len(labels) and (identity is not None or choice < NEAR_A_PERSON):
            same = np.flatnonzero(labels.ids == identity) if identity is not None else np.empty(0, np.int64)
            person = labels.boxes[same[0] if len(same) else int(rng.random() * len(labels))]
        crop = Crop.draw(item.image, person, self._settings.input_size, self._size, rng)
        ids = np.where(labels.ids == NO_IDENTITY, NO_IDENTITY, labels.ids + item.first_identity)
        return crop.cut(item.dataset.read_image(item.image)), crop.labels(replace(labels, ids=ids))
