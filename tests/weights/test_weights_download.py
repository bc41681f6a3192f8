"""First use: what a user has after a good, a bad and an interrupted download."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import traceback
from pathlib import Path

import pytest
from weights_server import Handler, Site, Step, hang_up, md5_of, redirect, serve, status

from fairmot_dla34.errors import CheckpointError, DownloadError, IntegrityError
from fairmot_dla34.weights import WeightsEntry, resolve_weights
from fairmot_dla34.weights.fetch.download import download
from fairmot_dla34.weights.fetch.transfer import RetryPolicy


class Fetch:
    """`download` with the fixtures filled in and the check of arrays left out."""

    def __init__(self, entry: WeightsEntry, target: Path, quick: RetryPolicy) -> None:
        self.entry, self.target, self.patience = entry, target, quick

    def __call__(self, **changes: object) -> bytes:
        options = {"progress": False, "patience": self.patience, "check": lambda _path: None, **changes}
        return download(self.entry, self.target, **options).read_bytes()  # type: ignore[arg-type]

    @property
    def left(self) -> list[str]:
        """Files in the cache other than the lock."""
        return sorted(
            p.name.removeprefix(self.target.stem) for p in self.target.parent.iterdir() if p.suffix != ".lock"
        )


@pytest.fixture
def fetch(entry: WeightsEntry, target: Path, quick: RetryPolicy) -> Fetch:
    return Fetch(entry, target, quick)


def test_first_use_downloads_once_and_verifies(
    site: Site, zeros_pdparams: bytes, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.content = zeros_pdparams
    for _ in range(2):
        assert resolve_weights(target.stem) == target
    assert [path for path, _ in site.requests] == [f"/models/mot/{target.name}"]
    out, err = capsys.readouterr()
    assert not out
    assert "100%" in err
    assert "79.5M/79.5M" in err


def test_no_bar_when_not_wanted(site: Site, fetch: Fetch, capsys: pytest.CaptureFixture[str]) -> None:
    fetch(progress=False)
    assert capsys.readouterr().err == ""


def test_file_in_cache_needs_no_server(target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"by hand")
    assert resolve_weights(target.stem, offline=True) == target


@pytest.mark.parametrize(
    "fault",
    [serve(cut=200_000), serve(cut=200_000, stall=True), hang_up, status(500), status(503), status(429)],
    ids=["truncates", "stalls", "hangs up", "500", "503", "429"],
)
def test_passing_fault_is_cured_by_another_attempt(
    fault: Step, site: Site, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    site.steps = [fault]
    assert fetch() == site.content
    assert len(site.requests) == 2
    assert "trying again" in caplog.text
    assert fetch.left == [".pdparams"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (serve(cut=0, stall=True), "no data for 0.3 s"),
        (serve(cut=1000), "the connection failed"),
        (hang_up, "the connection failed"),
        (status(500), "500"),
    ],
    ids=["stalls", "truncates", "hangs up", "500"],
)
def test_lasting_fault_ends_after_bounded_attempts(fault: Step, told: str, site: Site, fetch: Fetch) -> None:
    site.steps = [fault] * 9
    with pytest.raises(DownloadError, match="in 3 attempts") as caught:
        fetch()
    assert told in str(caught.value)
    assert str(fetch.target) in str(caught.value)
    assert "--weights sample" in str(caught.value)
    assert len(site.requests) == 3
    assert not fetch.target.exists()


def test_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch, fetch: Fetch) -> None:
    with Site(b"") as gone:
        pass
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", gone.url)
    with pytest.raises(DownloadError, match="refused"):
        fetch()


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_refusal_is_not_asked_again(code: int, site: Site, fetch: Fetch) -> None:
    site.steps = [status(code)]
    with pytest.raises(DownloadError, match=f"answered {code}.*FAIRMOT_DLA34_MIRROR"):
        fetch()
    assert len(site.requests) == 1


def test_redirect_is_followed(site: Site, fetch: Fetch) -> None:
    site.steps = [redirect("/elsewhere?token=abc")]
    assert fetch() == site.content
    assert site.requests[1][0] == "/elsewhere?token=abc"


def test_endless_redirects_end_at_once(site: Site, fetch: Fetch) -> None:
    site.steps = [redirect("/again?token=abc")] * 40
    with pytest.raises(DownloadError, match="TooManyRedirects") as caught:
        fetch()
    assert "abc" not in str(caught.value)


def test_resume_fetches_only_the_rest(site: Site, fetch: Fetch) -> None:
    site.steps = [serve(cut=200_000)] * 1
    with pytest.raises(DownloadError):
        fetch(patience=dataclasses.replace(fetch.patience, attempts=1))
    have = Path(f"{fetch.target}.part").stat().st_size
    assert 100_000 < have <= 200_000
    assert fetch() == site.content
    assert site.ranges == [None, f"bytes={have}-"]
    assert site.requests[1][1]["if-range"] == '"v1"'
    assert fetch.left == [".pdparams"]


def other_version(handler: Handler) -> None:
    """The range that was asked for, If-Range or not."""
    first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    rest = handler.site.content[first:]
    status(206, rest, {"Content-Range": f"bytes {first}-299999/300000", "ETag": '"v2"'})(handler)


@pytest.mark.parametrize(
    ("second", "ranges"),
    [
        (serve(ranges=False), 2),
        (serve(etag='"v2"'), 2),
        (status(206, b"x", {"Content-Range": "bytes 5-5/300000"}), 3),
        (status(206, b"x", {"Content-Range": "nonsense"}), 3),
        (other_version, 3),
        (status(416, headers={"Content-Range": "bytes */7"}), 3),
    ],
    ids=["ignores Range", "has another version", "another range", "no range", "a range of another version", "416"],
)
def test_resume_that_does_not_fit_starts_over(second: Step, ranges: int, site: Site, fetch: Fetch) -> None:
    site.steps = [serve(cut=200_000), second]
    assert fetch() == site.content
    assert len(site.ranges) == ranges
    assert site.ranges[1] is not None
    assert site.ranges[2:] == [None] * (ranges - 2)


def test_partial_file_of_another_server_is_not_resumed(
    site: Site, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.steps = [serve(cut=200_000)]
    with pytest.raises(DownloadError):
        fetch(patience=dataclasses.replace(fetch.patience, attempts=1))
    with Site(b"other bytes, same ETag") as other:
        monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", other.url)
        assert fetch() == other.content
        assert other.ranges == [None]


def test_server_without_validator_is_never_resumed(site: Site, fetch: Fetch) -> None:
    site.steps = [serve(cut=200_000, etag=None), serve(etag='W/"weak"', cut=200_000)]
    assert fetch() == site.content
    assert site.ranges == [None] * 3


def test_complete_partial_file_is_taken_without_asking(site: Site, fetch: Fetch) -> None:
    """A process that died between the last byte and the move."""

    def die(_path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(check=die)
    assert fetch.left == [".pdparams.part", ".pdparams.part.json"]
    assert fetch() == site.content
    assert len(site.requests) == 1


def test_416_for_a_complete_file_of_unknown_length(site: Site, fetch: Fetch) -> None:
    site.steps = [serve(length=False)]
    with pytest.raises(KeyboardInterrupt):
        fetch(check=lambda _path: (_ for _ in ()).throw(KeyboardInterrupt))
    assert fetch() == site.content
    assert site.ranges == [None, "bytes=300000-"]


def test_damaged_note_beside_the_partial_file_starts_over(site: Site, fetch: Fetch) -> None:
    fetch.target.parent.mkdir()
    Path(f"{fetch.target}.part").write_bytes(b"old")
    Path(f"{fetch.target}.part.json").write_text('{"url": ')
    assert fetch() == site.content


def test_right_digests_pass(site: Site, fetch: Fetch) -> None:
    site.steps = [serve(md5=md5_of(site.content))]
    assert fetch() == site.content
    fetch.target.unlink()
    digest = hashlib.sha256(site.content).hexdigest().upper()
    fetch.entry = dataclasses.replace(fetch.entry, sha256=digest, bytes=len(site.content))
    site.steps = [serve(md5=md5_of(b"SHA-256 wins over a server that is wrong"))]
    assert fetch() == site.content


@pytest.mark.parametrize("changes", [{}, {"sha256": "0" * 64}, {"bytes": 3}], ids=["md5", "sha256", "length"])
def test_wrong_bytes_are_deleted(changes: dict[str, object], site: Site, fetch: Fetch) -> None:
    fetch.entry = dataclasses.replace(fetch.entry, **changes)  # type: ignore[arg-type]
    site.steps = [serve(md5=md5_of(b"other"))]
    with pytest.raises(IntegrityError, match="was deleted"):
        fetch()
    assert fetch.left == []
    fetch.entry = dataclasses.replace(fetch.entry, sha256=None, bytes=None)
    assert fetch() == site.content


def test_digest_covers_the_whole_resumed_file(site: Site, fetch: Fetch) -> None:
    site.steps = [serve(cut=200_000, md5=md5_of(site.content)), serve(content=site.content[:-1] + b"!")]
    with pytest.raises(IntegrityError, match="MD5"):
        fetch()


@pytest.mark.parametrize(
    ("body", "told"), [(b"<html>Log in</html>", "web page"), (b"", "is empty"), (b"\x80\x04}", "damaged or cut short")]
)
def test_body_that_is_no_checkpoint(body: bytes, told: str, site: Site, entry: WeightsEntry, target: Path) -> None:
    site.steps = [status(200, body)]
    with pytest.raises(IntegrityError, match="was deleted") as caught:
        download(entry, target, progress=False)
    assert told in str(caught.value)
    assert isinstance(caught.value.__cause__, CheckpointError)
    assert not target.exists()


def test_malformed_md5_header_is_passed_over(site: Site, fetch: Fetch) -> None:
    site.steps = [serve(md5="!!")]
    assert fetch() == site.content


def test_credentials_of_the_mirror_reach_the_server_and_no_message(
    site: Site, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = site.url.removeprefix("http://")
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", f"http://user:s%3Acret@{address}/base/")
    site.steps = [status(500), serve(cut=1000), status(404)]
    with pytest.raises(DownloadError) as caught:
        fetch()
    assert site.requests[0][0] == f"/base/models/mot/{fetch.target.name}"
    assert site.requests[0][1]["authorization"] == "Basic dXNlcjpzOmNyZXQ="
    told = caplog.text + "".join(traceback.format_exception(caught.value))
    told += "".join(path.read_text(errors="replace") for path in fetch.target.parent.glob("*.json"))
    assert "cret" not in told
    assert "user" not in str(caught.value)
