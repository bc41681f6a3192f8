"""Training on difficult data and from difficult start weights, divergence, and lack of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from label_trees import write_text
from made_sources import image, video, write_image
from small_dataset import make_small_dataset
from small_training import HEADS, arrays_of, register_small, same_arrays, small_config

from fairmot_dla34.architectures import HeadSizes, find_architecture
from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import NO_IDENTITY, SourceSequence
from fairmot_dla34.datasets.preparation.prepare import prepare, prepare_sequences
from fairmot_dla34.errors import (
    CheckpointError,
    DatasetError,
    DivergedError,
    InvalidInputError,
    OutOfMemoryError,
    UnknownWeightsError,
)
from fairmot_dla34.training import loop, run, train
from fairmot_dla34.training.memory import allocation
from fairmot_dla34.training.memory import check as memory_check
from fairmot_dla34.training.model import TrainedModel
from fairmot_dla34.training.network.fairmot import FairMOTNetwork
from fairmot_dla34.training.saving import write_weights
from fairmot_dla34.weights import write_pdparams

pytestmark = pytest.mark.train

EPOCHS = 3
SIZE = InputSize(64, 64)


@pytest.fixture(scope="module", autouse=True)
def _small() -> None:
    register_small()


def prepared(folder: Path, *sequences: SourceSequence) -> Path:
    (folder / "source").mkdir(exist_ok=True)
    prepare_sequences(list(sequences), folder / "source", folder / "prepared", name="made", progress=False)
    return folder / "prepared"


def photos(folder: Path, *boxes: Sequence[float], count: int = 4) -> SourceSequence:
    images = [image(folder / "source" / "photos" / f"p{place}.jpg", *boxes) for place in range(count)]  # type: ignore[arg-type]
    return SourceSequence("photos", images, is_video=False)


def start_weights(folder: Path, *, classes: int = 1, embedding: int = 128, seed: int = 1) -> Path:
    network = FairMOTNetwork(find_architecture("small"), HeadSizes(classes, embedding))
    network.initialise(torch.Generator().manual_seed(seed))
    write_weights(folder / "start.pdparams", network, SIZE)
    return folder / "start.pdparams"


def before_step(monkeypatch: pytest.MonkeyPatch, step: int, change: Callable[[Any], None]) -> None:
    """Change the batch of a step."""
    agree = loop.TrainingLoop._agree

    def changed(self: Any, batch: Any, progress: Any) -> Any:
        if progress.step == step:
            change(batch)
        return agree(self, batch, progress)

    monkeypatch.setattr(loop.TrainingLoop, "_agree", changed)


def test_nan_names_step_and_image_and_keeps_the_weights_before_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(small_config(data, tmp_path / "whole", epochs=EPOCHS))
    names: list[str] = []

    def damage(batch: Any) -> None:
        names.extend(batch.names)
        batch.targets.sizes[batch.targets.cells[:, 0] == 1] = torch.nan

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        before_step(patch, 4, damage)
        with pytest.raises(DivergedError, match=r"at step 5: the loss of loss, size is not a finite number") as caught:
            train(small_config(data, folder, epochs=EPOCHS))
    assert names[1] in str(caught.value)
    assert names[0] not in str(caught.value)
    resumed = train(small_config(data, folder, epochs=EPOCHS, resume=True))
    assert same_arrays(resumed.last, whole.last)


def test_weights_that_explode_are_not_saved(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss may be finite for some steps after the weights have become useless."""
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0.0)
    folder = tmp_path / "run"
    first = train(small_config(data, folder, epochs=EPOCHS))
    good = arrays_of(first.last)
    monkeypatch.setattr(loop, "learning_rate", lambda *_: 1e9)
    with pytest.raises(DivergedError, match=r"Training diverged (at|before) step 1\d: .*ower --lr"):
        train(small_config(data, folder, epochs=EPOCHS + 1, resume=True))
    assert all(np.array_equal(array, good[name]) for name, array in arrays_of(first.last).items())


def test_a_rate_that_is_too_high_stops_the_run(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"Training diverged (at|before) step \d+: .*ower --lr"):
        train(small_config(data, tmp_path / "run", epochs=200, lr=1e30))
    assert not (tmp_path / "run" / "last.pdparams").exists()


@pytest.mark.parametrize("line", ["0 0 nan 0.5 0.1 0.1", "0 0 0.5 0.5 -0.1 0.1", "0 0 9 9 0.1 0.1", "0 7 0.5", "x"])
def test_a_wrong_label_is_refused_with_its_file(tmp_path: Path, line: str) -> None:
    folder = make_small_dataset(tmp_path, sequences=1, frames=2, size=(96, 64), people=2)
    label = next((folder / "labels_with_ids").rglob("*.txt"))
    label.write_text(f"{line}\n")
    with pytest.raises(DatasetError, match=label.name):
        train(small_config(folder, tmp_path / "run", epochs=1))


def test_images_without_people_train_the_heatmap_only(tmp_path: Path) -> None:
    start = start_weights(tmp_path)
    summary = train(small_config(prepared(tmp_path, photos(tmp_path)), tmp_path / "run", epochs=EPOCHS, weights=start))
    before, after = arrays_of(start), arrays_of(summary.last)
    for name, array in after.items():
        assert np.isfinite(array).all()
        if name.startswith((HEADS.size, HEADS.offset, HEADS.embedding)):
            np.testing.assert_array_equal(array, before[name])
    assert not np.array_equal(after["head.heatmap.2.conv.weight"], before["head.heatmap.2.conv.weight"])


def test_boxes_without_identities_leave_the_embedding_head_as_it_was(tmp_path: Path) -> None:
    start = start_weights(tmp_path)
    folder = prepared(tmp_path, photos(tmp_path, (5, 5, 20, 40, NO_IDENTITY)))
    summary = train(small_config(folder, tmp_path / "run", epochs=EPOCHS, weights=start))
    before, after = arrays_of(start), arrays_of(summary.last)
    for name, array in after.items():
        if name.startswith(HEADS.embedding):
            np.testing.assert_array_equal(array, before[name])
    assert not np.array_equal(after["head.size.2.conv.weight"], before["head.size.2.conv.weight"])


@pytest.mark.parametrize("loss", ["paper", "giou,neighbours,sequence_ids,fixed_weights"])
def test_one_identity_is_enough(tmp_path: Path, loss: str) -> None:
    folder = prepared(tmp_path, video(tmp_path / "source", "walk", 4, (900,)))
    parsed = small_config(folder, tmp_path).loss.parse(loss)
    summary = train(small_config(folder, tmp_path / "run", epochs=EPOCHS, loss=parsed))
    assert all(np.isfinite(array).all() for array in arrays_of(summary.last).values())


ALLOCATION = (
    "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
)


@pytest.mark.parametrize(
    "error",
    [RuntimeError(ALLOCATION), torch.cuda.OutOfMemoryError("CUDA out of memory."), MemoryError()],
    ids=["cpu", "cuda", "python"],
)
@pytest.mark.parametrize("largest", [0, 1, 3, 5])
def test_lack_of_memory_names_the_largest_batch_that_fits(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, largest: int
) -> None:
    forward = TrainedModel.forward

    def limited(self: Any, images: Any, targets: Any, counts: Any) -> Any:
        if len(images) > largest:
            raise error
        return forward(self, images, targets, counts)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(TrainedModel, "forward", limited)
        remedy = f"use --batch-size {largest}," if largest else "one image is too much too"
        with pytest.raises(OutOfMemoryError, match=f"6 images of 64x64 needs more memory than cpu has; .*{remedy}"):
            train(small_config(data, folder, batch_size=6))
    assert not (folder / "state.pt").exists()
    assert train(small_config(data, folder, epochs=1, batch_size=max(largest, 1))).steps > 0  # without --overwrite


def test_lack_of_memory_for_the_optimiser_is_reported(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(ALLOCATION)

    monkeypatch.setattr(torch.optim.Adam, "_init_group", fail)
    with pytest.raises(OutOfMemoryError, match="needs more memory"):
        train(small_config(data, tmp_path / "run", epochs=1))


def test_lack_of_memory_outside_a_step_is_reported(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(run, "AveragedNetwork", fail)
    with pytest.raises(OutOfMemoryError, match="The run needs more memory than cpu has"):
        train(small_config(data, tmp_path / "run", epochs=1))
    assert not allocation.lacks_memory(RuntimeError("shape mismatch"))


def test_too_small_a_limit_is_refused_before_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_check, "resident_memory", lambda: 300e6)
    settings = {"plain_neck": False, "precision": "fp32", "num_identities": 100}
    for left, words in [(8e9, "use --batch-size 2, a"), (1e9, "one image is too much too: use a smaller")]:
        monkeypatch.setattr(memory_check, "memory_left", lambda left=left: left)
        with pytest.raises(OutOfMemoryError, match=words):
            memory_check.require_training_memory(InputSize(1088, 608), 12, **settings)  # type: ignore[arg-type]
    for enough in (None, 60e9):
        monkeypatch.setattr(memory_check, "memory_left", lambda enough=enough: enough)
        memory_check.require_training_memory(InputSize(1088, 608), 12, **settings)  # type: ignore[arg-type]


def test_start_weights_give_input_size_and_embedding_size(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = start_weights(tmp_path, embedding=16)
    with caplog.at_level("INFO"):
        summary = train(small_config(data, tmp_path / "run", epochs=1, weights=start, arch=None, input_size=None))
    assert arrays_of(summary.last)["head.embedding.2.conv.weight"].shape[0] == 16
    assert "identity classifier is made anew" in caplog.text
    assert "64x64" in (tmp_path / "run" / "last.md").read_text()


def test_start_weights_of_another_number_of_classes_get_a_new_last_layer(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start = start_weights(tmp_path, classes=3)
    summary = train(small_config(data, tmp_path / "run", epochs=1, lr=1e-9, weights=start))
    assert "has 3 classes and the data 1" in caplog.text
    before, after = arrays_of(start), arrays_of(summary.last)
    assert after["head.heatmap.2.conv.weight"].shape[0] == 1
    np.testing.assert_allclose(after["head.heatmap.0.conv.weight"], before["head.heatmap.0.conv.weight"], atol=1e-6)


def test_start_weights_that_cannot_be_used(data: Path, tmp_path: Path) -> None:
    start = start_weights(tmp_path)
    with pytest.raises(InvalidInputError, match=r"^arch is dla34, but .* is a checkpoint of small"):
        train(small_config(data, tmp_path / "run", weights=start, arch="dla34"))
    with pytest.raises(InvalidInputError, match=r"^arch is small, but .* is a checkpoint of dla34"):
        train(small_config(data, tmp_path / "run", weights="sample"))
    with pytest.raises(UnknownWeightsError):
        train(small_config(data, tmp_path / "run", weights=tmp_path / "absent.pdparams"))
    damaged = tmp_path / "damaged.pdparams"
    damaged.write_bytes(start.read_bytes()[:-500])
    with pytest.raises(CheckpointError):
        train(small_config(data, tmp_path / "run", weights=damaged))
    write_pdparams(damaged, {**arrays_of(start), "neck.conv.conv_dcn.weight": np.full((8, 8, 3, 3), np.nan)})
    with pytest.raises(CheckpointError):
        train(small_config(data, tmp_path / "run", weights=damaged))
    assert not (tmp_path / "run").exists()


def test_data_that_do_not_fit_each_other(data: Path, tmp_path: Path) -> None:
    other = prepared(tmp_path, photos(tmp_path, (5, 5, 20, 40, 3)))
    two = two_classes(tmp_path / "two")
    config = small_config(data, tmp_path / "run")
    for wrong in (replace(config, data=(data, two)), replace(config, val=(two,))):
        with pytest.raises(DatasetError, match="expected equal classes"):
            train(wrong)
    with pytest.raises(DatasetError, match="is a validation image and also the training image"):
        train(small_config(data, tmp_path / "run", val=(data,)))
    with pytest.raises(DatasetError):
        train(small_config(tmp_path / "source", tmp_path / "run"))
    with pytest.raises(DatasetError):
        train(small_config(data, tmp_path / "run", val=(tmp_path / "absent",)))
    assert not (tmp_path / "run").exists()
    assert train(replace(small_config(data, tmp_path / "run", epochs=1), data=(data, other))).steps == 5


@pytest.mark.parametrize("setting", [{"best": "hota"}, {"val_every": 2}])
def test_settings_of_a_validation_need_one(data: Path, tmp_path: Path, setting: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=rf"^{next(iter(setting))} is .*, but the data has no validation part"):
        train(small_config(data, tmp_path / "run", **setting))
    assert not (tmp_path / "run").exists()


def test_a_source_that_is_gone_is_named(tmp_path: Path) -> None:
    """A prepared dataset has links to the images."""
    folder = make_small_dataset(tmp_path, sequences=1, frames=2, size=(96, 64), people=2)
    (tmp_path / "source").rename(tmp_path / "moved")
    with pytest.raises(DatasetError, match=r"prepared/images/\S+ -> \S+/source/\S+ cannot be read"):
        train(small_config(folder, tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def two_classes(folder: Path) -> Path:
    """Return a dataset of YOLO labels of two classes."""
    for name in ("a", "b"):
        write_image(folder / "images" / f"{name}.jpg", len(name))
        write_text(folder / "labels" / f"{name}.txt", "0 0.5 0.5 0.2 0.4", "1 0.3 0.3 0.1 0.2")
    write_text(folder / "data.yaml", "train: images", "names: [person, cyclist]")
    prepare("yolo", folder, folder.with_name("prepared_two"), classes=["person", "cyclist"], progress=False)
    return folder.with_name("prepared_two")


def test_statistics_of_norms_need_more_images_than_two(data: Path, tmp_path: Path) -> None:
    """Measured on a new place: with the statistics of two images, fine-tuning loses what the weights could do."""
    size = {"epochs": 1, "batch_size": 2}
    train(small_config(data, tmp_path / "first", **size))
    start = {"weights": tmp_path / "first/last.pdparams", "arch": None, **size}
    train(small_config(data, tmp_path / "kept", **start))
    train(small_config(data, tmp_path / "updated", freeze=(), **start))

    def statistics(folder: str) -> list[np.ndarray[Any, Any]]:
        arrays = arrays_of(tmp_path / folder / "last.pdparams")
        return [
            array for name, array in arrays.items() if name.endswith(("_mean", "_variance")) and "unused" not in name
        ]

    for before, kept, updated in zip(*map(statistics, ("first", "kept", "updated")), strict=True):
        np.testing.assert_array_equal(kept, before)
        assert not np.array_equal(updated, before)
