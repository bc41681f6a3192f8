"""Fixtures of the weights tests: a download server, a separate cache folder, and checkpoints of constants."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from weights.server import FakeServer

from fairmot_dla34.architectures import HeadSizes
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.weights import WeightsEntry, registered
from fairmot_dla34.weights.fetch.limits import RetryPolicy

NAME = "fairmot_dla34_30e_576x320"


@pytest.fixture(autouse=True)
def isolated_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the user's cache, and reach the loopback server without a proxy."""
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FAIRMOT_DLA34_OFFLINE", raising=False)
    monkeypatch.delenv("FAIRMOT_DLA34_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Server of 300 kB of noise, set as the mirror."""
    noise = np.random.default_rng(0).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
    with FakeServer(noise) as running:
        monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", running.url)
        yield running


@pytest.fixture
def entry() -> WeightsEntry:
    return next(entry for entry in registered() if entry.name == NAME)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / f"{NAME}.pdparams"


@pytest.fixture
def quick_retries() -> RetryPolicy:
    """Retry policy of three attempts within a second."""
    return RetryPolicy(attempts=3, connect_timeout_s=2.0, read_timeout_s=0.3, backoff_s=0.01)


@pytest.fixture(scope="session")
def constants() -> dict[str, NDArray[np.float32]]:
    """Arrays with the names and shapes of the network, each of equal small numbers."""
    return {name: np.full(shape, 2**-7, np.float32) for name, shape in DLA34.array_shapes(HeadSizes()).items()}


@pytest.fixture(scope="session")
def constant_pdparams(constants: dict[str, NDArray[np.float32]]) -> bytes:
    return pickle.dumps({**constants, "StructuredToParameterName@@": {name: name for name in constants}}, protocol=2)
