"""Memory limits of this process, and a check that a step fits into them before native code runs.

Native libraries crash or hang where an allocation fails: OpenBLAS, which NumPy and OpenCV contain, ends in a
segmentation fault. So the need of a step is compared with what the process may still use. Three limits count: address
space (``ulimit -v``), data (``ulimit -d``), and the memory of the control group, beyond which the kernel kills.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .cgroups import own_folders
from .errors import OutOfMemoryError

MB = 1 << 20
_STATUS = Path("/proc/self/status")
_MEMORY = Path("/proc/meminfo")
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # in OpenBLAS's order
_MAX_BLAS_THREADS = 64  # limit in the builds of NumPy and OpenCV
_OF_MEMORY = ("bad_alloc", "can't alloc", "annot allocate memory", "failed to map segment", "Unable to allocate")


@dataclass(frozen=True)
class Need:
    """Memory that a step takes, in bytes.

    Attributes:
        address_space: Address space: code, data, stacks of threads, and what is only reserved.
        data: The part of it that ``ulimit -d`` counts: private and writable.
        resident: Memory in use at the same time, without files that the kernel can read again.
    """

    address_space: float
    data: float
    resident: float

    def __add__(self, other: Need) -> Need:
        return Need(self.address_space + other.address_space, self.data + other.data, self.resident + other.resident)

    def __mul__(self, factor: float) -> Need:
        return Need(self.address_space * factor, self.data * factor, self.resident * factor)


@dataclass(frozen=True)
class _Library:
    """Need of a library's import: for one thread, and for each further thread of its OpenBLAS."""

    base: Need
    per_thread: Need = Need(0, 0, 0)


# Measured on Linux x86-64 with 1 to 4 CPUs: NumPy 2.4, OpenCV 4.13, PyAV 16, OpenVINO 2026.4 with its CPU plugin.
_LIBRARIES = {
    "numpy": _Library(Need(83 * MB, 42 * MB, 8 * MB), Need(40 * MB, 40 * MB, 0)),
    "cv2": _Library(Need(217 * MB, 20 * MB, 6 * MB), Need(136 * MB, 136 * MB, 0)),
    "av": _Library(Need(100 * MB, 13 * MB, 4 * MB)),
    "onnx": _Library(Need(18 * MB, 8 * MB, 8 * MB)),
    "openvino": _Library(Need(320 * MB, 30 * MB, 20 * MB)),
}


def import_need(*names: str) -> Need:
    """Return the need of those libraries that are not imported yet; unknown ones count nothing.

    Args:
        *names: Import names.
    """
    further = blas_threads() - 1
    need = Need(0, 0, 0)
    for name in names:
        if name in _LIBRARIES and name not in sys.modules:
            need += _LIBRARIES[name].base + _LIBRARIES[name].per_thread * further
    return need


def blas_threads() -> int:
    """Return the number of threads that OpenBLAS starts when it is loaded."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name in _BLAS_VARIABLES:
        value = os.environ.get(name, "")
        if value.isascii() and value.isdigit() and int(value[:9]) > 0:
            cpus = min(cpus, int(value[:9]))
            break
    return max(1, min(cpus, _MAX_BLAS_THREADS))


def require_memory(need: Need, purpose: str) -> None:
    """Check that this process may use as much more memory as a step needs.

    Args:
        need: Need of the step, beside what the process uses already.
        purpose: Description of the step in the message, such as "Loading the network".

    Raises:
        OutOfMemoryError: It may not.
    """
    for limit in _limits(need):
        if limit.used + limit.need > limit.limit:
            raise OutOfMemoryError(
                f"{purpose} takes about {_gb(limit.need)} of {limit.name}; this process may use {_gb(limit.limit)} and "
                f"already uses {_gb(limit.used)}. {limit.remedy}, use fewer threads (also OPENBLAS_NUM_THREADS=1) or a "
                "smaller input size."
            )


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether an error of a native library is a failed allocation."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _OF_MEMORY)


@dataclass(frozen=True)
class _Limit:
    name: str
    limit: float
    used: float
    need: float
    remedy: str


def _limits(need: Need) -> Iterator[_Limit]:
    """Yield the limits that are set."""
    try:
        import resource
    except ImportError:  # Windows
        return
    rows = (
        ("address space", resource.RLIMIT_AS, "VmSize", need.address_space, "Raise the limit (ulimit -v)"),
        ("data memory", resource.RLIMIT_DATA, "VmData", need.data, "Raise the limit (ulimit -d)"),
    )
    for name, kind, used, amount, remedy in rows:
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            in_use = _kilobytes(_STATUS, used)
            if in_use is not None:  # Linux; other systems do not enforce these limits
                yield _Limit(name, limit, in_use, amount, remedy)
    group = group_limit()
    if group:
        yield _Limit("memory", *group, need.resident, "Give the container more memory")


def group_limit(folders: list[Path] | None = None) -> tuple[int, int] | None:
    """Return limit and use in bytes of the control group that has least left, or None without a limit.

    What the kernel can write to swap counts as part of the limit; its cache of files does not count as used.

    Args:
        folders: Folders of the groups; None: those of this process.
    """
    swap = _kilobytes(_MEMORY, "SwapFree") or 0
    found = []
    for folder in own_folders("memory") if folders is None else folders:
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes")
        if limit and used is not None:
            found.append((limit + swap, max(0, used - _file_cache(folder / "memory.stat"))))
    return min(found, key=lambda pair: pair[0] - pair[1], default=None)


def _file_cache(path: Path) -> int:
    try:
        facts = dict(line.split() for line in path.read_text().splitlines())
        return sum(int(facts.get(name, 0)) for name in ("active_file", "inactive_file"))
    except (OSError, ValueError):
        return 0


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return None


def _kilobytes(path: Path, name: str) -> int | None:
    """Return a value of a file with lines such as ``VmSize:  1000 kB``, in bytes."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, ValueError):
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)


def _gb(amount: float) -> str:
    return f"{amount / 1e9:.2f} GB"
