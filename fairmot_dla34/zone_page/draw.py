"""Opens the page for the first frame of a video and serves it until it is closed."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInputError
from ..video.opening import open_source
from .server import ZoneServer, check_port
from .zone_file import ZoneFile, check_target

_log = logging.getLogger(__name__)

_JPEG_QUALITY = 92


@dataclass(frozen=True)
class DrawnZones:
    """File that was saved, and its contents in numbers.

    Attributes:
        path: The analytics file.
        lines: Number of lines in it.
        zones: Number of zones in it.
        frame_size: Width and height of the frame, px.
    """

    path: Path
    lines: int
    zones: int
    frame_size: tuple[int, int]


def draw_zones(
    source: str | os.PathLike[str] | int,
    analytics: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    port: int = 0,
    browser: bool = True,
) -> DrawnZones:
    """Serve the page until *Save and close* is pressed; the URL is logged.

    Args:
        source: Video, image, folder of images, camera or stream; its first frame is shown.
        analytics: TOML file to write.
        overwrite: Edit the file if it exists, rather than refuse.
        port: Port on 127.0.0.1; 0 for a free one.
        browser: Open the page in a browser, if there is a display.

    Returns:
        What was saved last.

    Raises:
        InvalidInputError: An argument is not accepted, the port is not free, or the existing file does not fit.
        SourceError: The source cannot be read.
        OutputError: The file exists and ``overwrite`` is False, or it cannot be written.
    """
    port = check_port(port)
    check_target(analytics, overwrite=overwrite)  # before the source is opened, which may take long
    name, image, size = _first_frame(source)
    file = ZoneFile(analytics, size, overwrite=overwrite)
    with ZoneServer(file, image, name, port) as server:
        _log.info("Draw lines and zones at %s (Ctrl-C ends; only this computer can open it).", server.url)
        if file.has_comments:
            _log.warning("%s has comments, which a save removes.", file.path)
        if browser:
            _open_browser(server.browser_url)
        try:
            server.serve_forever(poll_interval=0.1)
        finally:
            file.wait()
    shapes = file.shapes
    return DrawnZones(file.path, len(shapes["line"]), len(shapes["zone"]), size)


def _first_frame(source: str | os.PathLike[str] | int) -> tuple[str, bytes, tuple[int, int]]:
    """Return the name of the source, its first frame as JPEG, and the frame's width and height."""
    with open_source(source) as opened:
        frame = next(iter(opened))
        name = opened.name
    import cv2

    done, encoded = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise InvalidInputError(f"The first frame of {name} cannot be encoded as JPEG; expected a colour image.")
    height, width = frame.image.shape[:2]
    return name, encoded.tobytes(), (width, height)


def _open_browser(url: str) -> None:
    """Open the page beside the server. Browsers in the terminal are left out: they would take it over."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        _log.info("There is no display here: open that URL in a browser on this computer.")
        return

    def open_page() -> None:
        with contextlib.suppress(webbrowser.Error, OSError):
            if webbrowser.open(url):
                return
        _log.warning("No browser could be opened: open that URL by hand.")

    threading.Thread(target=open_page, name="fairmot_dla34 browser", daemon=True).start()
