"""HTTP and RTSP streams over the loopback network, and their failures."""

from __future__ import annotations

import contextlib
import functools
import http.server
import logging
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from clips import index_of, write_clip
from rtsp_server import RtspServer

from fairmot_dla34.errors import SourceError
from fairmot_dla34.video import container_opening, open_source
from fairmot_dla34.video.names import redact_url, url_name

pytestmark = pytest.mark.serial

SECRET = "hunter2"  # noqa: S105 (not a real one)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class TruncatingHandler(QuietHandler):
    """Announces the whole file and sends two thirds of it."""

    def do_GET(self) -> None:
        data = Path(self.translate_path(self.path)).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(data[: len(data) * 2 // 3])


@contextlib.contextmanager
def serving(folder: Path, handler: type[QuietHandler] = QuietHandler) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.fixture
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_opening, "URL_TIMEOUT_S", (1.0, 1.0))


def test_http_file_is_read_like_a_local_file(tmp_path: Path) -> None:
    write_clip(tmp_path / "street.mp4", 30)
    with serving(tmp_path) as host, open_source(f"{host}/street.mp4?token=secret") as source:
        assert source.name == "127.0.0.1_street"
        assert source.frame_count == 30
        assert [index_of(frame.image) for frame in source] == list(range(30))
        assert not source.truncated
        assert (source.ended, source.is_live) == ("end", False)


def test_http_error_contains_the_url_but_no_secret(tmp_path: Path) -> None:
    with serving(tmp_path) as host:
        url = host.replace("//", f"//user:{SECRET}@") + f"/no.mp4?token={SECRET}"
        with pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+/no\.mp4.*404.*expected") as caught:
            open_source(url)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_lost_http_connection_keeps_the_frames_before_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, short_timeout: None
) -> None:
    write_clip(tmp_path / "a.mp4", 60, bf="0", g="10", container_options={"movflags": "faststart"})
    caplog.set_level(logging.WARNING, "fairmot_dla34")
    with serving(tmp_path, TruncatingHandler) as host, open_source(f"{host}/a.mp4") as source:
        got = [index_of(frame.image) for frame in source]
    assert got == list(range(len(got)))
    assert 15 < len(got) < 60
    assert (source.truncated, source.ended) == (True, "lost")
    assert sum("ended early" in record.message for record in caplog.records) == 1


def test_a_server_that_never_answers_is_an_error_not_a_hang(short_timeout: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started_s = time.monotonic()
        with pytest.raises(SourceError, match=r"no answer in 1 s.*Check the URL"):
            open_source(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live")
        assert time.monotonic() - started_s < 5


def test_a_port_without_a_server_is_named_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match=r"refused.*expected a running stream"):
        open_source(f"rtsp://admin:hunter2@127.0.0.1:{port}/live")


@pytest.mark.parametrize("send_bye", [False, True])
def test_an_rtsp_stream_is_read_until_the_server_stops(caplog: pytest.LogCaptureFixture, send_bye: bool) -> None:
    rate = Fraction(25)
    caplog.set_level(logging.WARNING, "fairmot_dla34")
    server = RtspServer(50, rate, send_bye=send_bye)
    url = f"rtsp://admin:{SECRET}@127.0.0.1:{server.port}/live/door?key={SECRET}"
    with server, open_source(url) as source:
        assert source.name == "127.0.0.1_live_door"
        assert source.frame_rate == pytest.approx(25)
        assert source.frame_count is None
        frames = list(source)
    assert [index_of(f.image) for f in frames] == list(range(50))
    assert [f.time_s for f in frames] == pytest.approx([i / 25 for i in range(50)], abs=0.002)
    assert "interleaved" in next(r for r in server.requests if r.startswith("SETUP"))
    assert (source.truncated, source.ended) == (True, "lost")  # FFmpeg reports a BYE like a closed connection
    assert len(caplog.records) == 1
    assert "/live/door ended early: the server stopped sending" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_silent_rtsp_stream_ends_with_one_warning(caplog: pytest.LogCaptureFixture, short_timeout: None) -> None:
    with caplog.at_level(logging.WARNING, "fairmot_dla34"), RtspServer(30, Fraction(25), hang_s=20) as server:
        started_s = time.monotonic()
        with open_source(f"rtsp://127.0.0.1:{server.port}/live") as source:
            got = [index_of(frame.image) for frame in source]
        assert time.monotonic() - started_s < 8
    assert got == list(range(30))
    assert (source.truncated, source.ended) == (True, "stalled")
    assert [r.message for r in caplog.records if "no data arrived for 1 s" in r.message]
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://user:pw@cam-1.example:8554/live/main?auth=x#y", "cam-1.example_live_main"),
        ("https://example.org/videos/street.v2.mp4", "example.org_videos_street.v2"),
        ("http://[::1]:80/../../etc/passwd", "1_.._.._etc_passwd"),
        ("rtmp://host/%2e%2e/" + "x" * 400, None),
        ("http://example.org", "example.org"),
    ],
)
def test_url_names_are_file_names(url: str, name: str | None) -> None:
    got = url_name(url)
    assert name in {None, got}
    assert "/" not in got
    assert not got.startswith(".")
    assert len(got) <= 120
    assert "pw" not in redact_url("rtsp://user:pw@h/x?k=pw")
