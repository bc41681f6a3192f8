"""The compiled operator for deformable convolutions in OpenVINO; its C++ source is in this folder.

It is optional: if it was not built, or was built with another release of OpenVINO, OpenVINO's own operator is used.
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
REPLACEMENT_VERSION = 1  # to raise whenever `replacement` gives another graph; part of the names of cached files
_OPENVINO = re.compile(rb"libopenvino\.so\.(\d\d)(\d)(\d+)\0")  # 2641 is 2026.4.1


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
        operator = DeformableOperator(LIBRARY, _load(core), "compiled operator")
    except (OSError, RuntimeError) as error:
        operator = DeformableOperator(None, "", f"OpenVINO's own, which is slower: {reason_of(error)}")
    logger.debug("Deformable convolutions: %s", operator.status)
    return operator


def _load(core: openvino.Core) -> str:
    """Load the library; return its digest.

    Raises:
        OSError: The library does not exist.
        RuntimeError: The library is damaged, built for another OpenVINO, or cannot be loaded.
    """
    if not LIBRARY.is_file():
        buildable = sys.platform == "linux"
        raise FileNotFoundError(
            "the compiled operator was not built when the package was installed; the build needs a C++ compiler"
            if buildable
            else f"there is no compiled operator for {sys.platform}"
        )
    content = LIBRARY.read_bytes()
    _check(content)
    core.add_extension(str(LIBRARY))
    return hashlib.sha256(content + str(REPLACEMENT_VERSION).encode()).hexdigest()


def _check(library: bytes) -> None:
    """Check that the file is complete and built for the installed OpenVINO, which the loader does not check.

    With another release the loader looks for that release's libraries, and may find them elsewhere on the machine.

    Raises:
        RuntimeError: The file is damaged, or built for another release.
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
    """Return whether an ELF file reaches the end of its last table; a truncated one would crash the process."""
    if library[:4] != b"\x7fELF" or len(library) < 64:
        return False
    start, size, count = struct.unpack_from("<40xQ10xHH", library)  # of the section headers, in Elf64_Ehdr
    end: int = start + size * count
    return len(library) >= end
