"""Loopback HTTP server for download tests, with one scripted response per request."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

Response = Callable[["RequestHandler"], None]


class RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: FakeServer

    def do_GET(self) -> None:
        state = self.server_state
        with state.lock:
            state.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            response = state.responses.pop(0) if state.responses else send_file()
        self.close_connection = True
        response(self)

    def log_message(self, *args: object) -> None:
        pass

    def start(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            if value is not None:
                self.send_header(key, value)
        self.send_header("Connection", "close")
        self.end_headers()


@dataclass
class FakeServer:
    """Server of one file.

    Attributes:
        content: Bytes of the file.
        responses: Responses to the next requests; all later requests get `send_file()`.
        requests: Path and headers of every request so far.
        lock: Lock of ``responses`` and ``requests``.
        release: Event that ends stalled responses.
        url: URL of the running server.
    """

    content: bytes
    responses: list[Response] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    release: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("range") for _path, headers in self.requests]

    def __enter__(self) -> Self:
        handler = type("FakeServerHandler", (RequestHandler,), {"server_state": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *exc: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def md5_of(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def send_file(
    *,
    cut: int | None = None,
    stall: bool = False,
    ranges: bool = True,
    etag: str | None = '"v1"',
    md5: str | None = None,
    content: bytes | None = None,
    length: bool = True,
    drip_s: float | None = None,
) -> Response:
    """Return a response with the file, correct except for the given faults.

    Args:
        cut: Number of bytes of the body to send, None for all.
        stall: Keep the connection open after the last byte.
        ranges: Answer range requests with a range.
        etag: ETag header.
        md5: Content-MD5 header.
        content: Bytes to send in place of the server's file.
        length: Send the Content-Length header.
        drip_s: Seconds between single bytes that follow those of ``cut``, or None to send none.
    """

    def response(handler: RequestHandler) -> None:
        state = handler.server_state
        whole = state.content if content is None else content
        requested = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        matches = handler.headers.get("If-Range", etag) == etag
        headers = {"ETag": etag, "Content-MD5": md5, "Content-Type": "application/octet-stream"}
        if ranges and requested and matches:
            first = int(requested[1])
            if first >= len(whole):
                handler.start(416, {"Content-Range": f"bytes */{len(whole)}", "Content-Length": "0"})
                return
            body = whole[first:]
            headers["Content-Range"] = f"bytes {first}-{len(whole) - 1}/{len(whole)}"
            status = 206
        else:
            body, status = whole, 200
        if length:
            headers["Content-Length"] = str(len(body))
        handler.start(status, headers)
        handler.wfile.write(body if cut is None else body[:cut])
        handler.wfile.flush()
        if drip_s is not None:
            for byte in body[cut:]:
                with contextlib.suppress(OSError):  # the client has left
                    handler.wfile.write(bytes([byte]))
                if state.release.wait(drip_s):
                    return
        if stall:
            state.release.wait(20)

    return response


def send_status(code: int, body: bytes = b"", headers: dict[str, str | None] | None = None) -> Response:
    def response(handler: RequestHandler) -> None:
        handler.start(code, {"Content-Length": str(len(body)), **(headers or {})})
        handler.wfile.write(body)

    return response


def send_redirect(path: str) -> Response:
    return send_status(302, headers={"Location": path})


def close_connection(handler: RequestHandler) -> None:
    """Close the connection without a response."""
