"""Hostile results and settings of ``analyse``: damage gives finite counts or one error of the package."""

from __future__ import annotations

import csv
import json
import math
import random
from pathlib import Path

import pytest
from damage import damaged
from track_files import FRAMES, HEIGHT, WIDTH, write_results
from trials import Trials

from fairmot_dla34.analytics import AnalyticsConfig, analyse_results
from fairmot_dla34.errors import FairMOTError, InvalidInputError

SETTINGS = f"""
[[line]]
name = "door"
start = [{WIDTH / 2}, 0]
end = [{WIDTH / 2}, {HEIGHT}]
[[zone]]
name = "yard"
points = [[0, 0], [{WIDTH / 2}, 0], [{WIDTH / 2}, {HEIGHT}]]
[heatmap]
cell_px = 8
of = "boxes"
[ground]
image = [[0, 0], [{WIDTH}, 0], [{WIDTH}, {HEIGHT}], [0, {HEIGHT}]]
metres = [[0, 0], [6, 0], [6, 4], [0, 4]]
[settings]
gap_s = 1.5
"""


def check_files(folder: Path, frames: int) -> None:
    """Check that the files of an analysis are whole and have finite numbers."""
    events = [json.loads(line) for line in (folder / "tracks.events.jsonl").read_text("utf-8").splitlines()]
    assert all(math.isfinite(value) for event in events for value in event.values() if isinstance(value, float))
    rows = list(csv.DictReader((folder / "tracks.counts.csv").read_text("utf-8").splitlines()))
    assert bool(rows) == bool(frames)
    crossings = sum(int(row["door in"]) + int(row["door out"]) for row in rows)
    assert crossings == sum(event["event"] == "crossing" for event in events)
    assert sum(int(row["yard visits"]) for row in rows) == sum(event["event"] == "enter" for event in events)


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv"])
def test_damaged_results(suffix: str, tmp_path: Path, trials: Trials) -> None:
    path = write_results(tmp_path, suffix)
    path = path.rename(tmp_path / f"tracks{suffix}")
    (tmp_path / "shop.toml").write_text(SETTINGS)
    config = AnalyticsConfig.from_toml(tmp_path / "shop.toml")
    whole = path.read_bytes()
    rng = random.Random(suffix)  # noqa: S311 (not for secrets)
    rate = 10.0 if suffix == ".txt" else None
    for number in range(80):
        path.write_bytes(damaged(whole, rng) if number else whole)
        with trials("results files, damaged, analysed", f"{suffix} {number}: {path.read_bytes()!r}"):
            try:
                done = analyse_results(
                    path, config, size=(WIDTH, HEIGHT), frame_rate=rate, overwrite=True, progress=False
                )
            except FairMOTError as error:
                assert number
                assert len(str(error).splitlines()) == 1  # noqa: PT017
                continue
            assert number or done.frames >= FRAMES - 1  # nobody is in the last frame, which .txt and .csv leave out
            check_files(tmp_path / "analytics", done.frames)


def test_damaged_settings(tmp_path: Path, trials: Trials) -> None:
    path = tmp_path / "shop.toml"
    rng = random.Random(7)  # noqa: S311 (not for secrets)
    for number in range(300):
        path.write_bytes(damaged(SETTINGS.encode(), rng))
        with trials("analytics files, damaged", f"{number}: {path.read_bytes()!r}"):
            try:
                config = AnalyticsConfig.from_toml(path)
            except InvalidInputError as error:
                assert "shop.toml" in str(error)  # noqa: PT017
                assert len(str(error).splitlines()) == 1  # noqa: PT017
                continue
            names = [line.name for line in config.lines] + [zone.name for zone in config.zones]
            assert len(set(names)) == len(names)
