"""URLs and numbers as sources: impossible ones are refused, and passwords are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips import write_clip

from fairmot_dla34.errors import InvalidInputError, SourceError, SourceNotFoundError
from fairmot_dla34.video import open_source
from fairmot_dla34.video.names import redact_url


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("http://[bad/x", InvalidInputError),
        ("rtsp://user:secret@[::1", InvalidInputError),
        ("~nosuchuser/x.mp4", SourceNotFoundError),
        ("99999999999", InvalidInputError),
        (10**30, InvalidInputError),
    ],
)
def test_impossible_sources_get_a_one_line_error(source: str | int, error: type[Exception]) -> None:
    with pytest.raises(error, match="expected") as caught:
        open_source(source)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("password", ["secret", "se/cret", "se#cret", "se?cret", "se@cret"])
def test_no_part_of_a_password_is_shown(password: str) -> None:
    shown = redact_url(f"rtsp://user:{password}@camera.local:554/live?token=hidden#part")
    for part in ("se", "cret", "user", "hidden"):
        assert part not in shown.replace("rtsp", "")
    assert shown.startswith("rtsp://")


def test_a_url_without_secrets_is_shown_whole() -> None:
    assert redact_url("http://camera.local:8080/a/b.mp4") == "http://camera.local:8080/a/b.mp4"


def test_a_folder_whose_name_is_a_number_is_not_a_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KITTI's sequences are called 0000, 0001, ..."""
    (tmp_path / "0001").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError, match="contains no images"):
        open_source("0001")


@pytest.mark.parametrize("host", ["", "localhost"])
def test_a_file_url_may_name_this_host(tmp_path: Path, host: str) -> None:
    path = write_clip(tmp_path / "a.mp4", 2)
    with open_source(f"file://{host}{path}") as source:
        assert len(list(source)) == 2
