"""A running zone page on loopback, and requests to it that may have any header."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fairmot_dla34.zone_page.server import ZoneServer
from fairmot_dla34.zone_page.zone_file import ZoneFile

SIZE = (640, 360)


def frame_jpeg(size: tuple[int, int] = SIZE) -> bytes:
    """Return a frame with a door and a floor as JPEG."""
    width, height = size
    image = np.full((height, width, 3), (150, 160, 165), np.uint8)
    image[height // 2 :] = (90, 100, 110)
    cv2.rectangle(image, (width // 3, height // 6), (width // 2, height // 2), (60, 70, 120), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


@dataclass(frozen=True)
class Answer:
    """Answer of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


class Page:
    """A client of one server."""

    def __init__(self, server: ZoneServer, thread: threading.Thread) -> None:
        self.server, self.thread = server, thread
        self.base = f"/{server.token}/"

    def request(self, path: str = "", method: str = "GET", body: bytes = b"", **headers: Any) -> Answer:
        """Send a request; a path that starts with / is absolute, and a header that is None is left out."""
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{self.server.server_port}"}
        if method == "POST":
            sent |= {"Content-Type": "application/json", "Content-Length": f"{len(body)}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        try:
            connection.putrequest(
                method, path if path.startswith("/") else self.base + path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def save(self, shapes: object, *, path: str = "save") -> Answer:
        return self.request(path, "POST", body=json.dumps(shapes).encode())


@contextmanager
def served_page(path: Path, *, overwrite: bool = False, size: tuple[int, int] = SIZE) -> Iterator[Page]:
    """Serve the page for a file in a thread."""
    file = ZoneFile(path, size, overwrite=overwrite)
    with ZoneServer(file, frame_jpeg(size), "shop.mp4") as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield Page(server, thread)
        finally:
            server.shutdown()
            thread.join(5)
