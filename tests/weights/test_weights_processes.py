"""Downloads by several processes, by killed processes, and to disks that cannot be written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from weights.server import FakeServer, send_file

from fairmot_dla34.errors import DownloadError
from fairmot_dla34.weights import WeightsEntry, load_checkpoint, resolve_weights
from fairmot_dla34.weights.fetch.download import download
from fairmot_dla34.weights.fetch.limits import RetryPolicy

pytestmark = pytest.mark.serial

RESOLVE = "import sys; from fairmot_dla34.weights import resolve_weights; print(resolve_weights(sys.argv[1]))"
SMALL_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
ROOT = Path(__file__).resolve().parents[2]


def start(name: str, before: str = "") -> subprocess.Popen[str]:
    """Start another process that resolves ``name``, after the statements ``before``."""
    command = [sys.executable, "-c", before + RESOLVE, name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_simultaneous_processes_download_once(server: FakeServer, constant_pdparams: bytes, target: Path) -> None:
    server.content = constant_pdparams
    processes = [start(target.stem) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [out.strip() for out, _err in outputs] == [str(target)] * 2, outputs
    assert len(server.requests) == 1


def test_killed_download_is_resumed(server: FakeServer, entry: WeightsEntry, target: Path) -> None:
    server.responses = [send_file(cut=200_000, stall=True)]
    process = start(target.stem)
    part = Path(f"{target}.part")
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 100_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    size = part.stat().st_size
    assert not target.exists()
    assert download(entry, target, progress=False, check=lambda _path: None).read_bytes() == server.content
    assert server.ranges == [None, f"bytes={size}-"]


def test_second_process_waits_for_the_lock(server: FakeServer, target: Path) -> None:
    """The second process finds the file of the first and sends no request."""
    from filelock import FileLock

    target.parent.mkdir()
    with FileLock(f"{target}.lock"):
        process = start(target.stem)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        target.write_bytes(b"written by the first process")
    out, err = process.communicate(timeout=30)
    assert out.strip() == str(target), err
    assert server.requests == []


def test_file_size_limit_is_reported(server: FakeServer, target: Path) -> None:
    process = start(target.stem, SMALL_FILES)
    _out, err = process.communicate(timeout=30)
    assert "DownloadError" in err
    assert "cannot be written (File too large). Free some space, set $FAIRMOT_DLA34_HOME" in err
    assert not target.exists()


@pytest.fixture
def tmpfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Cache folder on a disk of 128 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("NO SMALL DISK: a tmpfs can be mounted only by root on Linux")
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk_is_reported(
    server: FakeServer, tmpfs: Path, entry: WeightsEntry, quick_retries: RetryPolicy
) -> None:
    target = tmpfs / f"{entry.name}.pdparams"
    with pytest.raises(DownloadError, match=r"No space left on device.*Free some space.*FAIRMOT_DLA34_HOME") as caught:
        download(entry, target, check=load_checkpoint, progress=False, retry_policy=quick_retries)
    assert str(target.parent) in str(caught.value)
    assert len(server.requests) == 1


def test_read_only_cache_is_read_but_not_filled(server: FakeServer, tmpfs: Path, entry: WeightsEntry) -> None:
    path = tmpfs / f"{entry.name}.pdparams"
    path.write_bytes(b"complete")
    subprocess.run(["mount", "-o", "remount,ro", str(tmpfs)], check=True)
    assert resolve_weights(entry.name) == path
    with pytest.raises(DownloadError, match=r"Read-only file system.*Make that folder writable.*FAIRMOT_DLA34_HOME"):
        resolve_weights("fairmot_dla34_30e_864x480")
    assert server.requests == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not apply to root")
def test_cache_folder_without_permission_is_reported(server: FakeServer, target: Path) -> None:
    target.parent.mkdir(mode=0o500)
    with pytest.raises(DownloadError, match=r"Permission denied.*FAIRMOT_DLA34_HOME"):
        resolve_weights(target.stem)


@pytest.mark.parametrize("inside", [False, True], ids=["is a file", "is inside a file"])
def test_cache_path_that_is_a_file_is_reported(
    inside: bool, server: FakeServer, tmp_path: Path, entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    home = file / "cache" if inside else file
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(home))
    with pytest.raises(DownloadError, match="FAIRMOT_DLA34_HOME") as caught:
        resolve_weights(entry.name)
    assert str(home) in str(caught.value)
    assert server.requests == []


def test_folder_at_the_path_of_the_file_is_reported(server: FakeServer, target: Path) -> None:
    target.mkdir(parents=True)
    with pytest.raises(DownloadError, match="is a folder"):
        resolve_weights(target.stem)
