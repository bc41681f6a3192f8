"""Cut-outs and pasting: clean masks, labels on the pasted people, same result for a seed, no reported images."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from cutout_library import photographed, rendered
from cutout_library.files import LibraryWriter
from cutout_library.index import INDEX_FILE, NEGATIVE, PERSON, Index
from cutout_library.mask_shapes import Shape
from cutout_library.masks import mask_by_difference
from cutout_library.rendered import straight
from numpy.typing import NDArray
from pasting.library import MOST_ENLARGED, Library

from fairmot_dla34.datasets import ImageLabels
from fairmot_dla34.errors import DatasetError, FairMOTError, InvalidInputError, OutputError
from fairmot_dla34.synth.appearance import random_appearance
from fairmot_dla34.synth.figure import Pose
from fairmot_dla34.synth.person import draw_person
from fairmot_dla34.synth.rng import random_stream

SIZE = 192
GREEN = (60, 200, 60)


def silhouette(width: int, height: int, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    image = np.zeros((height + 4, width + 4, 4), np.uint8)
    image[2:-2, 2:-2] = (*colour, 255)
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a library of two people in two images each, a person who is cut off, a thing and a background."""
    writer = LibraryWriter(tmp_path / "library")
    for person, colour in (("a", (250, 0, 250)), ("b", (0, 0, 250))):
        for number in range(2):
            writer.add(silhouette(30, 80, colour), PERSON, "street", f"{person}-{number}", identity=f"street/{person}")
    cut = silhouette(30, 60, (250, 250, 0))
    writer.add(cut, PERSON, "hall", "c", identity="hall/c", box=(2, 2, 32, 62), cut=("bottom",))
    writer.add(silhouette(40, 40, (0, 250, 250)), NEGATIVE, "street", "thing")
    writer.add_background(np.full((120, 160, 3), GREEN, np.uint8), "street", "empty")
    writer.finish()
    return tmp_path / "library"


def scene(boxes: list[list[float]]) -> tuple[NDArray[np.uint8], ImageLabels]:
    count = len(boxes)
    labels = ImageLabels(
        np.array(boxes, np.float32).reshape(-1, 4), np.arange(count), np.zeros(count, np.int64),
        np.array([[0, 0, 9, 9]], np.float32),
    )  # fmt: skip
    return np.full((SIZE, SIZE, 3), GREEN, np.uint8), labels


def changed_area(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    rows, columns = np.nonzero(cv2.absdiff(before, after).max(axis=2) > 40)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)


class TestMasks:
    def test_a_person_before_a_static_background_is_found_exactly(self) -> None:
        rng = np.random.default_rng(3)
        lawn = rng.integers(60, 140, (240, 200, 1)) + np.array([0, 70, 30])
        plate = cv2.GaussianBlur(lawn.astype(np.uint8), (0, 0), 3)
        ious = []
        for seed in range(4):
            person = random_appearance(random_stream(seed, 5))
            drawn = draw_person(person, Pose(seed, 0.6, 1.0 + seed, 0.1), 105.0)[0][-236:, :196]
            image, alpha = plate.copy(), np.zeros((240, 200), np.float32)
            alpha[2 : 2 + drawn.shape[0], 2 : 2 + drawn.shape[1]] = drawn[..., 3] / 255
            colours = np.zeros((240, 200, 3), np.float32)
            colours[2 : 2 + drawn.shape[0], 2 : 2 + drawn.shape[1]] = straight(drawn)[..., :3]
            image = np.asarray(
                plate * (1 - alpha[..., None]) + colours * alpha[..., None] + rng.normal(0, 1.5, plate.shape)
            )
            truth = alpha > 0.5
            left, top, width, height = cv2.boundingRect(truth.astype(np.uint8))
            box = (left, top, left + width, top + height)
            mask = mask_by_difference(np.clip(image, 0, 255).astype(np.uint8), np.asarray(plate, np.uint8), box)
            assert mask is not None
            ious.append(np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth))
        assert np.mean(ious) > 0.9, ious

    @pytest.mark.parametrize(("part", "is_accepted"), [("all", True), ("no head", False), ("shadow", False)])
    def test_a_mask_that_is_no_whole_person_is_left_out(self, part: str, is_accepted: bool) -> None:
        drawn = draw_person(random_appearance(random_stream(1, 5)), Pose(0, 0.2, 0.2, 0.0), 100.0)[0]
        mask = drawn[..., 3] > 127
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        if part == "no head":
            mask[: top + height // 6] = False
            height, top = height - height // 6, top + height // 6
        elif part == "shadow":
            mask[top + int(0.85 * height) : top + height, left : left + width] = True
        assert Shape(sides=0.3, ends=0.1).accepts(mask, (left, top, left + width, top + height)) == is_accepted


class TestPasting:
    @pytest.mark.parametrize("seed", range(8))
    def test_the_label_is_the_box_of_the_pasted_person(self, folder: Path, seed: int) -> None:
        library = Library.open(folder, people=["street"], first_identity=70)
        image, labels = scene([])
        rng = np.random.default_rng(seed)
        pasted, found = library.paste(image, labels, rng, scale_px=60, people=1, negatives=0)
        if not len(found):
            assert (pasted == image).all()
            return
        assert set(found.ids) <= {71, 72}  # hall/c is 70
        np.testing.assert_allclose(np.clip(found.boxes[0], 0, SIZE), changed_area(image, pasted), atol=2.1)
        assert (image == GREEN).all()

    def test_heights_are_like_those_of_the_people_there(self, folder: Path) -> None:
        library = Library.open(folder, people=["street"])
        there = [[x, 20 + x, x + 10, 60 + 1.25 * x] for x in (0.0, 40.0, 80.0, 120.0)]  # from 40 px at row 60
        image, labels = scene(there)
        for seed in range(30):
            found = library.paste(image, labels, np.random.default_rng(seed), negatives=0)[1]
            for box in found.boxes[np.isin(found.ids, [1, 2]) & (np.arange(len(found)) >= 4)]:
                expected = 40 + 0.2 * (box[3] - 60)
                assert 0.7 < (box[3] - box[1]) / expected < 1.35

    def test_a_cut_out_is_not_enlarged_beyond_its_limit(self, folder: Path) -> None:
        library = Library.open(folder, people=["street"])
        for seed in range(30):
            boxes = library.paste(*scene([]), np.random.default_rng(seed), negatives=0)[1].boxes
            assert (boxes[:, 3] - boxes[:, 1] <= 80 * MOST_ENLARGED + 2).all()

    def test_a_covered_person_becomes_an_ignored_area(self, folder: Path) -> None:
        library = Library.open(folder, people=["street"])
        there = [[90.0, 70, 110, 120]]
        outcomes = set()
        for seed in range(60):
            image, labels = scene(there)
            pasted, found = library.paste(image, labels, np.random.default_rng(seed), people=1, negatives=0)
            part = cv2.absdiff(image, pasted)[70:120, 94:106].max(axis=2) > 20
            stays = bool((found.boxes == np.array(there[0], np.float32)).all(axis=1).any())
            areas = found.ignored.tolist()
            assert areas[0] == [0, 0, 9, 9]
            assert (there[0] in areas) == (not stays)
            if abs(part.mean() - 0.7) > 0.1:
                assert stays == (part.mean() < 0.7)
                outcomes.add(stays)
        assert outcomes == {True, False}

    def test_a_person_who_is_cut_off_is_at_that_border(self, folder: Path) -> None:
        library = Library.open(folder, people=["hall"])
        for seed in range(20):
            found = library.paste(*scene([]), np.random.default_rng(seed), negatives=0)[1]
            assert (found.boxes[:, 3] >= SIZE - 0.5).all()

    def test_negatives_have_no_label(self, folder: Path) -> None:
        library = Library.open(folder)
        image, labels = scene([])
        results = [
            library.paste(image, labels, np.random.default_rng(seed), people=0, negatives=2) for seed in range(10)
        ]
        assert any((pasted != image).any() for pasted, _ in results)
        assert all(len(found) == 0 for _, found in results)

    def test_threads_and_the_cache_change_nothing(self, folder: Path) -> None:
        library = Library.open(folder)

        def make(seed: int) -> tuple[bytes, list[int]]:
            rng = np.random.default_rng(seed)
            image, labels = library.paste(library.background(rng, SIZE), ImageLabels.empty(), rng)
            return image.tobytes(), labels.ids.tolist()

        alone = [make(seed) for seed in range(12)]
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(make, range(12))) == alone

    def test_a_narrowed_library_has_the_same_people_for_a_seed(self, folder: Path) -> None:
        library = Library.open(folder)
        views = [library.narrowed(np.random.default_rng(4), 1) for _ in range(2)]
        ids = {
            identity
            for seed, view in enumerate(views * 10)
            for identity in view.paste(*scene([]), np.random.default_rng(seed), negatives=0)[1].ids.tolist()
            if identity >= 0
        }
        assert len(ids) == 1

    def test_a_background_is_as_large_as_asked(self, folder: Path) -> None:
        library = Library.open(folder)
        for seed in range(10):
            crop = library.background(np.random.default_rng(seed), SIZE)
            assert crop.shape == (SIZE, SIZE, 3)
            assert np.abs(crop.astype(int) - GREEN).max() < 6

    def test_places_that_are_left_out_are_not_used_and_identities_stay(self, folder: Path) -> None:
        library = Library.open(folder, without=["hall", "MOT17-mini"], first_identity=5)
        assert library.num_identities == 3
        found = [library.paste(*scene([]), np.random.default_rng(seed), negatives=0)[1].ids for seed in range(20)]
        assert set(np.concatenate(found).tolist()) == {6, 7}
        with pytest.raises(InvalidInputError, match="no place 'hal'"):
            Library.open(folder, without=["hal"])
        with pytest.raises(DatasetError, match="no backgrounds"):
            Library.open(folder, people=["hall"], without=["street"]).background(np.random.default_rng(0), SIZE)


class TestDamage:
    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: content.update(format=9),
            lambda content: content.pop("backgrounds"),
            lambda content: content["cutouts"][0].update(kind="dog"),
            lambda content: content["cutouts"][0].update(box=[5, 5, 1, 9]),
            lambda content: content["cutouts"][0].update(box=None),
            lambda content: content["cutouts"][0].update(identity=""),
            lambda content: content["cutouts"][0].update(file="person/absent.png"),
        ],
    )
    def test_a_damaged_index_is_an_error(self, folder: Path, damage: Callable[[dict[str, object]], object]) -> None:
        content = json.loads((folder / INDEX_FILE).read_text("utf-8"))
        damage(content)
        (folder / INDEX_FILE).write_text(json.dumps(content), "utf-8")
        with pytest.raises(FairMOTError, match=r"cutouts\.py"):
            Library.open(folder)

    def test_a_cut_off_index_and_a_missing_one_are_errors(self, folder: Path) -> None:
        path = folder / INDEX_FILE
        path.write_text(path.read_text("utf-8")[:90], "utf-8")
        with pytest.raises(FairMOTError, match="cannot be read as JSON"):
            Library.open(folder)
        path.unlink()
        with pytest.raises(FairMOTError, match="is not a library"):
            Library.open(folder)

    def test_a_damaged_image_is_an_error(self, folder: Path) -> None:
        for path in folder.glob("person/**/*.png"):
            path.write_bytes(b"no image")
        with pytest.raises(FairMOTError, match="is no image"):
            Library.open(folder).paste(*scene([]), np.random.default_rng(1), scale_px=60, people=9)


def test_images_that_scores_are_reported_on_are_not_cut_out(tmp_path: Path) -> None:
    stills = tmp_path / "data" / "stills"
    for place, names in (
        ("coco256_negative", [f"{number:02d}" for number in range(11)]),
        ("wildtrack", [f"C{camera}_{number:04d}" for camera in (1, 7) for number in range(6)]),
    ):
        (stills / place / "images").mkdir(parents=True)
        rows = ["file,id,left,top,width,height"]
        for number, name in enumerate(names):
            image = np.full((120, 160, 3), 120 + number, np.uint8)
            if place == "wildtrack":
                cv2.rectangle(image, (20 + 4 * number, 30), (50 + 4 * number, 100), (10, 10, 200), -1)
                rows += [f"{name}.png,-1,{20 + 4 * number},30,31,71", f"{name}.png,-1,145,100,9,19"]
            cv2.imwrite(str(stills / place / "images" / f"{name}.png"), image)
        (stills / place / "labels.csv").write_text("\n".join(rows), "utf-8")
    grid = {"cell": 20, "trusted": {f"C{camera}": ["1" * 8] * 6 for camera in (1, 7)}}
    (stills / "wildtrack" / "trusted_foot_grid.json").write_text(json.dumps(grid), "utf-8")
    writer = LibraryWriter(tmp_path / "library")
    photographed.add_empty(writer, tmp_path / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Shape, "accepts", lambda *_: True)
        photographed.add_static(writer, tmp_path / "data", "wildtrack")
    writer.finish()
    index = Index.read(tmp_path / "library")
    empty = {Path(background.file).stem for background in index.backgrounds if background.place == "coco256_negative"}
    assert empty == {f"{number:02d}" for number in range(11) if number % 5}
    patches = {Path(cutout.file).stem.split("-")[0] for cutout in index.cutouts if cutout.kind == NEGATIVE}
    assert patches <= empty
    people = {Path(cutout.file).stem.split("-")[0] for cutout in index.cutouts if cutout.kind == PERSON}
    assert people
    assert people <= {f"C1_{number:04d}" for number in (1, 2, 3, 4)}


def test_the_licence_free_library_has_rendered_parts_only(tmp_path: Path) -> None:
    writer = LibraryWriter(tmp_path / "library")
    rendered.add_people(writer, people=2)
    rendered.add_props(writer, each=1)
    rendered.add_streets(writer, count=2)
    counts = writer.finish()
    assert {place for _, place in counts} == {rendered.PLACE}
    assert counts["person", rendered.PLACE] == 2 * rendered.POSES
    library = Library.open(tmp_path / "library")
    assert library.num_identities == 2


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep", "utf-8")
    with pytest.raises(OutputError, match="Choose another folder"):
        LibraryWriter(tmp_path)
    assert (tmp_path / "notes.txt").exists()
