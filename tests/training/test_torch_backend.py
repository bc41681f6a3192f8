"""The backend on the PyTorch network: equal to OpenVINO's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from fairmot_dla34.architectures import Network
from fairmot_dla34.backends import BackendOptions, create_backend
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import BackendError, OutOfMemoryError
from fairmot_dla34.geometry import Letterbox
from fairmot_dla34.synth import Scene, SceneConfig
from fairmot_dla34.training.network.fairmot import FairMOTNetwork
from fairmot_dla34.training.validation.torch_backend import TorchBackend, backend_info, inference
from fairmot_dla34.weights import load_checkpoint, resolve_weights

pytestmark = pytest.mark.train


@pytest.mark.parametrize("weights", ["sample", "random"])
@pytest.mark.parametrize("size", ["320x192", "256x320"])
def test_equal_to_openvino(weights: str, size: str) -> None:
    checkpoint = load_checkpoint(Path(resolve_weights("sample"))) if weights == "sample" else random_checkpoint(1)
    input_size = InputSize.parse(size)
    network = FairMOTNetwork(checkpoint.architecture, checkpoint.sizes)
    network.load_arrays(checkpoint.arrays)
    network.eval()
    options = BackendOptions("fp32", threads=1, keep_compiled=False)
    scene = Scene(SceneConfig(seed=5, width=480, height=270, people=8, person_height=(0.3, 0.7))).frame(3)
    image = Letterbox(480, 270, input_size).apply(scene.image)
    with (
        create_backend("openvino", Network(checkpoint, input_size), options) as openvino,
        TorchBackend(network, input_size) as backend,
    ):
        expected, found = openvino.infer(image), backend.infer(image)
    likely = int((expected.scores > 0.02).sum())  # of lower peaks, the order is left to rounding
    assert likely >= 3
    assert abs(len(found) - len(expected)) < 20
    np.testing.assert_allclose(found.scores[:likely], expected.scores[:likely], atol=1e-4)
    same = np.abs(found.boxes[:likely] - expected.boxes[:likely]).max(axis=1) < 1e-3
    assert found.embeddings is not None
    assert expected.embeddings is not None
    similarity = (found.embeddings[:likely] * expected.embeddings[:likely]).sum(axis=1)
    assert same.mean() > 0.95, "all but peaks of nearly equal scores, which may change places"
    assert similarity[same].min() > 1 - 1e-4
    if weights == "sample":
        assert same.all()


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), OutOfMemoryError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), OutOfMemoryError),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), BackendError),
    ],
)
def test_errors_of_pytorch_are_those_of_a_backend(problem: RuntimeError, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=r"torch .* on cpu"), inference(backend_info(torch.device("cpu"))):
        raise problem
