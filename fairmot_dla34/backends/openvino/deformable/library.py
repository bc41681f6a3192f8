"""Finds the library of the compiled operator, and checks that it is whole and built for this package and OpenVINO.

The library is beside its sources. In a source tree, which shadows the installed package if Python is started inside it,
it may be absent: then the installed package's library is used, if it was built from the same sources.
"""

from __future__ import annotations

import hashlib
import platform
import re
import struct
import sys
from importlib.metadata import distributions
from pathlib import Path

FOLDER = Path(__file__).parent
NAME = "libfairmot_deformable.so"
LIBRARY = FOLDER / NAME  # setup.py builds it
_INSTALLED = f"backends/openvino/deformable/{NAME}"
_OPENVINO = re.compile(rb"libopenvino\.so\.(\d\d)(\d)(\d+)\0")  # 2641 is 2026.4.1
_SOURCES = re.compile(rb"fairmot_deformable sources ([0-9a-f]{64})\0")  # SOURCES of operator.cpp


def find_library() -> tuple[Path, bytes]:
    """Return path and content of a library that fits these sources and the installed OpenVINO.

    Raises:
        OSError: There is none.
        RuntimeError: There is one that is damaged, or was built from other sources or for another OpenVINO.
    """
    if not (sys.platform == "linux" and platform.machine() == "x86_64"):
        raise FileNotFoundError(f"there is no compiled operator for {platform.machine()} on {sys.platform}")
    beside = LIBRARY.is_file()
    path = LIBRARY if beside else installed_library()
    if path is None:
        raise FileNotFoundError(_reason_of_absence())
    content = path.read_bytes()
    check(path, content)
    return path, content


def installed_library() -> Path | None:
    """Return the path of the installed package's library, or None if there is none."""
    for distribution in distributions(name="fairmot_dla34"):
        for file in distribution.files or ():
            path = Path(str(distribution.locate_file(file)))
            if file.as_posix().endswith(_INSTALLED) and path.is_file():
                return path
    return None


def check(path: Path, content: bytes) -> None:
    """Check that a library is complete, and built from these sources for the installed OpenVINO.

    The loader checks neither: with another release it looks for that release's libraries, and may find them elsewhere
    on the machine.

    Raises:
        RuntimeError: The file is damaged, or built from other sources or for another release.
    """
    import openvino

    needed = _OPENVINO.search(content)
    if not needed or not _is_whole(content):
        raise RuntimeError(f"the compiled operator is damaged; install the package again ({path})")
    built_with = "20{}.{}.{}".format(*(part.decode() for part in needed.groups()))
    running = openvino.__version__.split("-")[0]
    if built_with != running:
        raise RuntimeError(
            f"the compiled operator was built with OpenVINO {built_with}, but {running} is installed; "
            f"pip install openvino=={built_with}"
        )
    sources = _SOURCES.search(content)
    if not sources or sources[1].decode() != sources_digest():
        raise RuntimeError(
            f"the compiled operator was built from other sources than those in {FOLDER}; install that source tree "
            f"again with pip install ({path})"
        )


def sources_digest() -> str:
    """Return the SHA-256 of the operator's sources, hexadecimal, as setup.py computes it."""
    digest = hashlib.sha256()
    for path in sorted([*FOLDER.glob("*.cpp"), *FOLDER.glob("*.hpp")]):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _reason_of_absence() -> str:
    root = FOLDER.parents[3]
    if (root / "setup.py").is_file():
        return (
            f"Python runs the source tree {root}, which has no compiled operator, and no installed fairmot_dla34 has "
            "one; run pip install -e . there, with a C++ compiler, or start Python elsewhere"
        )
    return "the compiled operator was not built when the package was installed; the build needs a C++ compiler"


def _is_whole(library: bytes) -> bool:
    """Return whether an ELF file reaches the end of its last table; a truncated one would crash the process."""
    if library[:4] != b"\x7fELF" or len(library) < 64:
        return False
    start, size, count = struct.unpack_from("<40xQ10xHH", library)  # of the section headers, in Elf64_Ehdr
    end: int = start + size * count
    return len(library) >= end
