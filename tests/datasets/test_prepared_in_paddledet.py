"""A prepared folder read by PaddleDetection's own dataset class, as it is: images, identities and boxes."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from made_sources import image, register, stills, video
from small_dataset import make_small_dataset

from fairmot_dla34.datasets import Dataset, SourceSequence, prepare
from fairmot_dla34.video.image_size import size_of_image

pytestmark = pytest.mark.paddle
FIELDS = ["image", "gt_bbox", "gt_class", "gt_ide"]


def check(folder: Path, part: str) -> None:
    """Compare what PaddleDetection reads with what this package reads."""
    from ppdet.data.source.mot import MOTDataSet

    dataset = Dataset.open(folder)
    theirs = MOTDataSet(dataset_dir=str(folder), image_lists=[f"{part}.txt"], data_fields=FIELDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # NumPy: a label file without people is empty
        theirs.parse_dataset()
    images = dataset.images(part)
    assert len(theirs.roidbs) == len(images)
    ids = [dataset.labels(item).ids for item in images]
    largest = max((int(array.max()) for array in ids if len(array)), default=-1)
    assert theirs.num_identities_dict[0] == largest + 2  # PaddleDetection counts one more than it needs
    if part == "train":
        assert largest < dataset.num_identities
    for item, record, identities in zip(images, theirs.roidbs, ids, strict=True):
        assert Path(record["im_file"]) == item.path
        assert size_of_image(Path(record["im_file"]).read_bytes()) == (item.width, item.height)
        x, y, width, height = (record["gt_bbox"] * np.array([item.width, item.height] * 2)).T
        boxes = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
        np.testing.assert_allclose(boxes, dataset.labels(item).boxes, atol=1e-3)
        assert record["gt_ide"].ravel().tolist() == identities.tolist()
        assert record["gt_class"].ravel().tolist() == [0] * len(identities)


def test_a_video(tmp_path: Path) -> None:
    folder = make_small_dataset(tmp_path, val=0.25)
    check(folder, "train")
    check(folder, "val")


def test_difficult_names_and_images_without_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "src"
    negative = SourceSequence("images.png", [image(source / "images.jpg.JPG")], is_video=False)
    name = register(monkeypatch, video(source, "a/images", 3), stills(source, "photos of images", 3), negative)
    prepare(name, source, tmp_path / "out", progress=False)
    check(tmp_path / "out", "train")
