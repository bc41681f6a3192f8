"""Keeps the figures of all runs in a JSON file, to which runs in other environments add theirs."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from association_scoring import COMBINED, FIGURES, Figures
from association_shaking import Run
from contestant import Contestant
from filelock import FileLock
from numpy.typing import NDArray

from fairmot_dla34.files import write_whole

PACKAGES = {"trackers": "trackers", "boxmot": "boxmot", "ppdet": "paddledet"}  # distributions of contestants

RunFigures = dict[str, dict[str, Figures]]  # figures by run and sequence


class Records:
    """Figures by set, contestant, run and sequence.

    Args:
        path: The file; read if it exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = self._read()
        self._added: list[tuple[str, str, str]] = []  # set, contestant and run that the file may lack

    def add(
        self, set_name: str, contestant: Contestant, run: Run, figures: dict[str, Figures], *, combined: bool
    ) -> None:
        """Add the figures of one run by sequence; `save` writes them.

        Args:
            set_name: Name of the set.
            contestant: The contestant; the version of its package is kept too.
            run: The repetition.
            figures: Figures by sequence.
            combined: Whether the set's figures are those of all boxes together.
        """
        one = self._content["sets"].setdefault(set_name, {"combined": combined, "contestants": {}})
        one["contestants"].setdefault(contestant.name, {})[str(run)] = figures
        self._added.append((set_name, contestant.name, str(run)))
        if contestant.package:
            self._content["packages"][contestant.package] = _version(contestant.package)

    def save(self) -> None:
        """Write the file; what other processes wrote since it was read stays."""
        with FileLock(self._path.with_name(f"{self._path.name}.lock")):
            merged = self._read()
            merged["packages"] |= self._content["packages"]
            for name, contestant, run in self._added:
                one = self._content["sets"][name]
                known = merged["sets"].setdefault(name, {"combined": one["combined"], "contestants": {}})
                known["contestants"].setdefault(contestant, {})[run] = one["contestants"][contestant][run]
            write_whole(self._path, json.dumps(merged).encode() + b"\n")
            self._content, self._added = merged, []

    def has(self, set_name: str, contestant: str, run: Run) -> bool:
        """Return whether the figures of a run are known."""
        return set_name in self.sets and str(run) in self.contestants(set_name).get(contestant, {})

    @property
    def sets(self) -> list[str]:
        """Names of the sets."""
        return list(self._content["sets"])

    @property
    def packages(self) -> dict[str, str]:
        """Versions of the contestants' packages."""
        return dict(self._content["packages"])

    def contestants(self, set_name: str) -> dict[str, RunFigures]:
        """Return the figures of one set by contestant."""
        found: dict[str, RunFigures] = self._content["sets"][set_name]["contestants"]
        return found

    def of_runs(self, set_name: str, contestant: str) -> dict[str, NDArray[np.float64]]:
        """Return the figures of a set by run, in the order of `FIGURES`.

        HOTA, MOTA and IDF1 are means of the sequences, or those of all boxes together. Id switches are added up.
        """
        combined = self._content["sets"][set_name]["combined"]
        return {run: _of_set(found, combined=combined) for run, found in self.contestants(set_name)[contestant].items()}

    def _read(self) -> dict[str, Any]:
        if not self._path.is_file():
            return {"packages": {}, "sets": {}}
        content: dict[str, Any] = json.loads(self._path.read_text("utf-8"))
        return content


def _of_set(found: dict[str, Figures], *, combined: bool) -> NDArray[np.float64]:
    together = np.array([found[COMBINED][name] for name in FIGURES], np.float64)
    if combined:
        return together
    each = [[figures[name] for name in FIGURES] for name, figures in found.items() if name != COMBINED]
    return np.append(np.mean(each, axis=0)[:-1], together[-1])


def _version(package: str) -> str:
    try:
        return version(PACKAGES.get(package, package))
    except PackageNotFoundError:
        return "unknown"
