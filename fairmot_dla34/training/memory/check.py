"""Check that training steps fit into memory, before the first one: the kernel kills a process without a message."""

from __future__ import annotations

import logging
from typing import Any

from ...config import InputSize
from ...errors import OutOfMemoryError
from ...memory import machine_memory_left, memory_left, resident_memory
from .need import fitting_batch, step_bytes

logger = logging.getLogger(__name__)

_SURE_SHARE = 0.85  # of the estimate, which is up to 15 % above the need


def require_training_memory(
    input_size: InputSize,
    batch: int,
    *,
    plain_neck: bool,
    precision: str,
    num_identities: int,
    multiple: int = 1,
    teacher_size: InputSize | None = None,
) -> None:
    """Check that training DLA-34 on the CPU fits; a lack of memory of the machine, which may pass, is a warning.

    Args:
        input_size: Network input.
        batch: Images of a step in this process.
        plain_neck: Whether deformable convolutions are computed as plain ones.
        precision: ``fp32`` or ``bf16``.
        num_identities: Identities of the classifier; 0: there is none.
        multiple: Number of which every batch is a multiple; 2: images come in pairs.
        teacher_size: Network input of a teacher; None: there is none.

    Raises:
        OutOfMemoryError: The limits of this process are clearly too small; the message has the largest batch that fits.
    """
    kind: dict[str, Any] = {
        "plain_neck": plain_neck,
        "precision": precision,
        "num_identities": num_identities,
        "teacher_size": teacher_size,
    }
    need = step_bytes(input_size, batch, **kind)
    own = resident_memory()

    def message(left: float) -> str:
        fits = fitting_batch(own + left, input_size, **kind)
        fits -= fits % multiple
        too_much = "one image is" if multiple == 1 else f"{multiple} images are"
        remedy = f"use --batch-size {fits}," if fits else f"{too_much} too much too: use"
        return (
            f"Training on {batch} images of {input_size} at a time takes about {need / 1e9:.1f} GB of memory, and this "
            f"process can have {(own + left) / 1e9:.1f} GB; {remedy} a smaller --input-size or more memory."
        )

    left, machine_left = memory_left(), machine_memory_left()
    if left is not None and own + left < _SURE_SHARE * need:
        raise OutOfMemoryError(message(left))
    if machine_left is not None and own + machine_left < _SURE_SHARE * need:
        logger.warning("%s", message(machine_left))
