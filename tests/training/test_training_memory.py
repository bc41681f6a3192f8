"""Tests of the estimate of a training step's memory, against the values measured for it."""

from __future__ import annotations

import pytest

from fairmot_dla34.config import InputSize
from fairmot_dla34.memory import MB

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from fairmot_dla34.training.memory.need import fitting_batch, step_bytes  # noqa: E402  (after the check)

# Input, images, plain neck, precision, peak of resident memory in MB: docs/training.md
MEASURED = [
    (InputSize(320, 192), 2, True, "fp32", 999),
    (InputSize(576, 320), 2, True, "fp32", 1519),
    (InputSize(576, 320), 4, True, "fp32", 2253),
    (InputSize(1088, 608), 2, True, "fp32", 3406),
    (InputSize(320, 192), 2, True, "bf16", 927),
    (InputSize(576, 320), 4, True, "bf16", 1625),
    (InputSize(1088, 608), 2, True, "bf16", 2251),
    (InputSize(320, 192), 2, False, "fp32", 1273),
    (InputSize(576, 320), 4, False, "fp32", 3573),
    (InputSize(1088, 608), 2, False, "fp32", 5680),
    (InputSize(320, 192), 2, False, "bf16", 1107),
    (InputSize(576, 320), 4, False, "bf16", 2664),
    (InputSize(1088, 608), 2, False, "bf16", 4177),
]


@pytest.mark.parametrize(("size", "batch", "plain_neck", "precision", "megabytes"), MEASURED)
def test_the_estimate_is_a_little_above_the_measured_peak(
    size: InputSize, batch: int, plain_neck: bool, precision: str, megabytes: int
) -> None:
    estimate = step_bytes(size, batch, plain_neck=plain_neck, precision=precision) / MB
    assert megabytes <= estimate <= 1.17 * megabytes


def test_the_fitting_batch_fits_and_one_more_does_not() -> None:
    size, available = InputSize(), 8e9
    batch = fitting_batch(available, size, plain_neck=False, precision="fp32", num_identities=1000)
    needs = [step_bytes(size, n, plain_neck=False, precision="fp32", num_identities=1000) for n in (batch, batch + 1)]
    assert needs[0] <= available < needs[1]
    assert fitting_batch(5e8, size, plain_neck=True, precision="bf16") == 0
