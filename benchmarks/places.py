"""All places that the sample weights are scored in, one scorer for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
from aims import Figure
from numpy.typing import NDArray
from still_scores import still_places
from video_scores import real_places, rendered_places

from fairmot_dla34 import Detections, FairMOT
from fairmot_dla34.training.validation.detecting import in_order


class Place(Protocol):
    """Images with ground truth, and the figures of detections in them."""

    @property
    def name(self) -> str:
        """Name in the table."""

    @property
    def lowest_score(self) -> float:
        """Smallest score of a detection that the scorer needs."""

    def loaders(self) -> Iterator[Callable[[], NDArray[np.uint8]]]:
        """Yield a function for each image that returns it, ``(H, W, 3)`` BGR."""

    def score(self, found: Sequence[Detections]) -> list[Figure]:
        """Return the figures of the detections in the images, in the order of `loaders`."""


RENDERED = ("calm", "crowded", "pan", "shake", "distant", "eye_level")


def makers(data: Path) -> dict[str, Callable[[], Place]]:
    """Return functions that make the places by name, real ones below ``data`` first; nothing is read yet."""
    return {**still_places(data), **real_places(data), **rendered_places()}


PLACE_NAMES = tuple(makers(Path()))


def detect(place: Place, models: Sequence[FairMOT]) -> list[list[Detections]]:
    """Return the detections of each model in the images of a place. Each image is decoded once.

    Args:
        place: The place.
        models: Loaded models. They run one after another, so several use no more CPU cores than one.
    """
    turn = Lock() if len(models) > 1 else nullcontext()

    def work(load: Callable[[], NDArray[np.uint8]]) -> list[Detections]:
        image = load()
        with turn:
            return [model.detect(image, min_score=place.lowest_score) for model in models]

    with closing(in_order(work, place.loaders(), workers=2)) as results:
        found = [detections for _, detections in results]
    return [list(column) for column in zip(*found, strict=True)]
