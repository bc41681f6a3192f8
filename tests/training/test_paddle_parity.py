"""Parity of training with PaddleDetection: targets, losses, gradients and a step of Adam, on equal weights and batch.

The computation is the same; rounding is not. So it is compared in float64, where any other formula would show, and in
float32, within what rounding leaves. Two kinds of arrays are left out, which have no effect on the network:

- The biases of deformable convolutions: batch norm removes them, so that their gradients are 0 but for rounding, which
  Adam turns into steps of any sign.
- The running statistics of ``level3.project`` and ``level4.project``, which PaddleDetection computes and never uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch")
pytest.importorskip("ppdet")
pytestmark = [pytest.mark.paddle, pytest.mark.train, pytest.mark.filterwarnings("default")]  # Paddle's own warnings

from paddle_fairmot import arrays_of, build_model, gradients_of, losses_of, set_arrays, targets_of  # noqa: E402

from fairmot_dla34.architectures import HeadSizes, find_architecture  # noqa: E402  (after the checks)
from fairmot_dla34.config import InputSize  # noqa: E402
from fairmot_dla34.datasets.values import ImageLabels  # noqa: E402
from fairmot_dla34.training.losses.fairmot_loss import FairMOTLoss  # noqa: E402
from fairmot_dla34.training.losses.targets import make_targets  # noqa: E402
from fairmot_dla34.training.network.fairmot import FairMOTNetwork  # noqa: E402
from fairmot_dla34.weights import resolve_weights  # noqa: E402
from fairmot_dla34.weights.checkpoint_file import load_checkpoint  # noqa: E402

SIZE = InputSize(192, 128)
IDENTITIES = 50
RATE = 1e-4  # fairmot_dla34_30e_1088x608.yml: Adam without regularisation
LOSSES = {"heatmap": "heatmap_loss", "size": "size_loss", "offset": "offset_loss", "identity": "reid_loss"}
WITHOUT_EFFECT = re.compile(r".*conv_dcn\.bias|detector\.backbone\.level[34]\.project\.norm\._.*")

Float = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Step:
    """Losses, gradients and arrays of one step, by PaddleDetection's names."""

    losses: dict[str, float]
    gradients: dict[str, Float]
    arrays: dict[str, Float]


def labels(rng: np.random.Generator, number: int, num_classes: int = 1, size: InputSize = SIZE) -> ImageLabels:
    """Return boxes at sixteenths of a px, some beyond the image, some without identity, two in the same cell."""
    centres = rng.uniform([-8, -8], [size.width + 8, size.height + 8], (number, 2))
    sides = rng.uniform(3, 100, (number, 2))
    centres[1:2] = centres[:1]
    boxes = np.round(np.concatenate((centres - sides / 2, centres + sides / 2), axis=1) * 16) / 16
    ids = rng.integers(-1, IDENTITIES, number)
    return ImageLabels(
        boxes.astype(np.float32), ids, rng.integers(0, num_classes, number), np.empty((0, 4), np.float32)
    )


def start_arrays(start: str, dtype: str) -> dict[str, Float]:
    """Return PaddleDetection's random start, or the sample weights with random offsets of about half a cell."""
    if start == "random":
        return {}
    rng = np.random.default_rng(7)
    arrays = dict(load_checkpoint(resolve_weights("sample")).arrays)
    moved = {name: rng.normal(size=a.shape) * 0.02 for name, a in arrays.items() if ".conv_offset." in name}
    return {name: array.astype(dtype) for name, array in (arrays | moved).items()}


@pytest.fixture(autouse=True)
def _paddle_epsilon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paddle keeps the epsilon of batch norm in float32, in float64 networks too."""
    dla34 = find_architecture("dla34")
    monkeypatch.setattr(dla34, "norm_epsilon", float(np.float32(dla34.norm_epsilon)))


def both_steps(start: str, dtype: str, size: InputSize = SIZE) -> tuple[Step, Step]:
    """Return PaddleDetection's step and ours, from the same weights on the same batch."""
    import paddle

    rng = np.random.default_rng(8)
    batch = [labels(rng, 12, size=size), labels(rng, 5, size=size)]
    images = rng.random((len(batch), 3, size.height, size.width)).astype(dtype)
    paddle.set_default_dtype(dtype)
    try:
        model = build_model(IDENTITIES)
    finally:
        paddle.set_default_dtype("float32")
    set_arrays(model, start_arrays(start, dtype))
    first = arrays_of(model)
    optimizer = paddle.optimizer.Adam(RATE, parameters=model.parameters())
    losses = losses_of(model, images, targets_of(batch, size))
    losses["loss"].backward()
    reference_losses = {name: float(loss) for name, loss in losses.items() if name.endswith("loss")}
    gradients = gradients_of(model)
    optimizer.step()
    return Step(reference_losses, gradients, arrays_of(model)), our_step(first, images, batch, size)


def our_step(first: dict[str, Float], images: Float, batch: list[ImageLabels], size: InputSize) -> Step:
    network, loss = FairMOTNetwork(find_architecture("dla34"), HeadSizes()), FairMOTLoss(IDENTITIES, 128)
    kind = torch.from_numpy(images).dtype
    network.to(kind).train().load_arrays(first)
    assert loss.to(kind).load_arrays(first) == []
    targets = make_targets(batch, size, stride=4, num_classes=1)
    total, parts = loss(network(torch.from_numpy(images), targets.cells), targets)
    optimizer = torch.optim.Adam([*network.trainable(), *loss.parameters()], lr=RATE)
    total.backward()
    gradients = {name: t.grad.numpy().copy() for name, t in network.tensors().items() if t.grad is not None}
    for name, parameter in loss.named_parameters():
        gradients[f"{'reid' if 'classifier' in name else 'loss'}.{name}"] = parameter.grad.numpy().T.copy()
    optimizer.step()
    arrays = {name: tensor.detach().numpy() for name, tensor in network.tensors().items()}
    losses = {LOSSES[name]: float(part) for name, part in parts.items()} | {"loss": total.item()}
    return Step(losses, gradients, arrays)


def relative_differences(ours: dict[str, Float], theirs: dict[str, Float]) -> dict[str, float]:
    """Return the largest difference of each array, relative to the array's largest number."""
    names = [name for name in ours if not WITHOUT_EFFECT.fullmatch(name)]
    return {name: float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in names}


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("size", [InputSize(256, 128), InputSize(512, 32)])
def test_targets_are_equal(size: InputSize, num_classes: int) -> None:
    """Equal to the last bit in sizes that are powers of 2, whose normalised coordinates float32 holds exactly."""
    rng = np.random.default_rng(9)
    batch = [labels(rng, 40, num_classes, size), ImageLabels.empty(), labels(rng, 3, num_classes, size)]
    theirs, ours = targets_of(batch, size, num_classes), make_targets(batch, size, stride=4, num_classes=num_classes)
    present = theirs["index_mask"] > 0
    image = np.nonzero(present)[0]
    cells = theirs["index"][present]
    columns = size.width // 4
    np.testing.assert_array_equal(ours.heatmap.numpy(), theirs["heatmap"])
    np.testing.assert_array_equal(ours.cells.numpy(), np.stack((image, cells // columns, cells % columns), axis=1))
    np.testing.assert_array_equal(ours.sizes.numpy(), theirs["size"][present])
    np.testing.assert_array_equal(ours.offsets.numpy(), theirs["offset"][present])
    np.testing.assert_array_equal(ours.ids.numpy(), theirs["reid"][present])
    assert ours.heatmap_mask.all()
    assert ours.centres.all()


@pytest.mark.parametrize("start", ["random", "trained"])
def test_a_step_in_float64_is_equal(start: str) -> None:
    theirs, ours = both_steps(start, "float64")
    for name, loss in ours.losses.items():
        assert loss == pytest.approx(theirs.losses[name], rel=1e-9), name
    assert max(relative_differences(ours.gradients, theirs.gradients).values()) < 1e-8
    for name, array in ours.arrays.items():
        if not WITHOUT_EFFECT.fullmatch(name):
            # Running variances are up to 500; Paddle keeps its momentum in float32.
            np.testing.assert_allclose(array, theirs.arrays[name], rtol=1e-6, atol=1e-6, err_msg=name)


def test_a_step_in_float32_is_equal_but_for_rounding() -> None:
    """Rounding moves single values across the kinks of ReLU, so that gradients agree as a whole, not one by one."""
    theirs, ours = both_steps("trained", "float32")
    for name, loss in ours.losses.items():
        assert loss == pytest.approx(theirs.losses[name], rel=3e-5), name
    names = [name for name in ours.gradients if not WITHOUT_EFFECT.fullmatch(name)]
    a, b = (np.concatenate([g[name].ravel() for name in names]) for g in (ours.gradients, theirs.gradients))
    assert a @ b / np.sqrt((a @ a) * (b @ b)) > 0.9999
    assert np.sqrt((a @ a) / (b @ b)) == pytest.approx(1, rel=1e-3)


def test_the_random_start_has_the_same_distributions() -> None:
    model = build_model(IDENTITIES)
    network, loss = FairMOTNetwork(find_architecture("dla34"), HeadSizes()), FairMOTLoss(IDENTITIES, 128)
    generator = torch.Generator().manual_seed(0)
    network.initialise(generator)
    loss.initialise(generator)
    theirs, ours = arrays_of(model), network.arrays() | loss.arrays()
    assert theirs.keys() == ours.keys()
    for name, array in theirs.items():
        assert ours[name].shape == array.shape
        spread = 4 / np.sqrt(array.size)
        assert ours[name].std() == pytest.approx(array.std(), rel=spread, abs=1e-7), name
        assert ours[name].mean() == pytest.approx(array.mean(), rel=1e-6, abs=2 * spread * array.std() + 1e-7), name
        # The largest of n numbers: equal for a uniform distribution, close for a normal one.
        assert np.abs(ours[name]).max() == pytest.approx(np.abs(array).max(), rel=max(0.25, spread)), name
