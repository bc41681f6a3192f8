"""HTTP server of the page, for one user on this computer.

It listens on 127.0.0.1 only. Every path starts with a random token, so that other users of the computer cannot read the
frame or save. Requests whose Host is not this server are refused (DNS rebinding), and so are those of other sites
(Origin, Sec-Fetch-Site).
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

from ..analytics.toml_text import MAX_BYTES
from ..config import is_number, shown
from ..errors import FairMOTError, InvalidInputError
from .zone_file import ZoneFile

_log = logging.getLogger(__name__)

_ADDRESS = "127.0.0.1"
_LONGEST_REQUEST_S = 10.0  # for each read; a client that sends nothing is closed
_CONNECTIONS = 32  # at one time; a browser opens about six
_FILES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
    "panel.js": ("panel.js", "text/javascript; charset=utf-8"),
    "shapes.js": ("shapes.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",  # the path has the token
    "X-Content-Type-Options": "nosniff",
}


def check_port(port: object) -> int:
    """Return a port number.

    Raises:
        InvalidInputError: It is not a whole number from 0 to 65535.
    """
    if not is_number(port) or port != int(port) or not 0 <= port <= 65535:
        raise InvalidInputError(f"port is {shown(port)}; expected a whole number from 1 to 65535, or 0 for a free one.")
    return int(port)


class ZoneServer(ThreadingHTTPServer):
    """Serves the page, the frame and the shapes, and saves what is drawn.

    Args:
        file: File that is edited.
        image: The frame as the bytes of a JPEG file.
        name: Name of the source, shown on the page.
        port: Port on 127.0.0.1; 0 for a free one.

    Attributes:
        url: URL of the page with the token.

    Raises:
        InvalidInputError: The port is out of range or not free.
    """

    daemon_threads = True
    block_on_close = False  # a client that keeps its connection open must not hold up the end

    def __init__(self, file: ZoneFile, image: bytes, name: str, port: int = 0) -> None:
        self.file, self.image, self.name = file, image, name
        self.token = secrets.token_urlsafe(24)
        self._link = secrets.token_urlsafe(24)
        self._linking = threading.Lock()
        self._free = threading.BoundedSemaphore(_CONNECTIONS)
        try:
            super().__init__((_ADDRESS, check_port(port)), _Handler)
        except OSError as error:
            raise InvalidInputError(
                f"port is {port}, which cannot be used ({error.strerror or error}); expected a free port of this "
                "computer: name another one, or none for a free one."
            ) from error
        self.hosts = {f"{host}:{self.server_port}" for host in (_ADDRESS, "localhost")}
        if self.server_port == 80:  # browsers leave out the default port
            self.hosts |= {_ADDRESS, "localhost"}
        self.url = f"http://{_ADDRESS}:{self.server_port}/{self.token}/"

    @property
    def browser_url(self) -> str:
        """URL that leads to the page once: other users of the computer can see the arguments of a browser's process."""
        return f"http://{_ADDRESS}:{self.server_port}/{self._link}/"

    def follow_link(self, token: str) -> bool:
        """Return whether the token is that of `browser_url`, used for the first time."""
        return bool(self._link) and _equal(token, self._link) and self._use_link()

    def _use_link(self) -> bool:
        with self._linking:
            link, self._link = self._link, ""
        return bool(link)

    def state(self) -> dict[str, Any]:
        """Return what the page shows, ready for JSON."""
        width, height = self.file.frame_size
        return {
            "source": self.name,
            "file": str(self.file.path).encode("utf-8", "replace").decode(),
            "width": width,
            "height": height,
            "comments": self.file.has_comments,
            **self.file.shapes,
        }

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, or close the connection if there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the process may start no more threads
            self._free.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer a request and release its place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: Any) -> None:  # noqa: ARG002
        """Log an error of one connection; the server goes on."""
        _log.debug("A connection ended with an error.", exc_info=True)


@dataclass(frozen=True)
class _RefusedError(Exception):
    """A request that is not answered as it asks for.

    Attributes:
        status: HTTP status.
        message: One sentence.
        headers: Further headers.
    """

    status: int
    message: str
    headers: Mapping[str, str]


class _Handler(BaseHTTPRequestHandler):
    server: ZoneServer
    server_version = "fairmot_dla34"
    sys_version = ""
    timeout = _LONGEST_REQUEST_S

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_other(self) -> None:
        self._answer("")

    do_HEAD = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_other  # noqa: N815 (names of the base class)

    def _answer(self, method: str) -> None:
        try:
            path = self._checked_path()
            if path in {"save", "save-and-close"}:
                self._allow(method, "POST")
                self._save(close=path == "save-and-close")
                return
            self._allow(method, "GET")
            self._get(path)
        except _RefusedError as refused:
            self._send_json(refused.status, {"error": refused.message}, refused.headers)
        except OSError:  # the browser closed the connection, or sent nothing for too long
            self.close_connection = True

    def _checked_path(self) -> str:
        """Return the path below the token."""
        if self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            raise _RefusedError(403, "The Host header is not this server.", {})
        site = self.headers.get("Sec-Fetch-Site", "none")
        origins = {f"http://{host}" for host in self.server.hosts}
        is_link = self.headers.get("Sec-Fetch-Mode") == "navigate" and self.command == "GET"
        if self.headers.get("Origin", self.server.url.rstrip("/").rpartition("/")[0]) not in origins or (
            site not in {"none", "same-origin"} and not is_link
        ):
            raise _RefusedError(403, "Requests of other sites are not accepted.", {})
        _, token, *rest = self.path.split("/", 2) if self.path.startswith("/") else ("", "")
        if rest == [""] and self.command == "GET" and self.server.follow_link(token):
            raise _RefusedError(303, "The page is at another URL.", {"Location": self.server.url})
        if not rest or not _equal(token, self.server.token):
            raise _RefusedError(404, "There is nothing here. Open the URL that draw-zones printed.", {})
        return rest[0]

    @staticmethod
    def _allow(method: str, expected: str) -> None:
        if method != expected:
            raise _RefusedError(405, f"Expected the method {expected}.", {"Allow": expected})

    def _get(self, path: str) -> None:
        if path == "frame.jpg":
            self._send(200, "image/jpeg", self.server.image)
        elif path == "state":
            self._send_json(200, self.server.state())
        elif path in _FILES:  # no other path of the disk can be named
            name, kind = _FILES[path]
            self._send(200, kind, Path(__file__).with_name(name).read_bytes())
        else:
            raise _RefusedError(404, "There is nothing here.", {})

    def _save(self, *, close: bool) -> None:
        try:
            shapes = json.loads(self._body())
            self.server.file.save(shapes)
        except FairMOTError as error:
            raise _RefusedError(400, str(error), {}) from error
        except (ValueError, RecursionError) as error:
            raise _RefusedError(400, "The body is not JSON.", {}) from error
        _log.info("Saved %s.", self.server.file.path)
        self._send_json(200, {"saved": str(self.server.file.path).encode("utf-8", "replace").decode()})
        if close:
            self.wfile.flush()
            self.server.shutdown()

    def _body(self) -> bytes:
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(415, "Expected the content type application/json.", {})
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            raise _RefusedError(411, "Expected a Content-Length.", {})
        if len(length) > 9 or int(length) > MAX_BYTES:
            raise _RefusedError(413, f"Expected at most {MAX_BYTES} bytes.", {})
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise _RefusedError(400, "The body ended early.", {})
        return body

    def _send_json(self, status: int, value: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value).encode(), headers)

    def _send(self, status: int, kind: str, content: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        all_headers = {"Content-Type": kind, "Content-Length": f"{len(content)}", **_HEADERS, **(headers or {})}
        for name, value in all_headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Log nothing: the paths of requests have the token."""


def _equal(token: str, expected: str) -> bool:
    """Compare in a time that does not depend on the common part."""
    return hmac.compare_digest(token.encode(errors="replace"), expected.encode())
