"""Training of HRNetV2-W18: every array gets a gradient, and start weights with width and height are converted."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from fairmot_dla34.architectures import Checkpoint, HeadSizes, Network, find_architecture  # noqa: E402  (after the check)
from fairmot_dla34.backends import BackendOptions, create_backend  # noqa: E402
from fairmot_dla34.backends.selfcheck import random_checkpoint  # noqa: E402
from fairmot_dla34.config import InputSize  # noqa: E402
from fairmot_dla34.training.network.fairmot import FairMOTNetwork  # noqa: E402
from fairmot_dla34.training.start import start_network  # noqa: E402

HRNETV2 = find_architecture("hrnetv2_w18")


def test_a_step_reaches_every_array_and_the_file_gives_the_same_outputs() -> None:
    network = start_network(HRNETV2, None, num_classes=1, plain_neck=False, identities=True, seed=0)
    cells = torch.tensor([[0, 2, 3], [1, 5, 5]])
    outputs = network.train()(torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3)), cells)
    torch.stack([output.square().mean() for output in outputs]).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())
    assert all(bool(p.grad.any()) for name, p in network.named_parameters() if name.endswith("conv/weight"))

    size = InputSize(96, 64)
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    rgb = torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        heatmap = network.eval()(rgb, cells[:0]).heatmap.sigmoid().flatten().numpy()
    trained = Network(Checkpoint(HRNETV2, network.arrays()), size)
    with create_backend("openvino", trained, BackendOptions("fp32", threads=1, keep_compiled=False)) as backend:
        scores = backend.infer(image).scores
    np.testing.assert_allclose(scores[0], heatmap.max(), atol=1e-5)


def test_a_start_with_width_and_height_becomes_one_of_ltrb_distances() -> None:
    checkpoint = random_checkpoint(architecture=HRNETV2, sizes=HeadSizes(2, size_channels=2))
    network = start_network(HRNETV2, checkpoint, num_classes=2, plain_neck=False, identities=True, seed=0)
    assert isinstance(network, FairMOTNetwork)
    found, name = network.arrays(), "detector.head.size.2.conv.weight"
    half = checkpoint.arrays[name] / 2
    np.testing.assert_array_equal(found[name], np.concatenate([half, half]))
