"""Hostile servers and damaged partial files: a download ends in the right file or in one clear error."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from trials import Trials, expect_one_line_error, run_command
from weights.server import FakeServer, Response, close_connection, send_file, send_redirect, send_status

from fairmot_dla34.errors import DownloadError, FairMOTError
from fairmot_dla34.weights import registered
from fairmot_dla34.weights.fetch.download import download
from fairmot_dla34.weights.fetch.limits import RetryPolicy

ENTRY = registered()[1]
QUICK = RetryPolicy(
    attempts=2, connect_timeout_s=2, read_timeout_s=0.3, backoff_s=0.01, longest_retry_after_s=1, total_s=5
)
CONTENT = np.random.default_rng(0).bytes(50_000)


@contextmanager
def raw_server(*parts: bytes, pause_s: float = 0.0, endless: bool = False) -> Iterator[str]:
    """Serve fixed bytes to every connection, whatever it sends; yield the URL."""
    stopped = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65536)
                for part in parts:
                    connection.sendall(part)
                    stopped.wait(pause_s)
                while endless and not stopped.wait(pause_s):
                    connection.sendall(parts[-1])
            except OSError:  # the client has left
                return

    def serve() -> None:
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopped.set()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def fetch(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Download from a server into a folder; return the file."""
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", url)
    target = folder / "w.pdparams"
    return download(ENTRY, target, check=lambda _: None, progress=False, retry_policy=QUICK).read_bytes()


def head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1")


ANSWERS = {
    "nothing": b"",
    "text": b"hello\r\n\r\n",
    "binary": np.random.default_rng(1).bytes(1000),
    "no status": b"HTTP/1.1\r\n\r\n",
    "status 999": head(status="999 What"),
    "status of letters": head(status="abc OK"),
    "terminal escapes in the reason": head(status="404 \x1b[2J\x1b]0;owned\x07 \x9b31m"),
    "a reason of 60 kB": head(status="404 " + "x" * 60_000),
    "200 headers": head(*(f"X-{number}: 1" for number in range(200))),
    "a header of 1 MB": head("X: " + "y" * 1_000_000),
    "a negative length": head("Content-Length: -5") + b"abc",
    "a length of 5000 digits": head("Content-Length: " + "9" * 5000) + b"abc",
    "a length of 10 TB": head("Content-Length: 10000000000000") + b"abc",
    "two lengths": head("Content-Length: 5", "Content-Length: 7") + b"abcdefg",
    "a bad chunk": head("Transfer-Encoding: chunked") + b"zz\r\nabc",
    "a negative chunk": head("Transfer-Encoding: chunked") + b"-5\r\nabc",
    "a chunk of 16 EB": head("Transfer-Encoding: chunked") + b"ffffffffffffffff\r\nabc",
    "gzip": head("Content-Encoding: gzip", "Content-Length: 3") + b"abc",
    "an unknown encoding": head("Content-Encoding: zstd, br", "Content-Length: 3") + b"abc",
    "a redirect to a file": head("Location: file:///etc/passwd", "Content-Length: 0", status="302 Found"),
    "a redirect to nowhere": head("Location: http://[", "Content-Length: 0", status="302 Found"),
    "a redirect with control characters": head("Location: /\x01\x1b[31m", "Content-Length: 0", status="302 Found"),
    "a range nobody asked for": head("Content-Range: bytes 5-9/10", "Content-Length: 5", status="206 Partial")
    + b"abcde",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_malformed_answers(name: str, trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(ANSWERS[name]) as url, trials("download, malformed answer", name):
        start_s = time.monotonic()
        with pytest.raises(FairMOTError) as caught:
            fetch(url, tmp_path, monkeypatch)
        assert str(caught.value).isprintable()
        assert time.monotonic() - start_s < 10
        assert not (tmp_path / "w.pdparams").exists()


def test_random_damage_of_a_sound_answer(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte of the head is changed: the file arrives whole, or an error is raised; never a part of it."""
    sound = head("Content-Length: 50000", 'ETag: "v1"', "Content-Type: application/octet-stream")
    generator = np.random.default_rng(2)
    for number in range(60):
        damaged = bytearray(sound)
        damaged[generator.integers(len(damaged))] = generator.integers(256)
        folder = tmp_path / str(number)
        with raw_server(bytes(damaged) + CONTENT) as url, trials("download, damaged answer", bytes(damaged)):
            try:
                content = fetch(url, folder, monkeypatch)
            except FairMOTError:
                assert not (folder / "w.pdparams").exists()
            else:  # without a length, a digest is what finds a part; this answer has none
                assert CONTENT.startswith(content) or content.endswith(CONTENT)
                assert content == CONTENT or b"Content-Length: 50000\r\n" not in damaged


@pytest.mark.serial
def test_endless_and_slow_answers(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that drips, or never ends its head or its body, does not hold a download for ever."""
    servers = {
        "an endless head": raw_server(head()[:-2], b"X: y\r\n", pause_s=0.05, endless=True),
        "a body of single bytes": raw_server(head("Content-Length: 50000"), b"x", pause_s=0.1, endless=True),
        "chunks of single bytes": raw_server(
            head("Transfer-Encoding: chunked"), b"1\r\nx\r\n", pause_s=0.1, endless=True
        ),
        "silence": raw_server(b"", pause_s=20),
    }
    for name, server in servers.items():
        with server as url, trials("download, endless answer", name):
            start_s = time.monotonic()
            with pytest.raises(DownloadError):
                fetch(url, tmp_path / name, monkeypatch)
            assert time.monotonic() - start_s < 15


def test_damaged_partial_files(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Info of an earlier transfer that no server could have sent is discarded, and the download starts over."""
    sound: dict[str, object] = {"validator": '"v1"', "content_md5": None, "total_bytes": 50_000}
    damages: dict[str, object] = {
        "control characters": {**sound, "validator": "x\r\nHost: evil"},
        "another alphabet": {**sound, "validator": "\u65e5"},
        "a validator of 100 kB": {**sound, "validator": "x" * 100_000},
        "a length of text": {**sound, "total_bytes": "1"},
        "a length of 10^400": {**sound, "total_bytes": 10**400},
        "a negative length": {**sound, "total_bytes": -1},
        "more bytes than the whole file": {**sound, "total_bytes": 10},
        "a list": [],
        "a number": 5,
        "an unknown key": {**sound, "more": 1},
        "a missing key": {"validator": None},
        "nesting": None,
        "not UTF-8": None,
        "nothing": None,
    }
    raw = {"nesting": b"[" * 60_000, "not UTF-8": b"\xff\xfe", "nothing": b""}
    with FakeServer(CONTENT) as server:
        for name, damage in damages.items():
            folder = tmp_path / name
            folder.mkdir()
            (folder / "w.pdparams.part").write_bytes(b"x" * 1000)
            if isinstance(damage, dict):
                damage["url"] = f"{server.url}/models/mot/{ENTRY.name}.pdparams"
            info = raw.get(name, json.dumps(damage).encode())
            (folder / "w.pdparams.part.json").write_bytes(info)
            with trials("download, damaged partial file", name):
                assert fetch(server.url, folder, monkeypatch) == CONTENT
                assert [path.name for path in folder.iterdir() if path.suffix != ".lock"] == ["w.pdparams"]


@pytest.mark.slow  # the pauses between five attempts take 15 s
def test_faulty_servers_from_the_command_line(trials: Trials, tmp_path: Path) -> None:
    faults: dict[str, list[Response]] = {
        "404": [send_status(404)],
        "closes": [close_connection] * 9,
        "truncates": [send_file(cut=1000)] * 9,
        "redirects for ever": [send_redirect("/again")] * 60,
    }
    for name, responses in faults.items():
        with FakeServer(CONTENT, responses) as server, trials("download, command line", name):
            env = {"FAIRMOT_DLA34_MIRROR": server.url, "FAIRMOT_DLA34_HOME": str(tmp_path), "NO_PROXY": "127.0.0.1"}
            ended = run_command("weights", "download", ENTRY.name, env=env, timeout_s=60)
            expect_one_line_error(ended, ENTRY.name)
