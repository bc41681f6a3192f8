"""`draw_zones` from Python: the browser that it opens, and computers without a display or a browser."""

from __future__ import annotations

import json
import logging
import sys
import threading
import urllib.request
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import pytest

from fairmot_dla34.errors import InvalidInputError, SourceNotFoundError
from fairmot_dla34.zone_page import draw
from fairmot_dla34.zone_page.draw import draw_zones


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "shop.png"
    cv2.imwrite(str(path), np.full((90, 160, 3), 90, np.uint8))
    return path


def test_the_browser_gets_a_link_that_leads_to_the_page_once(
    image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: Queue[str] = Queue()

    def open_page(url: str) -> bool:
        opened.put(url)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", open_page)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with ThreadPoolExecutor() as pool:
        done = pool.submit(draw_zones, image, tmp_path / "shop.toml")
        with opener.open(opened.get(timeout=20), timeout=10) as page:
            url = page.url
            assert page.read().startswith(b"<!doctype html>")
        body = json.dumps({"line": [], "zone": []}).encode()
        request = urllib.request.Request(f"{url}save-and-close", body, {"Content-Type": "application/json"})  # noqa: S310
        opener.open(request, timeout=10).close()
        drawn = done.result(timeout=10)
    assert (drawn.path, drawn.lines, drawn.zones, drawn.frame_size) == (tmp_path / "shop.toml", 0, 0, (160, 90))


def test_without_a_display_or_a_browser_the_log_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    draw._open_browser("http://127.0.0.1:1/x/")
    assert "no display" in caplog.text
    monkeypatch.setenv("DISPLAY", ":0")
    draw._open_browser("http://127.0.0.1:1/x/")
    for thread in threading.enumerate():
        if thread.name == "fairmot_dla34 browser":
            thread.join(5)
    assert "by hand" in caplog.text


def test_wrong_arguments_are_refused_before_the_page_is_served(image: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    with pytest.raises(InvalidInputError, match="port is"):
        draw_zones(image, path, port=99999)
    with pytest.raises(SourceNotFoundError):
        draw_zones(tmp_path / "absent.mp4", path)
    for wrong in ("", 3, b"x", None):
        with pytest.raises(InvalidInputError, match="analytics"):
            draw_zones(image, wrong)  # type: ignore[arg-type]
    assert not path.exists()
