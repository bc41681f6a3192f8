"""A short version of the soak: 30 simulated days with faults of every kind, in some seconds."""

from __future__ import annotations

import itertools
import sys

import pytest
from soak_camera import FAULTS
from watch_soak import Day, Plan, soak

MAIN_ONLY = pytest.mark.skipif(sys.platform != "linux", reason="memory and descriptors are counted on Linux")


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[Day]:
    plan = Plan(interval_s=14_400.0, bursts=2, burst_frames=8, faults=1, longest_away_s=600.0, segment="day", keep="3d")
    return list(soak(tmp_path_factory.mktemp("soak"), plan))


def test_frames_and_ids_go_on_over_every_fault(days: list[Day]) -> None:
    assert [day.day for day in days] == list(range(1, 31))
    assert all(after.frames - before.frames >= 16 for before, after in itertools.pairwise(days))
    assert days[-1].reconnects == 30 > 2 * len(FAULTS)
    assert days[-1].ids > 60


@MAIN_ONLY
def test_threads_descriptors_and_disk_use_stay_flat(days: list[Day]) -> None:
    """The first week shows every fault once; two hanging decoders at most are left behind at a time."""
    steady = days[7:]
    assert max(day.threads for day in steady) <= max(day.threads for day in days[:7]) + 1
    assert max(day.descriptors for day in steady) <= max(day.descriptors for day in days[:7]) + 2
    assert max(day.files for day in steady) <= 1.5 * max(day.files for day in days[3:7])
    assert max(day.disk_mb for day in steady) <= 2 * max(day.disk_mb for day in days[3:7])


@MAIN_ONLY
def test_memory_stays_flat(days: list[Day]) -> None:
    assert days[-1].rss_mb <= days[7].rss_mb + 8
    assert days[-1].objects <= days[7].objects + 500
