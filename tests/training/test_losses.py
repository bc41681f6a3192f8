"""Tests of the training losses beyond their parity with PaddleDetection: additions, and batches without something."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from fairmot_dla34.config import InputSize  # noqa: E402  (after the check)
from fairmot_dla34.datasets.values import ImageLabels  # noqa: E402
from fairmot_dla34.errors import InvalidInputError  # noqa: E402
from fairmot_dla34.training.config import LossConfig  # noqa: E402
from fairmot_dla34.training.losses.fairmot_loss import FairMOTLoss, LossCounts  # noqa: E402
from fairmot_dla34.training.losses.targets import Targets, make_targets  # noqa: E402
from fairmot_dla34.training.losses.terms import giou_loss, identity_scale  # noqa: E402
from fairmot_dla34.training.network.fairmot import Outputs  # noqa: E402

SIZE = InputSize(96, 64)
ALL = LossConfig(giou=True, neighbours=True, sequence_ids=True, fixed_weights=False)


def targets_of(ids: list[int], *, neighbours: bool = False) -> Targets:
    """Return the targets of one image with a box per identity."""
    centres = np.array([[10 + 17 * i, 20 + 5 * i] for i in range(len(ids))], np.float32).reshape(-1, 2)
    boxes = np.concatenate((centres - 7, centres + 9), axis=1)
    numbers = np.array(ids, np.int64)
    labels = ImageLabels(boxes, numbers, np.zeros_like(numbers), np.empty((0, 4), np.float32))
    return make_targets([labels], SIZE, stride=4, num_classes=1, neighbours=neighbours)


def outputs_for(targets: Targets, seed: int = 0) -> Outputs:
    generator = torch.Generator().manual_seed(seed)
    number = len(targets.cells)
    shapes = (targets.heatmap.shape, (number, 4), (number, 2), (number, 8))
    return Outputs(*(torch.randn(shape, generator=generator).requires_grad_() for shape in shapes))


def gradients(loss: FairMOTLoss, outputs: Outputs) -> list[Any]:
    tensors = [*outputs, *loss.parameters()]
    return [tensor.grad for tensor in tensors if tensor.grad is not None]


@pytest.mark.parametrize("ids", [[], [-1, -1], [0], [0, -1, 2], [1, 1]])
@pytest.mark.parametrize("num_identities", [0, 1, 2, 3])
@pytest.mark.parametrize("config", [LossConfig(), ALL, LossConfig(fixed_weights=True)])
def test_loss_and_gradients_are_always_finite(ids: list[int], num_identities: int, config: LossConfig) -> None:
    ids = [min(identity, num_identities - 1) for identity in ids]
    targets = targets_of(ids, neighbours=config.neighbours)
    outputs, loss = outputs_for(targets), FairMOTLoss(num_identities, 8, config, np.zeros(num_identities, np.int64))
    total, parts = loss(outputs, targets)
    total.backward()
    assert torch.isfinite(total)
    assert all(torch.isfinite(part) for part in parts.values())
    assert all(torch.isfinite(gradient).all() for gradient in gradients(loss, outputs))
    assert ("identity" in parts) == (num_identities > 0)
    assert ("box" in parts) == config.giou


def test_an_embedding_of_zeros_has_a_finite_gradient() -> None:
    targets = targets_of([0, 1])
    outputs, loss = outputs_for(targets), FairMOTLoss(3, 8)
    outputs = outputs._replace(embedding=torch.zeros(2, 8, requires_grad=True))
    loss(outputs, targets)[0].backward()
    assert torch.isfinite(outputs.embedding.grad).all()


def test_boxes_without_identity_have_no_identity_loss() -> None:
    with_both, only_known = targets_of([2, -1]), targets_of([2])
    outputs, loss = outputs_for(with_both), FairMOTLoss(5, 8)
    total, parts = loss(outputs, with_both)
    total.backward()
    assert not outputs.embedding.grad[1].any()
    known = Outputs(*(t.detach()[:1] for t in outputs))
    torch.testing.assert_close(loss(known, only_known)[1]["identity"], parts["identity"])


def test_without_identities_only_the_detection_has_a_weight() -> None:
    targets = targets_of([-1])
    loss = FairMOTLoss(0, 8)
    total, parts = loss(outputs_for(targets), targets)
    detection = parts["heatmap"] + 0.1 * parts["size"] + parts["offset"]
    torch.testing.assert_close(total, 0.5 * (math.exp(1.85) * detection - 1.85))
    assert set(loss.arrays()) == {"loss.det_weight"}


def test_identities_of_other_sequences_are_not_compared() -> None:
    """The same logits, but the person's sequence has one identity only: nothing to tell apart."""
    targets = targets_of([0])
    outputs, sequences = outputs_for(targets), np.array([0, 1, 1, 1])
    alone = FairMOTLoss(4, 8, LossConfig(sequence_ids=True), sequences)
    assert alone(outputs, targets)[1]["identity"] == pytest.approx(0, abs=1e-6)
    assert FairMOTLoss(4, 8)(outputs, targets)[1]["identity"] > 0.1
    with pytest.raises(InvalidInputError, match="expected the sequences of 4 identities"):
        FairMOTLoss(4, 8, LossConfig(sequence_ids=True))


def test_fixed_weights_are_one_and_fifteen_hundredths() -> None:
    targets = targets_of([0, 1])
    total, parts = FairMOTLoss(4, 8, LossConfig(fixed_weights=True))(outputs_for(targets), targets)
    expected = parts["heatmap"] + 0.1 * parts["size"] + parts["offset"] + 0.15 * parts["identity"]
    torch.testing.assert_close(total, expected)


def test_ignored_areas_do_not_count_and_centres_in_them_do() -> None:
    loss = FairMOTLoss(0, 8)
    targets = targets_of([-1])
    nothing_counts = Targets(
        **{**vars(targets), "heatmap_mask": torch.zeros_like(targets.heatmap_mask)},
    )
    logits = torch.full_like(targets.heatmap, 3.0).requires_grad_()
    outputs = outputs_for(targets)._replace(heatmap=logits)
    loss(outputs, nothing_counts)[1]
    loss(outputs, nothing_counts)[0].backward()
    torch.testing.assert_close(logits.grad != 0, targets.heatmap == 1)


def test_shares_of_processes_add_up_to_the_loss_of_the_batch() -> None:
    """Each process divides by the counts of all; gradients of the learned weights add up too."""
    batch = [targets_of([0, 1, -1]), targets_of([2])]
    counts = [LossCounts.of(one) for one in batch]
    summed = LossCounts(
        sum(c.centres for c in counts), sum(c.cells for c in counts), sum(c.identified for c in counts), 2
    )
    loss = FairMOTLoss(4, 8)
    parts = [outputs_for(one, seed) for seed, one in enumerate(batch)]
    shares = [loss(outputs, one, summed)[0] for outputs, one in zip(parts, batch, strict=True)]
    torch.stack(shares).sum().backward()
    share_gradients = [parameter.grad.clone() for parameter in loss.parameters()]
    loss.zero_grad()
    whole = Targets(**{name: torch.cat([getattr(one, name) for one in batch]) for name in vars(batch[0])})
    joined = Outputs(*(torch.cat([getattr(one, name).detach() for one in parts]) for name in Outputs._fields))
    total = loss(joined, whole)[0]
    total.backward()
    torch.testing.assert_close(torch.stack(shares).sum(), total)
    for share, parameter in zip(share_gradients, loss.parameters(), strict=True):
        torch.testing.assert_close(share, parameter.grad)


def test_giou_of_known_boxes() -> None:
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 2, 2]])
    others = torch.tensor([[0.0, 0, 2, 2], [1, 0, 2, 1], [1, 0, 3, 2]])
    torch.testing.assert_close(giou_loss(boxes, others), torch.tensor([0.0, 1.0, 2 / 3]), atol=1e-5, rtol=0)


def test_giou_of_a_box_with_exchanged_sides_is_bounded_and_falls_towards_the_truth() -> None:
    exchanged = [[30.0, 0, -30, 2], [3, 0, 1, 2], [0, 40, 2, -40], [9, 9, -9, -9]]  # high corners below low ones
    boxes = torch.tensor(exchanged, requires_grad=True)
    wanted = torch.tensor([[0.0, 0, 2, 2]]).expand(4, 4)
    loss = giou_loss(boxes, wanted)
    assert ((loss >= 1) & (loss <= 2)).all()
    (slope,) = torch.autograd.grad(loss.sum(), boxes)
    assert (giou_loss(boxes - 0.5 * slope, wanted) < loss)[[0, 2, 3]].all()


def test_arrays_have_paddle_detections_names_and_come_back() -> None:
    loss, other = FairMOTLoss(4, 8), FairMOTLoss(4, 8)
    arrays = loss.arrays()
    assert {name: array.shape for name, array in arrays.items()} == {
        "reid.classifier.weight": (8, 4),
        "reid.classifier.bias": (4,),
        "loss.det_weight": (1,),
        "loss.reid_weight": (1,),
    }
    assert other.load_arrays(arrays) == []
    for name, array in other.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])
    assert FairMOTLoss(5, 8).load_arrays(arrays) == ["reid.classifier.weight", "reid.classifier.bias"]


def test_the_classifier_starts_as_paddle_detections() -> None:
    loss = FairMOTLoss(500, 128)
    loss.initialise(torch.Generator().manual_seed(0))
    assert loss.classifier is not None
    for tensor, bound in ((loss.classifier.weight, math.sqrt(6 / 128)), (loss.classifier.bias, 1 / math.sqrt(128))):
        assert bound * 0.98 < tensor.abs().max() <= bound


@pytest.mark.parametrize(("identities", "scale"), [(1, 1.0), (2, 1.0), (3, 0.980258), (14455, 13.5463)])
def test_scale_of_embeddings(identities: int, scale: float) -> None:
    assert identity_scale(identities) == pytest.approx(scale, abs=1e-4)
