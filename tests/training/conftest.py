"""A small dataset that the tests of a module share; needs no PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_dataset import make_small_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prepared dataset of six images, 96x64 px."""
    return make_small_dataset(tmp_path_factory.mktemp("data"), sequences=1, frames=6, size=(96, 64), people=3)
