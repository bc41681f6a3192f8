"""Training runs with a teacher: from labels, from plain videos, resumed, in two processes, and wrong settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from clips import corrupt, write_clip  # noqa: E402  (after the check)
from small_training import HEADS, WORDS, Small, arrays_of, register_small, same_arrays, small_config  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from fairmot_dla34 import InputSize  # noqa: E402
from fairmot_dla34.architectures import HeadSizes  # noqa: E402
from fairmot_dla34.commands.main import main  # noqa: E402
from fairmot_dla34.errors import (  # noqa: E402
    DatasetError,
    FairMOTError,
    InvalidInputError,
    OutputError,
    ResumeError,
    SourceError,
    UnknownWeightsError,
)
from fairmot_dla34.training import DistillationConfig, LossConfig, TrainingSummary, loop, train  # noqa: E402
from fairmot_dla34.training.distillation.teacher import TeacherOutputs  # noqa: E402
from fairmot_dla34.training.folder import claimed_folder  # noqa: E402
from fairmot_dla34.training.network.fairmot import FairMOTNetwork  # noqa: E402
from fairmot_dla34.training.paddle_engine.limits import check_settings  # noqa: E402
from fairmot_dla34.training.saving import write_weights  # noqa: E402

EPOCHS = 3
FOLDER = Path(__file__).parents[1]
LOSSES = {"teacher_heatmap", "teacher_features", "teacher_cosine", "teacher_relations", "teacher_boxes"}


@pytest.fixture(scope="module", autouse=True)
def _small() -> None:
    register_small()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("video") / "street.mp4", 6, rate=Fraction(5), size=(96, 64))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random network with embeddings of 6 numbers; the student has 128. It is sure of a part of its peaks."""
    return write_teacher(tmp_path_factory.mktemp("teacher") / "teacher.pdparams")


def write_teacher(path: Path, classes: int = 1) -> Path:
    network = FairMOTNetwork(Small(), HeadSizes(classes, 6))
    network.initialise(torch.Generator().manual_seed(3))
    with torch.no_grad():
        for name, tensor in network.tensors().items():
            if name.endswith("conv.weight") and not name.startswith("head"):
                tensor.mul_(20)
        network.tensors()[f"{HEADS.heatmap}.2.conv.bias"].fill_(-0.405)
    write_weights(path, network, InputSize(64, 64))
    return path


def distil(data: Path, folder: Path, teacher: Path | None, **settings: Any) -> TrainingSummary:
    return train(small_config(data, folder, teacher=teacher, **{"epochs": EPOCHS, **settings}))


def records(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [record for record in map(json.loads, lines) if record["kind"] == "step"]


def losses_of(folder: Path) -> set[str]:
    return {name.removeprefix("loss_") for record in records(folder) for name in record if name.startswith("loss_")}


@pytest.fixture(scope="module")
def whole(video: Path, teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run on a plain video that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    distil(video, folder, teacher)
    return folder


def test_a_plain_video_is_enough(whole: Path, teacher: Path) -> None:
    """Nothing but the teacher is learned, and the weights have the arrays of the student only."""
    assert losses_of(whole) == LOSSES
    assert arrays_of(whole / "last.pdparams").keys() == arrays_of(teacher).keys()
    card = (whole / "last.md").read_text()
    assert "- teacher: `teacher.pdparams`, SHA-256 `" in card
    assert "frames without labels" in card
    assert "| `teacher_input_size` | `64x64` |" in card


def test_adapters_are_in_the_state_only(whole: Path) -> None:
    state = torch.load(whole / "state.pt", weights_only=True)
    adapters = {name for name in state["model"] if name.startswith("distillation.")}
    assert adapters == {"distillation.feature_adapter.weight", "distillation.embedding_adapter.weight"}


@pytest.mark.parametrize("size", [None, InputSize(96, 96)])
def test_the_student_comes_closer_to_its_teacher(
    video: Path, teacher: Path, size: InputSize | None, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"lr": 3e-3, "loss": LossConfig(neighbours=True), "teacher_input_size": size}
    distil(video, tmp_path / "run", teacher, epochs=25, **settings)
    steps = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["progress"]["step"]
    assert steps == 75
    first, last = (record["loss"] for record in (records(tmp_path / "run")[0], records(tmp_path / "run")[-1]))
    assert last < 0.75 * first


def test_labels_and_teacher_both_count(data: Path, teacher: Path, tmp_path: Path) -> None:
    distil(data, tmp_path / "both", teacher, epochs=1)
    assert losses_of(tmp_path / "both") == {"heatmap", "size", "offset", "identity"} | LOSSES


def test_videos_and_labelled_data_are_mixed(data: Path, video: Path, teacher: Path, tmp_path: Path) -> None:
    config = replace(small_config(data, tmp_path / "run", teacher=teacher, epochs=1), data=(data, video))
    summary = train(config)
    assert summary.steps == 6
    assert losses_of(tmp_path / "run") == {"heatmap", "size", "offset", "identity"} | LOSSES


def test_a_frame_without_labels_adds_nothing_to_the_losses_of_labels(whole: Path) -> None:
    from fairmot_dla34.datasets import Dataset
    from fairmot_dla34.training.batches.source import BatchSource
    from fairmot_dla34.training.losses.terms import focal_loss

    (folder,) = (whole / "frames").iterdir()
    dataset = Dataset.open(folder)
    source = BatchSource(
        [dataset], input_size=InputSize(96, 64), stride=4, num_classes=1, batch_size=2, seed=0, loss=LossConfig()
    )
    for epoch in range(5):
        with source.batches(epoch) as batches:
            for batch in batches:
                assert float(focal_loss(torch.full_like(batch.targets.heatmap, 3.0), batch.targets)) == 0


def test_contrastive_pairs_have_a_teacher_too(data: Path, video: Path, teacher: Path, tmp_path: Path) -> None:
    distil(data, tmp_path / "labels", teacher, epochs=1, loss=LossConfig(contrastive=True))
    distil(video, tmp_path / "video", teacher, epochs=1, loss=LossConfig(contrastive=True))
    assert losses_of(tmp_path / "video") == LOSSES


def test_bf16_teaches_too(video: Path, teacher: Path, tmp_path: Path) -> None:
    distil(video, tmp_path / "run", teacher, epochs=1, precision="bf16")
    assert losses_of(tmp_path / "run") == LOSSES


def stop_after(steps: int, patch: pytest.MonkeyPatch) -> None:
    """Let Ctrl-C arrive between two steps."""
    agree = loop.TrainingLoop._agree

    def interrupted(self: Any, batch: Any, progress: Any) -> Any:
        if progress.step == steps:
            raise KeyboardInterrupt
        return agree(self, batch, progress)

    patch.setattr(loop.TrainingLoop, "_agree", interrupted)


def test_a_resumed_run_gives_the_same_bits(
    video: Path, teacher: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_after(4, patch)
        with pytest.raises(KeyboardInterrupt):
            distil(video, tmp_path / "run", teacher)
    distil(video, tmp_path / "run", teacher, resume=True)
    assert same_arrays(tmp_path / "run" / "last.pdparams", whole / "last.pdparams")
    one, other = (torch.load(folder / "state.pt", weights_only=True)["model"] for folder in (tmp_path / "run", whole))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_a_run_is_resumed_with_its_own_teacher_only(video: Path, teacher: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    distil(data, folder, teacher, epochs=1)
    with pytest.raises(ResumeError, match=r"distillation is not given, but the run .* was started with heatmap=1"):
        distil(data, folder, None, epochs=2, resume=True)
    with pytest.raises(ResumeError, match="distillation is heatmap=1,features=0"):
        distil(data, folder, teacher, epochs=2, resume=True, distillation=DistillationConfig(features=0))
    with pytest.raises(ResumeError, match="data is street"):
        distil(video, folder, teacher, epochs=2, resume=True)


def test_a_run_without_a_teacher_does_not_change(data: Path, tmp_path: Path) -> None:
    """No setting of a teacher is in its state, so that runs of earlier versions are resumed."""
    distil(data, tmp_path / "run", None, epochs=1)
    settings = torch.load(tmp_path / "run" / "state.pt", weights_only=True)["settings"]
    assert not {"teacher", "teacher_input_size", "distillation"} & settings.keys()


class Frozen(nn.Module):  # type: ignore[misc]  # torch is imported by importorskip
    """A random network with a feature map and nothing else, such as a vision transformer's patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 14, stride=14)
        self.input_size = InputSize(224, 224)

    def forward(self, images: Tensor) -> TeacherOutputs:
        assert images.shape[1:] == (3, 224, 224)
        assert 0 <= float(images.min()) <= float(images.max()) <= 1
        return TeacherOutputs(features=self.patches(images))


def test_any_frozen_network_teaches(data: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = Frozen()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train(small_config(data, tmp_path / "run", epochs=1), teacher=network)
    assert losses_of(tmp_path / "run") == {"heatmap", "size", "offset", "identity", "teacher_features"}
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert "Frozen" in (tmp_path / "run" / "last.md").read_text()


# Wrong settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"teacher_input_size": InputSize(64, 64)}, "teacher_input_size is 64x64 without a teacher"),
        ({"distillation": DistillationConfig()}, "distillation is heatmap=1.* without a teacher"),
    ],
)
def test_settings_of_a_teacher_need_one(settings: dict[str, Any], message: str, data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        distil(data, tmp_path / "run", None, **settings)


@pytest.mark.parametrize("name", ["giou", "sequence_ids", "fixed_weights"])
def test_losses_of_labels_are_refused_without_labels(name: str, video: Path, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=f"loss has {name}, but the data has no labels"):
        distil(video, tmp_path / "run", teacher, loss=LossConfig(**{name: True}))


def test_a_teacher_of_other_classes_is_refused(data: Path, tmp_path: Path) -> None:
    two = write_teacher(tmp_path / "two.pdparams", classes=2)
    with pytest.raises(InvalidInputError, match=r"two\.pdparams has 2 classes, and the data has 1 \(person\)"):
        distil(data, tmp_path / "run", two)


def test_an_unknown_teacher_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownWeightsError, match="nobody"):
        distil(data, tmp_path / "run", Path("nobody"))
    assert not (tmp_path / "run").exists()


def test_two_teachers_are_refused(data: Path, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="expected one of them"):
        train(small_config(data, tmp_path / "run", teacher=teacher), teacher=Frozen())
    with pytest.raises(InvalidInputError, match="attribute input_size"):
        train(small_config(data, tmp_path / "run", teacher_input_size=InputSize(64, 64)), teacher=Frozen())


def test_a_video_needs_a_teacher_and_must_exist(video: Path, data: Path, teacher: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"street\.mp4.* needs --teacher"):
        distil(video, tmp_path / "run", None)
    with pytest.raises(SourceError, match=r"nowhere\.mp4 does not exist"):
        distil(tmp_path / "nowhere.mp4", tmp_path / "run", teacher)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images and is no prepared dataset"):
        distil(tmp_path / "empty", tmp_path / "run", teacher)


def damaged_video(path: Path, kind: str) -> Path:
    """Write a video that cannot be read: cut off before its index, with noise for images, or empty."""
    write_clip(path, 6, rate=Fraction(5), size=(96, 64), g="1")
    if kind == "noise":
        return corrupt(path, range(6))
    path.write_bytes(path.read_bytes()[: {"empty": 0, "header": 40, "cut": 800}[kind]])
    return path


@pytest.mark.parametrize("kind", ["empty", "header", "cut", "noise"])
def test_a_video_that_cannot_be_read_leaves_nothing(kind: str, teacher: Path, tmp_path: Path) -> None:
    broken = damaged_video(tmp_path / "broken.mp4", kind)
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        distil(broken, tmp_path / "runs" / "camera" / "1", teacher)
    assert list(tmp_path.iterdir()) == [broken]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        distil(broken, tmp_path / "mine", teacher)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_frames_of_an_intact_video_are_kept_beside_a_broken_one(video: Path, teacher: Path, tmp_path: Path) -> None:
    """The command is repeated when the broken video is replaced, and reads only that one."""
    broken, run = damaged_video(tmp_path / "broken.mp4", "cut"), tmp_path / "run"
    config = replace(small_config(video, run, teacher=teacher, epochs=1), data=(video, broken))
    with pytest.raises(SourceError, match=r"broken\.mp4"):
        train(config)
    assert [path.name for path in (run / "frames").iterdir()] == ["1-street"]
    made = (run / "frames" / "1-street" / "dataset.json").stat().st_mtime_ns
    write_clip(broken, 4, rate=Fraction(5), size=(96, 64))
    train(config)
    assert (run / "frames" / "1-street" / "dataset.json").stat().st_mtime_ns == made
    assert len(list((run / "frames").iterdir())) == 2


def test_the_lock_of_another_run_stays(video: Path, teacher: Path, tmp_path: Path) -> None:
    broken = damaged_video(tmp_path / "broken.mp4", "cut")
    with claimed_folder(tmp_path / "run", resume=False, overwrite=False):
        with pytest.raises(OutputError, match="in use by another training run"):
            distil(broken, tmp_path / "run", teacher)
        with pytest.raises(OutputError, match="in use by another training run"):
            distil(video, tmp_path / "run", teacher)


def test_frames_without_labels_are_not_trained_on_alone_nor_validated_on(
    data: Path, whole: Path, teacher: Path, tmp_path: Path
) -> None:
    (frames,) = (whole / "frames").iterdir()
    with pytest.raises(DatasetError, match="has no labels; expected labels, or a --teacher"):
        distil(frames, tmp_path / "run", None)
    with pytest.raises(DatasetError, match="has no labels; expected labels to validate on"):
        distil(data, tmp_path / "run", teacher, val=(frames,))


def test_an_earlier_run_is_kept_before_the_video_is_read(
    video: Path, data: Path, teacher: Path, tmp_path: Path
) -> None:
    distil(data, tmp_path / "run", teacher, epochs=1)
    before = (tmp_path / "run" / "last.pdparams").read_bytes()
    with pytest.raises(OutputError, match="has an earlier run"):
        distil(video, tmp_path / "run", teacher)
    assert not (tmp_path / "run" / "frames").exists()
    with pytest.raises(FairMOTError):  # found after the video was read
        distil(video, tmp_path / "run", teacher, weights="nobody", overwrite=True)
    assert (tmp_path / "run" / "last.pdparams").read_bytes() == before


@pytest.mark.parametrize(
    "settings",
    [{"teacher": "sample"}, {"teacher_input_size": InputSize(64, 64)}, {"distillation": DistillationConfig()}],
)
def test_paddledetection_has_no_teacher(settings: dict[str, Any], data: Path, tmp_path: Path) -> None:
    config = small_config(data, tmp_path / "run", arch=None, **settings)
    with pytest.raises(InvalidInputError, match="PaddleDetection trains without a teacher"):
        check_settings(config)


def test_the_command_takes_a_teacher(video: Path, teacher: Path, tmp_path: Path) -> None:
    words = ["--weights", "none", "--teacher", teacher, "--distillation", "features=0", "--epochs", "1"]
    main(["train", *WORDS, "--data", str(video), *map(str, words), "--output-dir", str(tmp_path / "run")])
    assert losses_of(tmp_path / "run") == LOSSES - {"teacher_features"}


@pytest.mark.parametrize("words", [["--distillation", "colours=1"], ["--teacher-input-size", "65x64"]])
def test_wrong_words_are_wrong_usage(words: list[str], data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["train", "--data", str(data), "--teacher", "sample", *words])
    assert error.value.code == 2
    assert words[0] in capsys.readouterr().err


# Several processes


@pytest.mark.serial
def test_two_processes_give_the_weights_of_one(video: Path, teacher: Path, tmp_path: Path) -> None:
    """The relations are left out: each process compares its own images. One process has no people at times."""
    words = ["--data", video, "--teacher", teacher, "--distillation", "relations=0", "--epochs", str(EPOCHS)]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    paths = os.pathsep.join((str(FOLDER), str(FOLDER.parent)))
    result = subprocess.run(
        [*command, str(FOLDER / "distributed_command.py"), *map(str, words), "--output-dir", str(tmp_path / "two")],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
        capture_output=True, text=True, timeout=120, check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    distil(video, tmp_path / "one", teacher, distillation=DistillationConfig(relations=0))
    first, second = (arrays_of(tmp_path / name / "last.pdparams") for name in ("one", "two"))
    for name, array in first.items():
        if name not in {"neck.conv.conv_dcn.bias", "neck.norm._mean"}:  # they follow rounding errors
            assert abs(array - second[name]).max() < 5e-5, name
