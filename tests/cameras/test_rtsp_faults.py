"""RTSP servers of the loopback that refuse, stall, drop, restart on the same port, change size and send garbage.

Each test names the fault of other programs' users that it covers.
"""

from __future__ import annotations

import pytest
from fault_checks import LIMITS, RATE, check_recovery
from faulty_camera import (
    DROPPED,
    GARBAGE,
    REFUSING,
    SILENT,
    STOPPED,
    RtspCamera,
    Watched,
    measure,
    wait_until,
)
from rtsp_server import KEY_FRAME_INTERVAL

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraReader

pytestmark = pytest.mark.serial


@pytest.mark.parametrize("mode", [DROPPED, STOPPED, REFUSING])
def test_an_rtsp_connection_that_ends(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    recovery = measure(RtspCamera(RATE), mode, 0.0 if mode == DROPPED else 0.4, limits=LIMITS)
    check_recovery(recovery, caplog)
    assert recovery.status.reconnects == 1


def test_an_rtsp_server_that_stalls(caplog: pytest.LogCaptureFixture) -> None:
    """Covers: a wedged source. The server is also silent while the reader connects again."""
    recovery = measure(RtspCamera(RATE), SILENT, 1.5, limits=LIMITS)
    check_recovery(recovery, caplog)
    assert "no data arrived for 0.6 s" in recovery.error or "no answer in 1 s" in recovery.error
    assert recovery.status.reconnects == 1


def test_noise_in_rtsp_packets_ends_when_the_camera_recovers(caplog: pytest.LogCaptureFixture) -> None:
    """The frame numbers of H.264 may continue by chance: then images are smeared until the next key frame."""
    recovery = measure(RtspCamera(RATE), GARBAGE, 1.0, limits=LIMITS)
    check_recovery(recovery, caplog, most_damaged=KEY_FRAME_INTERVAL)
    assert recovery.status.corrupt > 0


def test_lag_does_not_grow() -> None:
    """Covers: lag that grows. What the server kept while the stream was opened is passed on at once."""
    watched, camera = Watched(), RtspCamera(RATE)
    with camera, CameraReader(Camera("door", camera.url), watched.take) as reader:
        reader.start()
        wait_until(lambda: len(watched.received_s) > 100)
        assert camera.server is not None
        sent_s = camera.server.sent_s[:]
    first = watched.numbers[0] - camera.server_first
    lags = [
        received_s - sent_s[first + index - watched.indices[0]]
        for received_s, index in zip(watched.received_s, watched.indices, strict=True)
        if first + index - watched.indices[0] < len(sent_s)
    ]
    assert sorted(lags[-40:])[30] < 3 / RATE  # most: the machine may be busy for a moment
