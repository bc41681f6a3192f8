"""The compiled operator for deformable convolutions in OpenVINO; its C++ source is in this folder.

It is optional: if it was not built, or was built with another release of OpenVINO, OpenVINO's own operator is used.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...base import reason_of
from .library import find_library

if TYPE_CHECKING:
    import openvino

logger = logging.getLogger(__name__)

REPLACEMENT_VERSION = 1  # to raise whenever `replacement` gives another graph; part of the names of cached files


@dataclass(frozen=True)
class DeformableOperator:
    """The operator in use for deformable convolutions: the compiled one, or OpenVINO's own.

    Attributes:
        library: The loaded library; None: OpenVINO's own deformable convolution is used.
        digest: Digest that changes with the library and the version of its insertion into networks.
        status: Text for a person: the operator in use, and the reason if it is not the compiled one.
    """

    library: Path | None
    digest: str
    status: str

    def put_into(self, model: openvino.Model, *, bf16: bool) -> None:
        """Replace a network's deformable convolutions by the operator if it supports them; see `replacement`."""
        if self.library:
            from .replacement import replace_deformable

            count = replace_deformable(model, self.library, bf16=bf16)
            logger.debug("Deformable convolutions computed by the compiled operator: %d", count)


def load_operator(core: openvino.Core) -> DeformableOperator:
    """Load the compiled operator into ``core`` if it fits the installed OpenVINO, else choose OpenVINO's own."""
    try:
        path, content = find_library()
        core.add_extension(str(path))
        digest = hashlib.sha256(content + str(REPLACEMENT_VERSION).encode()).hexdigest()
        operator = DeformableOperator(path, digest, "compiled operator")
    except (OSError, RuntimeError) as error:
        operator = DeformableOperator(None, "", f"OpenVINO's own, which is slower: {reason_of(error)}")
    logger.debug("Deformable convolutions: %s", operator.status)
    return operator
