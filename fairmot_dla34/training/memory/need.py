"""Estimate of the memory that a training step takes, and of the largest batch that fits.

Measured with DLA-34 (PyTorch 2.13, CPU, forward, backward and Adam; peak of resident memory) at 320x192, 576x320 and
1088x608 with 1, 2 and 4 images: docs/training.md has the table. The estimate is 1 to 15% above each measured value.
"""

from __future__ import annotations

from ...config import InputSize
from ...memory import MB

# PyTorch with its libraries, and weights, gradients, Adam's two averages and a running average of 20 million numbers.
BASE_BYTES = 880 * MB
# Feature maps kept for the backward pass, for each px of an image: by neck (plain or deformable) and precision.
BYTES_PER_PX = {
    ("plain", "fp32"): 2230,
    ("plain", "bf16"): 1330,
    ("deformable", "fp32"): 4020,
    ("deformable", "bf16"): 2770,
}
# A teacher like DLA-34 in OpenVINO: its weights in three forms, and the feature maps of one image, for each px of it
# at the teacher's size. The outputs for every image are kept until the step ends.
TEACHER_BYTES = 250 * MB
TEACHER_BYTES_PER_PX = 220
TEACHER_MAPS_BYTES_PER_PX = 20
TAUGHT_BYTES_PER_PX = 40  # targets and losses, for each px of the student's image
BYTES_PER_CLASSIFIER_WEIGHT = 16  # number, gradient and Adam's two averages, float32


def step_bytes(
    input_size: InputSize,
    batch: int,
    *,
    plain_neck: bool,
    precision: str,
    num_identities: int = 0,
    embedding_size: int = 128,
    teacher_size: InputSize | None = None,
) -> int:
    """Return the bytes that a process needs for training steps.

    Args:
        input_size: Network input.
        batch: Images that this process computes at a time.
        plain_neck: Whether deformable convolutions are computed as plain ones.
        precision: ``fp32`` or ``bf16``.
        num_identities: Identities of the classifier; 0: there is none.
        embedding_size: Numbers in an embedding.
        teacher_size: Network input of a teacher like DLA-34; None: there is none.
    """
    classifier = BYTES_PER_CLASSIFIER_WEIGHT * num_identities * (embedding_size + 1)
    fixed = BASE_BYTES + classifier
    if teacher_size:
        fixed += TEACHER_BYTES + TEACHER_BYTES_PER_PX * _px(teacher_size)
    return fixed + batch * _image_bytes(input_size, teacher_size, plain_neck=plain_neck, precision=precision)


def fitting_batch(
    available: float,
    input_size: InputSize,
    *,
    plain_neck: bool,
    precision: str,
    num_identities: int = 0,
    teacher_size: InputSize | None = None,
) -> int:
    """Return the largest batch whose steps need at most ``available`` bytes; 0 if not even one image fits."""
    fixed = step_bytes(
        input_size,
        0,
        plain_neck=plain_neck,
        precision=precision,
        num_identities=num_identities,
        teacher_size=teacher_size,
    )
    each = _image_bytes(input_size, teacher_size, plain_neck=plain_neck, precision=precision)
    return max(0, int((available - fixed) // each))


def _image_bytes(input_size: InputSize, teacher_size: InputSize | None, *, plain_neck: bool, precision: str) -> int:
    need = BYTES_PER_PX["plain" if plain_neck else "deformable", precision] * _px(input_size)
    if teacher_size:
        need += TAUGHT_BYTES_PER_PX * _px(input_size) + TEACHER_MAPS_BYTES_PER_PX * _px(teacher_size)
    return need


def _px(size: InputSize) -> int:
    return size.width * size.height
