"""A teacher defined outside the package: the worked example of docs/extending.md."""
# ruff: noqa: E402, ERA001 (the check comes first; the markers of the example)

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from small_dataset import make_small_dataset
from small_training import register_small, small_config

from fairmot_dla34.training import DistillationConfig, train

# isort: split
# ruff: isort: off
# example: start
from collections.abc import Callable

import torch
from torch import Tensor

from fairmot_dla34 import InputSize
from fairmot_dla34.training.distillation.teacher import TeacherOutputs

PATCH_PX = 14


class PatchTeacher:
    """Gives the features of a vision transformer, one for each patch, and nothing else."""

    name = "patches"
    input_size = InputSize(448, 224)  # the images that it is called with; without it, those of the student

    def __init__(self, encoder: Callable[[Tensor], Tensor]) -> None:
        self._encoder = encoder

    def __call__(self, images: Tensor) -> TeacherOutputs:  # (B, 3, H, W), RGB in [0, 1]
        mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], device=images.device)
        tokens = self._encoder((images - mean[:, None, None]) / deviation[:, None, None])  # (B, rows * columns, C)
        rows, columns = (side // PATCH_PX for side in images.shape[2:])
        return TeacherOutputs(features=tokens.transpose(1, 2).unflatten(2, (rows, columns)))


# example: end
# ruff: isort: on


def test_the_features_of_another_model_are_learned(tmp_path: Path) -> None:
    register_small()
    data = make_small_dataset(tmp_path, sequences=1, frames=4, size=(96, 64), people=3)
    torch.manual_seed(0)
    patches = torch.nn.Conv2d(3, 16, PATCH_PX, stride=PATCH_PX).requires_grad_(requires_grad=False)
    teacher = PatchTeacher(lambda images: patches(images).flatten(2).transpose(1, 2))
    only_features = DistillationConfig(features=100)
    train(small_config(data, tmp_path / "run", epochs=25, lr=1e-2, distillation=only_features), teacher=teacher)
    lines = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    first, *_, last = (line["loss_teacher_features"] for line in lines if line["kind"] == "step")
    assert last < 0.8 * first


def test_the_reported_speed_counts_the_teacher(tmp_path: Path) -> None:
    register_small()
    data = make_small_dataset(tmp_path, sequences=1, frames=4, size=(96, 64), people=3)
    patches = torch.nn.Conv2d(3, 16, PATCH_PX, stride=PATCH_PX).requires_grad_(requires_grad=False)

    def encode(images: Tensor) -> Tensor:
        time.sleep(0.3)
        return patches(images).flatten(2).transpose(1, 2)

    config = small_config(data, tmp_path / "run", epochs=2, batch_size=2, distillation=DistillationConfig(features=1))
    train(config, teacher=PatchTeacher(encode))
    steps = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    speeds = [line["images_per_s"] for line in steps if line["kind"] == "step"]
    assert speeds
    assert max(speeds) < 2 / 0.3
