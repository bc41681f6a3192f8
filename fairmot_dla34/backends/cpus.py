"""The number of CPUs that this process may use: processor affinity and control-group quota."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ..cgroups import CGROUP_ROOT, OWN_CGROUPS, own_folders


def usable_cpus() -> int:
    """Return the number of CPUs this process may use, at least 1: the smaller of affinity and cgroup quota."""
    quota = cpu_quota()
    cpus = affinity_cpus()
    return cpus if quota is None else max(1, min(cpus, math.ceil(quota)))


def affinity_cpus() -> int:
    """Return the number of CPUs this process may be scheduled on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1  # macOS, Windows


def is_restricted() -> bool:
    """Return whether this process may use fewer CPUs than the machine has."""
    return usable_cpus() < (os.cpu_count() or 1)


def cpu_quota(root: Path = CGROUP_ROOT, own: Path = OWN_CGROUPS) -> float | None:
    """Return the CPUs that the control group's quota is worth, or None without a quota.

    The smallest quota of the group and its parents holds. Sources: ``cpu.max`` of cgroup v2, ``cpu.cfs_quota_us`` and
    ``cpu.cfs_period_us`` of v1 (Linux, ``Documentation/admin-guide/cgroup-v2.rst`` and ``cgroup-v1``).

    Args:
        root: Folder where control groups are mounted.
        own: File that names the groups of this process.
    """
    quotas = [_quota_of(folder) for folder in own_folders("cpu", root, own)]
    known = [quota for quota in quotas if quota is not None]
    return min(known) if known else None


def _quota_of(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota, period = ((folder / f"cpu.cfs_{part}_us").read_text().strip() for part in ("quota", "period"))
        return float(quota) / float(period) if float(quota) > 0 else None
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max": no limit
        return None
