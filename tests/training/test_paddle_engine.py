"""``train --engine paddle``: PaddleDetection trains on prepared datasets, and its traps end in an error or a note."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import Request
from parity.peaks_match import compare
from small_dataset import make_small_dataset

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset
from fairmot_dla34.errors import (
    DatasetError,
    DivergedError,
    InvalidInputError,
    OutputError,
    ResumeError,
    TrainingUnavailableError,
)
from fairmot_dla34.training.config import LossConfig, TrainingConfig
from fairmot_dla34.training.paddle_engine import callbacks, limits, train_with_paddle
from fairmot_dla34.training.paddle_engine.data_folder import check_data, link_data
from fairmot_dla34.weights import load_checkpoint

SIZE = InputSize(96, 64)
paddle_only = pytest.mark.paddle
defaults = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images, in a folder whose name has what PaddleDetection replaces in paths."""
    return make_small_dataset(tmp_path_factory.mktemp("my images.jpg"), sequences=1, frames=4)


def config_of(data: Path, run: Path, **changes: Any) -> TrainingConfig:
    settings = {"weights": "sample", "input_size": SIZE, "epochs": 2, "batch_size": 2, "threads": 1, "lr": 1e-3}
    return TrainingConfig(data=(data,), output_dir=run, **{**settings, **changes})


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run of two epochs with two steps each."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    summary = train_with_paddle(config_of(data, folder))
    assert (summary.steps, summary.epochs) == (4, 2.0)
    return folder


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"plain_neck": True}, "plain_neck"),
        ({"freeze": ("backbone",)}, "backbone"),
        ({"loss": LossConfig(giou=True)}, "giou"),
        ({"minutes": 3.0, "epochs": None}, "minutes is 3"),
        ({"precision": "bf16"}, "bf16"),
        ({"device": "cuda:1"}, "cuda:1"),
        ({"val": (Path("v"),)}, "val is v"),
        ({"val_every": 2}, "val_every is 2"),
        ({"best": "hota"}, "best is hota"),
        ({"output_dir": Path("images_run")}, "'images'"),
    ],
)
def test_a_setting_that_paddledetection_lacks_is_refused(changes: dict[str, Any], message: str) -> None:
    config = replace(config_of(Path("data"), Path("run")), **changes)
    with pytest.raises(InvalidInputError, match=message) as caught:
        train_with_paddle(config)
    assert str(caught.value).count(". ") <= 1


def test_several_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InvalidInputError, match="WORLD_SIZE is 2"):
        train_with_paddle(config_of(Path("data"), Path("run")))


def test_without_paddle_the_message_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "find_spec", lambda _: None)
    with pytest.raises(TrainingUnavailableError, match=r"PaddlePaddle and PaddleDetection.*pip install '\.\[paddle\]'"):
        train_with_paddle(config_of(Path("data"), Path("run")))


@paddle_only
@defaults
def test_an_installation_that_cannot_be_imported_is_named(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ppdet.engine", None)
    with pytest.raises(TrainingUnavailableError, match=r"ModuleNotFoundError.*ppdet\.engine.*pip install"):
        train_with_paddle(config_of(data, tmp_path / "run"))


def test_labels_are_those_of_the_datasets_with_identities_one_after_another(data: Path, tmp_path: Path) -> None:
    dataset = Dataset.open(data)
    linked = link_data([dataset, dataset], tmp_path / "linked", 2)
    images = dataset.images("train")
    assert len(linked.images) == 2 * len(images)
    lines = (tmp_path / "linked" / "image_lists" / "train").read_text().splitlines()
    for number, line in enumerate(lines):
        image = images[number % len(images)]
        labels, offset = dataset.labels(image), dataset.num_identities * (number // len(images))
        path = tmp_path / "linked" / line.replace("images/", "labels_with_ids/").replace(".jpg", ".txt")
        rows = np.loadtxt(path).reshape(-1, 6)
        assert rows[:, 1].tolist() == (labels.ids + offset).tolist()
        sides = labels.boxes[:, 2:] - labels.boxes[:, :2]
        expected = np.column_stack([labels.boxes[:, :2] + sides / 2, sides])
        np.testing.assert_allclose(rows[:, 2:] * (2 * [image.width, image.height]), expected, atol=1e-4)
        assert (tmp_path / "linked" / line).read_bytes() == image.path.read_bytes()


def test_several_classes_are_refused(data: Path) -> None:
    """PaddleDetection keeps the classifiers of several classes where its optimiser does not find them."""
    dataset = Dataset.open(data)
    dataset.classes = ("person", "car")
    with pytest.raises(DatasetError, match="2 classes; expected one"):
        check_data([dataset], 1)


@paddle_only
@defaults
def test_training_lowers_the_loss(run: Path) -> None:
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records] == [1, 2, 4]
    assert records[-1]["loss_heatmap"] < records[0]["loss_heatmap"]
    assert (run / "curves.png").is_file()
    assert "not validated" in (run / "best.md").read_text("utf-8")


@paddle_only
@defaults
def test_the_weights_give_equal_peaks_in_openvino_and_in_paddledetection(run: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (SIZE.height, SIZE.width, 3), np.uint8)
    for name in ("last.pdparams", "best.pdparams"):
        request = Request(run / name, SIZE, "fp32")
        ours, theirs = (request.load(backend).infer(image) for backend in ("openvino", "paddledet"))
        found = compare(ours, theirs)
        assert (found.unpaired, found.box_px < 0.01, found.score < 1e-4) == (0, True, True), found


@paddle_only
@defaults
def test_the_first_loss_is_that_of_paddledetection_run_by_hand(run: Path) -> None:
    """Model, dataset and transforms are created from `config.yml` by PaddleDetection's functions alone."""
    import paddle
    from ppdet.core.workspace import create, load_config

    from fairmot_dla34.training.paddle_engine.session import paddle_state

    with paddle_state(use_gpu=False, threads=1):
        config = load_config(str(run / "config.yml"))
        dataset, reader = create("TrainDataset")(), create("TrainReader")
        dataset.parse_dataset()
        dataset.set_transform(reader._sample_transforms)
        dataset.set_kwargs()
        paddle.seed(0)
        config["FairMOTEmbeddingHead"]["num_identities_dict"] = dataset.num_identities_dict
        model = create("FairMOT")
        model.set_state_dict(paddle.load(config["pretrain_weights"]))
        model.train()
        seed = int(np.random.SeedSequence([0, 0]).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (PaddleDetection uses the global generator)
        order = np.random.default_rng(seed).permutation(4)[:2]
        batch = reader._batch_transforms([dataset[int(index)] for index in order])
        loss = model({name: paddle.to_tensor(array) for name, array in batch.items()})["loss"]
    record = json.loads((run / "metrics.jsonl").read_text().splitlines()[0])
    assert record["loss"] == pytest.approx(float(loss.numpy()[0]), rel=1e-6)


@paddle_only
@defaults
def test_the_configuration_runs_without_this_package(run: Path) -> None:
    """These are the steps of PaddleDetection's tools/train.py."""
    from ppdet.core.workspace import load_config
    from ppdet.engine import Trainer
    from ppdet.utils.check import check_config

    from fairmot_dla34.training.paddle_engine.session import paddle_state

    with paddle_state(use_gpu=False, threads=1):
        config = load_config(str(run / "config.yml"))
        config["epoch"] = 1
        check_config(config)
        trainer = Trainer(config, mode="train")
        trainer.load_weights(config["pretrain_weights"])
        trainer.train()
    assert load_checkpoint(run / "config" / "model_final.pdparams").sizes.num_classes == 1


@paddle_only
@defaults
def test_a_resumed_run_ends_with_the_same_weights(
    run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(data, tmp_path / "run")
    begin = callbacks.RunCallbacks.on_epoch_begin

    def interrupt(self: callbacks.RunCallbacks, status: dict[str, Any]) -> None:
        begin(self, status)
        if status["epoch_id"] == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.RunCallbacks, "on_epoch_begin", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_with_paddle(config)
    with pytest.raises(ResumeError, match=r"lr is 0\.5"):
        train_with_paddle(replace(config, resume=True, lr=0.5))
    with pytest.raises(OutputError, match="earlier run"):
        train_with_paddle(config)
    summary = train_with_paddle(replace(config, resume=True))
    assert (summary.steps, summary.epochs) == (4, 2.0)
    expected, found = (load_checkpoint(folder / "last.pdparams").arrays for folder in (run, tmp_path / "run"))
    assert all(np.array_equal(expected[name], found[name]) for name in expected)
    assert [path.name for path in (tmp_path / "run" / "snapshots").iterdir()] == ["2"]


def _without_people(dataset: Dataset) -> None:
    dataset.images("train")[0].label_path.write_text("")


def _without_identities(dataset: Dataset) -> None:
    for image in dataset.images("train"):
        lines = [line.split() for line in image.label_path.read_text().splitlines()]
        image.label_path.write_text("".join(f"{row[0]} -1 {' '.join(row[2:])}\n" for row in lines))


@paddle_only
@defaults
@pytest.mark.parametrize("change", [_without_people, _without_identities])
def test_empty_labels_and_boxes_without_identities_are_trained(
    tmp_path: Path, change: Callable[[Dataset], None], caplog: pytest.LogCaptureFixture
) -> None:
    """PaddleDetection's own loader hangs on an image without people."""
    data = make_small_dataset(tmp_path, sequences=1, frames=3)
    change(Dataset.open(data))
    summary = train_with_paddle(config_of(data, tmp_path / "run", epochs=1))
    load_checkpoint(summary.best)
    assert ("1 of 3 training images have no people" in caplog.text) == (change is _without_people)


@paddle_only
@defaults
def test_a_damaged_file_is_named_instead_of_a_hang(tmp_path: Path) -> None:
    data = make_small_dataset(tmp_path, sequences=1, frames=2)
    image = Dataset.open(data).images("train")[1].path
    image.unlink()
    image.write_bytes(b"no image")
    with pytest.raises(DatasetError, match=image.name):
        train_with_paddle(config_of(data, tmp_path / "run"))


@paddle_only
@defaults
def test_a_diverged_run_names_the_files_instead_of_a_crash(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"at step \d.*\.jpg"):
        train_with_paddle(config_of(data, tmp_path / "run", lr=1e30))


@paddle_only
@defaults
def test_a_batch_larger_than_the_data_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="4 training images, fewer than a batch of 5"):
        train_with_paddle(config_of(data, tmp_path / "run", batch_size=5))
