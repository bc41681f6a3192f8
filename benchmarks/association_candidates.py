"""Settings of ``auto`` that are compared with its defaults, chosen for each set on the other sets."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from association_records import Records
from contestant import Contestant
from numpy.typing import NDArray
from own_methods import starter

from fairmot_dla34 import TrackerConfig
from fairmot_dla34.association import find_method
from fairmot_dla34.association.auto import Tuning

# The seconds a lost track is kept, and constants of `Tuning`: each at, below and above its default.
SPACE: dict[str, tuple[float, ...]] = {
    "lost_buffer_s": (1.0, 2.0, 3.0),
    "high_share": (0.5, 0.6, 0.7),
    "start_share": (0.8, 0.9, 1.0),
    "confirm_score_sum": (1.0, 1.5, 2.0),
    "lowest_score": (0.05, 0.1, 0.15),
    "first_stage_limit": (0.7, 0.75, 0.8),
    "lost_margin": (0.05, 0.1, 0.15),
    "growth_per_s": (0.25, 0.5, 0.75),
    "appearance_weight": (0.2, 0.3, 0.4),
}
PREFIX = "auto at "
MOST = 32  # settings that can be tried
SCORES = 3  # HOTA, MOTA and IDF1 are the first figures of a run


def candidates(number: int = MOST) -> list[Contestant]:
    """Return the defaults and the first of an endless random order of other settings, with embeddings if there are."""
    rng = random.Random(0)  # noqa: S311
    others = [{name: rng.choice(values) for name, values in SPACE.items()} for _ in range(MOST - 1)]
    return [_candidate(settings) for settings in [_defaults(), *others][:number]]


def _defaults() -> dict[str, float]:
    tuning: dict[str, Any] = Tuning()._asdict()
    return {
        "lost_buffer_s": find_method("auto").lost_buffer_s,
        **{name: tuning[name] for name in SPACE if name in tuning},
    }


def _candidate(settings: dict[str, float]) -> Contestant:
    changed = [f"{name} {value:g}" for name, value in settings.items() if value != _defaults()[name]]
    constants: dict[str, Any] = {name: value for name, value in settings.items() if name != "lost_buffer_s"}
    config = TrackerConfig(lost_buffer_s=settings["lost_buffer_s"])
    start = starter(config, Tuning()._replace(**constants))
    return Contestant(f"{PREFIX}{', '.join(changed) or 'its defaults'}", "", start)


def leave_one_set_out(records: Records) -> str:
    """Return a Markdown table of each set's scores at the settings that are best on the other sets.

    The best settings have the largest mean of HOTA, MOTA and IDF1 over the other sets. Only settings that were measured
    on all sets are compared, and on each set only by runs that all of them have.
    """
    sets, names = _measured(records)
    if len(sets) < 2 or len(names) < 2:
        return "Leave-one-set-out needs at least two settings that were measured on at least two sets.\n"
    scores = np.array([_scores_of_set(records, one, names) for one in sets])  # (sets, settings, 3)
    totals = scores.mean(axis=2)
    lines = ["| left-out set | HOTA / MOTA / IDF1 at the defaults | at the settings chosen on the others | settings |"]
    lines.append("|---|---|---|---|")
    chosen = [int((totals.sum(axis=0) - own).argmax()) for own in totals]
    for row, (one, best) in enumerate(zip(sets, chosen, strict=True)):
        settings = names[best].removeprefix(PREFIX)
        lines.append(f"| {one} | {_cell(scores[row, 0])} | {_cell(scores[row, best])} | {settings} |")
    held_out = scores[np.arange(len(sets)), chosen].mean(axis=0)
    lines.append(f"| mean | {_cell(scores[:, 0].mean(axis=0))} | {_cell(held_out)} | {len(names)} settings compared |")
    return "\n".join(lines) + "\n"


def _measured(records: Records) -> tuple[list[str], list[str]]:
    """Return the sets with settings, and the settings that all of these have, the defaults first."""
    order = [one.name for one in candidates()]
    found = {one: {name for name in records.contestants(one) if name in order} for one in records.sets}
    found = {one: names for one, names in found.items() if names}
    common = set.intersection(*found.values()) if found else set()
    names = [name for name in order if name in common]
    return list(found), names if order[0] in common else []


def _scores_of_set(records: Records, one: str, names: Sequence[str]) -> list[NDArray[np.float64]]:
    by_name = [records.of_runs(one, name) for name in names]
    common = set.intersection(*(set(runs) for runs in by_name))
    return [np.mean([runs[run][:SCORES] for run in sorted(common)], axis=0) for runs in by_name]


def _cell(scores: NDArray[np.float64]) -> str:
    return " / ".join(f"{score:.1f}" for score in scores)
