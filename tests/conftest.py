"""Shared fixtures: where real data and weights are (with loud skips), and detections of the real network."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairmot_dla34 import Detections, FairMOT
from fairmot_dla34.weights import resolve_weights

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


@pytest.fixture(scope="session")
def pets_detections(test_data: Path) -> list[Detections]:
    """What the sample weights (OpenVINO, fp32, 864x480) find in PETS09-S2L1's held-out frames, 561 to 795."""
    return _detections(test_data, "fp32")


@pytest.fixture(scope="session")
def pets_detections_bf16(test_data: Path) -> list[Detections]:
    """The same in bf16; skips where the CPU does not compute in it."""
    import openvino

    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("NO BF16: this CPU does not compute in bf16")
    return _detections(test_data, "bf16")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tests out of the user's cache, and one test's weights out of another's."""
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(tmp_path_factory.mktemp("home")))
    for name in ("FAIRMOT_DLA34_MIRROR", "FAIRMOT_DLA34_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Take back what a command that ran in this process set up for its log."""
    yield
    logger = logging.getLogger("fairmot_dla34")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


def _detections(data: Path, precision: str) -> list[Detections]:
    """Run the network, or read what an earlier session of the same code on the same weights left."""
    from detections import detect
    from parts import real_parts

    pets = real_parts(data)[0]
    kept = ROOT / ".test_cache" / f"pets-{precision}-{_key(pets.video, resolve_weights('sample'))}.npz"
    return detect(pets, lambda: FairMOT("sample", precision=precision), kept)


def _key(*files: Path) -> str:
    """Depend on the files and on the code between a picture and its detections."""
    package = ROOT / "fairmot_dla34"
    folders = ("architectures", "backends/openvino")
    code = [path for folder in folders for path in (package / folder).rglob("*.?*p*")] + [package / "geometry.py"]
    digest = hashlib.sha256()
    for file in [*files, *sorted(code)]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
