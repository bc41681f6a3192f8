"""The verb ``draw-zones`` as a process: the URL it prints, what it saves, its exit codes, and wrong usage."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from fairmot_dla34.analytics import AnalyticsConfig
from fairmot_dla34.commands.main import main

SHAPES = {"line": [{"name": "door", "start": [10, 20], "end": [100, 20]}], "zone": []}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "shop.png"
    cv2.imwrite(str(path), np.full((90, 160, 3), 90, np.uint8))
    return path


@contextmanager
def drawing(*words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the verb without a browser and yield the process and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fairmot_dla34", "draw-zones", *map(str, words), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no other threads run here)
    )
    try:
        assert process.stderr
        url = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", process.stderr.readline())
        assert url
        yield process, url[0]
    finally:
        process.kill()
        process.communicate()


def post(url: str, shapes: object) -> None:
    request = urllib.request.Request(url, json.dumps(shapes).encode(), {"Content-Type": "application/json"})  # noqa: S310
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()


def test_save_and_close_ends_the_verb(image: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    with drawing(image, "--analytics", path, "--json") as (process, url):
        with pytest.raises(urllib.error.HTTPError):
            post(f"{url}save", {"line": [], "zone": [{"name": "a", "points": []}]})
        post(f"{url}save-and-close", SHAPES)
        printed, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(printed) == {"path": str(path), "lines": 1, "zones": 0, "frame_size": [160, 90]}
    with drawing(image, "--analytics", path, "--overwrite") as (process, url):
        post(f"{url}save-and-close", SHAPES | {"zone": [{"name": "all", "points": [[0, 0], [160, 0], [160, 90]]}]})
        assert process.communicate(timeout=10)[0] == f"{path}: 1 line, 1 zone\n"
    config = AnalyticsConfig.from_toml(path)
    assert [config.lines[0].name, config.zones[0].name] == ["door", "all"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_the_verb_and_keep_what_was_saved(
    number: signal.Signals, code: int, image: Path, tmp_path: Path
) -> None:
    path = tmp_path / "shop.toml"
    with drawing(image, "--analytics", path) as (process, url):
        post(f"{url}save", SHAPES)
        process.send_signal(number)
        printed, logged = process.communicate(timeout=10)
    assert (process.returncode, printed) == (code, "")
    assert "Traceback" not in logged
    assert AnalyticsConfig.from_toml(path).lines[0].name == "door"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["shop.png", "shop.toml"]


def test_wrong_usage_and_files_that_cannot_be_used(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, there = tmp_path / "new.toml", tmp_path / "there.toml"
    there.write_text("[[line]]\nname = 'far'\nstart = [0, 0]\nend = [999, 0]\n")
    for words, code, expected in (
        ((image,), 2, "--analytics"),
        ((image, "--analytics", new, "--port", "x"), 2, "--port"),
        ((image, "--analytics", new, "--port", "65536"), 2, "--port"),
        ((image, "--analytics", there), 1, "--overwrite"),
        ((image, "--analytics", there, "--overwrite"), 1, "outside the frame"),
        ((image, "--analytics", tmp_path), 1, "not a regular file"),
        ((image, "--analytics", tmp_path / "absent" / "a.toml"), 1, "does not exist"),
        ((image, "--analytics", ""), 2, "TOML file"),
        ((tmp_path / "absent.mp4", "--analytics", new), 1, "absent.mp4"),
        ((there, "--analytics", new), 1, "there.toml"),
    ):
        try:
            returned = main(["draw-zones", *map(str, words), "--no-browser"])
        except SystemExit as request:
            returned = int(request.code or 0)
        printed, logged = capsys.readouterr()
        assert (returned, printed) == (code, ""), words
        assert expected in logged, (words, logged)
        assert len(logged.splitlines()) == 1
    assert not new.exists()
