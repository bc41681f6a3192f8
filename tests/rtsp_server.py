"""A small RTSP server on the loopback: RFC 2326 over TCP, RFC 6184 with one NAL unit per packet."""

from __future__ import annotations

import contextlib
import re
import socketserver
import struct
import threading
import time
from fractions import Fraction
from typing import TYPE_CHECKING

import av
from clips import numbered_image

if TYPE_CHECKING:
    from typing_extensions import Self

SSRC = 0x1234


def access_units(count: int, rate: Fraction) -> list[list[bytes]]:
    """Encode ``count`` numbered images as lists of NAL units, each small enough for one packet."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 160, 96, "yuv420p", 1 / rate
    encoder.options = {"tune": "zerolatency", "x264-params": "slice-max-size=1200:repeat-headers=1:keyint=10"}
    units = []
    for index in [*range(count), None]:
        frame = None
        if index is not None:
            frame = av.VideoFrame.from_ndarray(numbered_image(index), format="bgr24")
            frame.pts = index
        units += [
            [nal for nal in re.split(rb"\x00\x00\x00?\x01", bytes(packet)) if nal] for packet in encoder.encode(frame)
        ]
    return units


class RtspHandler(socketserver.StreamRequestHandler):
    server: RtspServer

    def handle(self) -> None:
        while True:
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
        answer = f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\nSession: 1\r\n{extra}\r\n{body}"
        self.wfile.write(answer.encode())

    def _play(self) -> None:
        number = 0
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for index, units in enumerate(self.server.units):
                stamp = round(index * 90000 / self.server.rate)
                for position, nal in enumerate(units):
                    last = position == len(units) - 1
                    head = struct.pack(">BBHII", 0x80, 96 | (last << 7), number & 0xFFFF, stamp, SSRC)
                    self.wfile.write(struct.pack(">cBH", b"$", 0, len(head) + len(nal)) + head + nal)
                    number += 1
                self.server.sent_s.append(time.monotonic())
                time.sleep(self.server.pause_s)
            if self.server.send_bye:
                bye = struct.pack(">BBHI", 0x81, 203, 1, SSRC)
                self.wfile.write(struct.pack(">cBH", b"$", 1, len(bye)) + bye)
            self.server.stop.wait(self.server.hang_s)


class RtspServer(socketserver.ThreadingTCPServer):
    """Serves numbered images once per connection, then waits for ``hang_s`` seconds and closes the connection.

    Between two images it waits for ``pause_s``; ``sent_s`` lists when each was sent, on the monotonic clock.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, count: int, rate: Fraction, *, hang_s: float = 0.0, send_bye: bool = False, pause_s: float = 0.002
    ) -> None:
        self.units, self.rate, self.hang_s, self.send_bye = access_units(count, rate), rate, hang_s, send_bye
        self.pause_s = pause_s
        self.sent_s: list[float] = []
        self.requests: list[str] = []
        self.stop = threading.Event()
        super().__init__(("127.0.0.1", 0), RtspHandler)
        self.port = self.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.shutdown()
        self.server_close()
