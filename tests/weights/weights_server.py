"""An HTTP server on loopback that misbehaves as told, one step per request."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

Step = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        with self.site.lock:
            self.site.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            step = self.site.steps.pop(0) if self.site.steps else serve()
        self.close_connection = True
        step(self)

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
class Site:
    """What is served, what was asked, and what the next requests get (then: `serve()`)."""

    content: bytes
    steps: list[Step] = field(default_factory=list)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    release: threading.Event = field(default_factory=threading.Event)  # ends stalls
    url: str = ""

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("range") for _path, headers in self.requests]

    def __enter__(self) -> Self:
        handler = type("SiteHandler", (Handler,), {"site": self})
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


def serve(
    *,
    cut: int | None = None,
    stall: bool = False,
    ranges: bool = True,
    etag: str | None = '"v1"',
    md5: str | None = None,
    content: bytes | None = None,
    length: bool = True,
) -> Step:
    """Answer as a good server does, except: only ``cut`` bytes of the body, then hang up or ``stall``."""

    def step(handler: Handler) -> None:
        site = handler.site
        whole = site.content if content is None else content
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        matches = handler.headers.get("If-Range", etag) == etag
        headers = {"ETag": etag, "Content-MD5": md5, "Content-Type": "application/octet-stream"}
        if ranges and asked and matches:
            first = int(asked[1])
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
        if stall:
            site.release.wait(20)

    return step


def status(code: int, body: bytes = b"", headers: dict[str, str | None] | None = None) -> Step:
    def step(handler: Handler) -> None:
        handler.start(code, {"Content-Length": str(len(body)), **(headers or {})})
        handler.wfile.write(body)

    return step


def redirect(path: str) -> Step:
    return status(302, headers={"Location": path})


def hang_up(handler: Handler) -> None:
    """Close the connection without an answer."""
