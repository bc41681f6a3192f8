"""Memory limits of this process, and a check that a step fits into them before native code runs.

Native libraries crash or hang where an allocation fails: OpenBLAS, which NumPy and OpenCV contain, ends in a
segmentation fault. So the need of a step is compared with what the process may still use. Three limits count: address
space (``ulimit -v``), data (``ulimit -d``), and the memory of the control group, beyond which the kernel kills.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .cgroups import own_folders
from .errors import OutOfMemoryError

MB = 1 << 20
_STATUS = Path("/proc/self/status")
_MEMORY = Path("/proc/meminfo")
_BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # in OpenBLAS's order
_M_ARENA_MAX = -8  # of malloc.h
_MAX_BLAS_THREADS = 64  # limit in the builds of NumPy and OpenCV
_OF_MEMORY = (
    "bad_alloc",
    "can't alloc",
    "annot allocate memory",
    "failed to map segment",
    "Unable to allocate",
    "Insufficient memory",
)


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

    @property
    def parts(self) -> tuple[float, float, float]:
        """The three amounts, in the order of the limits."""
        return self.address_space, self.data, self.resident


@dataclass(frozen=True)
class _Library:
    """Need of a library's import: for one thread, and for each further thread of its OpenBLAS."""

    base: Need
    per_thread: Need = Need(0, 0, 0)


# Measured on Linux x86-64 with 1 to 4 CPUs: NumPy 2.4, OpenCV 5.0, PyAV 18, OpenVINO 2026.4 with its CPU plugin.
_PYTHON = Need(20 * MB, 8 * MB, 8 * MB)
_LIBRARIES = {
    "numpy": _Library(Need(83 * MB, 42 * MB, 8 * MB), Need(40 * MB, 40 * MB, 0)),
    "cv2": _Library(Need(217 * MB, 20 * MB, 6 * MB), Need(136 * MB, 136 * MB, 0)),
    "av": _Library(Need(100 * MB, 13 * MB, 4 * MB)),
    "onnx": _Library(Need(18 * MB, 8 * MB, 8 * MB)),
    "openvino": _Library(Need(320 * MB, 30 * MB, 20 * MB)),
}
# Threads of OpenCV, of a decoder and of an encoder, for each CPU: stacks, and heaps that are only reserved.
MEDIA_THREADS = Need(100 * MB, 20 * MB, 1 * MB)


def process_need(*libraries: str) -> Need:
    """Return the need of a Python process that has imported libraries; unknown ones count nothing."""
    return sum((_import_need(name) for name in libraries), _PYTHON)


def missing_imports_need(*libraries: str) -> Need:
    """Return the need of those libraries that are not imported yet; unknown ones count nothing."""
    return sum((_import_need(name) for name in libraries if name not in sys.modules), Need(0, 0, 0))


def require_import_memory(*libraries: str, purpose: str) -> None:
    """Check that libraries can be imported within the memory limits of this process, and used if they read media.

    Args:
        *libraries: Import names.
        purpose: Description of the step in the message, such as "Reading a video".

    Raises:
        OutOfMemoryError: They cannot.
    """
    missing = missing_imports_need(*libraries)
    if missing.address_space:
        threads = MEDIA_THREADS * (_cpus() if "cv2" in libraries else 0)
        require_memory(purpose, process_need(*libraries) + threads, missing)


def _import_need(name: str) -> Need:
    library = _LIBRARIES.get(name)
    return library.base + library.per_thread * (blas_threads() - 1) if library else Need(0, 0, 0)


def blas_threads() -> int:
    """Return the number of threads that OpenBLAS starts when it is loaded: one for each CPU, unless limited."""
    cpus = _cpus()
    for name in _BLAS_VARIABLES:
        value = os.environ.get(name, "")
        if value.isascii() and value.isdigit() and int(value[:9]) > 0:
            cpus = min(cpus, int(value[:9]))
            break
    return max(1, min(cpus, _MAX_BLAS_THREADS))


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def require_memory(purpose: str, total: Need, further: Need) -> None:
    """Check that a step fits into the memory limits of this process.

    Args:
        purpose: Description of the step in the message, such as "Loading the network".
        total: Need of a process that does nothing else.
        further: Least that the step adds to what this process uses already.

    Raises:
        OutOfMemoryError: It does not.
    """
    for limit, whole, added in zip(_limits(), total.parts, further.parts, strict=True):
        if limit and (needed := max(whole, limit.used + added)) > limit.limit:
            raise OutOfMemoryError(
                f"{purpose} takes {needed / 1e9:.2f} GB of {limit.name} in all; this process may use "
                f"{limit.limit / 1e9:.2f} GB. {limit.remedy}, set OPENBLAS_NUM_THREADS=1, or use a smaller input size."
            )


def memory_left() -> float | None:
    """Return the bytes that this process may still use within its limits; None without a limit."""
    return min((limit.limit - limit.used for limit in _limits() if limit), default=None)


def machine_memory_left() -> int | None:
    """Return the bytes that the machine has left for all processes, with swap; None if the system does not show it."""
    available = _kilobytes(_MEMORY, "MemAvailable")
    return None if available is None else available + (_kilobytes(_MEMORY, "SwapFree") or 0)


def resident_memory() -> int:
    """Return the bytes of this process that are in memory; 0 if the system does not show it."""
    return _kilobytes(_STATUS, "VmRSS") or 0


def is_lack_of_memory(error: BaseException) -> bool:
    """Return whether an error of a native library is a failed allocation."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _OF_MEMORY)


@dataclass(frozen=True)
class _Limit:
    name: str
    limit: float
    used: float
    remedy: str


def _limits() -> tuple[_Limit | None, _Limit | None, _Limit | None]:
    """Return the limits of address space, data and resident memory; None for one that is not set."""
    group = group_limit()
    return (
        _own_limit("RLIMIT_AS", "VmSize", "address space", "Raise the limit (ulimit -v)"),
        _own_limit("RLIMIT_DATA", "VmData", "data memory", "Raise the limit (ulimit -d)"),
        _Limit("memory", *group, "Give the container more memory") if group else None,
    )


def _own_limit(kind: str, used: str, name: str, remedy: str) -> _Limit | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit = resource.getrlimit(getattr(resource, kind))[0]
    in_use = None if limit == resource.RLIM_INFINITY else _kilobytes(_STATUS, used)
    return None if in_use is None else _Limit(name, limit, in_use, remedy)  # only Linux enforces these limits


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


def use_one_arena() -> None:
    """Let all threads allocate in one arena of the GNU C library; call it before they start.

    By default there are up to eight arenas per core, and each keeps freed memory. The threads of a new connection may
    use other arenas than those before them, so that memory grows with the connections.
    """
    with suppress(OSError, AttributeError, TypeError):  # other C libraries have no such setting
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
