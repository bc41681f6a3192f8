"""tools/sample_weights and the experiments: labels stay on their people, reported images are not trained on."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from crops.geometry import Crop
from crops.source import SMALL, CropSource
from data import prepare_place
from distil import SCENES, STRIDES, link_images
from numpy.typing import NDArray
from recipe import LOSS, crop_weights
from small_dataset import make_small_dataset
from training_runs import Records, Reversed, run_folder
from wildtrack import TrustedGround

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset, DatasetImage, ImageLabels
from fairmot_dla34.training.config import LossConfig

pytestmark = pytest.mark.train

BOX = np.array([[60, 40, 100, 140]], np.float32)
IMAGE = DatasetImage(Path("a.png"), Path("a.txt"), None, 320, 240, "a", 0)


def labels_of(boxes: NDArray[np.float32]) -> ImageLabels:
    count = len(boxes)
    return ImageLabels(boxes, np.arange(count), np.zeros(count, np.int64), np.empty((0, 4), np.float32))


class TestCrops:
    @pytest.mark.parametrize("seed", range(12))
    def test_a_label_stays_on_its_person(self, seed: int) -> None:
        image = np.zeros((240, 320, 3), np.uint8)
        image[40:140, 60:100] = (255, 0, 0)
        crop = Crop.draw(IMAGE, BOX[0] if seed % 2 else None, InputSize(576, 320), 256, np.random.default_rng(seed))
        rows, columns = np.nonzero(crop.cut(image)[..., 0].astype(int) - crop.cut(image)[..., 1] > 127)
        labels = crop.labels(labels_of(BOX))
        if not len(rows):
            assert not len(labels)
            return
        seen = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        found = np.clip(np.concatenate([labels.boxes, labels.ignored]), 0, 256)
        np.testing.assert_allclose(found, [seen], atol=1.6)

    def test_a_person_mostly_outside_is_an_ignored_area(self) -> None:
        crop = Crop(np.array([[1.0, 0, -90], [0, 1, 0]]), 200, 1.0)
        labels = crop.labels(labels_of(np.array([[60, 40, 95, 140], [150, 40, 190, 140]], np.float32)))
        assert labels.boxes.tolist() == [[60, 40, 100, 140]]
        assert labels.ids.tolist() == [1]
        assert labels.ignored.tolist() == [[0, 40, 5, 140]]


class TestSource:
    def source(self, folder: Path, threads: int = 1) -> CropSource:
        return CropSource(
            [Dataset.open(folder)],
            input_size=InputSize(320, 192),
            stride=4,
            num_classes=1,
            batch_size=2,
            seed=3,
            loss=LossConfig.parse(LOSS),
            threads=threads,
            weights=crop_weights([folder], 0.7),
            plans=SMALL,
        )

    def test_a_batch_depends_on_seed_epoch_and_step_alone(self, tmp_path: Path) -> None:
        folder = make_small_dataset(tmp_path, frames=3)
        with self.source(folder, threads=2).batches(1) as batches:
            first = [next(batches) for _ in range(3)]
        with self.source(folder).batches(1, first_step=2) as batches:
            again = next(batches)
        assert again.names == first[2].names
        assert bool((again.images == first[2].images).all())
        assert bool((again.targets.heatmap == first[2].targets.heatmap).all())

    def test_both_crops_of_a_pair_show_one_person(self, tmp_path: Path) -> None:
        source = self.source(make_small_dataset(tmp_path, frames=3), threads=2)
        shared = []
        with source.batches(0) as batches:
            for _ in range(8):
                batch = next(batches)
                ids, images = batch.targets.ids.numpy(), batch.targets.cells[:, 0].numpy()
                assert len(batch.names) % 2 == 0
                shared += [
                    bool(set(ids[images == first]) & set(ids[images == first + 1]))
                    for first in range(0, len(batch.names), 2)
                ]
        assert np.mean(shared) > 0.6  # the others are near nobody, or the person is not in both frames

    def test_scenes_have_their_share_of_the_crops(self, tmp_path: Path) -> None:
        folders = [
            make_small_dataset(tmp_path / name, frames=2).rename(tmp_path / f"{name}s") for name in ("a", "scene")
        ]
        weights = crop_weights(folders, 0.75)
        assert weights["scenes"] == pytest.approx(3 * weights["as"])


def test_areas_without_labels_are_those_of_people_on_untrusted_ground() -> None:
    trusted = np.zeros((10, 12), bool)
    trusted[5:8, 3:9] = True
    feet = np.array([100, 120, 150, 180], np.float32)
    boxes = np.stack([np.full(4, 50), feet * 0.5, np.full(4, 70), feet], axis=1).astype(
        np.float32
    )  # half as high as low
    areas = TrustedGround(trusted, 20).untrusted_centres(boxes)

    def is_ignored(x: float, foot: float) -> bool:
        centre = (x, foot - foot / 4)
        return bool(((areas[:, :2] <= centre) & (centre < areas[:, 2:])).all(axis=1).any())

    for row, column in np.ndindex(10, 12):
        assert is_ignored(column * 20 + 10, row * 20 + 10) == (not trusted[row, column])
    assert is_ignored(100, 230)  # feet below the image


def test_frames_that_scores_are_reported_on_are_not_prepared(tmp_path: Path) -> None:
    stills = tmp_path / "data" / "stills" / "pennfudan"
    (stills / "images").mkdir(parents=True)
    rows = ["file,id,left,top,width,height"]
    for number in range(11):
        cv2.imwrite(str(stills / "images" / f"{number:02d}.png"), np.full((48, 64, 3), number, np.uint8))
        rows.append(f"{number:02d}.png,-1,10,10,10,30")
    (stills / "labels.csv").write_text("\n".join(rows), "utf-8")
    prepare_place(tmp_path / "data", "pennfudan", tmp_path / "prepared")
    images = Dataset.open(tmp_path / "prepared" / "pennfudan").images("train")
    assert [int(image.path.stem) for image in images] == [1, 2, 3, 4, 6, 7, 8, 9]


def test_small_sets_are_linked_several_times_and_scenes_thinned(tmp_path: Path) -> None:
    source = make_small_dataset(tmp_path, sequences=1, frames=STRIDES[SCENES] + 1, size=(64, 48), people=1)
    for name in ("wildtrack", "pennfudan", SCENES):
        (tmp_path / name).symlink_to(source)
    places = [tmp_path / name for name in ("wildtrack", "pennfudan", SCENES)]
    for _ in range(2):  # the second run replaces the links of the first
        real, rendered = link_images(places, tmp_path / "images")
        assert (real.name, rendered.name) == ("real", SCENES)
        names = [path.name.partition("_")[0] for path in real.iterdir()]
        assert (names.count("wildtrack"), names.count("pennfudan")) == (14, 28)
        assert len(list(rendered.iterdir())) == 2
    assert all(path.resolve().is_file() for path in (tmp_path / "images").rglob("*_*"))


class TestExperiments:
    def test_a_finished_run_is_found_again_and_a_cut_off_line_is_not(self, tmp_path: Path) -> None:
        records = Records(tmp_path / "runs.jsonl")
        assert records.find({"frames": 10}) is None
        records.add({"frames": 10}, scores={"mota": 80.0})
        with (tmp_path / "runs.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"settings": {"frames": 25}})[:-3])
        found = Records(tmp_path / "runs.jsonl").find({"frames": 10})
        assert found is not None
        assert found["scores"] == {"mota": 80.0}
        assert records.find({"frames": 25}) is None
        records.add({"frames": 25}, scores={})
        assert records.find({"frames": 25}) is not None

    def test_runs_with_different_settings_have_different_folders(self, tmp_path: Path) -> None:
        assert run_folder(tmp_path, "a", {"lr": 1}) != run_folder(tmp_path, "a", {"lr": 2})

    def test_the_truth_backwards_starts_with_the_last_frame(self) -> None:
        class Part:
            name, length = "a", 3

            def truth(self) -> str:
                return "1,7,0,0,5,5\n3,8,0,0,5,5\n"

        assert Reversed(Part()).truth() == "3,7,0,0,5,5\n1,8,0,0,5,5\n"  # type: ignore[arg-type]  # frames are not read
