"""Fixtures of the tests that read labelled videos."""

from __future__ import annotations

from pathlib import Path

import pytest
from track_files import video


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Folder with ``street.mp4``."""
    folder = tmp_path / "street"
    folder.mkdir()
    video(folder)
    return folder
