"""HTTP servers of motion JPEG on the loopback that refuse, stall, restart on the same port and send garbage.

Each test names the fault of other programs' users that it covers.
"""

from __future__ import annotations

import http.server
import threading
import time
from functools import partial
from pathlib import Path

import pytest
from clips import write_clip
from fault_checks import LIMITS, RATE, check_recovery
from faulty_camera import (
    GARBAGE,
    SERVING,
    SILENT,
    MjpegCamera,
    Watched,
    measure,
    wait_until,
)

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraReader
from fairmot_dla34.cameras.status import State

pytestmark = pytest.mark.serial


@pytest.mark.parametrize("mode", [SILENT, GARBAGE])
def test_an_http_server_that_stalls_or_sends_garbage(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    """Covers: a wedged source; and lag that grows, because what the server kept is not tracked later."""
    recovery = measure(MjpegCamera(RATE), mode, 1.5, limits=LIMITS)
    check_recovery(recovery, caplog)
    assert "no data arrived for 0.6 s" in recovery.error
    assert recovery.status.reconnects == 1


@pytest.mark.parametrize("while_opening", [True, False])
def test_close_returns_soon_while_a_server_hangs(while_opening: bool) -> None:
    watched = Watched()
    with MjpegCamera(RATE) as server, CameraReader(Camera("door", server.url), watched.take) as reader:
        if while_opening:
            server.set_mode(SILENT)
        reader.start()
        if while_opening:
            time.sleep(0.3)
        else:
            wait_until(lambda: watched.indices)
            server.set_mode(SILENT)
            time.sleep(0.1)
        assert reader.status().state is (State.CONNECTING if while_opening else State.RUNNING)
        count, started_s = len(watched.indices), time.monotonic()
        reader.close()
        assert time.monotonic() - started_s < 1.5
        server.set_mode(SERVING)
        time.sleep(0.2)
    assert len(watched.indices) == count


class Folder(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def test_a_recording_on_a_server_is_not_started_again(tmp_path: Path) -> None:
    """From its start again, the same people would be counted twice."""
    write_clip(tmp_path / "a.mp4", 10)
    watched = Watched()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Folder, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with CameraReader(Camera("a", f"http://127.0.0.1:{server.server_port}/a.mp4"), watched.take) as reader:
            reader.start()
            wait_until(lambda: reader.status().state is State.ENDED)
        server.shutdown()
    assert watched.numbers == list(range(10))
    assert reader.status().last_error == ""
