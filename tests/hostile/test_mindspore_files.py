"""Hostile and damaged ``.ckpt`` files of MindSpore: one error each, in bounded time and memory, or the right arrays."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hostile.checkpoint_reader import arrays_digest, read_all, tiny_arrays, write_all
from hostile.test_checkpoints import DAMAGED, SOUND, expect_read, expect_refusal
from trials import Trials

from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights.formats import open_arrays, reported_errors
from fairmot_dla34.weights.formats.ckpt_writing import write_ckpt

HOSTILE = "checkpoint, hostile ckpt"
ENDLESS = b"\xff" * 9 + b"\x7f"  # 2^70 - 1


def number(value: int) -> bytes:
    encoded = b""
    while value >= 0x80:
        encoded, value = encoded + bytes([value & 0x7F | 0x80]), value >> 7
    return encoded + bytes([value])


def block(field: int, content: bytes, length: int | None = None) -> bytes:
    return number(field << 3 | 2) + number(len(content) if length is None else length) + content


def tensor(sides: bytes = b"\x08\x02", kind: bytes = b"Float32", content: bytes | None = bytes(8)) -> bytes:
    return sides + block(2, kind) + (b"" if content is None else block(3, content))


def value(name: bytes = b"a.bias", array: bytes | None = None) -> bytes:
    return block(1, block(1, name) + block(2, tensor() if array is None else array))


def others(left_out: str = "a.bias") -> bytes:
    """Return the tiny arrays but one."""
    found = b""
    for name, array in tiny_arrays().items():
        if name != left_out:
            sides = b"".join(b"\x08" + number(side) for side in array.shape)
            found += value(name.encode(), tensor(sides, content=array.tobytes()))
    return found


def padded_length(content: bytes) -> bytes:
    """Return a field with a length of one byte as one with five."""
    return content[:1] + bytes([content[1] | 0x80]) + b"\x80\x80\x80\x00" + content[2:]


FILES: dict[str, bytes] = {
    "a value of 4 GB": block(1, value()[2:], 4 << 30),
    "a value of 2^63 bytes": b"\n" + number(1 << 63) + value()[2:],
    "a value of 2^70 bytes": b"\n" + ENDLESS + value()[2:],
    "a length without end": b"\n\x7f\n\x06a.bias" + b"\x12" + b"\xff" * 11 + bytes(200),
    "lengths without end, again and again": value() + b"\xff" * 1_000_000,
    "an array of 4 GB": block(1, block(1, b"a.bias") + b"\x12" + number(4 << 30)),
    "a name of 4 GB": block(1, b"\n\x06a.bias" + b"\n" + number(4 << 30)),
    "a name of 1 MB": value(b"a" * 1_000_000),
    "a name that is not UTF-8": value(b"a\xff\xfe"),
    "a name with a terminal escape": value(b"a\x1b[2J"),
    "a name with a null character": value(b"a\0b"),
    "an empty name": value() + value(b""),
    "a type of 1 MB": value(array=tensor(kind=b"F" * 1_000_000)),
    "a type with a terminal escape": value(array=tensor(kind=b"\x1b[2J")),
    "an unknown type": others() + value(array=tensor(kind=b"Float128")),
    "text in place of numbers": others() + value(array=tensor(kind=b"str")),
    "whole numbers": others() + value(array=tensor(kind=b"Int32")),
    "complex numbers": others() + value(array=tensor(kind=b"Complex64")),
    "packed numbers of 4 bits": others() + value(array=tensor(kind=b"Int4")),
    "a type of another length": others() + value(array=tensor(kind=b"Float64")),
    "no type": value(array=b"\x08\x02" + block(3, bytes(8))),
    "two types": value(array=tensor() + block(2, b"Float16")),
    "no content": others() + value(array=tensor(content=None)),
    "two contents": value(array=tensor() + block(3, bytes(8))),
    "content as a number": value(array=tensor(content=None) + b"\x18\x07"),
    "a side of 2^40": value(array=tensor(b"\x08" + number(1 << 40))),
    "a side of 2^62": value(array=tensor(b"\x08" + number(1 << 62))),
    "a side of -1": value(array=tensor(b"\x08" + b"\xff" * 9 + b"\x01")),
    "a side of 2^70": value(array=tensor(b"\x08" + ENDLESS)),
    "a side without end": value(array=tensor(b"\x08" + b"\xff" * 20)),
    "sides whose product is 0": others() + value(array=tensor(b"\x08\x02\x08\x00" + b"\x08" + number(1 << 40))),
    "sides whose product is 2^1200": value(array=tensor((b"\x08" + number(1 << 40)) * 30)),
    "33 sides": value(array=tensor(b"\x08\x01" * 33)),
    "100,000 sides": value(array=tensor(b"\x08\x01" * 100_000)),
    "packed sides": value(array=tensor(block(1, b"\x02"))),
    "a side of eight bytes": value(array=tensor(b"\x09" + b"\x02" + bytes(7))),
    "fewer numbers than the shape": others() + value(array=tensor(content=bytes(4))),
    "more numbers than the shape": others() + value(array=tensor(content=bytes(12))),
    "half a number": others() + value(array=tensor(content=bytes(7))),
    "one name twice, apart": value() + others() + value(),
    "a long name twice, apart": value(b"n" * 490) + value() + value(b"n" * 490),
    "a long name of an array that does not fit": value(b"n" * 490, tensor(content=bytes(4))),
    "one name twice, together": others() + value() + value(),
    "one name, two shapes": others() + value() + value(array=tensor(b"\x08\x01\x08\x02")),
    "one name, two types": others() + value() + value(array=tensor(kind=b"Float16", content=bytes(4))),
    "pieces of half a number": others() + value(array=tensor(content=bytes(3))) + value(array=tensor(content=bytes(5))),
    "a value without a name": value() + block(1, block(2, tensor())),
    "a value with two names": block(1, block(1, b"a.bias") + block(1, b"b") + block(2, tensor())),
    "a value without an array": value() + block(1, block(1, b"b")),
    "a value with two arrays": block(1, block(1, b"a.bias") + block(2, tensor()) * 2),
    "a value that is a number": value() + b"\x08\x07",
    "a name that is a number": value() + block(1, b"\x08\x07" + block(2, tensor())),
    "an array that is a number": value() + block(1, block(1, b"b") + b"\x10\x07"),
    "a hash table": value() + block(1, block(1, b"b") + block(3, block(1, tensor()))),
    "a group": value() + b"\x0b\x0c",
    "an unknown wire type": value() + b"\x0f",
    "a text in place of an array": block(1, block(1, b"a.bias") + block(2, b"not a message")),
    "10,000 nested messages": block(1, block(1, b"a.bias") + block(2, b"\x1a\xff\x01" * 10_000)),
    "a tensor longer than its value": block(1, block(1, b"a.bias") + b"\x12\x40") + bytes(64),
    "a check sum of another file": value() + b"crc_num" + bytes(10),
    "half a check sum": value() + b"crc_num" + bytes(3),
    "only a check sum": b"\n\x0f\n\x06a.bias" + b"crc_num" + bytes(10),
    "another network": value(b"x"),
    "no arrays": b"\n\x02\n\x00",
    "encrypted": b"\xd8\x5e\x3a\x7f" + bytes(1000),
    "an encrypted file of four bytes": b"\xda\x5e\x3a\x7f",
    "zeros at the end": value() + bytes(1000),
    "MindSpore's graph format": block(1, b"0.1.0") + block(2, b"MindSpore"),
}
FLOODS: dict[str, bytes] = {
    "a million values": b"".join(value(b"%d" % i) for i in range(150_000)),
    "a million empty fields": value() + b"\x78\x00" * 1_000_000,
    "a million empty blocks": value() + b"\x7a\x00" * 1_000_000,
    "pieces of nothing": value() + value(array=tensor(b"\x08\x00", content=b"")) * 200_000,
    "long names": b"".join(value(b"%06d" % i + b"n" * 490) for i in range(60_000)),
}


@pytest.mark.parametrize("files", [FILES, pytest.param(FLOODS, marks=pytest.mark.slow)], ids=["files", "floods"])
def test_hostile_files_end_in_one_error(files: dict[str, bytes], trials: Trials, tmp_path: Path) -> None:
    paths = write_all(tmp_path, files.values(), ".ckpt")
    outcomes = read_all(paths)
    for name, path in zip(files, paths, strict=True):
        with trials(HOSTILE, name):
            expect_refusal(outcomes[path.name])


def error_of(path: Path) -> str:
    """Read a file, and return the message of its error; "" if all arrays were read."""
    try:
        with open_arrays(path) as found, reported_errors(path):
            for stored in found.values():
                assert not stored.is_float or stored.read().shape == stored.shape
    except CheckpointError as error:
        return str(error)
    return ""


def test_every_cut_and_random_changes_end_in_an_error_or_in_arrays_of_the_right_shapes(
    trials: Trials, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.ckpt"
    write_ckpt(path, tiny_arrays())
    sound = path.read_bytes()
    generator = random.Random(5)  # noqa: S311 (damage, not secrets)
    damaged = {f"cut at {end}": sound[:end] for end in range(len(sound))}
    for attempt in range(600):
        content = bytearray(sound)
        for _ in range(generator.choice([1, 1, 2, 8])):
            content[generator.randrange(len(content))] = generator.randrange(256)
        damaged[f"change {attempt}"] = bytes(content)
    for name, changed in damaged.items():
        path.write_bytes(changed)
        with trials(DAMAGED, f"ckpt, {name}"):
            message = error_of(path)
            assert len(message) <= 300
            assert not message or message.isprintable()


def test_files_of_all_sound_layouts_are_read(trials: Trials, tmp_path: Path) -> None:
    arrays = tiny_arrays()
    bias = arrays["a.bias"].tobytes()
    layouts = {
        "the array first": others() + block(1, block(2, tensor(content=bias)) + block(1, b"a.bias")),
        "numbers before sides": others()
        + block(1, block(1, b"a.bias") + block(2, block(3, bias) + block(2, b"Float32") + b"\x08\x02")),
        "two pieces": others() + value(array=tensor(content=bias[:4])) + value(array=tensor(content=bias[4:])),
        "with the optimiser's state": others() + value(array=tensor(content=bias)) + value(b"moment1.a.bias"),
        "a length of more bytes than needed": others() + padded_length(value(array=tensor(content=bias))),
    }
    for name, content in layouts.items():
        path = tmp_path / "sound.ckpt"
        path.write_bytes(content)
        outcome = read_all([path])[path.name]
        with trials(SOUND, f"ckpt, {name}"):
            assert not outcome.error, outcome
            assert outcome.message == arrays_digest(arrays)


def test_a_file_that_becomes_shorter_while_it_is_read(trials: Trials, tmp_path: Path) -> None:
    path = tmp_path / "large.ckpt"
    write_ckpt(path, {"a": np.ones(2_000_000, np.float32)})
    with trials(DAMAGED, "shorter, ckpt"), open_arrays(path) as stored:
        with path.open("r+b") as file:
            file.truncate(100_000)
        with pytest.raises(CheckpointError), reported_errors(path):
            stored["a"].read()


@pytest.mark.slow
@pytest.mark.serial
def test_a_file_of_200_mb_takes_less_than_1_gb_and_10_seconds(trials: Trials, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(0, 0.05, 50_000_000).astype(np.float32)
    write_ckpt(tmp_path / "large.ckpt", {"wide.weight": numbers})
    expect_read(trials, tmp_path / "large.ckpt", "ckpt")
