"""Memory limits: their reading from the system's files, and the check of a step against them."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from fairmot_dla34 import memory
from fairmot_dla34.errors import FairMOTError, OutOfMemoryError
from fairmot_dla34.memory import MB, Need, blas_threads, group_limit, is_lack_of_memory, require_memory

NONE = Need(0, 0, 0)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"memory.max": "max", "memory.current": "5"}, None),
        ({"memory.max": "1000", "memory.current": "600"}, (1000, 600)),
        ({"memory.max": "1000", "memory.current": "600", "memory.stat": "anon 1\nactive_file 100\ninactive_file 50"},
         (1000, 450)),
        ({"memory.limit_in_bytes": "1000", "memory.usage_in_bytes": "700"}, (1000, 700)),
        ({"memory.max": "1000", "memory.current": "600", "memory.stat": "damaged"}, (1000, 600)),
        ({"memory.max": "text", "memory.current": "600"}, None),
    ],
)  # fmt: skip
def test_the_limit_of_a_control_group(
    files: dict[str, str], expected: tuple[int, int] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_MEMORY", tmp_path / "none")  # no swap
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert group_limit([tmp_path]) == expected


def test_the_smallest_rest_of_all_groups_counts_and_swap_adds_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nSwapFree: 2 kB\n")
    monkeypatch.setattr(memory, "_MEMORY", tmp_path / "meminfo")
    for name, limit in (("outer", 10_000), ("inner", 8_000)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "memory.max").write_text(str(limit))
        (tmp_path / name / "memory.current").write_text("4000")
    assert group_limit([tmp_path / "inner", tmp_path / "outer"]) == (10_048, 4000)


def test_a_container_with_too_little_memory_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "group_limit", lambda: (512 * MB, 100 * MB))
    require_memory("Loading", NONE, Need(0, 0, 400 * MB))
    with pytest.raises(OutOfMemoryError, match=r"Loading takes 0\.54 GB of memory in all; .* may use 0\.54 GB\. Give"):
        require_memory("Loading", NONE, Need(0, 0, 413 * MB))
    with pytest.raises(OutOfMemoryError, match=r"takes 0\.63 GB of memory in all"):
        require_memory("Loading", Need(0, 0, 600 * MB), NONE)


def test_without_limits_nothing_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "group_limit", lambda: None)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    require_memory("Loading", Need(1e18, 1e18, 1e18), NONE)


@pytest.mark.parametrize(("value", "expected"), [("1", 1), ("0", None), ("many", None), ("-3", None), ("", None)])
def test_the_threads_of_openblas_follow_its_variable(
    value: str, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in memory._BLAS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    default = blas_threads()
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", value)
    assert blas_threads() == (expected or default)


def test_failed_allocations_are_recognised() -> None:
    for error in (MemoryError(), RuntimeError("Exception: std::bad_alloc"), ImportError("x.so: failed to map segment")):
        assert is_lack_of_memory(error)
    assert not is_lack_of_memory(RuntimeError("Shapes differ"))
    assert issubclass(OutOfMemoryError, FairMOTError)
    assert issubclass(OutOfMemoryError, MemoryError)
