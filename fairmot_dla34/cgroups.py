"""Control groups of this process (Linux): the folders that state its limits on CPUs and memory."""

from __future__ import annotations

from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def own_folders(controller: str, root: Path = CGROUP_ROOT, own: Path = OWN_CGROUPS) -> list[Path]:
    """Return the folders of the process's groups for a controller, and those of their parents; some may not exist.

    Source: Linux, ``Documentation/admin-guide/cgroup-v2.rst`` and ``cgroup-v1``.

    Args:
        controller: Name of the controller, such as ``cpu``.
        root: Folder where control groups are mounted.
        own: File that names the groups of this process.
    """
    try:
        lines = own.read_text().splitlines()
    except (OSError, ValueError):  # not Linux, or not text
        return []
    folders = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        # v1 mounts the controllers of a line in one folder, named in any order, with a link of each name beside it.
        bases = [root / controllers, root / controller] if controllers else [root]
        group = Path(path.lstrip("/"))
        folders += [base / folder for base in bases for folder in (group, *group.parents)]
    return folders
