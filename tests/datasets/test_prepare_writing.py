"""Files of a prepared dataset: links, names, labels, parts; what a second or a broken run leaves."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_sources import image, labels, register, stills, video, write_image
from small_dataset import make_small_dataset

from fairmot_dla34.datasets import NO_IDENTITY, Dataset, SourceImage, SourceSequence
from fairmot_dla34.datasets import prepare as prepare_quietly
from fairmot_dla34.datasets.preparation import writing
from fairmot_dla34.datasets.preparation.checking import BROKEN
from fairmot_dla34.datasets.preparation.preview import draw_labels
from fairmot_dla34.datasets.preparation.report import PreparedReport
from fairmot_dla34.errors import DatasetError, InvalidInputError, OutputError
from fairmot_dla34.synth import SceneConfig, write_scene
from fairmot_dla34.video import open_source
from fairmot_dla34.video.image_size import size_of_image


def prepare(source: Path, output: Path, **options: object) -> PreparedReport:
    source.mkdir(exist_ok=True)
    return prepare_quietly("made", source, output, progress=False, **options)  # type: ignore[arg-type]


def files_of(folder: Path) -> dict[str, bytes]:
    """Return all files that are not hidden, with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".fairmot_dla34" not in path.parts
    }


def test_labels_survive_the_way_through_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = video(tmp_path / "src", "a", 3)
    register(monkeypatch, sequence)
    prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    for prepared, original in zip(dataset.images("train"), sequence.images, strict=True):
        read = dataset.labels(prepared)
        np.testing.assert_allclose(read.boxes, original.labels.boxes, atol=1e-4)
        assert read.ids.tolist() == [0, 1]
        np.testing.assert_array_equal(dataset.read_image(prepared), cv2.imread(str(original.path)))
        assert prepared.path.is_symlink()
        assert prepared.path.resolve() == original.path.resolve()
    assert [item.index for item in dataset.images("train")] == [0, 1, 2]
    assert dataset.sequences("train")[0].frame_rate == 10.0
    assert dataset.num_identities == 2
    assert not dataset.is_edited
    assert (tmp_path / "out" / "train.txt").read_text().splitlines() == [
        f"images/train/a/00000{number}.jpg" for number in (1, 2, 3)
    ]
    assert not (tmp_path / "out" / "val.txt").exists()


def test_sparse_identities_become_compact_over_all_sequences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same number in two sequences is two people."""
    register(monkeypatch, video(tmp_path / "src", "a", 2, ids=(5, 1000)), video(tmp_path / "src", "b", 2, ids=(5, 77)))
    prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.num_identities == 4
    assert dataset.sequence_of_identity.tolist() == [0, 0, 1, 1]
    seen = {identity for item in dataset.images("train") for identity in dataset.labels(item).ids.tolist()}
    assert seen == {0, 1, 2, 3}


def test_the_two_parts_of_one_video_share_their_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, video(tmp_path / "src", "a", 10))
    report = prepare(tmp_path / "src", tmp_path / "out", val=0.2)
    dataset = Dataset.open(tmp_path / "out")
    assert [len(dataset.images(part)) for part in ("train", "val")] == [8, 2]
    assert dataset.images("val")[0].index == 0
    assert dataset.images("val")[0].path.name == "000009.jpg"
    assert dataset.labels(dataset.images("val")[0]).ids.tolist() == [0, 1]
    assert dataset.num_identities == 2
    assert report.manifest.sequences[1].new_identities == 0


def test_no_ids_leaves_every_identity_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    report = prepare(tmp_path / "src", tmp_path / "out", use_ids=False)
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.num_identities == 0
    assert dataset.sequence_of_identity.shape == (0,)
    assert set(dataset.labels(dataset.images("train")[0]).ids.tolist()) == {NO_IDENTITY}
    assert any("no identities" in note for note in report.manifest.notes)


def test_each_box_of_a_still_image_becomes_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As FairMOT trains the embedding on CrowdHuman; the boxes of a video keep what they have."""
    boxes = [(5.0, 5.0, 15.0, 40.0, NO_IDENTITY), (25.0, 5.0, 35.0, 40.0, 4), (45.0, 5.0, 55.0, 40.0, NO_IDENTITY)]
    crowd = SourceSequence("crowd", [image(tmp_path / f"src/{name}.jpg", *boxes) for name in "ab"], is_video=False)
    register(monkeypatch, crowd, video(tmp_path / "src", "walk", 2, ids=(NO_IDENTITY,)))
    prepare(tmp_path / "src", tmp_path / "out", box_ids=True)
    dataset = Dataset.open(tmp_path / "out")
    ids = [dataset.labels(one).ids.tolist() for one in dataset.images("train")]
    assert dataset.num_identities == 5  # two boxes in each of two images, and the person with an identity
    assert len({identity for row in ids[:2] for identity in row}) == 5
    assert ids[2:] == [[NO_IDENTITY], [NO_IDENTITY]]


def test_one_identity_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, video(tmp_path / "src", "a", ids=(3,)))
    report = prepare(tmp_path / "src", tmp_path / "out")
    assert report.manifest.num_identities == 1
    assert any("one identity" in note for note in report.manifest.notes)


def test_an_identity_twice_in_an_image_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(1.0, 1.0, 9.0, 20.0, 4), (30.0, 1.0, 39.0, 20.0, 4)]
    register(monkeypatch, SourceSequence("a", [image(tmp_path / "src" / "x.jpg", *rows)]))
    report = prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.labels(dataset.images("train")[0]).ids.tolist() == [0, NO_IDENTITY]
    assert "identity is twice" in report.manifest.dropped[0].reason


def test_images_without_people_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [image(tmp_path / "src" / "1.jpg", (1, 1, 9, 20, 0)), image(tmp_path / "src" / "2.jpg")]
    register(monkeypatch, SourceSequence("a", images))
    prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    assert [len(dataset.labels(item)) for item in dataset.images("train")] == [1, 0]
    assert dataset.images("train")[1].label_path.read_bytes() == b""


def test_ignored_areas_have_files_only_where_they_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = image(tmp_path / "src" / "1.jpg", (1, 1, 9, 20, 0))
    second = SourceImage(write_image(tmp_path / "src" / "2.jpg", 2), 64, 48, labels(ignored=[(3, 4, 40, 30)]))
    register(monkeypatch, SourceSequence("a", [first, second]))
    prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    one, two = dataset.images("train")
    assert one.ignored_path is None
    assert two.ignored_path == tmp_path / "out" / "ignored" / "train" / "a" / "2.txt"
    np.testing.assert_allclose(dataset.labels(two).ignored, [[3, 4, 40, 30]], atol=1e-4)


def test_a_box_far_beyond_the_image_is_cut_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, SourceSequence("a", [image(tmp_path / "src" / "1.jpg", (-500, 1, 30, 20, 0))]))
    report = prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    np.testing.assert_allclose(dataset.labels(dataset.images("train")[0]).boxes, [[-64, 1, 30, 20]], atol=1e-4)
    assert report.manifest.dropped[0].count == 1


@pytest.mark.parametrize("options", [{}, {"val": 0.3}, {"use_ids": False}])
def test_a_second_run_replaces_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    """The same source needs no --overwrite; no file of the earlier run is left and nothing is doubled."""
    register(monkeypatch, video(tmp_path / "src", "a"), video(tmp_path / "src", "b"))
    prepare(tmp_path / "src", tmp_path / "out", val=0.5, preview=2)
    register(monkeypatch, video(tmp_path / "src", "b"), video(tmp_path / "src", "c"))
    prepare(tmp_path / "src", tmp_path / "out", **options)
    prepare(tmp_path / "src", tmp_path / "fresh", **options)
    again, fresh = files_of(tmp_path / "out"), files_of(tmp_path / "fresh")
    assert again == fresh


def test_a_dataset_of_another_source_is_replaced_only_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    prepare(tmp_path / "src", tmp_path / "out")
    before = files_of(tmp_path / "out")
    with pytest.raises(OutputError, match=r"another source, made .*src.*--overwrite"):
        prepare(tmp_path / "other", tmp_path / "out")
    assert files_of(tmp_path / "out") == before
    prepare(tmp_path / "other", tmp_path / "out", overwrite=True)
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["name"] == "other"


@pytest.mark.parametrize("overwrite", [False, True])
def test_files_that_prepare_did_not_write_are_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    mine = write_image(tmp_path / "out" / "images" / "mine.jpg")
    with pytest.raises(OutputError, match="prepare did not write it"):
        prepare(tmp_path / "src", tmp_path / "out", overwrite=overwrite)
    assert mine.is_file()


def test_a_copied_dataset_is_recognised_without_its_hidden_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    prepare(tmp_path / "src", tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / ".fairmot_dla34")
    prepare(tmp_path / "src", tmp_path / "out")


@pytest.mark.parametrize("when", ["writing", "exchanging"])
def test_an_interrupted_run_leaves_the_earlier_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    prepare(tmp_path / "src", tmp_path / "out")
    before = files_of(tmp_path / "out")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if when == "writing":
            patch.setattr(writing, "place_image", stopped)
        else:
            calls: list[Path] = []
            rename = Path.rename

            def rename_until_stopped(path: Path, target: Path) -> Path:
                calls.append(path)
                return stopped() if len(calls) == 9 else rename(path, target)  # type: ignore[func-returns-value,return-value]

            patch.setattr(Path, "rename", rename_until_stopped)
        with pytest.raises(KeyboardInterrupt):
            prepare(tmp_path / "src", tmp_path / "out", use_ids=False)
    assert files_of(tmp_path / "out") == before
    assert not [path for path in (tmp_path / "out" / ".fairmot_dla34").iterdir() if path.is_dir()]


def test_a_run_killed_while_it_exchanges_the_files_leaves_no_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the next run of the same source, or one with --overwrite, takes the folder."""
    register(monkeypatch, video(tmp_path / "src", "a"))
    prepare(tmp_path / "src", tmp_path / "out")
    before = files_of(tmp_path / "out")
    (tmp_path / "out" / "dataset.json").unlink()
    with pytest.raises(DatasetError, match=r"no dataset\.json"):
        Dataset.open(tmp_path / "out")
    with pytest.raises(OutputError, match="another source"):
        prepare(tmp_path / "other", tmp_path / "out")
    prepare(tmp_path / "src", tmp_path / "out")
    assert files_of(tmp_path / "out") == before


def test_a_full_disk_leaves_the_earlier_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    prepare(tmp_path / "src", tmp_path / "out")
    before = files_of(tmp_path / "out")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match="No space left"):
            prepare(tmp_path / "src", tmp_path / "out")
    assert files_of(tmp_path / "out") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="permissions"):
        prepare(tmp_path / "src", tmp_path / "closed" / "out")


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    (tmp_path / "out").write_text("")
    with pytest.raises(OutputError, match="a file exists where a folder is needed"):
        prepare(tmp_path / "src", tmp_path / "out")


@pytest.mark.parametrize("output", ["src", "src/out", ".", "link", "src/../src/x"])
def test_source_and_output_must_be_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    register(monkeypatch, video(tmp_path / "src", "a"))
    (tmp_path / "link").symlink_to(tmp_path / "src")
    before = files_of(tmp_path / "src")
    with pytest.raises(InvalidInputError, match=r"^output_dir is .*apart from it"):
        prepare(tmp_path / "src", tmp_path / output)
    assert files_of(tmp_path / "src") == before


def test_links_of_the_source_into_the_output_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The output would replace the images themselves."""
    real = write_image(tmp_path / "out" / "photos" / "1.jpg")
    link = tmp_path / "src" / "1.jpg"
    link.parent.mkdir()
    link.symlink_to(real)
    register(monkeypatch, SourceSequence("a", [image(link, (1, 1, 9, 20, 0))]))
    with pytest.raises(InvalidInputError, match="output_dir is"):
        prepare(tmp_path / "src", tmp_path / "out")
    assert real.is_file()


def test_links_in_the_source_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = write_image(tmp_path / "store" / "blob.jpg", 1).rename(tmp_path / "store" / "blob")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "1.jpg").symlink_to(stored)
    register(monkeypatch, SourceSequence("a", [image(tmp_path / "src" / "1.jpg", (1, 1, 9, 20, 0))]))
    prepare(tmp_path / "src", tmp_path / "out")
    (tmp_path / "src" / "1.jpg").unlink()
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.read_image(dataset.images("train")[0]).shape == (48, 64, 3)


@pytest.mark.parametrize("failing", [("symlink",), ("symlink", "link")], ids=["hard-link", "copy"])
def test_images_are_copied_if_the_file_system_has_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: tuple[str, ...]
) -> None:
    """Hard links fail if the source is on another disk."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    for name in failing:
        monkeypatch.setattr(os, name, refused)
    sequence = video(tmp_path / "src", "a", 2)
    register(monkeypatch, sequence)
    prepare(tmp_path / "src", tmp_path / "out")
    prepare(tmp_path / "src", tmp_path / "out")
    path = Dataset.open(tmp_path / "out").images("train")[0].path
    assert not path.is_symlink()
    assert path.read_bytes() == sequence.images[0].path.read_bytes()
    assert path.samefile(sequence.images[0].path) == (len(failing) == 1)


@pytest.mark.parametrize(
    ("source", "content", "written"),
    [
        ("1.JPG", ".jpg", "1.jpg"),
        ("1.jpeg", ".jpg", "1.jpg"),
        ("1.jpg", ".png", "1.png"),
        ("1.bmp", ".bmp", "1.png"),
        ("1.webp", ".webp", "1.png"),
    ],
)
def test_suffixes_follow_the_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, content: str, written: str
) -> None:
    path = write_image(tmp_path / "src" / f"made{content}", 3).rename(tmp_path / "src" / source)
    register(monkeypatch, SourceSequence("a", [image(path, (1, 1, 9, 20, 0))]))
    prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.images("train")[0].path.name == written
    np.testing.assert_array_equal(dataset.read_image(dataset.images("train")[0]), cv2.imread(str(path)))


def test_bad_images_are_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = video(tmp_path / "src", "a", 8)
    sequence.images[1].path.write_bytes(b"")
    sequence.images[2].path.write_bytes(sequence.images[3].path.read_bytes()[:-200])
    write_image(sequence.images[4].path, 1, (32, 32))
    register(monkeypatch, sequence)
    report = prepare(tmp_path / "src", tmp_path / "out")
    (dropped,) = report.manifest.dropped
    assert dropped.count == 3
    for text in ("000002.jpg: empty file", "000003.jpg: ", "000005.jpg: 32x32 px instead of 64x48"):
        assert text in dropped.example
    assert [item.index for item in Dataset.open(tmp_path / "out").images("train")] == [0, 1, 2, 3, 4]


def test_the_frames_of_a_video_file_become_images(tmp_path: Path) -> None:
    """`fairmot_dla34 synth` writes such scenes. A frame that the video lacks is named."""
    config = SceneConfig(people=2, width=160, height=96, frames=6, seed=1)
    scene = write_scene(config, tmp_path / "scenes", name="made", progress=False)
    prepare_quietly("mot", tmp_path / "scenes", tmp_path / "out", progress=False)
    dataset = Dataset.open(tmp_path / "out")
    with open_source(scene.video) as source:
        for item, frame in zip(dataset.images("train"), source, strict=True):
            difference = dataset.read_image(item).astype(int) - frame.image
            assert np.abs(difference).mean() < 2  # JPEG
            assert not item.path.is_symlink()
    scene.seqinfo.write_text(scene.seqinfo.read_text().replace("seqLength=6", "seqLength=8"))
    report = prepare_quietly("mot", tmp_path / "scenes", tmp_path / "out", progress=False)
    missing = next(entry for entry in report.manifest.dropped if entry.reason == BROKEN)
    assert missing.count == 2
    assert "000007" in missing.example
    assert "not in the video" in missing.example


def test_mostly_bad_images_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = video(tmp_path / "src", "a", 3)
    for item in sequence.images[:2]:
        item.path.write_bytes(b"no image")
    register(monkeypatch, sequence)
    with pytest.raises(DatasetError, match=r"2 of 3 images cannot be decoded, first .*000001"):
        prepare(tmp_path / "src", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_clashing_names_stay_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on file systems that do not distinguish upper and lower case."""
    names = ["a/b", "a_b", "A_B", "images", "x" * 300, "x" * 300 + "y", "...", "con"]
    sequences = [
        SourceSequence(
            name,
            [
                image(tmp_path / "src" / f"{number}" / file, (1, 1, 9, 20, 0), value=10 * number + place)
                for place, file in enumerate(("0.jpg", "0.png", "images-1.jpg", "i.jpg.jpg"))
            ],
            is_video=False,
        )
        for number, name in enumerate(names)
    ]
    register(monkeypatch, *sequences)
    prepare(tmp_path / "src", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    folders = [sequence.name for sequence in dataset.sequences("train")]
    assert len({name.casefold() for name in folders}) == len(names)
    assert len(dataset.images("train")) == 4 * len(names)
    assert len({str(item.label_path).casefold() for item in dataset.images("train")}) == 4 * len(names)
    for item in dataset.images("train"):
        path = item.path.relative_to(tmp_path / "out").as_posix()
        found = path.replace("images", "labels_with_ids").replace(".png", ".txt").replace(".jpg", ".txt")
        assert tmp_path / "out" / found == item.label_path  # as FairMOT and PaddleDetection look for it


def test_frames_in_an_order_that_their_names_do_not_have_are_numbered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tracker reads a folder in the order of the names."""
    images = [image(tmp_path / "src" / f"{name}.jpg", (1, 1, 9, 20, 0)) for name in ("b", "a", "c")]
    register(monkeypatch, SourceSequence("v", images), SourceSequence("s", images, is_video=False))
    prepare(tmp_path / "src", tmp_path / "out")
    video_part, still_part = Dataset.open(tmp_path / "out").sequences("train")
    assert [item.path.name for item in video_part.images] == ["000001.jpg", "000002.jpg", "000003.jpg"]
    assert [item.path.name for item in still_part.images] == ["b.jpg", "a.jpg", "c.jpg"]


def test_images_in_the_path_of_the_folder_are_harmless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "images.jpg" / "out"
    register(monkeypatch, video(tmp_path / "src", "a"))
    report = prepare(tmp_path / "src", folder)
    dataset = Dataset.open(folder)
    assert len(dataset.labels(dataset.images("train")[0])) == 2
    assert any("'images' is in the path" in note for note in report.manifest.notes)


def test_copies_of_training_images_are_not_validated_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = stills(tmp_path / "src", count=4)
    copy = tmp_path / "src" / "copy.jpg"
    shutil.copyfile(photos.images[0].path, copy)
    other = SourceSequence("held", [image(copy, (1, 1, 9, 20, 0)), image(tmp_path / "src" / "new.jpg")], is_video=False)
    register(monkeypatch, photos, other)
    report = prepare(tmp_path / "src", tmp_path / "out", val_sequences=["held"])
    assert [item.path.name for item in Dataset.open(tmp_path / "out").images("val")] == ["new.jpg"]
    assert "also in the training part" in report.manifest.dropped[0].reason


def test_previews_are_spread_over_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [image(tmp_path / "src" / f"{n}.png", (8, 6, 30, 40, n)) for n in range(5)]
    register(monkeypatch, SourceSequence("a", images))
    report = prepare(tmp_path / "src", tmp_path / "out", preview=3)
    assert [path.name for path in report.previews] == [f"{k}_train_a_{n}.jpg" for k, n in ((1, 0), (2, 2), (3, 4))]
    assert all(size_of_image(path.read_bytes()) == (64, 48) for path in report.previews)
    assert len(prepare(tmp_path / "src", tmp_path / "out", preview=100).previews) == 5


def test_the_preview_shows_boxes_and_hatched_areas() -> None:
    black = np.zeros((120, 160, 3), np.uint8)
    drawn = draw_labels(black, labels([(8, 6, 40, 100, -1), (50, 6, 80, 100, 3)], ignored=[(100, 20, 150, 90)]))
    assert not black.any()
    assert drawn[50, 8].tolist() == [255, 255, 255]  # without identity
    assert np.ptp(drawn[50, 50]) > 0  # the colour of identity 3
    hatched = drawn[22:88, 102:148].any(axis=2).mean()
    assert 0.05 < hatched < 0.5


def test_the_small_dataset_of_other_tests(tmp_path: Path) -> None:
    dataset = Dataset.open(make_small_dataset(tmp_path, val=0.25))
    assert [len(dataset.images(part)) for part in ("train", "val")] == [12, 4]
    assert dataset.num_identities >= 6
    assert sum(len(dataset.labels(item)) for item in dataset.images("train")) > 24
