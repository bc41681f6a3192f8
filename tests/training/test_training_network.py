"""Tests of the network in PyTorch: equal to the ONNX graph, trainable in parts, of any architecture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from fairmot_dla34.architectures import Checkpoint, HeadSizes, Network, find_architecture  # noqa: E402  (after the check)
from fairmot_dla34.architectures.dla34.structure import HEADS  # noqa: E402
from fairmot_dla34.backends import BackendOptions, create_backend  # noqa: E402
from fairmot_dla34.config import InputSize  # noqa: E402
from fairmot_dla34.errors import CheckpointError, InvalidInputError  # noqa: E402
from fairmot_dla34.training.network.fairmot import FairMOTNetwork  # noqa: E402
from fairmot_dla34.weights import resolve_weights  # noqa: E402
from fairmot_dla34.weights.checkpoint_file import load_checkpoint  # noqa: E402

DLA34 = find_architecture("dla34")
CELLS = [[0, 2, 3], [0, 0, 0], [1, 15, 15]]


def initial(**options: Any) -> FairMOTNetwork:
    network = FairMOTNetwork(DLA34, HeadSizes(), **options)
    network.initialise(torch.Generator().manual_seed(0))
    network.train()
    return network


def run(network: FairMOTNetwork) -> Any:
    generator = torch.Generator().manual_seed(3)
    return network(torch.rand(2, 3, 64, 64, generator=generator), torch.tensor(CELLS))


def backward(network: FairMOTNetwork) -> None:
    torch.stack([output.float().square().mean() for output in run(network)]).sum().backward()


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    return dict(load_checkpoint(resolve_weights("sample")).arrays)


def test_inference_equals_the_default_backend(sample: dict[str, Any]) -> None:
    """With offsets of about a cell, so that the deformable layers do something."""
    rng = np.random.default_rng(0)
    arrays = sample | {n: rng.normal(0, 0.02, a.shape).astype(np.float32) for n, a in sample.items() if "offset." in n}
    image = rng.integers(0, 256, (64, 96, 3), np.uint8)
    options = BackendOptions(precision="fp32", threads=1)
    with create_backend("openvino", Network(Checkpoint(DLA34, arrays), InputSize(96, 64)), options) as backend:
        peaks = backend.infer(image)
    network = FairMOTNetwork(DLA34, HeadSizes()).eval()
    network.load_arrays(arrays)
    rows, columns = np.divmod(np.arange(16 * 24), 24)
    cells = torch.from_numpy(np.stack((np.zeros_like(rows), rows, columns), axis=1))
    rgb = np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)[None]).astype(np.float32) / 255
    with torch.no_grad():
        outputs = network(torch.from_numpy(rgb), cells)
    centres = cells[:, [2, 1]] + outputs.offset
    boxes = 4 * torch.cat((centres - outputs.size[:, :2], centres + outputs.size[:, 2:]), dim=1).numpy()
    units = torch.nn.functional.normalize(outputs.embedding).numpy()
    scores = outputs.heatmap[0, 0].sigmoid().flatten().numpy()
    assert len(peaks.scores) > 3
    assert peaks.embeddings is not None
    for box, score, embedding in zip(peaks.boxes, peaks.scores, peaks.embeddings, strict=True):
        cell = np.abs(boxes - box).max(axis=1).argmin()
        np.testing.assert_allclose(boxes[cell], box, atol=5e-3)
        np.testing.assert_allclose(scores[cell], score, atol=1e-4)
        np.testing.assert_allclose(units[cell], embedding, atol=1e-3)


def test_arrays_come_back_as_loaded(sample: dict[str, Any]) -> None:
    network = FairMOTNetwork(DLA34, HeadSizes())
    network.load_arrays(sample)
    found = network.arrays()
    assert found.keys() == sample.keys()
    assert all(np.array_equal(found[name], sample[name]) for name in sample)


def test_arrays_of_other_heads_are_refused(sample: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="with 2 classes and embeddings of 128 numbers"):
        FairMOTNetwork(DLA34, HeadSizes(num_classes=2)).load_arrays(sample)
    with pytest.raises(CheckpointError, match="no such array"):
        FairMOTNetwork(DLA34, HeadSizes()).load_arrays({})


def test_every_trainable_parameter_and_no_other_has_a_gradient() -> None:
    for options in ({}, {"plain_neck": True}, {"identities": False}):
        network = initial(**options)
        outputs = run(network)
        used = outputs if options != {"identities": False} else outputs[:3]
        torch.stack([output.square().mean() for output in used]).sum().backward()
        named = network.tensors().items()
        without = {name for name, tensor in named if tensor.grad is None}
        names = {name for name, tensor in named if not isinstance(tensor, torch.nn.Parameter)}
        names |= {name for name, tensor in named if ".level3.project." in name or ".level4.project." in name}
        if options == {"plain_neck": True}:
            names |= {name for name, _ in named if ".conv_offset." in name}
        if options == {"identities": False}:
            names |= {name for name, _ in named if name.startswith("reid.")}
        assert without == names
        assert len(network.trainable()) == len(list(named)) - len(names)


def test_a_plain_neck_is_the_deformable_one_without_offsets(sample: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    moved = {n: rng.normal(0, 0.1, a.shape).astype(np.float32) if "offset." in n else a for n, a in sample.items()}
    plain, deformable = FairMOTNetwork(DLA34, plain_neck=True).eval(), FairMOTNetwork(DLA34).eval()
    plain.load_arrays(moved)
    assert not any(array.any() for name, array in plain.arrays().items() if ".conv_offset." in name)
    deformable.load_arrays(plain.arrays())
    for a, b in zip(run(plain), run(deformable), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_a_frozen_backbone_does_not_change() -> None:
    network = initial()
    network.freeze(["backbone"])
    before = network.arrays()
    optimizer = torch.optim.Adam(network.trainable())
    backward(network)
    optimizer.step()
    after = network.arrays()
    changed = {name for name, array in after.items() if not np.array_equal(array, before[name])}
    assert changed
    assert not any(name.startswith("detector.backbone.") for name in changed)
    assert "detector.neck.ida_up.node_1.0.norm._mean" in changed


def test_frozen_norms_keep_their_statistics_and_train_their_factors() -> None:
    network = initial()
    network.freeze(["norms"])
    before = network.arrays()
    backward(network)
    assert all(np.array_equal(array, before[name]) for name, array in network.arrays().items())
    assert network.tensors()["detector.backbone.base_layer.0.norm.weight"].grad is not None


def test_freezing_an_unknown_part_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="neck"):
        initial().freeze(["neck"])


def test_the_random_start_has_paddle_detections_distributions() -> None:
    """The parity tests compare it with PaddleDetection's own; here without it."""
    arrays = initial().arrays()
    assert arrays["detector.backbone.level5.tree1.conv2.conv.weight"].std() == pytest.approx(0.01, rel=0.01)
    weight = arrays["detector.neck.ida_up.node_1.0.conv.conv_dcn.weight"]
    assert np.abs(weight).max() == pytest.approx(1 / np.sqrt(9 * 128), rel=0.01)  # the inputs of proj_1
    assert np.abs(arrays["reid.reid.0.conv.weight"]).max() == pytest.approx(1 / 24, rel=0.01)
    assert arrays[f"{HEADS.heatmap}.2.conv.bias"] == pytest.approx(-2.19)
    np.testing.assert_allclose(arrays["detector.neck.ida_up.up_1.weight"][3, 0, 0], np.array([1, 3, 3, 1]) / 16)
    assert arrays["detector.backbone.level2.root.conv.norm._variance"].min() == 1
    assert not arrays["detector.neck.ida_up.node_1.0.conv.conv_offset.weight"].any()


@pytest.mark.parametrize("plain_neck", [False, True])
def test_bf16_is_close_to_float32_and_trains(sample: dict[str, Any], plain_neck: bool) -> None:
    network = FairMOTNetwork(DLA34, plain_neck=plain_neck).eval()
    network.load_arrays(sample)
    exact = run(network)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = run(network)
        in_training = run(network.train())
    for a, b in zip(exact, rounded, strict=True):
        assert b.dtype == torch.bfloat16
        assert (a - b.float()).abs().max() < 0.05 * a.abs().max()
    torch.stack([output.float().square().mean() for output in in_training]).sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in network.trainable())


def test_no_cells_leave_the_heads_at_cells_without_a_gradient_but_finite() -> None:
    network = initial()
    outputs = network(torch.rand(1, 3, 64, 64), torch.empty(0, 3, dtype=torch.int64))
    (outputs.heatmap.mean() + outputs.size.sum() + outputs.embedding.sum() + outputs.offset.sum()).backward()
    assert not network.tensors()["reid.reid.2.conv.weight"].grad.any()


def test_an_architecture_without_heads_is_refused() -> None:
    class Untrainable(type(DLA34)):  # type: ignore[misc]
        heads = None

    with pytest.raises(InvalidInputError, match="cannot be trained"):
        FairMOTNetwork(Untrainable(), HeadSizes())
