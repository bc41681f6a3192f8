"""Hostile and damaged checkpoint files: each ends in one error, in bounded time and memory, or is read as it was."""

from __future__ import annotations

import io
import os
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile.checkpoint_reader import TINY, WIDE, Fixed, Outcome, arrays_digest, read_all, tiny_arrays
from trials import Trials, expect_one_line_error, run_command, run_python

from fairmot_dla34.architectures import Checkpoint
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.errors import CheckpointError, FairMOTError, OutOfMemoryError
from fairmot_dla34.weights import load_checkpoint, resolve_weights, verify_file
from fairmot_dla34.weights.formats import open_arrays, reported_errors

PICKLE, NPZ = "checkpoint, hostile pickle", "checkpoint, hostile npz"
DAMAGED, ABSURD, NAMED = "checkpoint, random damage", "checkpoint, absurd values", "checkpoint, odd weights argument"
SOUND, LEGITIMATE = "checkpoint, sound of any layout", "checkpoint, unusual but legitimate"
LARGE, LIMITED = "checkpoint, 200 MB", "checkpoint, limited memory"
SMALL_MB, LARGE_MB, LARGE_S = 160, 1000, 10
FLOOD = 600_000  # instructions, more than the limit


def expect_refusal(outcome: Outcome, seconds: float = 5) -> None:
    assert outcome.error == "CheckpointError", outcome
    assert outcome.seconds < seconds, outcome
    assert outcome.peak_mb < SMALL_MB, outcome
    assert len(outcome.message) <= 300
    assert outcome.message.isprintable()


def text(content: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(content)) + content


def by_name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


DTYPE, NDARRAY, ENCODE = by_name("numpy", "dtype"), by_name("numpy", "ndarray"), by_name("_codecs", "encode")
RECONSTRUCT, TUPLE = by_name("numpy.core.multiarray", "_reconstruct"), by_name("builtins", "tuple")
ORDERED = by_name("collections", "OrderedDict")
DOUBLED = b")" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(200))
PAIRS = b"](" + b"NN\x86" * 50_000 + b"e"  # a list of 50,000 pairs
F4 = DTYPE + text(b"f4") + b"\x85R"
F4_STATE = b"(K\x03" + text(b"<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def state(shape: bytes = b"K\x02\x85", dtype: bytes = F4 + F4_STATE, content: bytes = b"C\x08" + bytes(8)) -> bytes:
    return b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"


def an_array(**parts: bytes) -> bytes:
    return RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R" + state(**parts)


def tiny_pickle(**contents: bytes) -> bytes:
    """Return a sound pickle of all tiny arrays, except for those whose content is given."""
    entries = b""
    for name, array in tiny_arrays().items():
        shape = b"(" + b"".join(b"K" + bytes([side]) for side in array.shape) + b"t"
        content = b"B" + struct.pack("<I", array.nbytes) + array.tobytes()
        entries += text(name.encode()) + an_array(shape=shape, content=contents.get(name, content)) + b"s"
    return b"}" + entries + b"."


def named(value: bytes, name: bytes = b"a.bias") -> bytes:
    return b"}" + text(name) + value + b"s."


BODIES: dict[str, bytes] = {
    "LONG_BINPUT of 402 million": b"}r\x00\x00\x00\x18.",
    "BINUNICODE of 4 GB": b"X\xff\xff\xff\xff.",
    "BINBYTES8 of 2^62 bytes": b"\x8e" + struct.pack("<Q", 2**62) + b".",
    "BYTEARRAY8 of 2^63 bytes": b"\x96" + struct.pack("<Q", 2**63) + b".",
    "LONG4 of 2 GB": b"\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "LONG4 of -1 bytes": b"\x8b\xff\xff\xff\xff.",
    "LONG1 of 255 bytes": b"\x8a\xff" + b"\x7f" * 255 + b".",
    "FRAME of 2^63 bytes": b"\x95" + struct.pack("<Q", 2**63) + b"}.",
    "doubled tuples as the value": DOUBLED + b".",
    "doubled tuples as a key": b"}" + DOUBLED + b"Ns.",
    "doubled tuples as a name": b"}" + text(b"a.bias") + DOUBLED + b"s.",
    "doubled tuples as a type": named(an_array(dtype=DTYPE + DOUBLED + b"\x85R")),
    "doubled tuples as a byte order": named(an_array(dtype=F4 + b"(K\x03" + DOUBLED + b"tb")),
    "doubled tuples as a shape": named(an_array(shape=DOUBLED)),
    "doubled tuples as bytes": named(an_array(content=DOUBLED)),
    "doubled tuples as an array's class": RECONSTRUCT + DOUBLED + b"K\x00\x85C\x01b\x87R.",
    "doubled tuples as an encoding": ENCODE + text(b"x") + DOUBLED + b"\x86R.",
    "doubled tuples as a module": DOUBLED + text(b"x") + b"\x93.",
    "doubled tuples called": DOUBLED + b")R.",
    "doubled tuples with a state": DOUBLED + b"}b.",
    "150,000 nested tuples": b")" + b"\x85" * 150_000 + b".",
    "400,000 nested tuples as a key": b"}" + b")" + b"\x85" * 400_000 + b"Ns.",
    "200,000 nested lists": b"]" * 200_000 + b"a" * 199_999 + b".",
    "100,000 nested dictionaries": (b"}" + text(b"k")) * 100_000 + b"N" + b"s" * 100_000 + b".",
    "a list that contains itself": b"]q\x00h\x00a.",
    "a dictionary that is its own key and value": b"}q\x00h\x00h\x00s.",
    "tuple(text) again and again": TUPLE
    + b"q\x00"
    + text(b"x" * 100_000)
    + b"q\x01"
    + b"h\x00h\x01\x85R" * 90_000
    + b".",
    "tuple(list) again and again": TUPLE + b"q\x00" + PAIRS + b"q\x01" + b"h\x00h\x01\x85R" * 40_000 + b".",
    "encode(text) again and again": ENCODE + b"q\x00" + text(b"x" * 100_000) + b"q\x01" + text(b"latin1") + b"q\x02"
    b"0" + b"h\x00h\x01h\x02\x86R" * 30_000 + b".",
    "encode(text) again and again, kept": ENCODE
    + b"q\x00"
    + text(b"x" * 100_000)
    + b"q\x01"
    + text(b"latin1")
    + b"q\x02"
    + b"h\x00h\x01h\x02\x86R" * 30_000
    + b".",
    "OrderedDict(pairs) again and again": ORDERED + b"q\x00" + PAIRS + b"q\x01" + b"h\x00h\x01\x85R" * 40_000 + b".",
    "OrderedDict() again and again": ORDERED + b"q\x00" + b"h\x00)R" * FLOOD + b".",
    "entries set again and again": b"}q\x00(" + b"NN" * 100_000 + b"u" + b"(NNu" * 70_000 + b".",
    "a call with 100,000 arguments, again and again": DTYPE
    + b"q\x00("
    + b"N" * 100_000
    + b"tq\x01"
    + b"h\x00h\x01R" * 100_000
    + b".",
    "a shape of 100,000 sides, again and again": b"("
    + b"K\x01" * 100_000
    + b"tq\x00"
    + an_array(shape=b"h\x00") * 500
    + b".",
    "a shape of huge numbers": named(an_array(shape=b"\x8a\x20" + b"\x7f" * 32 + b"\x85")),
    "a shape of 1e12 numbers": named(an_array(shape=b"\x8a\x05\x00\x10\xa5\xd4\xe8\x85")),
    "a negative shape": named(an_array(shape=b"J\xff\xff\xff\xff\x85")),
    "a shape of booleans": named(an_array(shape=b"\x88\x88\x86")),
    "a shape of 60 sides": named(an_array(shape=b"(" + b"K\x01" * 60 + b"t")),
    "a type of objects": named(an_array(dtype=DTYPE + text(b"O8") + b"\x85R")),
    "a structured type": named(an_array(dtype=DTYPE + text(b"V8") + b"\x85R")),
    "a type of text in Chinese digits": named(an_array(dtype=DTYPE + text("f４".encode()) + b"\x85R")),
    "bytes that are a list": named(an_array(content=b"]K\x01aK\x01a")),
    "bytes that do not fit the shape": named(an_array(content=b"C\x07" + bytes(7))),
    "text that is not latin1 as bytes": tiny_pickle(
        **{"a.weight": ENCODE + text("𝄞".encode() * 100) + text(b"latin1") + b"\x86R"}
    ),
    "text that gives too many bytes": tiny_pickle(
        **{"a.weight": ENCODE + text(b"x" * 400) + text(b"latin1") + b"\x86R"}
    ),
    "text that is not UTF-8 as bytes": tiny_pickle(
        **{"a.weight": ENCODE + text(b"\xc3" * 400) + text(b"latin1") + b"\x86R"}
    ),
    "an array filled twice": named(an_array() + state()),
    "an array without numbers": named(RECONSTRUCT + NDARRAY + b"K\x00\x85C\x01b\x87R"),
    "the same array under all names": b"}"
    + text(b"first")
    + an_array()
    + b"q\x00s"
    + b"".join(text(name.encode()) + b"h\x00s" for name in TINY)
    + b".",
    "one name twice": b"}" + (text(b"a.bias") + an_array() + b"s") * 2 + b".",
    "state of a function": RECONSTRUCT + b"}" + text(b"a") + b"K\x01sb.",
    "state of a class": NDARRAY + b"N}" + text(b"a") + b"K\x01s\x86b.",
    "a global of 50 MB": b"c" + b"a" * 50_000_000 + b"\nb\n.",
    "a global of many lines": b"c\n\n" * 100_000 + b".",
    "STACK_GLOBAL of a text of 50 MB": text(b"a" * 50_000_000) + text(b"b") + b"\x93.",
    "a global with a terminal escape": by_name("\x1b[2Jos", "system") + b".",
    "INST": b"(ios\nsystem\n.",
    "OBJ": b"(" + DTYPE + text(b"f4") + b"o.",
    "NEWOBJ": DTYPE + text(b"f4") + b"\x85\x81.",
    "NEWOBJ_EX": DTYPE + text(b"f4") + b"\x85}\x92.",
    "EXT1": b"\x82\x01.",
    "EXT4": b"\x84\xff\xff\xff\x7f.",
    "PERSID": b"P" + b"x" * 1000 + b"\n.",
    "BINPERSID": b"NQ.",
    "NEXT_BUFFER": b"\x97.",
    "READONLY_BUFFER": b"\x97\x98.",
    "DUP and POP": b"N2" * 1000 + b"0" * 1000 + b".",
    "POP_MARK": b"(" * 1000 + b"1" * 1000 + b".",
    "protocol 0: INT of Unicode digits": "I١٢٣\n.".encode(),
    "protocol 0: LONG of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
    "protocol 0: STRING": b"S'" + b"\\x41" * 1_000_000 + b"'\n.",
    "protocol 0: DICT and GET": b"(dp999999999\ng999999999\n.",
    "an instruction that does not exist": b"\xff.",
    "PROTO 255": b"\x80\xff\x80\xff.",
    "stack underflow": b"\x87R.",
    "MEMOIZE on an empty stack": b"\x94.",
    "GET of nothing": b"h\x07.",
    "no STOP": b"}}}}",
}

FLOODS: dict[str, bytes] = {
    "flood of marks": b"(" * FLOOD,
    "flood of lists": b"]" * FLOOD,
    "flood of dictionaries, memoised": b"}\x94" * FLOOD,
    "flood of memo indices": b"N" + b"".join(b"r" + struct.pack("<I", i * 7919 % 2**32) for i in range(FLOOD // 4)),
    "flood of texts": (b"X\xff\x00\x00\x00" + b"a" * 251 + "😀".encode()) * 200_000,
    "flood of numbers": (b"\x8a\x20" + b"\x7f" * 32) * (FLOOD // 4),
    "flood of bytes": b"C\x00" * FLOOD,
    "flood of set items": b"\x8f(" + b"N" * (FLOOD // 4 - 10) + b"\x90.",
    "flood of types": DTYPE + b"q\x00" + text(b"f4") + b"q\x01" + b"h\x00h\x01\x85R" * FLOOD,
    "flood of arrays": RECONSTRUCT + b"q\x00" + NDARRAY + b"q\x01" + b"h\x00h\x01)N\x87R" * FLOOD,
    "flood of names": b"}(" + b"".join(text(b"%d" % i) + b"N" for i in range(240_000)) + b"u.",
}


@pytest.mark.parametrize("bodies", [BODIES, pytest.param(FLOODS, marks=pytest.mark.slow)], ids=["bodies", "floods"])
def test_hostile_pickles_end_in_one_error(bodies: dict[str, bytes], trials: Trials, tmp_path: Path) -> None:
    paths = []
    for index, body in enumerate(bodies.values()):
        paths.append(tmp_path / f"{index}.pdparams")
        paths[-1].write_bytes((b"\x80\x02", b"\x80\x04", b"\x80\x05")[index % 3] + body)
    outcomes = read_all(paths)
    for name, path in zip(bodies, paths, strict=True):
        with trials(PICKLE, name):
            expect_refusal(outcomes[path.name])


LAYOUTS: list[Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]] = [
    np.ascontiguousarray,
    np.asfortranarray,
    lambda array: array.transpose(1, 2, 0),
    lambda array: array[::-1],
    lambda array: array[:, ::2],
    lambda array: array[:0],
    lambda array: array[0, 0, 0],
    lambda array: array[:, :, :, None],
]


def test_arrays_of_every_layout_and_type_are_read_as_numpy_wrote_them(trials: Trials, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    codes = ("<f2", ">f4", "<f8", ">i4", "<i8", "<u2", "u1", "b1", "<c8")  # Paddle keeps bfloat16 as uint16
    for code in codes:
        arrays: dict[str, Any] = {
            str(place): np.asarray(layout(np.arange(24).reshape(2, 3, 4).astype(code)))
            for place, layout in enumerate(LAYOUTS)
        }
        for protocol in (2, 3, 4, 5):
            path.write_bytes(pickle.dumps({**arrays, "state": [None, 1.5, {"step": 2**70}, np.float64(3)]}, protocol))
            expect_arrays(trials, path, arrays, f"{code}, protocol {protocol}")
        for save in (np.savez, np.savez_compressed):
            with path.open("wb") as file:
                save(file, **arrays)
            expect_arrays(trials, path, arrays, f"{code}, {save.__name__}")


def expect_arrays(trials: Trials, path: Path, arrays: dict[str, Any], name: str) -> None:
    with trials(SOUND, name), open_arrays(path) as stored:
        assert set(stored) == set(arrays)
        for key, array in arrays.items():
            read = stored[key].read()
            assert read.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
            np.testing.assert_array_equal(read, array)
            assert read.shape == stored[key].shape


@pytest.mark.parametrize(
    "axes", [(0, 0, 1), (0, 1), (0, 1, 3), (0, 1, -1), (2**70, 0, 1), "KKK", None, (0.0, 1.0, 2.0)]
)
def test_axes_that_are_not_a_permutation(axes: object, trials: Trials, tmp_path: Path) -> None:
    class Permuted:
        def __reduce__(self) -> tuple[Any, ...]:
            from numpy._core.numeric import _frombuffer  # type: ignore[attr-defined]

            return _frombuffer, (bytes(96), np.dtype("<f4"), (2, 3, 4), "K", axes)

    path = tmp_path / "weights.pdparams"
    path.write_bytes(pickle.dumps({"a": Permuted()}, 4))
    with trials(PICKLE, f"axes {axes}"), pytest.raises(CheckpointError), open_arrays(path):
        pass


OPERATIONS = [bytes([code]) for code in b"N\x88\x89)]}\x8f(\x85\x86\x87t\x91ae\x90su\x94Rb\x93"]
OPERANDS = [b"K\x00", b"K\x02", b"q\x00", b"q\x01", b"h\x00", b"h\x01", text(b"f4"), text(b"<"), b"C\x08" + bytes(8)]
OPERANDS += [DTYPE, NDARRAY, ENCODE, RECONSTRUCT, TUPLE, ORDERED, F4, F4 + F4_STATE, an_array(), b"G" + bytes(8)]


def test_random_programs_end_in_an_error_or_in_arrays(trials: Trials, tmp_path: Path) -> None:
    """Valid instructions in random order."""
    generator = random.Random(13)  # noqa: S311 (programs, not secrets)
    paths = []
    for index in range(300):
        length = generator.choice((3, 10, 40, 200, 3000))
        program = b"".join(generator.choice(generator.choice((OPERATIONS, OPERANDS))) for _ in range(length))
        start = generator.choice((b"\x80\x02", b"\x80\x04}" + text(b"a.bias"), b"\x80\x04" + b"N" * 100))
        paths.append(tmp_path / f"{index}.pdparams")
        paths[-1].write_bytes(start + program + generator.choice((b".", b"s.", b"")))
    outcomes = read_all(paths)
    for path in paths:
        with trials(DAMAGED, f"program {path.name}"):
            expect_refusal(outcomes[path.name], seconds=1)


def write_archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(header: bytes, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", len(header)) + header + content


def with_header(text: str, content: bytes = bytes(8)) -> Callable[[Path], object]:
    return lambda path: write_archive(path, {"a.bias.npy": npy(text.encode(), content)})


def with_changed(old: bytes, new: bytes, count: int = -1) -> Callable[[Path], object]:
    """Return a function that writes a sound archive with some bytes replaced."""

    def write(path: Path) -> None:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = tiny_arrays()
        np.savez(buffer, **arrays)
        content = buffer.getvalue()
        assert old in content
        path.write_bytes(content.replace(old, new, count))

    return write


def write_bomb(path: Path, name: str = "zeros") -> None:
    """Write the tiny arrays, and 150 MB of zeros under ``name``."""
    arrays: dict[str, Any] = {key: array for key, array in tiny_arrays().items() if key != name}
    np.savez(path, **arrays)
    header = npy(b"{'descr': '<f4', 'fortran_order': False, 'shape': (37500000,), }\n")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(f"{name}.npy", header + bytes(150_000_000))


def write_end(count: int, size: int, offset: int) -> Callable[[Path], object]:
    """Return a function that writes an archive whose end record lies about its directory."""

    def write(path: Path) -> None:
        buffer = io.BytesIO()
        arrays: dict[str, Any] = tiny_arrays()
        np.savez(buffer, **arrays)
        content = buffer.getvalue()
        start = content.rindex(b"PK\x05\x06")
        path.write_bytes(content[:start] + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, offset, 0))

    return write


def write_zip64(path: Path) -> None:
    """End records of zip64 that declare a directory of 2^62 bytes."""
    write_end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)(path)
    content = path.read_bytes()
    start = content.rindex(b"PK\x05\x06")
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2**62, 2**62, 2**62, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start, 1)
    path.write_bytes(content[:start] + record + locator + content[start:])


def shape_of(sides: str) -> Callable[[Path], object]:
    return with_header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': {sides}, }}")


ARCHIVES: dict[str, Callable[[Path], object]] = {
    "150 MB of zeros in place of an array": lambda path: write_bomb(path, "a.weight"),
    "an array of 1e12 numbers": shape_of("(1000000000000,)"),
    "an array of 2^63 numbers": shape_of("(9223372036854775808,)"),
    "an array of 1e30 numbers": shape_of("(" + "1000000, " * 5 + ")"),
    "a negative shape": shape_of("(-1, -2)"),
    "a shape of Chinese digits": shape_of("(２,)"),
    "a shape of 1,000 sides": shape_of("(" + "1, " * 1000 + ")"),
    "a shape of text": shape_of("('2',)"),
    "a shape that is a list": shape_of("[2]"),
    "a shape of expressions": shape_of("(1+1,)"),
    "more numbers than the shape": shape_of("(1,)"),
    "fewer numbers than the shape": shape_of("(3,)"),
    "a header of minus signs": shape_of("-" * 9_000 + "1"),
    "a header of brackets": with_header("(" * 9_900),
    "a header of braces": with_header("{" * 4_900 + "}" * 4_900),
    "a header of 60 kB": with_header(" " * 60_000),
    "a header of 4 GB": lambda path: write_archive(path, {"a.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\xff"}),
    "an empty header": with_header(""),
    "a header with two shapes": with_header("{'descr': '<f4', 'shape': (2,), 'shape': (2,), 'fortran_order': False}"),
    "a header without order": with_header("{'descr': '<f4', 'shape': (2,)}"),
    "a header of code": with_header(
        "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,)}"
    ),
    "objects": with_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps([1])),
    "text in place of numbers": with_header("{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }"),
    "a structured type": with_header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }"),
    "not an array": lambda path: write_archive(path, {"a.npy": b"text"}),
    "not even a member": lambda path: write_archive(path, {"a": b"text"}),
    "an empty archive": lambda path: path.write_bytes(b"PK\x03\x04"),
    "no members": lambda path: path.write_bytes(b"PK\x03\x04" + struct.pack("<4s4H2LH", b"PK\x05\x06", *[0] * 7)),
    "members compressed with LZMA": lambda path: write_archive(path, {"a.npy": npy(b"{}")}, zipfile.ZIP_LZMA),
    "members compressed with bzip2": lambda path: write_archive(path, {"a.npy": npy(b"{}")}, zipfile.ZIP_BZIP2),
    "encrypted members": with_changed(b"PK\x01\x02\x2d\x03\x2d\x00\x00\x00", b"PK\x01\x02\x2d\x03\x2d\x00\x01\x00"),
    "members of an unknown version": with_changed(b"PK\x01\x02\x2d\x03\x2d\x00", b"PK\x01\x02\x2d\x03\xff\x00"),
    "two members of one name": with_changed(b"b.weight.npy", b"a.weight.npy"),
    "local names unlike the directory's": with_changed(b"n.x.npy", b"b.x.npy", 1),
    "a directory of 4 GB": write_end(5, 0xFFFFFFFE, 0),
    "a directory before the file": write_end(5, 5, 0xFFFFFFFE),
    "a directory of zip64 with 2^62 bytes": write_zip64,
    "20,000 members": lambda path: write_archive(path, {f"{i}.npy": b"" for i in range(20_000)}, zipfile.ZIP_STORED),
    "a name that leaves the folder": lambda path: write_archive(path, {"../../a.bias.npy": npy(b"{}")}),
    "a name with a terminal escape": lambda path: write_archive(path, {"\x1b[2J.npy": npy(b"{}")}),
    "a name of 60,000 characters": lambda path: write_archive(path, {"a" * 60_000 + ".npy": npy(b"{}")}),
}


def test_hostile_archives_end_in_one_error(trials: Trials, tmp_path: Path) -> None:
    paths = []
    for index, write in enumerate(ARCHIVES.values()):
        paths.append(tmp_path / f"{index}.npz")
        write(paths[-1])
    outcomes = read_all(paths)
    for name, path in zip(ARCHIVES, paths, strict=True):
        with trials(NPZ, name):
            expect_refusal(outcomes[path.name])


def test_members_and_literals_that_are_not_needed_are_not_read(trials: Trials, tmp_path: Path) -> None:
    expected = arrays_digest(Checkpoint(Fixed("tiny", TINY), tiny_arrays()).arrays)
    write_bomb(tmp_path / "bomb.npz")
    unneeded = {"optimizer": np.zeros(37_500_000, np.float32), "text": "x" * 50_000_000}
    (tmp_path / "bomb.pdparams").write_bytes(pickle.dumps({**tiny_arrays(), **unneeded}, 4))
    (tmp_path / "plain.pdparams").write_bytes(b"\x80\x02" + tiny_pickle())
    paths = list(tmp_path.iterdir())
    outcomes = read_all(paths)
    for path in paths:
        with trials(NPZ if path.suffix == ".npz" else PICKLE, f"150 MB that are not needed, {path.name}"):
            assert outcomes[path.name].message == expected, outcomes[path.name]
            assert outcomes[path.name].peak_mb < SMALL_MB


def tiny_files(tmp_path: Path) -> dict[str, bytes]:
    """Return sound checkpoints of a few kB: pickles of three protocols and two archives."""
    arrays: dict[str, Any] = tiny_arrays()
    files = {f"{protocol}.pdparams": pickle.dumps(arrays, protocol) for protocol in (2, 4, 5)}
    for name, save in (("stored.npz", np.savez), ("packed.npz", np.savez_compressed)):
        save(tmp_path / name, **arrays)
        files[name] = (tmp_path / name).read_bytes()
    return files


def damage(content: bytes, generator: random.Random) -> bytes:
    """Flip, cut, insert, repeat or overwrite bytes at random places."""
    data = bytearray(content)
    for _ in range(generator.choice((1, 1, 2, 8))):
        place, length = generator.randrange(len(data)), generator.choice((1, 1, 2, 4, 40))
        kind = generator.randrange(5)
        if kind == 0:
            data[place] ^= 1 << generator.randrange(8)
        elif kind == 1:
            del data[place : place + length]
        elif kind == 2:
            data[place:place] = generator.randbytes(length)
        elif kind == 3:
            data[place:place] = data[place : place + length]
        else:
            data[place : place + length] = generator.randbytes(length)
        if not data:
            break
    return bytes(data)


def test_random_damage_ends_in_an_error_or_in_arrays_of_the_right_shapes(trials: Trials, tmp_path: Path) -> None:
    """A pickle has no check sum: changed numbers are read as they are, and only the file's digest shows it."""
    generator = random.Random(11)  # noqa: S311 (damage, not secrets)
    expected = arrays_digest(Checkpoint(Fixed("tiny", TINY), tiny_arrays()).arrays)
    paths = []
    for name, content in tiny_files(tmp_path).items():
        whole = tmp_path / f"whole {name}"
        whole.write_bytes(content)
        for index in range(120):
            paths.append(tmp_path / f"{index} {name}")
            paths[-1].write_bytes(damage(content, generator))
        paths.append(whole)
    outcomes = read_all(paths)
    for path in paths:
        outcome = outcomes[path.name]
        with trials(DAMAGED, path.name):
            if path.name.startswith("whole"):
                assert outcome.message == expected, outcome
            elif outcome.error:
                expect_refusal(outcome, seconds=1)
            elif path.suffix == ".npz":
                assert outcome.message == expected, "damage that the archive's check sums did not show"


@pytest.mark.slow
def test_damage_of_real_checkpoints(trials: Trials, real_weights: Path, tmp_path: Path) -> None:
    generator = random.Random(12)  # noqa: S311 (damage, not secrets)
    for source in (real_weights, resolve_weights("sample")):
        content = source.read_bytes()
        whole = arrays_digest(load_checkpoint(source).arrays)
        paths = []
        for index in range(25):
            paths.append(tmp_path / f"{index}{source.suffix}")
            start = generator.choice((0, generator.randrange(len(content)), max(0, len(content) - 20_000)))
            part = damage(content[start : start + 20_000], generator)
            paths[-1].write_bytes(content[:start] + part + content[start + 20_000 :])
        outcomes = read_all(paths)
        for path in paths:
            outcome = outcomes[path.name]
            path.unlink()
            with trials(DAMAGED, path.name):
                assert outcome.peak_mb < LARGE_MB, outcome
                assert outcome.error in {"", "CheckpointError"}, outcome
                assert outcome.error or path.suffix == ".pdparams" or outcome.message == whole, outcome


def constant(value: float, kind: Any = np.float32) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    return lambda array: np.full(array.shape, value, kind)


def times(factor: float) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    return lambda array: array * np.float32(factor)


ABSURD_VALUES: list[tuple[str, Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]]] = [
    ("", constant(0)),
    ("", constant(1e30)),
    ("", times(1e30)),
    ("", times(1e-30)),
    ("", constant(-1)),
    ("base_layer.0.conv.weight", times(1e30)),
    ("base_layer.0.conv.weight", constant(0)),
    ("level0.0.norm.weight", constant(0)),
    ("level4.tree1.tree1.conv1.conv.weight", constant(-1e30)),
    ("level4.tree1.tree1.conv1.norm.weight", constant(1e7)),
    ("level4.tree1.tree1.conv1.norm._mean", constant(1e20)),
    ("_variance", constant(-1)),
    ("_variance", constant(-1e-3)),
    ("_variance", constant(1e30)),
    ("level3.project.norm._variance", constant(-0.5)),
    ("head.heatmap.2.conv.weight", constant(0)),
    ("head.heatmap.0.conv.weight", constant(0)),
    ("head.heatmap.2.conv.bias", constant(-1e30)),
    ("head.size.2.conv.bias", constant(1e30)),
    ("head.offset.2.conv.bias", constant(np.nan)),
    ("reid.reid.2.conv.weight", constant(np.inf)),
    ("reid.reid.2.conv.weight", constant(np.inf, np.float16)),
    ("reid.reid.2.conv.weight", constant(1e300, np.float64)),
    ("reid.reid.2.conv.weight", constant(3, np.int64)),
]


@pytest.mark.parametrize("seed", [0, 1])
def test_absurd_values_are_refused_when_a_checkpoint_is_made(seed: int, trials: Trials) -> None:
    sound = random_checkpoint(seed).arrays
    for part, change in ABSURD_VALUES:
        arrays: dict[str, Any] = {name: change(array) if part in name else array for name, array in sound.items()}
        with trials(ABSURD, part), pytest.raises(CheckpointError):
            Checkpoint(DLA34, arrays)


LEGITIMATE_VALUES: list[tuple[str, Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]]] = [
    ("conv_offset", constant(0)),  # deformable convolutions before training
    ("bias", constant(0)),
    ("heatmap.2.conv.bias", constant(-2.19)),  # the focal loss' prior
    ("_mean", constant(0)),
    ("_variance", constant(1)),
    ("_variance", constant(0)),
    ("_variance", constant(1e-12)),  # dead channels
    ("_variance", constant(-1e-9)),  # rounding
    ("_variance", times(5e4)),  # inputs of 0 to 255
    ("conv2.norm.weight", constant(0)),  # residual branches that start as the identity
    ("neck.", constant(0)),  # a neck pruned away; the heads have weights
    ("reid.", constant(0)),
    ("size.", constant(0)),
    ("conv.weight", times(1e-3)),
    ("conv.weight", times(100)),
    ("", lambda array: array.astype(np.float16)),
    ("", lambda array: array.astype(np.float64)),
    ("", lambda array: array.astype(">f4")),
]


def test_unusual_values_of_working_checkpoints_are_accepted(trials: Trials) -> None:
    sound = random_checkpoint().arrays
    for part, change in LEGITIMATE_VALUES:
        arrays: dict[str, Any] = {name: change(array) if part in name else array for name, array in sound.items()}
        with trials(LEGITIMATE, part):
            Checkpoint(DLA34, arrays)


@pytest.mark.parametrize("part", ["norm.weight", pytest.param("size.2.conv.bias", marks=pytest.mark.slow)])
def test_values_within_the_bounds_with_which_nothing_works_never_give_an_empty_result(
    part: str, trials: Trials, tmp_path: Path
) -> None:
    """They are seen when the network runs: exit 1 in place of no tracks."""
    arrays: dict[str, Any] = {
        name: array * 0 + 9e5 if part in name else array for name, array in random_checkpoint().arrays.items()
    }
    np.savez(tmp_path / "absurd.npz", **arrays)
    folder = tmp_path / "images"
    folder.mkdir()
    import cv2

    for index in range(2):
        cv2.imwrite(str(folder / f"{index}.png"), np.full((64, 96, 3), 90 * index, np.uint8))
    with trials(ABSURD, part):
        options = ("--input-size", "96x64", "--precision", "fp32", "--output-dir", tmp_path / "out")
        ended = run_command("track", folder, "--weights", tmp_path / "absurd.npz", *options)
        expect_one_line_error(ended, "unusable", "weights")


def test_absurd_values_in_a_file(trials: Trials, tmp_path: Path) -> None:
    arrays: dict[str, Any] = dict(random_checkpoint().arrays)
    arrays["detector.backbone.level0.0.norm._variance"] = np.full(16, -1, np.float32)
    np.savez(tmp_path / "absurd.npz", **arrays)
    with trials(ABSURD, "weights verify"):
        expect_one_line_error(run_command("weights", "verify", tmp_path / "absurd.npz"), "_variance", ">= 0")


def test_odd_weights_arguments(trials: Trials, tmp_path: Path) -> None:
    pipe, cut = tmp_path / "pipe", tmp_path / "cut.npz"
    os.mkfifo(pipe)
    cut.write_bytes(resolve_weights("sample").read_bytes()[:5_000_000])
    sparse = tmp_path / "sparse.npz"
    with sparse.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(1 << 42)
    names: list[Any] = [
        "x" * 5_000,
        "\ud800",
        "a\0b",
        "~\0",
        "~\ud800",
        "",
        ".",
        "/",
        tmp_path,
        pipe,
        Path("/dev/zero"),
    ]
    names += [Path("/dev/stdin"), cut, sparse, "/proc/self/mem", None, 5, b"bytes", ["sample"], np.array(["sample"])]
    for name in names:
        with trials(NAMED, repr(name)[:40]):
            with pytest.raises(FairMOTError) as caught:
                verify_file(resolve_weights(name, offline=True))
            assert len(str(caught.value)) <= 300
    for name in names:
        if isinstance(name, (str, Path)):
            with trials(NAMED, f"load {name!r}"[:40]), pytest.raises(FairMOTError):
                load_checkpoint(name)


def test_a_file_that_becomes_shorter_while_it_is_read(trials: Trials, tmp_path: Path) -> None:
    arrays: dict[str, Any] = {"a": np.ones(2_000_000, np.float32)}
    np.savez(tmp_path / "3.npz", **arrays)
    for protocol in (2, 4, 5):
        (tmp_path / f"{protocol}.pdparams").write_bytes(pickle.dumps(arrays, protocol))
    for path in (*tmp_path.glob("*.pdparams"), tmp_path / "3.npz"):
        with trials(DAMAGED, f"shorter, {path.name}"), open_arrays(path) as stored:
            os.truncate(path, 100_000)
            with pytest.raises(CheckpointError), reported_errors(path):
                stored["a"].read()


@pytest.mark.slow
@pytest.mark.serial
def test_a_checkpoint_of_200_mb_takes_less_than_1_gb_and_10_seconds(trials: Trials, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(0, 0.05, WIDE["wide.weight"]).astype(np.float32)
    classifier = np.random.default_rng(1).normal(0, 0.05, (240_000, 128)).astype(np.float32)
    sound: dict[str, Any] = {**random_checkpoint().arrays, "reid.classifier.weight": classifier}
    for protocol in (2, 4, 5):
        for name, content in (("wide", {"wide.weight": numbers}), ("classifier", sound)):
            path = tmp_path / "large.pdparams"
            with path.open("wb") as file:
                pickle.dump(content, file, protocol)
            expect_read(trials, path, f"{name}, protocol {protocol}")
    for name, kind in (("float16", np.float16), ("float64", np.float64)):
        arrays: dict[str, Any] = {"wide.weight": numbers.astype(kind)}
        np.savez(tmp_path / "large.npz", **arrays)
        expect_read(trials, tmp_path / "large.npz", name)


def expect_read(trials: Trials, path: Path, name: str) -> None:
    with trials(LARGE, name):
        outcome = read_all([path])[path.name]
        assert not outcome.error, outcome
        assert outcome.peak_mb < LARGE_MB, outcome
        assert outcome.seconds < LARGE_S, outcome


@pytest.mark.parametrize("megabytes", [250, 300, 400, 600, 1200])
def test_a_process_with_little_memory_reads_the_sample_or_reports_why_not(
    megabytes: int, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # each thread of NumPy's reserves memory for itself
    path = resolve_weights("sample")
    with trials(LIMITED, f"{megabytes} MB"):
        outcome = read_all([path], memory_bytes=megabytes << 20)[path.name]
        assert outcome.error in {"", OutOfMemoryError.__name__}, outcome
        assert not outcome.error or megabytes < 600, outcome


@pytest.mark.parametrize("megabytes", [300, 350, 400, 600])
def test_a_process_with_little_memory_builds_the_graph_or_reports_why_not(
    megabytes: int, trials: Trials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    program = (
        "from fairmot_dla34.errors import OutOfMemoryError\n"
        "from fairmot_dla34.weights import resolve_network\n"
        "try: print(len(resolve_network('sample').serialized_onnx()) > 70e6)\n"
        "except OutOfMemoryError as error: print(error)"
    )
    with trials(LIMITED, f"graph, {megabytes} MB"):
        printed = run_python("-c", program, memory_bytes=megabytes << 20).stdout
        assert printed == "True\n" or "Raise its limit" in printed, printed
