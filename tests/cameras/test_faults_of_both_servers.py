"""Faults of which an RTSP camera and one that sends motion JPEG over HTTP recover alike.

Each test names the fault of other programs' users that it covers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from fault_checks import LIMITS, RATE, check_recovery
from faulty_camera import (
    IMAGES,
    OTHER_SIZE,
    RESIZED,
    SECRET,
    SIZE,
    STOPPED,
    UNAUTHORIZED,
    MjpegCamera,
    RtspCamera,
    measure,
    wait_until,
)

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraReader

pytestmark = pytest.mark.serial
ServerKind = Callable[[float], RtspCamera | MjpegCamera]
BOTH = pytest.mark.parametrize("server_kind", [RtspCamera, MjpegCamera])


@BOTH
def test_a_camera_that_is_switched_on_later(server_kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    """Covers: no start while one camera is down."""
    recovery = measure(server_kind(RATE), STOPPED, 0.7, limits=LIMITS, starts_without=True)
    check_recovery(recovery, caplog)
    assert "Connection refused" in recovery.error
    assert recovery.status.reconnects == 0
    assert recovery.watched.indices[0] == recovery.watched.times_s[0] == 0


@BOTH
def test_a_camera_that_restarts_with_another_size(server_kind: ServerKind, caplog: pytest.LogCaptureFixture) -> None:
    """Covers: black or grey frames after a reconnect. The stream is joined between two key frames."""
    recovery = measure(server_kind(RATE), RESIZED, 0.0, limits=LIMITS)
    check_recovery(recovery, caplog)
    assert list(dict.fromkeys(recovery.watched.sizes)) == [SIZE, OTHER_SIZE]
    assert recovery.status.reconnects == 1
    for earlier, later in itertools.pairwise(recovery.watched.numbers[-10:]):
        assert later == (earlier + 1) % IMAGES


@BOTH
def test_refused_access_waits_for_minutes_and_says_so(
    server_kind: ServerKind, caplog: pytest.LogCaptureFixture
) -> None:
    with server_kind(RATE) as server, CameraReader(Camera("door", server.url), print, limits=LIMITS) as reader:
        server.set_mode(UNAUTHORIZED)
        reader.start()
        wait_until(lambda: reader.status().retry_in_s is not None)
        status = reader.status()
    assert status.retry_in_s is not None
    assert 260 < status.retry_in_s <= 300
    assert "refuses access" in status.last_error
    assert "It is tried again every 5 minutes." in caplog.text
    assert SECRET not in f"{status} {caplog.text}"
