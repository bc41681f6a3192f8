"""Several processes, killed processes, and disks that do not take a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from weights_server import Site, serve

from fairmot_dla34.errors import DownloadError
from fairmot_dla34.weights import WeightsEntry, resolve_weights
from fairmot_dla34.weights.fetch.download import download
from fairmot_dla34.weights.fetch.transfer import RetryPolicy

RESOLVE = "import sys; from fairmot_dla34.weights import resolve_weights; print(resolve_weights(sys.argv[1]))"
SMALL_FILES = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
ROOT = Path(__file__).resolve().parents[2]


def start(name: str, before: str = "") -> subprocess.Popen[str]:
    """Another process that resolves ``name``."""
    command = [sys.executable, "-c", before + RESOLVE, name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_two_processes_at_once_download_once(site: Site, zeros_pdparams: bytes, target: Path) -> None:
    site.content = zeros_pdparams
    processes = [start(target.stem) for _ in range(2)]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [out.strip() for out, _err in answers] == [str(target)] * 2, answers
    assert len(site.requests) == 1


def test_kill_in_the_middle_then_resume(site: Site, entry: WeightsEntry, target: Path) -> None:
    site.steps = [serve(cut=200_000, stall=True)]
    process = start(target.stem)
    part = Path(f"{target}.part")
    deadline = time.monotonic() + 30
    while not (part.exists() and part.stat().st_size > 100_000) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    have = part.stat().st_size
    assert not target.exists()
    assert download(entry, target, progress=False, check=lambda _path: None).read_bytes() == site.content
    assert site.ranges == [None, f"bytes={have}-"]


def test_waits_for_the_process_that_holds_the_lock(site: Site, target: Path) -> None:
    """The second finds the file that the first has put there, and asks the server for nothing."""
    from filelock import FileLock

    target.parent.mkdir()
    with FileLock(f"{target}.lock"):
        process = start(target.stem)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        target.write_bytes(b"put there by the first")
    out, err = process.communicate(timeout=30)
    assert out.strip() == str(target), err
    assert site.requests == []


def test_file_size_limit(site: Site, target: Path) -> None:
    process = start(target.stem, SMALL_FILES)
    _out, err = process.communicate(timeout=30)
    assert "DownloadError" in err
    assert "cannot be written (File too large). Free some space, set $FAIRMOT_DLA34_HOME" in err
    assert not target.exists()


@pytest.fixture
def tmpfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder on a disk of 128 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("NO SMALL DISK: mounting a tmpfs needs root on Linux")
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_full_disk(site: Site, tmpfs: Path, entry: WeightsEntry, quick: RetryPolicy) -> None:
    target = tmpfs / f"{entry.name}.pdparams"
    with pytest.raises(DownloadError, match=r"No space left on device.*Free some space.*FAIRMOT_DLA34_HOME") as caught:
        download(entry, target, progress=False, patience=quick)
    assert str(target) in str(caught.value)
    assert len(site.requests) == 1


def test_read_only_cache(site: Site, tmpfs: Path, entry: WeightsEntry) -> None:
    there = tmpfs / f"{entry.name}.pdparams"
    there.write_bytes(b"complete")
    subprocess.run(["mount", "-o", "remount,ro", str(tmpfs)], check=True)
    assert resolve_weights(entry.name) == there
    with pytest.raises(DownloadError, match=r"Read-only file system.*Make that folder writable.*FAIRMOT_DLA34_HOME"):
        resolve_weights("fairmot_dla34_30e_864x480")
    assert site.requests == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root is not held back by permissions")
def test_folder_without_permission(site: Site, target: Path) -> None:
    target.parent.mkdir(mode=0o500)
    with pytest.raises(DownloadError, match=r"Permission denied.*FAIRMOT_DLA34_HOME"):
        resolve_weights(target.stem)


@pytest.mark.parametrize("below", [False, True], ids=["is a file", "is below a file"])
def test_cache_in_the_way_of_a_file(
    below: bool, site: Site, tmp_path: Path, entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    home = file / "cache" if below else file
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(home))
    with pytest.raises(DownloadError, match="FAIRMOT_DLA34_HOME") as caught:
        resolve_weights(entry.name)
    assert str(home) in str(caught.value)
    assert site.requests == []


def test_folder_where_the_file_belongs(site: Site, target: Path) -> None:
    target.mkdir(parents=True)
    with pytest.raises(DownloadError, match="is a folder"):
        resolve_weights(target.stem)
