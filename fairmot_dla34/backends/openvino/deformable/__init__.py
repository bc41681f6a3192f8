"""A compiled operator for OpenVINO that computes deformable convolutions; its C++ source lies beside this file.

It is an addition: where it was not built, or was built with another release of OpenVINO, OpenVINO's own is used.
"""

from __future__ import annotations

import hashlib
import logging
import re
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...base import reason_of

if TYPE_CHECKING:
    import openvino

logger = logging.getLogger(__name__)

LIBRARY = Path(__file__).with_name("libfairmot_deformable.so")  # setup.py builds it
_REPLACEMENT = Path(__file__).with_name("replacement.py")
_OPENVINO = re.compile(rb"libopenvino\.so\.(\d\d)(\d)(\d+)\0")  # 2641 is 2026.4.1


@dataclass(frozen=True)
class DeformableOperator:
    """Whether the compiled operator is in use.

    Attributes:
        library: The library that was loaded; None: OpenVINO's own deformable convolution computes.
        digest: Changes with the library and with how it is put into a network.
        told: The same for a person, and why not.
    """

    library: Path | None
    digest: str
    told: str

    def put_into(self, model: openvino.Model, *, bf16: bool) -> None:
        """Let it compute a network's deformable convolutions, those that it can; see `replacement`."""
        if self.library:
            from .replacement import replace_deformable

            count = replace_deformable(model, self.library, bf16=bf16)
            logger.debug("Deformable convolutions that the compiled operator computes: %d", count)


def load_operator(core: openvino.Core) -> DeformableOperator:
    """Load the compiled operator into ``core``, where there is one that fits. Never a reason to fail."""
    try:
        operator = DeformableOperator(LIBRARY, _load(core), "compiled operator")
    except (OSError, RuntimeError) as error:
        operator = DeformableOperator(None, "", f"OpenVINO's own, which is slower: {reason_of(error)}")
    logger.debug("Deformable convolutions: %s", operator.told)
    return operator


def _load(core: openvino.Core) -> str:
    """Load it; return the digest.

    Raises:
        OSError: It is not there.
        RuntimeError: It does not fit or does not load.
    """
    if not LIBRARY.is_file():
        there = sys.platform == "linux"
        raise FileNotFoundError(
            "the compiled operator was not built as the package was installed; that takes a C++ compiler"
            if there
            else f"there is no compiled operator for {sys.platform}"
        )
    content = LIBRARY.read_bytes()
    _check(content)
    core.add_extension(str(LIBRARY))
    return hashlib.sha256(content + _REPLACEMENT.read_bytes()).hexdigest()


def _check(library: bytes) -> None:
    """Check what the loader would not: that the file is whole, and made for the OpenVINO that runs.

    With another release the loader looks for that one's libraries, and may find them elsewhere on the machine.

    Raises:
        RuntimeError: It is not.
    """
    import openvino

    needed = _OPENVINO.search(library)
    if not needed or not _is_whole(library):
        raise RuntimeError(f"the compiled operator is damaged; install the package again ({LIBRARY})")
    built_with = "20{}.{}.{}".format(*(part.decode() for part in needed.groups()))
    running = openvino.__version__.split("-")[0]
    if built_with != running:
        raise RuntimeError(
            f"the compiled operator was built with OpenVINO {built_with}, but {running} is installed; "
            f"pip install openvino=={built_with}"
        )


def _is_whole(library: bytes) -> bool:
    """Tell whether an ELF file reaches to the end of its last table; one cut short would crash the process."""
    if library[:4] != b"\x7fELF" or len(library) < 64:
        return False
    start, size, count = struct.unpack_from("<40xQ10xHH", library)  # of the section headers, in Elf64_Ehdr
    end: int = start + size * count
    return len(library) >= end
