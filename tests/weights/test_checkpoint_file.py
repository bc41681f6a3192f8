"""A checkpoint file is read and hashed at its first use, and recognised at later starts by size, time and inode."""

from __future__ import annotations

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
from fairmot_dla34.weights import CheckpointFile, cache_dir, checkpoint_file, load_checkpoint

HOUR_S = 3600


def refuse(*_: object) -> None:
    pytest.fail("the file was read again")


def age(path: Path, seconds: float = HOUR_S) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "random.npz"
    np.savez(path, **random_checkpoint().arrays)  # type: ignore[arg-type]  # names are never allow_pickle
    age(path)
    return path


def test_a_second_start_neither_reads_nor_hashes_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = CheckpointFile(path)
    monkeypatch.setattr(checkpoint_file, "file_digest", refuse)
    monkeypatch.setattr(checkpoint_file, "load_checkpoint", refuse)
    second = CheckpointFile(path)
    assert second.digest == first.digest
    assert second.architecture is first.architecture is DLA34


def test_it_is_read_once_for_identity_and_arrays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = CheckpointFile(path)
    monkeypatch.setattr(checkpoint_file, "read_arrays", refuse)
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


def test_a_file_that_was_just_written_is_not_remembered(path: Path) -> None:
    """It may change again within one tick of its time stamp."""
    age(path, 0)
    CheckpointFile(path)
    assert not (cache_dir() / "checkpoints").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"identity": 1}', b"[" * 100_000])
def test_a_damaged_memory_is_ignored(content: bytes, path: Path) -> None:
    expected = CheckpointFile(path).digest
    (facts,) = (cache_dir() / "checkpoints").iterdir()
    facts.write_bytes(content)
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
