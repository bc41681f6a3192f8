"""A small RTSP server on the loopback, with faults: RFC 2326 over TCP, RFC 6184 with one NAL unit per packet."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import numpy as np
from clips import numbered_image

if TYPE_CHECKING:
    from typing_extensions import Self

SSRC = 0x1234
KEY_FRAME_INTERVAL = 10


def access_units(count: int, rate: Fraction, size: tuple[int, int] = (160, 96)) -> list[list[bytes]]:
    """Encode ``count`` numbered images as lists of NAL units, each small enough for one packet."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", 1 / rate
    parameters = f"slice-max-size=1200:repeat-headers=1:keyint={KEY_FRAME_INTERVAL}"
    encoder.options = {"tune": "zerolatency", "x264-params": parameters}
    units = []
    for index in [*range(count), None]:
        frame = None
        if index is not None:
            frame = av.VideoFrame.from_ndarray(numbered_image(index, *size), format="bgr24")
            frame.pts = index
        units += [
            [nal for nal in re.split(rb"\x00\x00\x00?\x01", bytes(packet)) if nal] for packet in encoder.encode(frame)
        ]
    return units


class RtspHandler(socketserver.StreamRequestHandler):
    server: RtspServer

    def handle(self) -> None:
        self.server.connections.append(self.connection)
        with contextlib.suppress(OSError):
            self._serve()

    def _serve(self) -> None:
        if self.server.mode == "refuse":
            return
        while True:
            self.server.wait_while("silent")
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                request += line
            method = request.split()[0].decode()
            self.server.requests.append(request.decode())
            sequence = re.search(rb"CSeq: *(\d+)", request)
            assert sequence is not None, request
            self._answer(method, sequence[1].decode())
            if method == "PLAY":
                self._play()
                return

    def _answer(self, method: str, sequence: str) -> None:
        extra, body = "", ""
        if method == "OPTIONS":
            extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        if method == "DESCRIBE":
            body = (
                "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=live\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=framerate:{float(self.server.rate)}\r\n"
                "a=control:track1\r\n"
            )
            extra = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        if method == "SETUP":
            extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        status = "200 OK"
        if self.server.mode == "unauthorized":
            status, extra, body = "401 Unauthorized", 'WWW-Authenticate: Basic realm="door"\r\n', ""
        answer = f"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\nSession: 1\r\n{extra}\r\n{body}"
        self.wfile.write(answer.encode())

    def _play(self) -> None:
        server, number, noise = self.server, 0, np.random.default_rng(1)
        for index in server.indices():
            if server.mode in {"drop", "refuse"} or server.stop.is_set():
                return
            server.wait_while("silent")
            stamp = round(index * 90000 / server.rate)
            units = server.units[index % len(server.units)]
            for position, unit in enumerate(units):
                nal = noise.bytes(len(unit)) if server.mode == "garbage" else unit
                last = position == len(units) - 1
                head = struct.pack(">BBHII", 0x80, 96 | (last << 7), number & 0xFFFF, stamp & 0xFFFFFFFF, SSRC)
                self.wfile.write(struct.pack(">cBH", b"$", 0, len(head) + len(nal)) + head + nal)
                number += 1
            server.sent_s.append(time.monotonic())
            server.stop.wait(server.pause_s)
        if server.send_bye:
            bye = struct.pack(">BBHI", 0x81, 203, 1, SSRC)
            self.wfile.write(struct.pack(">cBH", b"$", 1, len(bye)) + bye)
        server.stop.wait(server.hang_s)


class RtspServer(socketserver.ThreadingTCPServer):
    """Serves numbered images once per connection, then waits for ``hang_s`` seconds and closes the connection.

    Between two images it waits for ``pause_s``; ``sent_s`` lists when each was sent, on the monotonic clock. With
    ``endless``, the images are repeated until the connection or the server is closed.

    ``mode`` may change at any time: ``serve``; ``refuse`` and ``drop`` close connections, before the first answer and
    while playing; ``silent`` sends nothing; ``garbage`` sends packets of noise; ``unauthorized`` answers 401.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        count: int,
        rate: Fraction,
        *,
        hang_s: float = 0.0,
        send_bye: bool = False,
        pause_s: float = 0.002,
        port: int = 0,
        endless: bool = False,
        first: int = 0,
        size: tuple[int, int] = (160, 96),
    ) -> None:
        self.units, self.rate, self.hang_s, self.send_bye = access_units(count, rate, size), rate, hang_s, send_bye
        self.pause_s, self.endless, self.first = pause_s, endless, first
        self.mode = "serve"
        self.sent_s: list[float] = []
        self.requests: list[str] = []
        self.connections: list[socket.socket] = []
        self.stop = threading.Event()
        super().__init__(("127.0.0.1", port), RtspHandler)
        self.port = self.server_address[1]

    def indices(self) -> Iterator[int]:
        """Return the index of each image to send; one that is not a multiple of 10 depends on those before it."""
        return itertools.count(self.first) if self.endless else iter(range(self.first, len(self.units)))

    def wait_while(self, mode: str) -> None:
        """Wait until the mode is another one, or the server is closed."""
        while self.mode == mode and not self.stop.wait(0.01):
            pass

    def drop(self) -> None:
        """Close all connections, as a camera that restarts does."""
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.shutdown()
        self.drop()
        self.server_close()
