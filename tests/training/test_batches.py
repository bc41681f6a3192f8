"""Batches depend on the seed, the epoch and the step alone, and their threads end; else a resumed run would differ."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

from numpy.typing import NDArray
from small_dataset import make_small_dataset

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import NO_IDENTITY, Dataset, DatasetImage, DatasetSequence, ImageLabels
from fairmot_dla34.errors import DatasetError, InvalidInputError, OutOfMemoryError
from fairmot_dla34.training.batches.source import Batch, BatchSource
from fairmot_dla34.training.batches.stream import BatchStream
from fairmot_dla34.training.config import LossConfig

pytestmark = pytest.mark.train

SIZE = InputSize(96, 64)


@dataclass
class Images:
    """Stands for a prepared dataset; its images are noise, and are decoded at once."""

    count: int
    name: str = "a"
    num_identities: int = 4
    classes: tuple[str, ...] = ("person",)
    clip_boxes: bool = False
    broken: frozenset[int] = frozenset()
    read: list[int] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return Path(self.name)

    @property
    def sequence_of_identity(self) -> NDArray[np.int64]:
        return np.arange(self.num_identities, dtype=np.int64) % 2

    def sequences(self, part: str) -> tuple[DatasetSequence, ...]:
        if part == "val":
            return (DatasetSequence("v", is_video=True, frame_rate=25.0, images=()),)
        images = tuple(
            DatasetImage(Path(f"{self.name}/{index}.jpg"), Path("x"), None, 96, 64, "s", index)
            for index in range(self.count)
        )
        return (DatasetSequence("s", is_video=True, frame_rate=25.0, images=images, clip_boxes=self.clip_boxes),)

    def labels(self, image: DatasetImage) -> ImageLabels:
        ids = np.array([image.index % self.num_identities, NO_IDENTITY], np.int64)
        boxes = np.array([[20, 10, 60, 60], [-30, 0, 30, 64]], np.float32)
        return ImageLabels(boxes, ids, np.zeros(2, np.int64), np.empty((0, 4), np.float32))

    def read_image(self, image: DatasetImage) -> NDArray[np.uint8]:
        self.read.append(image.index)
        if image.index in self.broken:
            raise DatasetError(f"{image.path} cannot be read")
        return np.random.default_rng(image.index).integers(0, 256, (64, 96, 3), np.uint8)


def _source(*datasets: Images, **settings: Any) -> BatchSource:
    chosen: dict[str, Any] = {"batch_size": 4, "seed": 3, "threads": 2} | settings
    return BatchSource(
        cast("tuple[Dataset, ...]", datasets), input_size=SIZE, stride=4, num_classes=1, loss=LossConfig(), **chosen
    )


def _epoch(source: BatchSource, epoch: int = 0, first_step: int = 0) -> list[Batch]:
    with source.batches(epoch, first_step) as batches:
        return list(batches)


def _assert_equal(first: list[Batch], second: list[Batch]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.names == other.names
        assert one.images.equal(other.images)
        assert one.targets.heatmap.equal(other.targets.heatmap)
        assert one.targets.sizes.equal(other.targets.sizes)
        assert one.targets.ids.equal(other.targets.ids)


def test_batches_do_not_depend_on_threads_and_a_run_may_start_at_any_step() -> None:
    expected = _epoch(_source(Images(22), threads=1), 5)
    assert len(expected) == 5
    for threads in (2, 7):
        _assert_equal(_epoch(_source(Images(22), threads=threads), 5), expected)
    _assert_equal(_epoch(_source(Images(22)), 5, first_step=3), expected[3:])
    assert _epoch(_source(Images(22)), 5, first_step=5) == []


def test_images_are_uint8_rgb() -> None:
    class Blue(Images):
        def read_image(self, image: DatasetImage) -> NDArray[np.uint8]:
            return np.full((64, 96, 3), (200, 0, 0), np.uint8)

    batch = _epoch(_source(Blue(4)))[0]
    assert batch.images.shape == (4, 3, 64, 96)
    assert str(batch.images.dtype) == "torch.uint8"
    red, _, blue = batch.images[:, :, 32, 48].T.tolist()
    assert all(low < high for low, high in zip(red, blue, strict=True))


def test_epochs_and_seeds_differ_and_no_image_is_shown_twice() -> None:
    source = _source(Images(22))
    names = [[name for batch in _epoch(source, epoch) for name in batch.names] for epoch in range(2)]
    assert all(len(set(shown)) == 20 for shown in names)
    assert names[0] != names[1]
    assert names[0] != [name for batch in _epoch(_source(Images(22), seed=4)) for name in batch.names]


def test_each_process_makes_its_share_of_the_same_batch() -> None:
    whole = _epoch(_source(Images(22)))
    shares = [_epoch(_source(Images(22), rank=rank, world_size=2)) for rank in range(2)]
    for batch, first, second in zip(whole, *shares, strict=True):
        assert batch.names == first.names + second.names
        assert batch.images[:2].equal(first.images)
        assert batch.images[2:].equal(second.images)


def test_few_images_are_repeated_in_other_variations_until_they_fill_a_batch() -> None:
    source = _source(Images(3), batch_size=8)
    (batch,) = _epoch(source)
    assert source.steps_per_epoch == 1
    counts = [batch.names.count(name) for name in set(batch.names)]
    assert sorted(counts) == [2, 3, 3]
    first, second, *_ = (number for number, name in enumerate(batch.names) if name == batch.names[0])
    assert not batch.images[first].equal(batch.images[second])


def test_identities_of_several_datasets_follow_each_other() -> None:
    source = _source(Images(20, "a"), Images(20, "b", num_identities=7))
    assert source.num_identities == 11
    assert source.sequence_of_identity.tolist() == [0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2]
    for batch in _epoch(source):
        for number, name in enumerate(batch.names):
            ids = batch.targets.ids[batch.targets.cells[:, 0] == number].tolist()
            index = int(Path(name).stem)
            known = index % 4 if name.startswith("a") else 4 + index % 7
            assert set(ids) <= {known, NO_IDENTITY}


def test_boxes_of_a_dataset_are_clipped_if_it_asks_for_it() -> None:
    def largest(source: BatchSource) -> float:
        return max(float(batch.targets.sizes.max()) for batch in _epoch(source))

    assert largest(_source(Images(20, clip_boxes=True))) < largest(_source(Images(20)))


def test_a_broken_image_is_named_at_its_step_and_the_threads_end() -> None:
    before = threading.active_count()
    source = _source(Images(22, broken=frozenset({7})), threads=3)
    place = source.order(0).tolist().index(7)
    batches = source.batches(0)
    for _ in range(place // 4):
        next(batches)
    with pytest.raises(DatasetError, match=r"7\.jpg"):
        next(batches)
    assert list(batches) == []
    assert threading.active_count() == before


@pytest.mark.parametrize("damage", ["image", "label"])
def test_a_damaged_file_of_a_prepared_dataset_is_named(tmp_path: Path, damage: str) -> None:
    dataset = Dataset.open(make_small_dataset(tmp_path, sequences=1, frames=4, size=(160, 96)))
    image = dataset.images("train")[2]
    path = image.path if damage == "image" else image.label_path
    path.unlink()
    path.write_bytes(b"\x00 damaged" * 10)
    source = BatchSource(
        [dataset], input_size=SIZE, stride=4, num_classes=1, batch_size=4, seed=0, loss=LossConfig(), threads=2
    )
    with pytest.raises(DatasetError, match=path.name):
        _epoch(source)


def test_closing_stops_the_threads_and_the_reading() -> None:
    before = threading.active_count()
    images = Images(4000)
    with _source(images, threads=3).batches(0) as batches:
        next(batches)
    assert threading.active_count() == before
    count = len(images.read)
    assert count <= 4 * 6  # few batches are made ahead, however slow the training is
    time.sleep(0.05)
    assert len(images.read) == count
    batches.close()


def test_memory_is_bounded_while_the_consumer_is_busy() -> None:
    images = Images(4000)
    with _source(images, threads=3).batches(0) as batches:
        next(batches)
        time.sleep(0.3)
        assert len(images.read) <= 4 * 3  # the batch in use, and two ahead


def test_an_interrupted_consumer_leaves_no_threads() -> None:
    before = threading.active_count()

    def consume() -> None:
        with _source(Images(400)).batches(0) as batches:
            for number, _ in enumerate(batches):
                if number == 2:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert threading.active_count() == before


@pytest.mark.parametrize(("code", "expected"), [("Insufficient memory", OutOfMemoryError), ("bad size", DatasetError)])
def test_an_error_of_opencv_names_the_image(
    code: str, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise cv2.error(f"OpenCV(5.0.0) alloc.cpp:73: error: (-4:{code}) Failed to allocate 9 bytes")

    monkeypatch.setattr(cv2, "warpAffine", fail)
    with pytest.raises(expected, match=r"a/\d+\.jpg"):
        _epoch(_source(Images(4)))


def test_an_error_while_finishing_a_batch_is_raised() -> None:
    class Failing:
        def __len__(self) -> int:
            return 1

        def add(self, number: int) -> None:
            pass

        def finish(self) -> int:
            raise MemoryError

    with BatchStream([Failing()], threads=1, depth=1) as stream, pytest.raises(MemoryError):
        next(stream)


def test_wrong_settings_and_datasets_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="batch_size is 4 with 3 processes"):
        _source(Images(9), world_size=3)
    with pytest.raises(InvalidInputError, match="first_step is 3"):
        _source(Images(9)).batches(0, 3)
    with pytest.raises(DatasetError, match="a, b: no training images"):
        _source(Images(0, "a"), Images(0, "b"))
    with pytest.raises(DatasetError, match="b has the classes car"):
        _source(Images(4, "a"), Images(4, "b", classes=("car",)))
    with pytest.raises(DatasetError, match="2 classes; expected at most 1"):
        _source(Images(4, classes=("person", "car")))
