"""Hostile servers and damaged partial files: a download ends in the right file or in one clear error."""

from __future__ import annotations

import dataclasses
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import requests
from trials import HangError, Trials, expect_one_line_error, run_command
from weights.server import FakeServer, Response, close_connection, send_file, send_redirect, send_status

from fairmot_dla34.errors import DownloadError, FairMOTError
from fairmot_dla34.weights import registered
from fairmot_dla34.weights.fetch.download import download
from fairmot_dla34.weights.fetch.limits import RetryPolicy
from fairmot_dla34.weights.fetch.location import DownloadLocation
from fairmot_dla34.weights.fetch.request import send_request
from fairmot_dla34.weights.fetch.session import DownloadSession, StallGuard

ENTRY = registered()[1]
QUICK = RetryPolicy(
    attempts=2, connect_timeout_s=2, read_timeout_s=0.3, backoff_s=0.01, longest_retry_after_s=1, total_s=5
)
CONTENT = np.random.default_rng(0).bytes(50_000)


@contextmanager
def raw_server(
    *parts: bytes, pause_s: float = 0.0, endless: bool = False, family: socket.AddressFamily = socket.AF_INET
) -> Iterator[str]:
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

    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.create_server((host, 0), family=family) as listener:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://{host if family == socket.AF_INET else f'[{host}]'}:{listener.getsockname()[1]}"
        finally:
            stopped.set()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost,::1")


def fetch(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, retry_policy: RetryPolicy | None = None) -> bytes:
    """Download from a server into a folder; return the file."""
    policy = retry_policy or QUICK
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", url)
    target = folder / "w.pdparams"
    return download(ENTRY, target, check=lambda _: None, progress=False, retry_policy=policy).read_bytes()


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
    "early hints": head("Link: </style.css>", status="103 Early Hints"),
    "no content": head(status="204 No Content"),
    "not modified": head(status="304 Not Modified"),
    "an error with an endless length": head("Content-Length: 999999999999999", status="404 Not Found") + b"x" * 100_000,
    "Retry-After in the year 9999": head("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", status="503 Busy"),
    "Retry-After in the year 99999": head("Retry-After: Fri, 31 Dec 99999 23:59:59 GMT", status="503 Busy"),
    "Retry-After of 30 digits": head("Retry-After: " + "9" * 30, status="503 Busy"),
    "Retry-After in a zone of 11 digits": head(
        "Retry-After: Fri, 31 Dec 2099 23:59:59 +99999999999", status="503 Busy"
    ),
    "a negative Retry-After": head("Retry-After: -5", status="429 Too Many Requests"),
    "several ranges": head("Content-Type: multipart/byteranges; boundary=x", status="206 Partial") + b"--x\r\n" * 10,
    "a range without an offset": head("Content-Range: bytes */50000", status="206 Partial") + CONTENT,
    "a chunk extension of 1 MB": head("Transfer-Encoding: chunked") + b"3;" + b"x" * 1_000_000,
    "a length of Unicode digits": head("Content-Length: \xb2\xb3") + b"abc",
    "a list of equal lengths": head("Content-Length: 5, 5") + b"abcde",
    "a tag of other characters": head("Content-Length: 50000", "ETag: \xff\x80\x1b[31m") + b"abc",
    "version 9.9": b"HTTP/9.9 200 OK\r\n\r\n",
    "version 0.9": CONTENT,
    **{
        f"a redirect to {target[:20]!r}": head(f"Location: {target}", "Content-Length: 0", status="302 Found")
        for target in (
            *("", "mailto:x", "ftp://host/x", "http://[::gg]/", "http://127.0.0.1:99999/", "http://a..b/"),
            *(f"http://{'a' * 70}.example/", "http://\xff\xff.example/", "http://127.0.0.1\x00.example/", "/x"),
            *("http://user:secret@127.0.0.1:1/", "/" + "a" * 60_000),
        )
    },
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_malformed_answers(name: str, trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(ANSWERS[name]) as url, trials("download, malformed answer", name):
        start_s = time.monotonic()
        with pytest.raises(FairMOTError) as caught:
            fetch(url, tmp_path, monkeypatch)
        assert str(caught.value).isprintable()
        assert "secret" not in str(caught.value)
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


SOUND = {
    "interim answers": head(status="100 Continue") * 50 + head("Content-Length: 50000") + CONTENT,
    "more than its length": head("Content-Length: 50000") + CONTENT + b"more" * 1000,
    "a digest of other characters": head("Content-Length: 50000", "Content-MD5: \xff\xfe") + CONTENT,
    "a digest of 60 kB": head("Content-Length: 50000", "Content-MD5: " + "A" * 60_000) + CONTENT,
    "chunks": head("Transfer-Encoding: chunked") + b"c350\r\n" + CONTENT + b"\r\n0\r\nX: y\r\n\r\n",
    "90 cookies": head(*(f"Set-Cookie: {i}={'x' * 3000}" for i in range(90)), "Content-Length: 50000") + CONTENT,
    "folded headers": head("X: a\r\n b", "Content-Length: 50000") + CONTENT,
    "version 1.0": b"HTTP/1.0 200 OK\r\n\r\n" + CONTENT,
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 50000\n\n" + CONTENT,
}


@pytest.mark.parametrize("name", SOUND)
def test_odd_answers_with_the_whole_file(
    name: str, trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(SOUND[name]) as url, trials("download, odd answer", name):
        assert fetch(url, tmp_path, monkeypatch) == CONTENT


def endless(first: bytes, again: bytes, pause_s: float = 0.05) -> AbstractContextManager[str]:
    return raw_server(first, again, pause_s=pause_s, endless=True)


CHUNKED, REDIRECT = head("Transfer-Encoding: chunked"), head("Location: /x", status="302 Found")
ENDLESS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "a head of many lines": lambda: endless(head()[:-2], b"X: y\r\n"),
    "a head of one line": lambda: endless(head()[:-2], b"X"),
    "a status line": lambda: endless(b"H", b"T"),
    "interim answers, slow": lambda: endless(b"", head(status="100 Continue")),
    "interim answers, fast": lambda: endless(b"", head(status="100 Continue") * 100, 0),
    "a body of single bytes": lambda: endless(head("Content-Length: 50000"), b"x"),
    "chunks of single bytes": lambda: endless(CHUNKED, b"1\r\nx\r\n"),
    "the length of a chunk": lambda: endless(CHUNKED, b"0"),
    "trailers, slow": lambda: endless(CHUNKED + b"3\r\nabc\r\n0\r\n", b"X: y\r\n"),
    "trailers, fast": lambda: endless(CHUNKED + b"3\r\nabc\r\n0\r\n", b"X: y\r\n" * 1000, 0),
    "the body of a redirect, slow": lambda: endless(REDIRECT, b"x"),
    "the body of a redirect, fast": lambda: endless(REDIRECT, b"x" * 65536, 0),
    "silence": lambda: raw_server(b"", pause_s=20),
}


@pytest.mark.serial
def test_endless_and_slow_answers(trials: Trials, tmp_path: Path) -> None:
    """A server that never ends its head, its body or anything else does not hold a download for ever."""
    outcomes: dict[str, Exception] = {}

    def fetch_from(name: str, url: str) -> None:
        entry = replace(ENTRY, url=f"{url}/w.pdparams")
        try:
            download(entry, tmp_path / name, check=lambda _: None, progress=False, retry_policy=QUICK)
        except Exception as error:  # noqa: BLE001 (its type is checked below)
            outcomes[name] = error

    with ExitStack() as servers:
        threads = {}
        for name, server in ENDLESS.items():
            arguments = (name, servers.enter_context(server()))
            threads[name] = threading.Thread(target=fetch_from, args=arguments, daemon=True)
            threads[name].start()
        end_s = time.monotonic() + 15
        for name, thread in threads.items():
            with trials("download, endless answer", name):
                thread.join(max(0, end_s - time.monotonic()))
                if thread.is_alive():
                    raise HangError(name)
                assert isinstance(outcomes[name], DownloadError), outcomes


def test_credentials_stay_with_their_server(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer(CONTENT) as other, FakeServer(CONTENT) as server:
        for name, target, is_sent in (
            ("same server", "/elsewhere", True),
            ("another port", f"{other.url}/x", False),
            ("another name", f"{other.url}/x".replace("127.0.0.1", "localhost"), False),
        ):
            server.responses, server.requests[:], other.requests[:] = [send_redirect(target)], [], []
            with trials("download, redirect with credentials", name):
                url = server.url.replace("http://", "http://user:secret@")
                assert fetch(url, tmp_path / name, monkeypatch) == CONTENT
                _path, headers = (server.requests[1:] or other.requests)[0]
                assert ("authorization" in headers) == is_sent


def test_a_redirect_to_unencrypted_http_is_refused(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    def get(_session: object, url: str, **_options: object) -> requests.Response:
        response = requests.Response()
        response.url, response.status_code, response.raw = url, 302, io.BytesIO()
        response.headers["Location"] = f"http://{url.partition('://')[2]}"
        return response

    monkeypatch.setattr(requests.Session, "get", get)
    with trials("download, redirect with credentials", "HTTPS to HTTP"), StallGuard(1) as guard:
        location = DownloadLocation("https://server.example/file", ("user", "secret"))
        with pytest.raises(DownloadError, match="from HTTPS to HTTP"):
            send_request(DownloadSession(guard), location, {}, (1, 1))


def test_a_server_with_an_ipv6_address(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = head("Content-Length: 50000") + CONTENT
    with raw_server(sound, family=socket.AF_INET6) as url, trials("download, odd answer", "IPv6"):
        assert fetch(url, tmp_path, monkeypatch) == CONTENT


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


def test_random_damage_of_a_partial_file(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes, digests or info of an interrupted download are damaged: the next one ends with the right file."""
    generator = np.random.default_rng(5)
    cut = send_file(cut=30_000)
    for number in range(60):
        folder = tmp_path / str(number)
        with FakeServer(CONTENT, [cut]) as server:
            with pytest.raises(DownloadError):
                fetch(server.url, folder, monkeypatch, dataclasses.replace(QUICK, attempts=1))
            victim = folder / f"w.pdparams.part{('', '.sums', '.json')[number % 3]}"
            content = bytearray(victim.read_bytes())
            kind = number // 3 % 3
            if kind == 0:
                content[generator.integers(len(content))] ^= 1 << generator.integers(8)
            elif kind == 1:
                del content[generator.integers(len(content)) :]
            else:
                content += generator.bytes(30)
            victim.write_bytes(content)
            with trials("download, damaged partial file", f"{victim.suffix} {kind} {number}"):
                assert fetch(server.url, folder, monkeypatch) == CONTENT


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
