"""Pasting of people and hard negatives from a library of cut-outs into training crops, with labels and identities.

    library = Library.open(Path("prepared/cutouts"), first_identity=dataset_identities)
    image = library.background(rng, 448)
    image, labels = library.paste(image, ImageLabels.empty(), rng)

`cutouts.py` builds such a library. All draws come from the generator that is handed in, and results do not depend on
what is cached, so that threads can share a library.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from cutout_library.cache import ImageCache
from cutout_library.index import NEGATIVE, PERSON, Background, Cutout, Index
from cutout_library.pool import Pool, draw_background
from data import PLACES as TRAINING_PLACES
from numpy.typing import NDArray

from fairmot_dla34.datasets import ImageLabels
from fairmot_dla34.errors import DatasetError, InvalidInputError
from fairmot_dla34.geometry import LETTERBOX_GREY
from fairmot_dla34.synth.drawing import overlap, paste

from .blending import adapted, premultiplied, resized
from .labels import Placed, merged_labels
from .placing import Spot, draw_left, draw_spot, moved_to_cut_sides

PEOPLE, NEGATIVES = 3, 2  # most cut-outs of each kind in a crop
MOST_ENLARGED = 1.6
AS_OTHERS = 0.7  # share of the people pasted into a crop without people who are as large as those pasted before
NEGATIVE_HEIGHTS = 0.4, 1.4  # of a person at the same place
LARGEST_NEGATIVE = 0.6  # of the side of the crop
BACKGROUND_SCALES = 0.35, 2.0
LARGEST_BACKGROUND_SCALE = 2.5  # of one that is smaller than the crop


@dataclass(frozen=True, eq=False)
class Library:
    """People, hard negatives and backgrounds for training images; see `Library.open`.

    Attributes:
        people: Cut-outs of people.
        negatives: Cut-outs of things that are not people.
        backgrounds: Images without people.
        identities: Identity of each person by its key. It does not depend on the places that are left out.
        cache: Images of the library.
    """

    people: Pool
    negatives: Pool
    backgrounds: tuple[Background, ...]
    identities: Mapping[str, int]
    cache: ImageCache

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        people: Collection[str] | None = None,
        without: Collection[str] = (),
        first_identity: int = 0,
    ) -> Library:
        """Open a library that `cutouts.py` built.

        Args:
            folder: Its folder.
            people: Places whose people are pasted; None: all places.
            without: Places of which nothing is used, also those of `data.py` that the library has nothing of.
            first_identity: Identity of the first person. It must be above those of the datasets.

        Raises:
            DatasetError: The library is missing or damaged, or nobody is left to paste.
            InvalidInputError: A place is not in the library, or the first identity is negative.
        """
        index = Index.read(folder)
        places = index.places()
        unknown = sorted((set(people or ()) - set(places)) | (set(without) - {*places, *TRAINING_PLACES}))
        if unknown:
            raise InvalidInputError(f"Library {folder} has no place {unknown[0]!r}; it has {', '.join(places)}.")
        if first_identity < 0:
            raise InvalidInputError(f"first_identity is {first_identity}; expected 0 or more.")
        keys = sorted({cutout.identity for cutout in index.cutouts if cutout.kind == PERSON})
        used = [cutout for cutout in index.cutouts if cutout.place not in without]
        persons = [item for item in used if item.kind == PERSON and (people is None or item.place in people)]
        if not persons:
            raise DatasetError(f"Library {folder} has no people at the chosen places. Choose more places.")
        return cls(
            people=Pool.of(persons),
            negatives=Pool.of(cutout for cutout in used if cutout.kind == NEGATIVE),
            backgrounds=tuple(background for background in index.backgrounds if background.place not in without),
            identities={key: first_identity + number for number, key in enumerate(keys)},
            cache=ImageCache(folder),
        )

    @property
    def num_identities(self) -> int:
        """Number of identities, from the ``first_identity`` on."""
        return len(self.identities)

    def identity(self, cutout: Cutout) -> int:
        """Return the identity of a person's cut-out."""
        return self.identities[cutout.identity]

    def narrowed(self, rng: np.random.Generator, people: int) -> Library:
        """Return a view of the library with a few people, so that crops made with it show the same ones.

        Args:
            rng: Source of the draws.
            people: Number of people, 1 or more; some may be drawn twice.
        """
        return replace(self, people=self.people.few(rng, people))

    def background(
        self, rng: np.random.Generator, size: int, scales: tuple[float, float] = BACKGROUND_SCALES
    ) -> NDArray[np.uint8]:
        """Return a random ``(size, size, 3)`` BGR crop of an image without people, grey beyond it.

        Args:
            rng: Source of the draws.
            size: Side of the crop, px.
            scales: Range of the crop px per image px. A small image is enlarged more, up to 2.5 times, to fill the
                crop.

        Raises:
            DatasetError: The library has no backgrounds.
        """
        if not self.backgrounds:
            raise DatasetError("The library has no backgrounds at the chosen places. Build it with more places.")
        image = self.cache.read(draw_background(self.backgrounds, rng).file, cv2.IMREAD_COLOR)
        scale = float(np.exp(rng.uniform(*np.log(scales))))
        scale = max(scale, min(size / min(image.shape[:2]), LARGEST_BACKGROUND_SCALE))
        side = max(round(size / scale), 1)
        left, top = (int(rng.integers(max(length - side, 0) + 1)) for length in image.shape[1::-1])
        part = image[top : top + side, left : left + side]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        width, height = (size if length == side else max(round(length * scale), 1) for length in part.shape[1::-1])
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        crop = np.full((size, size, 3), LETTERBOX_GREY, np.uint8)
        x, y = (size - width) // 2, (size - height) // 2
        resized_part = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=mode)
        crop[y : y + height, x : x + width] = resized_part
        return crop

    def paste(
        self,
        image: NDArray[np.uint8],
        labels: ImageLabels,
        rng: np.random.Generator,
        *,
        scale_px: float | None = None,
        people: int = PEOPLE,
        negatives: int = NEGATIVES,
    ) -> tuple[NDArray[np.uint8], ImageLabels]:
        """Paste people and hard negatives into a crop.

        Heights are those of the people in the crop, by a line over foot rows if they show the perspective. Without
        people in the crop, they are any from 24 px to 0.9 of its side. A cut-out is never enlarged more than 1.6 times.

        Args:
            image: ``(S, S, 3)`` uint8 BGR; it is not changed.
            labels: Labels of the crop, crop px; they are not changed.
            rng: Source of the draws.
            scale_px: Mean height of the pasted people; None: like the people in the crop.
            people: Most people; 0 to this many are pasted.
            negatives: Most negatives, likewise.

        Returns:
            The new image, and labels with the pasted people. People who are mostly hidden are ignored areas.
        """
        size = image.shape[0]
        pools = [self.people] * int(rng.integers(people + 1)) + [self.negatives] * int(rng.integers(negatives + 1))
        boxes = labels.boxes
        placed: list[Placed] = []
        for pool in pools:
            alike = boxes if rng.random() < AS_OTHERS else boxes[:0]
            spot = draw_spot(labels.boxes if len(labels) else alike, size, rng, scale_px)
            item = self._placed(pool, image, spot, boxes, rng)
            if item is None:
                continue
            placed.append(item)
            if item.identity is not None:
                boxes = np.concatenate([boxes, item.box[None]])
        placed.sort(key=lambda item: float(item.box[3]))  # the nearest one last
        result = np.ascontiguousarray(image).copy()
        for item in placed:
            paste(result, item.image, item.corner)
        return result, merged_labels(labels, placed, size)

    def _placed(
        self, pool: Pool, image: NDArray[np.uint8], spot: Spot, boxes: NDArray[np.float32], rng: np.random.Generator
    ) -> Placed | None:
        """Choose a cut-out and its column, and fit it to the image there; None if no cut-out is large enough.

        A height that is free is at most that of the largest one.
        """
        size = image.shape[0]
        height = spot.height * (1.0 if pool is self.people else float(rng.uniform(*NEGATIVE_HEIGHTS)))
        if spot.is_free:
            height = min(height, MOST_ENLARGED * pool.largest)
        cutout = pool.draw(height / MOST_ENLARGED - 1e-6, rng)
        if cutout is None:
            return None
        scale = height / cutout.height
        if cutout.kind == NEGATIVE:  # a bench as high as a person would hide everything
            scale = min(scale, LARGEST_NEGATIVE * size / max(cutout.width, cutout.height))
        upper, inner, cut = self._fitted(cutout, scale, rng)
        left = draw_left(spot, float(inner[2] - inner[0]), boxes, size, rng)
        corner = round(left - float(inner[0])), round(spot.foot - float(inner[3]))
        x, y = moved_to_cut_sides(corner, inner, cut, size)
        areas = overlap((size, size), upper.shape, (x, y))
        around = image[areas[0]] if areas else image[:0, :0]
        box = (inner + np.array([x, y, x, y])).astype(np.float32)
        identity = self.identity(cutout) if cutout.kind == PERSON else None
        return Placed(adapted(upper, around, rng), (x, y), box, identity)

    def _fitted(
        self, cutout: Cutout, scale: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64], tuple[str, ...]]:
        """Return the image of a cut-out at a scale, its box in it, and its cut sides; half of them are mirrored."""
        source = self.cache.read(cutout.file, cv2.IMREAD_UNCHANGED, premultiplied)
        width, height = (max(round(side * scale), 2) for side in source.shape[1::-1])
        image, cut = resized(source, (width, height), rng), cutout.cut
        box = np.array(cutout.box) * np.tile([width / source.shape[1], height / source.shape[0]], 2)
        if rng.random() < 0.5:
            image = np.ascontiguousarray(image[:, ::-1])
            box[[0, 2]] = width - box[[2, 0]]
            cut = tuple({"left": "right", "right": "left"}.get(side, side) for side in cut)
        return image, box, cut
