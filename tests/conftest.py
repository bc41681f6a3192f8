"""Shared fixtures, which find real data and weights and run the real network, and the cores of parallel workers."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings
from trial_table import print_table

from fairmot_dla34 import Detections, FairMOT
from fairmot_dla34.weights import resolve_weights

ROOT = Path(__file__).resolve().parent.parent
settings.register_profile("shared cores", deadline=None)  # the time of an example depends on what else runs
settings.load_profile("shared cores")


def pytest_configure(config: pytest.Config) -> None:
    """Restore SIGINT, and bind each worker of pytest-xdist to its share of the cores, if the system can.

    A shell starts background jobs with SIGINT ignored, and their children inherit that: tests that interrupt a run
    would fail. OpenVINO starts one thread per core that its process may use. Without the binding, every worker would
    use all of them.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    worker = getattr(config, "workerinput", None)
    if worker and hasattr(os, "sched_setaffinity"):
        number = int(worker["workerid"].removeprefix("gw"))
        share = sorted(os.sched_getaffinity(0))[number :: worker["workercount"]]
        if share:
            os.sched_setaffinity(0, share)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of hostile trials, if any ran."""
    print_table(terminalreporter)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real, annotated video; the README's section on tests describes it."""
    folder = Path(os.environ.get("FAIRMOT_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "PETS09-S2L1").is_dir():
        pytest.skip(f"REAL VIDEO ABSENT: no PETS09-S2L1 in {folder}; set FAIRMOT_TEST_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """Trained checkpoint in PaddleDetection's format."""
    path = Path(os.environ.get("FAIRMOT_TEST_WEIGHTS", ROOT.parent / "shared" / "weights" / "start.pdparams"))
    if not path.is_file():
        pytest.skip(f"TRAINED WEIGHTS ABSENT: no file {path}; set FAIRMOT_TEST_WEIGHTS to run this test")
    return path


@pytest.fixture(scope="session")
def pets_video(test_data: Path) -> Path:
    return test_data / "PETS09-S2L1" / "vtest_480x360.avi"


@pytest.fixture(scope="session")
def pets_detections(test_data: Path) -> list[Detections]:
    """Detections of the sample weights (OpenVINO, fp32, 864x480) in PETS09-S2L1's held-out frames, 561 to 795."""
    return _detections(test_data, "fp32")


@pytest.fixture(scope="session")
def pets_detections_bf16(test_data: Path) -> list[Detections]:
    """Detections of the same frames in bf16; skips if the CPU does not compute in bf16."""
    import openvino

    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("NO BF16: this CPU does not compute in bf16")
    return _detections(test_data, "bf16")


@pytest.fixture(autouse=True)
def _separate_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the tests out of the user's cache and out of each other's; remove it afterwards, networks are large."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(home))
    for name in ("FAIRMOT_DLA34_MIRROR", "FAIRMOT_DLA34_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def _restored_log() -> Iterator[None]:
    """Undo the logging set-up of a command that ran in this process."""
    yield
    logger = logging.getLogger("fairmot_dla34")
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


def _detections(data: Path, precision: str) -> list[Detections]:
    """Run the network, or read what an earlier run of the same code on the same weights stored."""
    from detections import detect
    from parts import real_parts

    pets = real_parts(data)[0]
    stored = ROOT / ".test_cache" / f"pets-{precision}-{_key(pets.video, resolve_weights('sample'))}.npz"
    stored.parent.mkdir(exist_ok=True)
    with FileLock(f"{stored}.lock"):  # of parallel workers, one runs the network
        return detect(pets, lambda: FairMOT("sample", precision=precision), stored)


def _key(*files: Path) -> str:
    """Hash the files and the code between an image and its detections."""
    package = ROOT / "fairmot_dla34"
    folders = (package / "architectures", package / "backends" / "openvino")
    code = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".cpp", ".hpp"}]
    digest = hashlib.sha256()
    for file in [*files, *sorted(code), package / "geometry.py"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
