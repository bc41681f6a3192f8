"""Checks of what holds after every fault of a camera; the waits are shorter than those of the package."""

from __future__ import annotations

import itertools
import logging

import pytest
from faulty_camera import SECRET, Recovery

from fairmot_dla34.cameras.watchdog import Limits

RATE = 100.0
LIMITS = Limits(connect_s=1.0, packet_s=0.6, open_s=4.0, first_frame_s=3.0, frame_s=2.0)
SLOWEST_S = 4.0  # to recover: the longest early wait, the connection, and the time in which the server answers nothing


def check_recovery(recovery: Recovery, caplog: pytest.LogCaptureFixture, most_damaged: int = 0) -> None:
    """Check what holds after every fault: intact frames in order, true times, and no secrets."""
    watched = recovery.watched
    assert recovery.recovery_s < SLOWEST_S
    assert watched.damaged <= most_damaged
    assert all(later > earlier for earlier, later in itertools.pairwise(watched.indices))
    assert all(later > earlier for earlier, later in itertools.pairwise(watched.times_s))
    elapsed_s = watched.received_s[-1] - watched.received_s[0]
    assert watched.times_s[-1] - watched.times_s[0] == pytest.approx(elapsed_s, abs=1.5)  # but for what a server kept
    assert SECRET not in f"{recovery.status} {caplog.text}"
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 1
