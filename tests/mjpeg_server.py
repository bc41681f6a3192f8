"""A small HTTP server of motion JPEG on the loopback: one multipart response of numbered images."""

from __future__ import annotations

import http.server
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import cv2
from clips import numbered_image

BOUNDARY = "frame"


def jpeg(index: int, size: tuple[int, int] = (160, 96)) -> bytes:
    """Encode the numbered image of an index."""
    return cv2.imencode(".jpg", numbered_image(index, *size))[1].tobytes()


def part(data: bytes, *, boundary: str = f"--{BOUNDARY}", length: int | None = -1) -> bytes:
    """Return one part of the response; ``length`` replaces the true Content-Length, None leaves it out."""
    stated = len(data) if length == -1 else length
    header = "" if stated is None else f"Content-Length: {stated}\r\n"
    return f"{boundary}\r\nContent-Type: image/jpeg\r\n{header}\r\n".encode() + data + b"\r\n"


@contextmanager
def serving_mjpeg(
    count: int,
    pause_s: float,
    *,
    make_part: Callable[[int], bytes] = lambda index: part(jpeg(index)),
    end: str = "close",
    port: int = 0,
    status: Callable[[], int] = lambda: 200,
) -> Iterator[str]:
    """Serve parts to every client and yield the URL.

    Args:
        count: Number of parts.
        pause_s: Wait after each part.
        make_part: Function that returns the part of an index.
        end: What follows: ``close``, ``reset`` of the connection, ``silence`` or endless ``garbage``.
        port: Port; 0: a free one.
        status: Function that returns the status of each answer; parts follow 200 only.
    """
    stopped = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status() != 200:
                self.send_error(status())
                return
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.end_headers()
            with suppress(OSError):
                for index in range(count):
                    self.wfile.write(make_part(index))
                    if stopped.wait(pause_s):
                        return
                if end == "silence":
                    stopped.wait()
                while end == "garbage" and not stopped.is_set():
                    self.wfile.write(b"\n--no such thing\r\n" * 64)
                    time.sleep(0.001)
                if end == "reset":  # a close with unsent data and no linger
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/live"
        finally:
            stopped.set()
            server.shutdown()
