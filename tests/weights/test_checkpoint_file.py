"""A checkpoint file is read and hashed at its first use, and recognised at later starts by size, times and inode."""

from __future__ import annotations

import json
import os
import pickle
import time
from pathlib import Path

import numpy as np
import pytest

from fairmot_dla34.architectures import Checkpoint
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights import CheckpointFile, cache_dir, checkpoint_file, file_facts, load_checkpoint

HOUR_S = 3600


def refuse(*_: object) -> None:
    pytest.fail("the file was read again")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint file that counts as written long ago."""
    path = tmp_path / "random.npz"
    np.savez(path, **random_checkpoint().arrays)  # type: ignore[arg-type]  # names are never allow_pickle
    monkeypatch.setattr(file_facts, "_SETTLED_S", 0.0)  # a file's change time cannot be set back
    return path


def test_a_second_start_neither_reads_nor_hashes_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = CheckpointFile(path)
    monkeypatch.setattr(checkpoint_file, "file_sha256", refuse)
    monkeypatch.setattr(checkpoint_file, "load_checkpoint", refuse)
    second = CheckpointFile(path)
    assert second.digest == first.digest
    assert second.architecture is first.architecture is DLA34


def test_it_is_read_once_for_identity_and_arrays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = CheckpointFile(path)
    monkeypatch.setattr(checkpoint_file, "open_arrays", refuse)
    assert len(file.read().arrays) == 347


def test_other_content_of_the_same_length_is_another_checkpoint(path: Path) -> None:
    before = CheckpointFile(path).digest
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError):  # the archive's own check sum finds it
        CheckpointFile(path)
    np.savez(path, **random_checkpoint(seed=1).arrays)  # type: ignore[arg-type]
    assert CheckpointFile(path).digest != before


def test_a_file_that_was_just_written_is_not_remembered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may change again within one tick of its time stamps, also if its modification time was set back."""
    monkeypatch.setattr(file_facts, "_SETTLED_S", 2.0)
    then = time.time() - HOUR_S
    os.utime(path, (then, then))
    CheckpointFile(path)
    assert not (cache_dir() / "checkpoints").exists()


def test_a_modification_time_that_was_set_back_hides_no_other_content(path: Path) -> None:
    """Otherwise the network of the old weights would be used for the new file: same path, size, inode and time."""
    before, status = CheckpointFile(path).digest, path.stat()
    arrays = random_checkpoint(seed=1).arrays
    with path.open("r+b") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (status.st_size, status.st_mtime_ns, status.st_ino)
    assert CheckpointFile(path).digest != before


def test_a_file_that_changes_after_its_digest_was_taken_is_refused(path: Path) -> None:
    """Otherwise a network compiled from the new content would be kept under the digest of the old one."""
    CheckpointFile(path)
    recalled = CheckpointFile(path)
    np.savez(path, **random_checkpoint(seed=1).arrays)  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="changed while it was in use"):
        recalled.read()


def test_facts_with_a_flipped_digit_are_ignored(path: Path) -> None:
    expected = CheckpointFile(path).digest
    (facts,) = (cache_dir() / "checkpoints").iterdir()
    facts.write_text(facts.read_text().replace(expected, expected[:-1] + ("0" if expected[-1] != "0" else "1")))
    assert CheckpointFile(path).digest == expected


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"identity": 1}', b"[" * 4000, b"\0" * 10**6])
def test_a_damaged_memory_is_ignored(content: bytes, path: Path) -> None:
    expected = CheckpointFile(path).digest
    (facts,) = (cache_dir() / "checkpoints").iterdir()
    facts.write_bytes(content)
    assert CheckpointFile(path).digest == expected


@pytest.mark.parametrize("sha256", [[], None, "0", "\x1b[2J" * 16])
def test_facts_with_a_matching_check_sum_and_no_digest_are_ignored(sha256: object, path: Path) -> None:
    expected = CheckpointFile(path).digest
    (facts,) = (cache_dir() / "checkpoints").iterdir()
    content = json.loads(facts.read_text())
    check = file_facts._check_sum(content["identity"], content["architecture"], str(sha256))
    facts.write_text(json.dumps({**content, "sha256": sha256, "check": check}))
    assert CheckpointFile(path).digest == expected


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="NO FIFOS on this system")
def test_a_pipe_in_place_of_facts_is_ignored(path: Path) -> None:
    expected = CheckpointFile(path).digest
    (facts,) = (cache_dir() / "checkpoints").iterdir()
    facts.unlink()
    os.mkfifo(facts)
    assert CheckpointFile(path).digest == expected


def test_a_cache_that_cannot_be_written_costs_only_time(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", str(tmp_path / "file"))
    assert CheckpointFile(path).digest == CheckpointFile(path).digest


def test_names_of_data_parallel_training_are_understood(tmp_path: Path) -> None:
    arrays = {f"module.{name}": array for name, array in random_checkpoint().arrays.items()}
    path = tmp_path / "parallel.pdparams"
    path.write_bytes(pickle.dumps(arrays))
    assert set(load_checkpoint(path).arrays) == set(random_checkpoint().arrays)


def test_a_checkpoint_in_memory_has_a_digest_of_its_content() -> None:
    one, same, other = random_checkpoint(), random_checkpoint(), random_checkpoint(seed=1)
    assert one.digest == same.digest != other.digest
    assert isinstance(one.read(), Checkpoint)
