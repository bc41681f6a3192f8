"""Shared fixtures: where real data and weights are (with loud skips), and detections of the real network."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from fairmot_dla34.values import Detections
from fairmot_dla34.weights import resolve_weights

ROOT = Path(__file__).resolve().parent.parent
HELD_OUT = slice(560, 795)  # frames of PETS09-S2L1 that the sample weights never saw, from 0


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
def pets_detections(pets_video: Path) -> list[Detections]:
    """What the sample weights (OpenVINO, fp32, 1088x608) find in PETS09-S2L1's held-out frames, 561 to 795."""
    return _detections(pets_video, "fp32")


@pytest.fixture(scope="session")
def pets_detections_bf16(pets_video: Path) -> list[Detections]:
    """The same in bf16; skips where the CPU does not compute in it."""
    import openvino

    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("NO BF16: this CPU does not compute in bf16")
    return _detections(pets_video, "bf16")


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


def _detections(video: Path, precision: str) -> list[Detections]:
    """Run the network, or read what an earlier session of the same code on the same weights left."""
    weights = resolve_weights("sample")
    kept = ROOT / ".test_cache" / f"pets-{precision}-{_key(video, weights)}.npz"
    if not kept.is_file():
        _run_network(video, weights, precision, kept)
    with np.load(kept) as arrays:
        ends = np.cumsum(arrays["counts"])
        boxes, scores, embeddings = arrays["boxes"], arrays["scores"], arrays["embeddings"]
    parts = [slice(end - count, end) for end, count in zip(ends, np.diff(ends, prepend=0), strict=True)]
    return [Detections(boxes[part], scores[part], embeddings[part]) for part in parts]


def _run_network(video: Path, weights: Path, precision: str, kept: Path) -> None:
    from fairmot_dla34 import FairMOT
    from fairmot_dla34.video import open_source

    model = FairMOT(weights, precision=precision)
    session = model.session(10.0)
    with open_source(video) as source:
        chosen = islice(source, HELD_OUT.start, HELD_OUT.stop)
        found = [session.detect(frame.image) for frame in chosen]
    model.close()
    kept.parent.mkdir(exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}.npz")
    np.savez(
        part,
        counts=[len(one) for one in found],
        boxes=np.concatenate([one.boxes for one in found]),
        scores=np.concatenate([one.scores for one in found]),
        embeddings=np.concatenate([one.embeddings for one in found]),
    )
    part.replace(kept)


def _key(*files: Path) -> str:
    """Depend on the files and on the code between a picture and its detections."""
    package = ROOT / "fairmot_dla34"
    code = [*(package / "network").glob("*.py"), package / "backends" / "openvino.py", package / "geometry.py"]
    digest = hashlib.sha256()
    for file in [*files, *sorted(code)]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
