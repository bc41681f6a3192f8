"""Sample weights of the package: complete, small, as registered, and usable without a connection."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from networks import Request
from numpy.typing import NDArray

from fairmot_dla34.backends import installed
from fairmot_dla34.backends.export import export
from fairmot_dla34.backends.selfcheck import INPUT_SIZE, selfcheck_image
from fairmot_dla34.errors import CheckpointError, DownloadError
from fairmot_dla34.weights import find_entry, load_checkpoint, resolve_weights, verify_file
from fairmot_dla34.weights.registry import REGISTRY_FILE, WeightsEntry

PACKAGE_TOOL = Path(__file__).parents[2] / "tools" / "sample_weights" / "package.py"


@pytest.fixture
def sample() -> WeightsEntry:
    found = find_entry("sample")
    assert found is not None
    return found


def test_file_matches_the_registry(sample: WeightsEntry) -> None:
    path = resolve_weights("sample")
    assert sample.bytes is not None
    assert sample.sha256 is not None
    assert path == sample.packaged_path
    assert path.stat().st_size == sample.bytes <= 45_000_000
    report = verify_file(path, sha256=sample.sha256)
    assert (report.arrays, report.classes) == (347, sample.classes)
    assert path.with_suffix(".md").is_file()
    assert "non-commercial" in sample.licence


def test_sample_opens_no_connection_and_creates_no_folder(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    def no_socket(*args: object, **kwargs: object) -> NoReturn:
        pytest.fail("the sample weights opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, no_socket)
    for offline in (None, True, False):
        assert resolve_weights("sample", offline=offline).is_file()
    assert not target.parent.exists()


@pytest.mark.usefixtures("sample")  # reads the registry before its path changes
@pytest.mark.parametrize("offline", [True, False])
def test_missing_sample_file_is_reported(offline: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fairmot_dla34.weights.registry.REGISTRY_FILE", tmp_path / "weights.json")
    with pytest.raises(DownloadError, match=r"sample\.npz is missing: install fairmot_dla34 again"):
        resolve_weights("sample", offline=offline)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name, usable in installed().items() if usable and name != "paddledet"])
def test_every_backend_runs_the_sample(name: str) -> None:
    backend = Request(resolve_weights("sample"), INPUT_SIZE, "fp32").load(name)
    peaks = backend.infer(selfcheck_image())
    backend.close()
    assert np.isfinite(peaks.boxes).all()


def test_exported_sample_keeps_its_name(tmp_path: Path) -> None:
    (path,) = export("sample", "onnx", tmp_path, "128x96")
    assert path.name == "sample_128x96.onnx"


class TestPackageTool:
    """tools/sample_weights/package.py, which replaces the file by a newly trained checkpoint."""

    def run(self, checkpoint: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
        shutil.copy(REGISTRY_FILE, folder / "weights.json")
        command = [sys.executable, str(PACKAGE_TOOL), str(checkpoint), "--registry", str(folder / "weights.json")]
        return subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    def test_second_run_changes_no_byte(self, tmp_path: Path) -> None:
        done = self.run(resolve_weights("sample"), tmp_path)
        assert done.returncode == 0, done.stderr
        files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert set(files) == {"sample.npz", "weights.json"}
        done = self.run(tmp_path / "sample.npz", tmp_path)
        assert done.returncode == 0, done.stderr
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == files

    def test_packaging_the_sample_again_keeps_its_arrays(self, tmp_path: Path) -> None:
        shipped = resolve_weights("sample")
        self.run(shipped, tmp_path)
        with np.load(shipped) as before, np.load(tmp_path / "sample.npz") as after:
            assert before.files == after.files
            for name in before.files:
                assert before[name].dtype == after[name].dtype
                np.testing.assert_array_equal(before[name], after[name])

    def test_new_checkpoint_updates_file_and_registry(
        self, constants: dict[str, NDArray[np.float32]], tmp_path: Path
    ) -> None:
        generator = np.random.default_rng(0)
        arrays: dict[str, Any] = {name: generator.uniform(0, 0.1, array.shape) for name, array in constants.items()}
        np.savez(tmp_path / "trained.npz", **arrays)
        done = self.run(tmp_path / "trained.npz", tmp_path, "--input-size", "576x320")
        assert done.returncode == 0, done.stderr
        rows = {row["name"]: row for row in json.loads((tmp_path / "weights.json").read_text())}
        data = (tmp_path / "sample.npz").read_bytes()
        assert rows["sample"]["bytes"] == len(data)
        assert rows["sample"]["sha256"] == hashlib.sha256(data).hexdigest()
        assert rows["sample"]["input_size"] == "576x320"
        assert set(rows["sample"]) == {field.name for field in fields(WeightsEntry)}
        for name, array in load_checkpoint(tmp_path / "sample.npz").arrays.items():
            np.testing.assert_allclose(array, arrays[name], rtol=1e-3, atol=1e-7)

    def test_value_beyond_float16_is_reported_and_the_old_file_stays(
        self, constants: dict[str, NDArray[np.float32]], tmp_path: Path
    ) -> None:
        weight = "detector.head.size.2.conv.weight"
        overflow: dict[str, Any] = {**constants, weight: constants[weight] + 1e5}
        np.savez(tmp_path / "overflow.npz", **overflow)
        (tmp_path / "sample.npz").write_bytes(b"old")
        done = self.run(tmp_path / "overflow.npz", tmp_path)
        assert done.returncode != 0
        assert weight in done.stderr
        assert (tmp_path / "sample.npz").read_bytes() == b"old"


def test_damaged_file_is_reported(tmp_path: Path) -> None:
    cut = tmp_path / "sample.npz"
    cut.write_bytes(resolve_weights("sample").read_bytes()[:1_000_000])
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(cut)
