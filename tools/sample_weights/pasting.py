"""Pasting of people and hard negatives from a library of cut-outs into training crops, with labels and identities.

    library = Library.open(Path("prepared/cutouts"), first_identity=dataset_identities)
    image = library.background(rng, 448)
    image, labels = library.paste(image, ImageLabels.empty(), rng)

`cutouts.py` builds such a library. All draws come from the generator that is handed in, and results do not depend on
what is cached, so that threads can share a library.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from blending import adapted, covered, premultiplied, resized
from cutout_cache import ImageCache
from cutout_index import NEGATIVE, PERSON, Background, Cutout, Index
from numpy.typing import NDArray
from placing import draw_left, draw_spot, moved_to_cut_sides

from fairmot_dla34.datasets import ImageLabels
from fairmot_dla34.errors import DatasetError, InvalidInputError
from fairmot_dla34.geometry import LETTERBOX_GREY
from fairmot_dla34.synth.drawing import overlap, paste

PEOPLE, NEGATIVES = 3, 2  # most cut-outs of each kind in a crop
MOST_ENLARGED = 1.6
MIN_VISIBLE = 0.3  # people of whom less can be seen are ignored areas
BODY = 0.6  # share of the width of a box, in its middle, that stands for the body of a person without a mask
UNTOUCHED = 0.02  # a smaller hidden share leaves a label as it is
BACKGROUND_SCALES = 0.35, 2.0
_LARGEST_SCALE = 2.5  # of a background that is smaller than the crop


@dataclass(frozen=True, eq=False)
class _Placed:
    """A cut-out at its place in a crop.

    Attributes:
        cutout: Its entry in the index.
        image: ``(h, w, 4)`` premultiplied BGRA.
        corner: (x, y) of the image's top left corner, crop px.
        box: ``(4,)`` float32 xyxy, crop px.
    """

    cutout: Cutout
    image: NDArray[np.uint8]
    corner: tuple[int, int]
    box: NDArray[np.float32]


class Library:
    """People, hard negatives and backgrounds for training images; see `Library.open`.

    Attributes:
        num_identities: Number of identities, from the ``first_identity`` on; it does not depend on what is left out.
    """

    def __init__(
        self, folder: Path, index: Index, used: Index, first_identity: int, cache: ImageCache | None = None
    ) -> None:
        keys = sorted({cutout.identity for cutout in index.cutouts if cutout.kind == PERSON})
        self.num_identities = len(keys)
        self._identities = {key: first_identity + number for number, key in enumerate(keys)}
        self._people = _by_place(used.cutouts, PERSON)
        self._persons = _by_person(used.cutouts)
        self._negatives = _by_place(used.cutouts, NEGATIVE)
        self._backgrounds = used.backgrounds
        self._cache = cache or ImageCache(folder)

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
            without: Places of which nothing is used.
            first_identity: Identity of the first person. It must be above those of the datasets.

        Raises:
            DatasetError: The library is missing or damaged, or nobody is left to paste.
            InvalidInputError: A place is not in the library, or the first identity is negative.
        """
        index = Index.read(folder)
        places = index.places()
        unknown = sorted({*(people or ()), *without} - set(places))
        if unknown:
            raise InvalidInputError(f"Library {folder} has no place {unknown[0]!r}; it has {', '.join(places)}.")
        if first_identity < 0:
            raise InvalidInputError(f"first_identity is {first_identity}; expected 0 or more.")
        cutouts = tuple(
            cutout
            for cutout in index.cutouts
            if cutout.place not in without and (cutout.kind == NEGATIVE or people is None or cutout.place in people)
        )
        backgrounds = tuple(background for background in index.backgrounds if background.place not in without)
        used = Index(cutouts, backgrounds)
        if not any(cutout.kind == PERSON for cutout in cutouts):
            raise DatasetError(f"Library {folder} has no people at the chosen places. Choose more places.")
        return cls(folder, index, used, first_identity)

    def identity(self, cutout: Cutout) -> int:
        """Return the identity of a person's cut-out."""
        return self._identities[cutout.identity]

    def narrowed(self, rng: np.random.Generator, people: int) -> Library:
        """Return a view of the library with a few people, so that crops made with it show the same ones.

        Args:
            rng: Source of the draws: as many places by the square root of their size, one person of each.
            people: Number of people, 1 or more; some may be drawn twice.
        """
        names = sorted(self._persons)
        weights = np.sqrt([sum(map(len, self._persons[name])) for name in names])
        edges = np.cumsum(weights) / weights.sum()
        drawn: dict[str, list[Cutout]] = {}
        for place_draw, draw in rng.random((people, 2)):
            persons = self._persons[names[min(int(np.searchsorted(edges, place_draw, side="right")), len(names) - 1)]]
            person = persons[int(draw * len(persons))]
            drawn.setdefault(person[0].identity, person)
        view = copy(self)
        view._people = _by_place([cutout for person in drawn.values() for cutout in person], PERSON)
        return view

    def background(
        self, rng: np.random.Generator, size: int, scales: tuple[float, float] = BACKGROUND_SCALES
    ) -> NDArray[np.uint8]:
        """Return a random ``(size, size, 3)`` BGR crop of an image without people, grey beyond it.

        Args:
            rng: Source of the draws.
            size: Side of the crop, px.
            scales: Range of the crop px per image px. A small image is enlarged more, up to 2.5
                times, to fill the crop.

        Raises:
            DatasetError: The library has no backgrounds.
        """
        if not self._backgrounds:
            raise DatasetError("The library has no backgrounds at the chosen places. Build it with more places.")
        image = self._cache.read(_draw_background(self._backgrounds, rng).file, cv2.IMREAD_COLOR)
        scale = float(np.exp(rng.uniform(*np.log(scales))))
        scale = max(scale, min(size / min(image.shape[:2]), _LARGEST_SCALE))
        source = np.maximum(np.round(np.array([size, size]) / scale).astype(int), 1)  # width, height
        space = np.array(image.shape[1::-1]) - source
        left, top = (int(rng.integers(max(room, 0) + 1)) for room in space)
        part = image[top : top + source[1], left : left + source[0]]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        target = np.minimum(np.rint(np.array(part.shape[1::-1]) * scale), size).astype(int)
        target = np.where(target >= size - 3, size, np.maximum(target, 1))  # whole px of the source do not fit exactly
        width, height = (int(side) for side in target)
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        found = cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=mode)
        crop = np.full((size, size, 3), LETTERBOX_GREY, np.uint8)
        x, y = (size - width) // 2, (size - height) // 2
        crop[y : y + height, x : x + width] = found
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

        Heights are those of the people in the crop, by a line over foot rows if they show the perspective; otherwise
        any from 24 px on. A cut-out is never enlarged more than 1.6 times.

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
        kinds = [PERSON] * int(rng.integers(people + 1)) + [NEGATIVE] * int(rng.integers(negatives + 1))
        boxes, placed = labels.boxes, []
        for kind in kinds:
            sizes_from = boxes if len(labels) or rng.random() < 0.7 else boxes[:0]
            item = self._place(kind, image, sizes_from, rng, scale_px)
            if item is None:
                continue
            placed.append(item)
            if kind == PERSON:
                boxes = np.concatenate([boxes, item.box[None]])
        placed.sort(key=lambda item: float(item.box[3]))  # the nearest one last
        result = np.ascontiguousarray(image).copy()
        for item in placed:
            paste(result, item.image, item.corner)
        return result, self._labels(labels, placed, size)

    def _place(
        self, kind: str, image: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator,
        scale_px: float | None,
    ) -> _Placed | None:  # fmt: skip
        """Choose a cut-out and its place, and fit it to the image there; None if no cut-out is large enough."""
        size = image.shape[0]
        spot = draw_spot(boxes, size, rng, scale_px)
        pool = self._people if kind == PERSON else self._negatives
        height = spot.height if kind == PERSON else spot.height * float(rng.uniform(0.4, 1.4))
        if not len(boxes) and scale_px is None and pool:
            height = min(height, MOST_ENLARGED * max(float(heights[-1]) for _, heights in pool))
        cutout = _draw_cutout(pool, height / MOST_ENLARGED - 1e-6, rng)
        if cutout is None:
            return None
        source = self._cache.read(cutout.file, cv2.IMREAD_UNCHANGED, premultiplied)
        scale = height / cutout.height
        width_px, height_px = (max(round(side * scale), 2) for side in source.shape[1::-1])
        upper = resized(source, (width_px, height_px), rng)
        scales = np.array([width_px / source.shape[1], height_px / source.shape[0]] * 2)
        inner, cut = np.array(cutout.box) * scales, cutout.cut
        if rng.random() < 0.5:
            upper = np.ascontiguousarray(upper[:, ::-1])
            inner[[0, 2]] = width_px - inner[[2, 0]]
            cut = tuple({"left": "right", "right": "left"}.get(side, side) for side in cut)
        left = draw_left(spot, float(inner[2] - inner[0]), boxes, size, rng)
        corner = np.rint([left - inner[0], spot.foot - inner[3]]).astype(int)
        x, y = moved_to_cut_sides((int(corner[0]), int(corner[1])), inner, cut, size)
        areas = overlap((size, size), upper.shape, (x, y))
        around = image[areas[0]] if areas else image[:0, :0]
        box = (inner + np.array([x, y, x, y])).astype(np.float32)
        return _Placed(cutout, adapted(upper, around, rng), (x, y), box)

    def _labels(self, labels: ImageLabels, placed: list[_Placed], size: int) -> ImageLabels:
        """Return the labels of the crop with the pasted people; people who are mostly hidden are ignored areas."""
        hidden = np.zeros((size, size), bool)
        boxes, ids, areas = [], [], []
        for item in reversed(placed):  # from the nearest one
            solid = covered(item.image[..., 3], (size, size), item.corner)
            if item.cutout.kind == PERSON:
                whole = max(int(np.count_nonzero(item.image[..., 3] > 127)), 1)
                seen = np.count_nonzero(solid & ~hidden) / whole
                if seen >= MIN_VISIBLE:
                    boxes.append(item.box)
                    ids.append(self.identity(item.cutout))
                elif solid.any():
                    areas.append(np.clip(item.box, 0, size))
            hidden |= solid
        stay = np.array([_stays(box, hidden) for box in labels.boxes], bool)
        gone = np.clip(labels.boxes[~stay], 0, size)
        count = len(boxes)
        return ImageLabels(
            np.concatenate([labels.boxes[stay], np.array(boxes, np.float32).reshape(-1, 4)]),
            np.concatenate([labels.ids[stay], np.array(ids, np.int64)]),
            np.concatenate([labels.class_ids[stay], np.zeros(count, np.int64)]),
            np.concatenate([labels.ignored, gone, np.array(areas, np.float32).reshape(-1, 4)]).astype(np.float32),
        )


def _stays(box: NDArray[np.float32], hidden: NDArray[np.bool_]) -> bool:
    """Return whether enough of a person without a mask is visible: of the middle of its box, within the crop."""
    middle, half = (box[0] + box[2]) / 2, BODY / 2 * (box[2] - box[0])
    body = np.array([middle - half, box[1], middle + half, box[3]])
    size = hidden.shape[0]
    left, top, right, bottom = np.clip(np.rint(body), 0, size).astype(int)
    part = hidden[top:bottom, left:right]
    if part.size == 0:
        return True
    share = float(part.mean())
    inside = part.size / max(float((body[2] - body[0]) * (body[3] - body[1])), 1.0)
    return share <= UNTOUCHED or (1 - share) * min(inside, 1.0) >= MIN_VISIBLE


def _by_place(cutouts: Collection[Cutout], kind: str) -> list[tuple[list[Cutout], NDArray[np.float64]]]:
    """Return the cut-outs of a kind by place: each from small to large, with their heights."""
    places: dict[str, list[Cutout]] = {}
    for cutout in cutouts:
        if cutout.kind == kind:
            places.setdefault(cutout.place, []).append(cutout)
    ordered = [sorted(places[name], key=lambda cutout: (cutout.height, cutout.file)) for name in sorted(places)]
    return [(entries, np.array([cutout.height for cutout in entries])) for entries in ordered]


def _by_person(cutouts: Collection[Cutout]) -> dict[str, list[list[Cutout]]]:
    """Return the cut-outs of people by place, and of each place by person."""
    found: dict[str, dict[str, list[Cutout]]] = {}
    for cutout in cutouts:
        if cutout.kind == PERSON:
            found.setdefault(cutout.place, {}).setdefault(cutout.identity, []).append(cutout)
    return {place: list(persons.values()) for place, persons in found.items()}


def _draw_cutout(
    pool: list[tuple[list[Cutout], NDArray[np.float64]]], min_height: float, rng: np.random.Generator
) -> Cutout | None:
    """Draw a cut-out of at least a height: a place by the square root of its number of them, then one of them."""
    first = [int(np.searchsorted(heights, min_height)) for _, heights in pool]
    weights = np.sqrt([len(entries) - start for (entries, _), start in zip(pool, first, strict=True)])
    place_draw, draw = rng.random(2)
    if not weights.sum():
        return None
    place = min(int(np.searchsorted(np.cumsum(weights) / weights.sum(), place_draw, side="right")), len(pool) - 1)
    entries, start = pool[place][0], first[place]
    return entries[start + int(draw * (len(entries) - start))]


def _draw_background(backgrounds: tuple[Background, ...], rng: np.random.Generator) -> Background:
    """Draw a background: a place by the square root of its number of them, then one of them."""
    places: dict[str, list[Background]] = {}
    for background in backgrounds:
        places.setdefault(background.place, []).append(background)
    names = sorted(places)
    weights = np.sqrt([len(places[name]) for name in names])
    found = places[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
    return found[int(rng.integers(len(found)))]
