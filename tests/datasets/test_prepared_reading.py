"""Reading of a prepared dataset: faults in edited files are errors that name the file and the line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_sources import write_image
from small_dataset import make_small_dataset

from fairmot_dla34.datasets import Dataset, DatasetImage, ImageLabels, check_no_overlap
from fairmot_dla34.datasets.prepared.label_text import label_lines, read_label_lines
from fairmot_dla34.errors import DatasetError, InvalidInputError


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_dataset(tmp_path_factory.mktemp("small"), frames=4, size=(160, 96), people=2, val=0.25)


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(prepared, tmp_path / "copy", symlinks=True)


def first(dataset: Dataset) -> DatasetImage:
    return next(image for image in dataset.images("train") if image.label_path.stat().st_size)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0 0.5 0.5 0.1", "line 2 has 5 columns"),
        ("0 0 0.5 0.5 0.1 0.2 0.9", "line 2 has 7 columns"),
        ("0 0 0.5 x 0.1 0.2", "line 2 is '0 0 0.5 x 0.1 0.2'"),
        ("0 0 nan 0.5 0.1 0.2", "line 2: has the numbers"),
        ("0 0 0.5 0.5 inf 0.2", "finite"),
        ("1 0 0.5 0.5 0.1 0.2", "line 2: class is 1; expected 0, the only class"),
        ("-1 0 0.5 0.5 0.1 0.2", "class is -1"),
        ("0.5 0 0.5 0.5 0.1 0.2", "class is 0.5"),
        ("0 9999 0.5 0.5 0.1 0.2", "line 2: id is 9999; expected -1 for none, or 0 to"),
        ("0 -2 0.5 0.5 0.1 0.2", "id is -2"),
        ("0 1e300 0.5 0.5 0.1 0.2", "id is 1e"),
        ("0 0 0.5 0.5 0 0.2", "width and height are 0 0.2; expected numbers above 0"),
        ("0 0 0.5 0.5 0.1 -0.2", "above 0"),
        ("0 0 320 200 40 90", "expected shares of the image's width and height"),
        ("0 0 2.5 0.5 0.1 0.2", "at most one image beyond"),
    ],
)
def test_a_wrong_label_is_an_error(folder: Path, line: str, message: str) -> None:
    dataset = Dataset.open(folder)
    image = first(dataset)
    image.label_path.write_text(f"\n{line}\n")
    with pytest.raises(DatasetError, match=image.label_path.name) as raised:
        dataset.labels(image)
    assert message in str(raised.value)
    assert Dataset.open(folder).is_edited


@pytest.mark.parametrize("line", ["0 -1 1.2 0.5 0.6 0.2", "0 0 -0.3 0.5 1.3 3", " 0.0\t0 0.5 0.5 0.1 0.2 "])
def test_a_label_that_reaches_beyond_the_image_is_valid(folder: Path, line: str) -> None:
    dataset = Dataset.open(folder)
    first(dataset).label_path.write_text(f"{line}\r\n")
    assert len(dataset.labels(first(dataset))) == 1


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_label_file_that_is_missing_or_not_text_is_an_error(folder: Path, content: bytes | None) -> None:
    dataset = Dataset.open(folder)
    image = first(dataset)
    image.label_path.unlink()
    if content is not None:
        image.label_path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"{image.label_path.name} (cannot be read|is not text)"):
        dataset.labels(image)


def test_a_wrong_ignored_area_is_an_error(folder: Path) -> None:
    image = first(Dataset.open(folder))
    areas = folder / "ignored" / image.label_path.relative_to(folder / "labels_with_ids")
    areas.parent.mkdir(parents=True, exist_ok=True)
    areas.write_text("0 0.5 0.5 0.1 0.2\n")
    dataset = Dataset.open(folder)
    with pytest.raises(DatasetError, match=r"line 1 has 5 columns; expected 4"):
        dataset.labels(first(dataset))


def test_an_image_that_changed_or_is_gone_is_an_error(folder: Path) -> None:
    dataset = Dataset.open(folder)
    image = first(dataset)
    image.path.unlink()
    with pytest.raises(DatasetError, match="No such file"):
        dataset.read_image(image)
    image.path.symlink_to("/nowhere/lost.jpg")
    with pytest.raises(DatasetError, match=r"lost\.jpg"):
        dataset.read_image(image)
    image.path.unlink()
    write_image(image.path, size=(32, 48))
    with pytest.raises(DatasetError, match=r"has 32x48 px; expected 160x96"):
        dataset.read_image(image)
    image.path.write_bytes(b"text")
    with pytest.raises(DatasetError, match="not an image"):
        dataset.read_image(image)


def test_a_folder_that_is_not_a_prepared_dataset_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DatasetError, match="expected a folder that fairmot_dla34 prepare has finished"):
            Dataset.open(path)
    with pytest.raises(InvalidInputError, match="folder is 3"):
        Dataset.open(3)  # type: ignore[arg-type]


def test_any_damage_of_the_description_is_an_error(folder: Path) -> None:
    path = folder / "dataset.json"
    content = json.loads(path.read_text())

    def refused(text: str) -> None:
        path.write_text(text)
        with pytest.raises(DatasetError, match=r"dataset\.json|images\.csv"):
            Dataset.open(folder)

    for text in ("", "[]", "null", '"x"', "{}", "[" * 100_000, path.read_text()[:-20]):
        refused(text)
    wrong: tuple[object, ...] = (None, 3.5, [1], {"x": 1})
    for key in content.keys() - {"counts"}:
        for value in wrong:
            if (key, value) != ("source", {"x": 1}):
                refused(json.dumps(content | {key: value}))
    for key in content["sequences"][0]:
        for value in (None, [], -1, 3 if key == "source_name" else "x"):
            changed = json.loads(json.dumps(content))
            changed["sequences"][0][key] = value
            refused(json.dumps(changed))
    refused(json.dumps(content | {"version": 2}))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("part,path", "path,part"),
        ("train,images", "train,../images"),
        ("train,images", "other,images"),
        (",160,", ",x,"),
        (",160,", ",0,"),
        (",160,", ","),
        (",0\n", ",5\n"),
        ("scene-1,0", "scene-9,0"),
    ],
)
def test_any_damage_of_the_table_is_an_error(folder: Path, old: str, new: str) -> None:
    table = folder / "images.csv"
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(DatasetError, match=r"images\.csv"):
        Dataset.open(folder)


def test_the_digest_covers_labels_areas_and_the_table(folder: Path) -> None:
    digest = Dataset.open(folder).digest
    image = first(Dataset.open(folder))
    image.label_path.write_text(image.label_path.read_text() + "0 -1 0.5 0.5 0.1 0.1\n")
    assert Dataset.open(folder).digest != digest
    image.label_path.unlink()
    with pytest.raises(DatasetError, match="cannot be read"):
        _ = Dataset.open(folder).digest


def test_a_dataset_can_be_moved_and_opened_by_a_relative_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    dataset = Dataset.open(folder.name)
    assert len(dataset.labels(first(dataset))) >= 1
    assert dataset.read_image(first(dataset)).shape == (96, 160, 3)


def test_an_unknown_part_is_an_error(prepared: Path) -> None:
    with pytest.raises(InvalidInputError, match="part is 'test'; expected one of train, val"):
        Dataset.open(prepared).images("test")


def test_rounding_in_the_files_is_below_a_thousandth_of_a_pixel() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(-500, 7000, (200, 2))
    boxes = np.concatenate([low, low + rng.uniform(0.1, 900, (200, 2))], axis=1).astype(np.float32)
    zeros = np.zeros(200, np.int64)
    text = label_lines(ImageLabels(boxes, zeros, zeros, np.empty((0, 4), np.float32)), 8192, 8000)
    read, _, _ = read_label_lines(text, Path("x.txt"), (8192, 8000), num_classes=1, num_identities=1)
    assert np.abs(read - boxes).max() <= 1e-3


def test_an_overlap_of_training_and_validation_is_found(prepared: Path, folder: Path) -> None:
    """By the file that links lead to, and by the content of copies."""
    dataset, copy = Dataset.open(prepared), Dataset.open(folder)
    check_no_overlap(dataset.images("train"), dataset.images("val"))
    check_no_overlap([], dataset.images("val"))
    with pytest.raises(DatasetError, match=r"000001\.jpg is a validation image and also the training image .*5 more"):
        check_no_overlap(dataset.images("train"), copy.images("train"))
    image = copy.images("val")[0]
    content = image.path.read_bytes()
    image.path.unlink()
    image.path.write_bytes(content)
    with pytest.raises(DatasetError, match="validation image"):
        check_no_overlap(dataset.images("val"), [image])
    image.path.unlink()
    with pytest.raises(DatasetError, match="cannot be read"):
        check_no_overlap(dataset.images("val"), [image])
