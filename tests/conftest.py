"""Shared fixtures: where real data and weights are, and loud skips where they are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real, annotated video; see the README's section on tests."""
    folder = Path(os.environ.get("FAIRMOT_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "PETS09-S2L1").is_dir():
        pytest.skip(f"REAL VIDEO ABSENT: no PETS09-S2L1 in {folder}; set FAIRMOT_TEST_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """A trained checkpoint in PaddleDetection's format."""
    path = Path(os.environ.get("FAIRMOT_TEST_WEIGHTS", ROOT.parent / "shared" / "weights" / "start.pdparams"))
    if not path.is_file():
        pytest.skip(f"TRAINED WEIGHTS ABSENT: no file {path}; set FAIRMOT_TEST_WEIGHTS to run this test")
    return path


@pytest.fixture(scope="session")
def pets_video(test_data: Path) -> Path:
    return test_data / "PETS09-S2L1" / "vtest_480x360.avi"
