"""MindSpore's ``.ckpt`` files: read as MindSpore wrote them, written as it reads them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.errors import CheckpointError, OutputError
from fairmot_dla34.weights.formats import ckpt_writing, open_arrays
from fairmot_dla34.weights.formats.ckpt_writing import write_ckpt

# What `mindspore.save_checkpoint` of MindSpore 2.10 wrote; the second part came from `append_dict`.
WRITTEN = (
    b"\n3\n\x08a.weight\x12'\x08\x02\x08\x03\x12\x07Float32\x1a\x18"
    b"\x00\x00\x00\x00\x00\x00\x80?\x00\x00\x00@\x00\x00@@\x00\x00\x80@\x00\x00\xa0@"
)
WRITTEN_TYPES = (
    b"\n\x19\n\x06scalar\x12\x0f\x12\x07Float32\x1a\x04\x00\x00`@"
    b"\n\x1b\n\x01b\x12\x16\x08\x04\x12\x08BFloat16\x1a\x08\x00\x00\x80?\x00@@@"
    b"\n\x1a\n\x01h\x12\x15\x08\x04\x12\x07Float16\x1a\x08\x00\x00\x00<\x00@\x00B"
    b"\n\x16\n\x04bool\x12\x0e\x08\x04\x12\x04Bool\x1a\x04\x00\x00\x01\x01"
    b"\n\x1a\n\x05epoch\x12\x11\x12\x05Int64\x1a\x08\x03\x00\x00\x00\x00\x00\x00\x00"
    b"\n\x19\n\x04note\x12\x11\x08\x00\x12\x03str\x1a\x08h\x00\x00\x00i\x00\x00\x00"
)
CHECK_SUM = b"crc_num\x00\x00\x00\x00\x00\x00\xc4\x13\xb6\x18"  # of WRITTEN, with crc_check=True
ENCRYPTED = ("d85e3a7fc6c66c96", "d95e3a7f48000000", "da5e3a7f48000000")  # AES-GCM, AES-CBC, SM4-CBC
A_WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)
Arrays = dict[str, NDArray[Any]]


def read(path: Path) -> Arrays:
    with open_arrays(path) as found:
        return {name: array.read() for name, array in found.items() if array.type_name != "str"}


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_all_types_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "all.ckpt", WRITTEN + WRITTEN_TYPES)
    expected: Arrays = {
        "a.weight": A_WEIGHT,
        "scalar": np.array(3.5, np.float32),
        "b": np.arange(4, dtype=np.float32),  # bfloat16
        "h": np.arange(4, dtype=np.float16),
        "bool": np.array([False, False, True, True]),
        "epoch": np.array(3, np.int64),
    }
    arrays = read(path)
    assert list(arrays) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
    with open_arrays(path) as found:
        assert found["note"].type_name == "str"


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    """Every number of 16 bits, with infinities, NaN and the smallest ones."""
    numbers = np.arange(1 << 16, dtype="<u2")
    header = b"\x08\x80\x80\x04\x12\x08BFloat16\x1a\x80\x80\x08"
    tensor = header + numbers.tobytes()
    value = b"\n\x01b\x12" + varint(len(tensor)) + tensor
    path = written(tmp_path / "b.ckpt", b"\n" + varint(len(value)) + value)
    found = read(path)["b"]
    np.testing.assert_array_equal(found.view(np.uint32), numbers.astype(np.uint32) << 16)


def varint(number: int) -> bytes:
    groups = [number >> 7 * place & 0x7F for place in range(max(1, math.ceil(number.bit_length() / 7)))]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def test_a_lone_number_of_mindspore_1_has_a_side_of_0(tmp_path: Path) -> None:
    path = written(tmp_path / "old.ckpt", b"\n\x16\n\x01x\x12\x11\x08\x00\x12\x07Float32\x1a\x04\x00\x00`@")
    assert read(path)["x"].tolist() == 3.5


def test_the_check_sum_is_compared(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(written(tmp_path / "a.ckpt", WRITTEN + CHECK_SUM))["a.weight"], A_WEIGHT)
    changed = WRITTEN[:-1] + b"\x00" + CHECK_SUM
    with pytest.raises(CheckpointError, match=r"b\.ckpt is not read: its check sum is not that of its content"):
        read(written(tmp_path / "b.ckpt", changed))


@pytest.mark.parametrize("start", ENCRYPTED)
def test_an_encrypted_file_is_refused_with_a_remedy(start: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"encrypted by MindSpore.*save it without enc_key"):
        read(written(tmp_path / "a.ckpt", bytes.fromhex(start) + bytes(60)))


def test_the_writer_gives_mindspores_bytes(tmp_path: Path) -> None:
    write_ckpt(tmp_path / "a.ckpt", {"a.weight": A_WEIGHT})
    assert (tmp_path / "a.ckpt").read_bytes() == WRITTEN


def test_arrays_of_any_layout_are_written_and_read(tmp_path: Path) -> None:
    numbers = np.arange(24.0).reshape(2, 3, 4)
    wanted: dict[str, Any] = {
        "double": numbers,
        "half": numbers.astype(np.float16),
        "big_endian": numbers.astype(">f4"),
        "fortran": np.asfortranarray(numbers),
        "strided": numbers[:, ::2],
        "without_numbers": np.zeros((0, 3)),
        "scalar": np.float32(2.5),
        "whole": np.arange(3),
        "extreme": np.array([np.nan, np.inf, -0.0, 1e-45], np.float32),
        "weiß": np.ones(1, np.float32),
        "x" * 300: np.ones(1, np.float32),
    }
    path = tmp_path / "new" / "all.ckpt"
    write_ckpt(path, wanted)
    found = read(path)
    assert list(found) == sorted(wanted)
    for name, array in found.items():
        expected = np.asarray(wanted[name]).astype("<f2" if name == "half" else "<f4")
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
        assert array.tobytes() == expected.tobytes()
    write_ckpt(tmp_path / "again.ckpt", dict(reversed(wanted.items())))
    assert (tmp_path / "again.ckpt").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [8, 24, 40, 96, 1000])
def test_large_arrays_are_split_as_mindspore_does(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MindSpore joins values of one name that follow each other."""
    monkeypatch.setattr(ckpt_writing, "PIECE_BYTES", size)
    wanted = {"a": np.arange(24.0).reshape(2, 3, 4), "b": np.float32(1), "c": np.zeros((0, 2))}
    write_ckpt(tmp_path / "a.ckpt", wanted)
    assert (tmp_path / "a.ckpt").read_bytes().count(b"\n\x01a\x12") == math.ceil(96 / size)
    found = read(tmp_path / "a.ckpt")
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


def test_unknown_fields_are_skipped(tmp_path: Path) -> None:
    """Fields that a later version may add: a number, eight bytes, four bytes, and a text, in each message."""
    extra = b"\x50\x07" + b"\x59" + bytes(8) + b"\x65" + bytes(4) + b"\x6a\x02hi"
    tensor = b"\x08\x01" + extra + b"\x12\x07Float32\x1a\x04\x00\x00`@"
    value = b"\n\x01x" + extra + b"\x12" + varint(len(tensor)) + tensor
    path = written(tmp_path / "a.ckpt", b"\n" + varint(len(value)) + value + extra)
    assert read(path)["x"].tolist() == [3.5]


def test_only_the_arrays_asked_for_are_read(tmp_path: Path) -> None:
    """A sparse file of 3 GB, which declares one small array and a huge one."""
    size = 3 << 30
    tensor = b"\x08" + varint(size // 4) + b"\x12\x07Float32\x1a" + varint(size)
    value = b"\n\x01x\x12" + varint(len(tensor) + size) + tensor
    path = written(tmp_path / "a.ckpt", WRITTEN + b"\n" + varint(len(value) + size) + value)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    with open_arrays(path) as found:
        assert found["x"].shape == (size // 4,)
        np.testing.assert_array_equal(found["a.weight"].read(), A_WEIGHT)


@pytest.mark.parametrize("content", [b"\n", b"\n\n\n\n", b"\n\n<html>", b"\n\x08\x01\n", b"\n{}", b"\nabc def ghi"])
def test_other_files_that_begin_with_an_empty_line_are_no_checkpoints(content: bytes, tmp_path: Path) -> None:
    kind = "is a web page" if b"<" in content else "is not a checkpoint, it begins with"
    with pytest.raises(CheckpointError, match=kind):
        read(written(tmp_path / "a.ckpt", content))


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="a file exists where a folder is needed"):
        write_ckpt(tmp_path / "file" / "a.ckpt", {"a": np.ones(3)})
