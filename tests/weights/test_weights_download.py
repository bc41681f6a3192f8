"""Downloads on first use: complete, faulty, interrupted and resumed ones."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import logging
import sys
import traceback
from pathlib import Path

import pytest
from weights.server import (
    FakeServer,
    RequestHandler,
    Response,
    close_connection,
    md5_of,
    send_file,
    send_redirect,
    send_status,
)

from fairmot_dla34.errors import CheckpointError, DownloadError, IntegrityError
from fairmot_dla34.weights import WeightsEntry, download_weights, resolve_weights
from fairmot_dla34.weights.fetch.download import download
from fairmot_dla34.weights.fetch.limits import RetryPolicy


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Fetch:
    """Calls `download` with the values of the fixtures and without the check of the arrays."""

    def __init__(self, entry: WeightsEntry, target: Path, quick_retries: RetryPolicy) -> None:
        self.entry, self.target, self.retry_policy = entry, target, quick_retries

    def __call__(self, **changes: object) -> bytes:
        options = {"progress": False, "retry_policy": self.retry_policy, "check": lambda _path: None, **changes}
        return download(self.entry, self.target, **options).read_bytes()  # type: ignore[arg-type]

    @property
    def cached_files(self) -> list[str]:
        """Endings of the files in the cache folder, without the lock."""
        return sorted(
            p.name.removeprefix(self.target.stem) for p in self.target.parent.iterdir() if p.suffix != ".lock"
        )


@pytest.fixture
def fetch(entry: WeightsEntry, target: Path, quick_retries: RetryPolicy) -> Fetch:
    return Fetch(entry, target, quick_retries)


def test_first_use_downloads_once(
    server: FakeServer,
    constant_pdparams: bytes,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    server.content = constant_pdparams
    for _ in range(2):
        assert resolve_weights(target.stem) == target
    assert [path for path, _ in server.requests] == [f"/models/mot/{target.name}"]
    assert not capsys.readouterr().out
    shown = terminal.getvalue()
    assert "100%" in shown
    assert "79.5M/79.5M" in shown


@pytest.mark.parametrize(
    ("stream", "progress"), [(Terminal, False), (io.StringIO, True)], ids=["progress=False", "not a terminal"]
)
def test_silent_download_shows_no_bar(
    stream: type[io.StringIO], progress: bool, server: FakeServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = stream()
    monkeypatch.setattr(sys, "stderr", shown)
    assert fetch(progress=progress) == server.content
    assert shown.getvalue() == ""


def test_cached_file_needs_no_server(target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"by hand")
    assert resolve_weights(target.stem, offline=True) == target


@pytest.mark.parametrize(
    "fault",
    [
        send_file(cut=200_000),
        send_file(cut=200_000, stall=True),
        close_connection,
        send_status(500),
        send_status(503),
        send_status(429),
    ],
    ids=["truncates", "stalls", "closes", "500", "503", "429"],
)
def test_transient_fault_is_retried(
    fault: Response, server: FakeServer, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    server.responses = [fault]
    assert fetch() == server.content
    assert len(server.requests) == 2
    assert "trying again" in caplog.text
    assert fetch.cached_files == [".pdparams"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (send_file(cut=0, stall=True), "no data for 0.3 s"),
        (send_file(cut=1000), "the connection failed"),
        (close_connection, "the connection failed"),
        (send_status(500), "500"),
    ],
    ids=["stalls", "truncates", "closes", "500"],
)
def test_permanent_fault_fails_after_the_last_attempt(
    fault: Response, message: str, server: FakeServer, fetch: Fetch
) -> None:
    server.responses = [fault] * 9
    with pytest.raises(DownloadError, match="in 3 attempts") as caught:
        fetch()
    assert message in str(caught.value)
    assert fetch.target.name in str(caught.value)
    assert "--weights sample" in str(caught.value)
    assert len(server.requests) == 3
    assert not fetch.target.exists()


def test_unreachable_server_is_reported(monkeypatch: pytest.MonkeyPatch, fetch: Fetch) -> None:
    with FakeServer(b"") as stopped:
        pass
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", stopped.url)
    with pytest.raises(DownloadError, match="refused"):
        fetch()


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_refused_request_is_not_retried(code: int, server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_status(code)]
    with pytest.raises(DownloadError, match=f"answered {code}.*FAIRMOT_DLA34_MIRROR"):
        fetch()
    assert len(server.requests) == 1


def test_redirect_is_followed(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_redirect("/elsewhere?token=abc")]
    assert fetch() == server.content
    assert server.requests[1][0] == "/elsewhere?token=abc"


def test_endless_redirects_are_not_retried(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_redirect("/again?token=abc")] * 40
    with pytest.raises(DownloadError, match="redirected more than 10 times") as caught:
        fetch()
    assert "abc" not in str(caught.value)


def test_resume_requests_only_the_missing_bytes(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(cut=200_000)]
    with pytest.raises(DownloadError):
        fetch(retry_policy=dataclasses.replace(fetch.retry_policy, attempts=1))
    size = Path(f"{fetch.target}.part").stat().st_size
    assert 100_000 < size <= 200_000
    assert fetch() == server.content
    assert server.ranges == [None, f"bytes={size}-"]
    assert server.requests[1][1]["if-range"] == '"v1"'
    assert fetch.cached_files == [".pdparams"]


def other_version(handler: RequestHandler) -> None:
    """Send the requested range of another version, despite If-Range."""
    first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    rest = handler.server_state.content[first:]
    send_status(206, rest, {"Content-Range": f"bytes {first}-299999/300000", "ETag": '"v2"'})(handler)


@pytest.mark.parametrize(
    ("second", "ranges"),
    [
        (send_file(ranges=False), 2),
        (send_file(etag='"v2"'), 2),
        (send_status(206, b"x", {"Content-Range": "bytes 5-5/300000"}), 3),
        (send_status(206, b"x", {"Content-Range": "nonsense"}), 3),
        (other_version, 3),
        (send_status(416, headers={"Content-Range": "bytes */7"}), 3),
    ],
    ids=["no ranges", "another version", "another range", "invalid range", "range of another version", "416"],
)
def test_mismatched_resume_starts_over(second: Response, ranges: int, server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(cut=200_000), second]
    assert fetch() == server.content
    assert len(server.ranges) == ranges
    assert server.ranges[1] is not None
    assert server.ranges[2:] == [None] * (ranges - 2)


def test_partial_file_of_another_server_is_not_resumed(
    server: FakeServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responses = [send_file(cut=200_000)]
    with pytest.raises(DownloadError):
        fetch(retry_policy=dataclasses.replace(fetch.retry_policy, attempts=1))
    with FakeServer(b"other bytes, same ETag") as other:
        monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", other.url)
        assert fetch() == other.content
        assert other.ranges == [None]


def test_server_without_validator_is_never_resumed(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(cut=200_000, etag=None), send_file(etag='W/"weak"', cut=200_000)]
    assert fetch() == server.content
    assert server.ranges == [None] * 3


def test_complete_partial_file_needs_no_request(server: FakeServer, fetch: Fetch) -> None:
    """A process was killed after the last byte, before the file was moved."""

    def interrupt(_path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(check=interrupt)
    assert fetch.cached_files == [".pdparams.part", ".pdparams.part.json", ".pdparams.part.sums"]
    assert fetch() == server.content
    assert len(server.requests) == 1


def test_status_416_completes_a_file_of_unknown_length(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(length=False)]
    with pytest.raises(KeyboardInterrupt):
        fetch(check=lambda _path: (_ for _ in ()).throw(KeyboardInterrupt))
    assert fetch() == server.content
    assert server.ranges == [None, "bytes=300000-"]


def test_damaged_info_of_the_partial_file_starts_over(server: FakeServer, fetch: Fetch) -> None:
    fetch.target.parent.mkdir()
    Path(f"{fetch.target}.part").write_bytes(b"old")
    Path(f"{fetch.target}.part.json").write_text('{"url": ')
    assert fetch() == server.content


def test_correct_digests_are_accepted(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(md5=md5_of(server.content))]
    assert fetch() == server.content
    fetch.target.unlink()
    digest = hashlib.sha256(server.content).hexdigest().upper()
    fetch.entry = dataclasses.replace(fetch.entry, sha256=digest, bytes=len(server.content))
    server.responses = [send_file(md5=md5_of(b"other: the registered SHA-256 has priority"))]
    assert fetch() == server.content


@pytest.mark.parametrize("changes", [{}, {"sha256": "0" * 64}, {"bytes": 300_001}], ids=["md5", "sha256", "length"])
def test_wrong_bytes_are_rejected_and_deleted(changes: dict[str, object], server: FakeServer, fetch: Fetch) -> None:
    fetch.entry = dataclasses.replace(fetch.entry, **changes)  # type: ignore[arg-type]
    server.responses = [send_file(md5=md5_of(b"other"))]
    with pytest.raises(IntegrityError, match="was deleted"):
        fetch()
    assert fetch.cached_files == []
    fetch.entry = dataclasses.replace(fetch.entry, sha256=None, bytes=None)
    assert fetch() == server.content


def test_digest_of_a_resumed_file_covers_all_its_bytes(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [
        send_file(cut=200_000, md5=md5_of(server.content)),
        send_file(content=server.content[:-1] + b"!"),
    ]
    with pytest.raises(IntegrityError, match="MD5"):
        fetch()


@pytest.mark.parametrize(
    ("body", "message"),
    [(b"<html>Log in</html>", "web page"), (b"", "is empty"), (b"\x80\x04}", "damaged or cut short")],
)
def test_response_that_is_not_a_checkpoint_is_rejected(
    body: bytes, message: str, server: FakeServer, target: Path
) -> None:
    server.responses = [send_status(200, body)]
    with pytest.raises(IntegrityError, match="was deleted") as caught:
        resolve_weights(target.stem, progress=False)
    assert message in str(caught.value)
    assert isinstance(caught.value.__cause__, CheckpointError)
    assert not target.exists()


def test_malformed_md5_header_is_ignored(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(md5="!!")]
    assert fetch() == server.content


def test_mirror_credentials_are_sent_and_never_shown(
    server: FakeServer, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    host = server.url.removeprefix("http://")
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", f"http://user:s%3Acret@{host}/base/")
    server.responses = [send_status(500), send_file(cut=1000), send_status(404)]
    with pytest.raises(DownloadError) as caught:
        fetch()
    assert server.requests[0][0] == f"/base/models/mot/{fetch.target.name}"
    assert server.requests[0][1]["authorization"] == "Basic dXNlcjpzOmNyZXQ="
    shown = caplog.text + "".join(traceback.format_exception(caught.value))
    shown += "".join(path.read_text(errors="replace") for path in fetch.target.parent.glob("*.json"))
    assert "cret" not in shown
    assert "user" not in str(caught.value)


def test_a_longer_file_than_registered_is_refused_before_and_during_the_transfer(
    server: FakeServer, fetch: Fetch
) -> None:
    fetch.entry = dataclasses.replace(fetch.entry, bytes=299_999)
    for response in (send_file(), send_file(length=False)):
        server.responses = [response]
        with pytest.raises(DownloadError, match=r"at least \d+ bytes; expected at most 299999"):
            fetch()
        assert fetch.cached_files == []


def test_an_encoded_answer_is_refused(server: FakeServer, fetch: Fetch) -> None:
    """Ten kilobytes of gzip decode to ten megabytes; the request asks for the bytes as they are."""
    server.responses = [send_status(200, gzip.compress(bytes(10_000_000)), {"Content-Encoding": "gzip"})]
    with pytest.raises(DownloadError, match="in the encoding 'gzip'"):
        fetch()
    assert fetch.cached_files == []


def test_a_transfer_that_drips_is_ended_and_resumed(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(cut=100_000, drip_s=0.05)]
    assert fetch(retry_policy=dataclasses.replace(fetch.retry_policy, read_timeout_s=0.2)) == server.content
    first = int((server.ranges[1] or "").removeprefix("bytes=").removesuffix("-"))
    assert 100_000 < first < 300_000


def test_a_download_has_a_longest_time_and_goes_on_where_it_stopped(server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_file(cut=100_000, drip_s=0.05)]
    with pytest.raises(DownloadError, match=r"was not downloaded in 0\.2 s; the next try resumes"):
        fetch(retry_policy=dataclasses.replace(fetch.retry_policy, total_s=0.2, slowest_bytes_per_s=0.0))
    size = Path(f"{fetch.target}.part").stat().st_size
    assert 100_000 < size < 300_000
    assert fetch() == server.content
    assert server.ranges == [None, f"bytes={size}-"]


def test_retry_after_is_waited_for(server: FakeServer, fetch: Fetch, caplog: pytest.LogCaptureFixture) -> None:
    server.responses = [send_status(503, headers={"Retry-After": "1"})]
    assert fetch() == server.content
    assert "trying again in 1 s" in caplog.text


@pytest.mark.parametrize("asked", ["86400", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_beyond_the_limit_is_an_error(asked: str, server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_status(429, headers={"Retry-After": asked})]
    with pytest.raises(DownloadError, match=r"asks to wait \d+ s\. Try again then"):
        fetch()
    assert len(server.requests) == 1


@pytest.mark.parametrize("text", ["soon", "-5", "1e9", "9" * 5000, "Fri, 99 Foo 2026", "Fri, 31 Dec 9999 23:59:59"])
def test_a_malformed_retry_after_is_ignored(text: str, server: FakeServer, fetch: Fetch) -> None:
    server.responses = [send_status(503, headers={"Retry-After": text})]
    assert fetch() == server.content


def test_a_damaged_file_in_the_cache_is_downloaded_again(
    server: FakeServer, constant_pdparams: bytes, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.content = constant_pdparams
    target.parent.mkdir()
    target.write_bytes(constant_pdparams[:1_000_000])
    assert download_weights(target.stem, progress=False) == target
    assert target.read_bytes() == constant_pdparams
    assert "downloaded again" in caplog.text
    assert download_weights(target.stem, progress=False) == target
    assert len(server.requests) == 1


def test_a_damaged_file_stays_until_a_sound_one_has_arrived(server: FakeServer, target: Path) -> None:
    server.responses = [send_status(404)]
    target.parent.mkdir()
    target.write_bytes(b"damaged")
    with pytest.raises(DownloadError, match="answered 404"):
        download_weights(target.stem, progress=False)
    assert target.read_bytes() == b"damaged"


def test_bytes_damaged_since_the_last_transfer_are_not_resumed(server: FakeServer, fetch: Fetch) -> None:
    """Without a registered digest, nothing else would notice a changed number."""
    server.responses = [send_file(cut=200_000)]
    with pytest.raises(DownloadError):
        fetch(retry_policy=dataclasses.replace(fetch.retry_policy, attempts=1))
    part = Path(f"{fetch.target}.part")
    received = bytearray(part.read_bytes())
    received[len(received) - 10] ^= 1
    part.write_bytes(received)
    assert fetch() == server.content
    first = int((server.ranges[1] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    assert first <= len(received) - 10
