"""Fixtures with one real int8 network: the sample weights at a small size, calibrated once on a rendered street."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from networks import Request
from synth.scenes import plain

from fairmot_dla34.config import InputSize
from fairmot_dla34.quantization import QuantizationReport, quantize
from fairmot_dla34.synth import write_scene
from fairmot_dla34.weights import cache_dir, resolve_weights

SIZE = InputSize(320, 192)


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 30 frames with people half as high as the image."""
    scene = plain(width=480, height=288, frames=30, seed=77)
    return write_scene(scene, tmp_path_factory.mktemp("street"), name="street", progress=False).video


@pytest.fixture(scope="session")
def report(street: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QuantizationReport]:
    """Report of the quantisation, which runs once per session."""
    pytest.importorskip("nncf", reason="NNCF ABSENT: pip install '.[quantize]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAIRMOT_DLA34_HOME", str(tmp_path_factory.mktemp("int8")))
        yield quantize("sample", calibration=street, input_size=SIZE, progress=False)


@pytest.fixture
def int8(report: QuantizationReport) -> Request:
    """Request for that network, copied to the cache of this test."""
    folder = cache_dir() / "quantized"
    folder.mkdir(parents=True)
    shutil.copy(report.path, folder)
    return Request(resolve_weights("sample"), SIZE, "int8")
