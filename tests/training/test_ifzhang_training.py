"""HRNet and YOLOv5s of ifzhang/FairMOT in PyTorch: outputs of the original code, and a run whose file tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from seeded_network import CELLS, SIZES, golden_outputs, seeded_arrays, seeded_image
from small_dataset import make_small_dataset

from fairmot_dla34.architectures import find_architecture
from fairmot_dla34.commands.main import main
from fairmot_dla34.training.network.fairmot import FairMOTNetwork
from fairmot_dla34.training.validation.torch_backend import image_tensor
from fairmot_dla34.weights import load_checkpoint

pytestmark = pytest.mark.train


@pytest.mark.parametrize("name", sorted(SIZES))
def test_the_network_computes_what_the_original_code_computed(name: str) -> None:
    architecture, golden = find_architecture(name), golden_outputs(name)
    network = FairMOTNetwork(architecture, SIZES[name]).eval()
    network.load_arrays(seeded_arrays(architecture))
    places = torch.tensor([(0, cell // 24, cell % 24) for cell in CELLS])
    with torch.no_grad():
        outputs = network(image_tensor(seeded_image(), torch.device("cpu")), places)
    for head, wanted in golden.items():
        found = getattr(outputs, head).squeeze().numpy()
        np.testing.assert_allclose(found, wanted, atol=2e-5 * np.abs(wanted).max(), rtol=0, err_msg=head)


@pytest.mark.parametrize("name", ["hrnet_18", "yolov5s"])
def test_a_training_run_from_random_numbers_writes_a_file_that_tracks(name: str, tmp_path: Path) -> None:
    data = make_small_dataset(tmp_path, sequences=1, frames=4, size=(128, 96), people=3)
    words = [
        "--weights",
        "none",
        "--input-size",
        "64x64",
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--precision",
        "fp32",
        "--threads",
        "1",
    ]
    run = tmp_path / "run"
    assert main(["train", "--data", str(data), "--arch", name, "--output-dir", str(run), *words]) == 0
    file = run / "best.pdparams"
    checkpoint = load_checkpoint(file)
    assert (checkpoint.architecture.name, checkpoint.sizes) == (name, SIZES[name])
    images = next(path for path in (tmp_path / "source").rglob("img1"))
    assert main(["track", str(images), "--weights", str(file), "--output-dir", str(tmp_path / "tracks")]) == 0


def test_weights_of_another_architecture_are_refused_before_they_are_downloaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_small_dataset(tmp_path, sequences=1, frames=2, size=(128, 96), people=3)
    words = ["train", "--data", str(data), "--arch", "yolov5s", "--output-dir", str(tmp_path / "run")]
    with pytest.raises(SystemExit, match="2"):
        main(words)
    message = capsys.readouterr().err
    assert "arch is yolov5s, but fairmot_dla34_30e_1088x608 is a checkpoint of dla34" in message
    assert "downloading" not in message
    with pytest.raises(SystemExit, match="2"):
        main([*words, "--weights", "none", "--plain-neck"])
    assert "yolov5s has no deformable convolutions" in capsys.readouterr().err
