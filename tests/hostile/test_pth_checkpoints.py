"""Hostile and damaged ``.pth`` files: each ends in one error, in bounded time and memory, or is read as it was."""

from __future__ import annotations

import io
import os
import pickle
import random
import stat
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile.checkpoint_reader import TINY, Fixed, arrays_digest, read_all, tiny_arrays, write_all
from hostile.test_checkpoints import BODIES, FLOODS, ORDERED, by_name, damage, expect_refusal, text
from trials import Trials, run_command

from fairmot_dla34.architectures import Checkpoint
from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights.formats import open_arrays, reported_errors
from fairmot_dla34.weights.formats.pth_writing import write_pth

PTH, OLD = "checkpoint, hostile pth", "checkpoint, hostile pth of the old format"
DAMAGED = "checkpoint, random damage of pth"
REBUILD, FLOAT = by_name("torch._utils", "_rebuild_tensor_v2"), by_name("torch", "FloatStorage")
PARAMETER = by_name("torch._utils", "_rebuild_parameter")
DOUBLED = b")" + b"".join(b"q" + bytes([i]) + b"h" + bytes([i]) + b"\x86" for i in range(200))
MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)


def whole(*numbers: int) -> bytes:
    return b"(" + b"".join(pickle.dumps(number, 2)[2:-1] for number in numbers) + b"t"


def storage(key: bytes = b"0", numbers: int = 2, kind: bytes = FLOAT, more: bytes = b"") -> bytes:
    return b"(" + text(b"storage") + kind + text(key) + text(b"cpu") + whole(numbers)[1:-1] + more + b"tQ"


def tensor(
    *,
    view: bytes = storage(),
    first: bytes = b"K\x00",
    shape: bytes = whole(2),
    strides: bytes = whole(1),
    rest: bytes = b"\x89" + ORDERED + b")R",
) -> bytes:
    return REBUILD + b"(" + view + first + shape + strides + rest + b"tR"


def named(value: bytes, name: bytes = b"a.bias") -> bytes:
    return b"}" + text(name) + value + b"s."


def old_file(body: bytes, keys: object, numbers: bytes) -> bytes:
    return MAGIC + b"\x80\x02" + body + pickle.dumps(keys, 2) + numbers


VALUES: dict[str, bytes] = {
    "os.system": named(by_name("posix", "system") + text(b"true") + b"\x85R"),
    "torch.load": named(by_name("torch", "load") + text(b"/etc/passwd") + b"\x85R"),
    "torch.storage._load_from_bytes": named(by_name("torch.storage", "_load_from_bytes") + b"C\x01x\x85R"),
    "a module of PyTorch": named(by_name("torch.nn.modules.conv", "Conv2d") + b")\x81"),
    "numpy's arrays": named(by_name("numpy.core.multiarray", "_reconstruct") + b")R"),
    "a storage beyond the archive": named(tensor(view=storage(numbers=3))),
    "a storage of 2^60 numbers": named(tensor(view=storage(numbers=2**60))),
    "a storage of -2 numbers": named(tensor(view=storage(numbers=-2))),
    "a storage of another type": named(tensor(view=storage(kind=by_name("torch", "DoubleStorage")))),
    "a storage of an unknown type": named(tensor(view=storage(kind=by_name("torch", "QInt8Storage")))),
    "a storage without a type": named(tensor(view=storage(kind=text(b"FloatStorage")))),
    "a storage that is missing": named(tensor(view=storage(b"7"))),
    "a storage outside the folder": named(tensor(view=storage(b"../data.pkl"))),
    "a storage of a long key": named(tensor(view=storage(b"0" * 5000))),
    "a persistent id of another kind": named(tensor(view=b"(" + text(b"module") + b"NNNNtQ")),
    "a persistent id that is text": named(tensor(view=text(b"storage") + b"Q")),
    "a persistent id of doubled tuples": named(tensor(view=DOUBLED + b"Q")),
    "a persistent id of doubled tuples as key": named(
        tensor(view=b"(" + text(b"storage") + FLOAT + DOUBLED + text(b"cpu") + b"K\x02tQ")
    ),
    "a tensor beyond its storage": named(tensor(shape=whole(3))),
    "a tensor that begins beyond its storage": named(tensor(first=b"K\x01")),
    "a tensor that begins before its storage": named(tensor(first=whole(-1)[1:-1])),
    "a tensor that begins at 2^70": named(tensor(first=whole(2**70)[1:-1])),
    "a negative stride": named(tensor(first=b"K\x01", strides=whole(-1))),
    "a stride of 2^62": named(tensor(strides=whole(2**62))),
    "a shape of 2^62": named(tensor(shape=whole(2**62), strides=whole(0))),
    "a shape of 1e12 in a stride of 0": named(tensor(shape=whole(10**12), strides=whole(0))),
    "a negative shape": named(tensor(shape=whole(-2))),
    "a shape of True": named(tensor(shape=b"\x88\x85")),
    "a shape of a real number": named(tensor(shape=b"G" + struct.pack(">d", 2.0) + b"\x85")),
    "a shape of 40 axes": named(tensor(shape=whole(*[1] * 40), strides=whole(*[1] * 40))),
    "a shape of 100,000 axes": named(tensor(shape=whole(*[1] * 100_000), strides=whole(*[1] * 100_000))),
    "fewer strides than axes": named(tensor(strides=b")")),
    "a shape that is a list": named(tensor(shape=b"]K\x02a")),
    "a shape of doubled tuples": named(tensor(shape=DOUBLED, strides=DOUBLED)),
    "strides of doubled tuples": named(tensor(strides=DOUBLED + b"\x85")),
    "a tensor of a tensor": named(tensor(view=tensor())),
    "a tensor of nothing": named(tensor(view=b"N")),
    "a tensor of too many arguments": named(tensor(rest=b"NNNNNNNN")),
    "a tensor to be negated": named(tensor(rest=b"\x89N}" + text(b"neg") + b"\x88s")),
    "a parameter of nothing": named(PARAMETER + b"(N\x89Nt" + b"R"),
    "a parameter of doubled tuples": named(PARAMETER + b"(" + DOUBLED + b"\x89Nt" + b"R"),
    "attributes of a tensor": named(tensor() + b"}" + text(b"data") + b"Nsb"),
    "attributes of a storage type": named(FLOAT + b"}" + text(b"code") + b"Nsb"),
    "two arrays of one name": b"}" + (text(b"a.bias") + tensor() + b"s") * 2 + b".",
    "one name in state_dict and beside it": named(tensor())[:-1] + text(b"state_dict") + named(tensor())[:-1] + b"s.",
    "two state_dicts": b"}" + (text(b"state_dict") + named(tensor())[:-1] + b"s") * 2 + b".",
    "a state_dict that is itself": b"}q\x00" + text(b"state_dict") + b"h\x00s.",
    "a state_dict that is a list": b"}" + text(b"state_dict") + b"]s.",
    "no tensors": b"}" + text(b"epoch") + b"K\x01s.",
    "a tensor alone": tensor() + b".",
    "a name with a terminal escape, twice": b"}" + (text(b"\x1b[2J") + tensor() + b"s") * 2 + b".",
}  # fmt: skip


def archive_of(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pth(body: bytes, **members: bytes) -> bytes:
    return archive_of({"x/data.pkl": b"\x80\x02" + body, "x/data/0": bytes(8), "x/version": b"3\n", **members})


def sound() -> dict[str, bytes]:
    """Return the members of a sound file of the tiny arrays."""
    members, entries = {}, b""
    for key, (name, array) in enumerate(tiny_arrays().items()):
        strides = [stride // 4 for stride in array.strides]
        view = storage(str(key).encode(), array.size)
        entries += text(name.encode()) + tensor(view=view, shape=whole(*array.shape), strides=whole(*strides)) + b"s"
        members[f"x/data/{key}"] = array.tobytes()
    return {"x/data.pkl": b"\x80\x02}" + entries + b".", **members}


def without(name: str) -> dict[str, bytes]:
    return {other: content for other, content in sound().items() if other != name}


def with_flags(content: bytes, flags: int) -> bytes:
    place = content.index(b"PK\x01\x02") + 8
    return content[:place] + struct.pack("<H", flags) + content[place + 2 :]


def twice(name: str) -> bytes:
    content = archive_of({**sound(), name.replace("x/", "y/"): b"other"})
    return content.replace(name.replace("x/", "y/").encode(), name.encode())


def symlink(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for other, content in sound().items():
            member = zipfile.ZipInfo(other)
            if other == name:
                member.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(member, b"/etc/passwd" if other == name else content)
    return buffer.getvalue()


def bomb(name: str) -> bytes:
    return archive_of({**sound(), name: bytes(150_000_000)}, zipfile.ZIP_DEFLATED)


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "compressed members": lambda: archive_of(sound(), zipfile.ZIP_DEFLATED),
    "members compressed with LZMA": lambda: archive_of(sound(), zipfile.ZIP_LZMA),
    "150 MB of zeros as the pickle": lambda: bomb("x/data.pkl"),
    "150 MB of zeros as a storage": lambda: bomb("x/data/0"),
    "40 MB as the pickle": lambda: archive_of({**sound(), "x/data.pkl": bytes(40_000_000)}),
    "an archive as the pickle": lambda: archive_of({**sound(), "x/data.pkl": archive_of(sound())}),
    "an archive as a storage": lambda: archive_of({**sound(), "x/data/0": archive_of(sound())}),
    "an empty pickle": lambda: archive_of({**sound(), "x/data.pkl": b""}),
    "no storages": lambda: archive_of({"x/data.pkl": sound()["x/data.pkl"]}),
    "a missing storage": lambda: archive_of(without("x/data/3")),
    "a storage that is too short": lambda: archive_of({**sound(), "x/data/3": bytes(4)}),
    "a storage that is too long": lambda: archive_of({**sound(), "x/data/3": bytes(4000)}),
    "two pickles": lambda: archive_of({**sound(), "y/data.pkl": b"\x80\x02}."}),
    "two pickles of one name": lambda: twice("x/data.pkl"),
    "two storages of one name": lambda: twice("x/data/0"),
    "a program": lambda: archive_of({**sound(), "x/constants.pkl": b""}),
    "an unknown byte order": lambda: archive_of({**sound(), "x/byteorder": b"middle"}),
    "a byte order of 1 MB": lambda: archive_of({**sound(), "x/byteorder": b"little" * 200_000}),
    "an encrypted pickle": lambda: with_flags(archive_of(sound()), 1),
    "a symlink as the pickle": lambda: symlink("x/data.pkl"),
    "a symlink as a storage": lambda: symlink("x/data/0"),
    "a folder as the pickle": lambda: archive_of({"x/data.pkl/": b"", "x/data/0": b""}),
    "20,000 members": lambda: archive_of({**sound(), **{f"x/data/{i}": b"" for i in range(10, 20_000)}}),
    "a cut archive": lambda: archive_of(sound())[:-400],
}


@pytest.mark.parametrize(
    "bodies", [VALUES, BODIES, pytest.param(FLOODS, marks=pytest.mark.slow)], ids=["values", "bodies", "floods"]
)
def test_hostile_pickles_end_in_one_error(bodies: dict[str, bytes], trials: Trials, tmp_path: Path) -> None:
    files = {}
    for index, (name, body) in enumerate(bodies.items()):
        files[PTH, name], files[OLD, name] = tmp_path / f"{index}.pth", tmp_path / f"{index}.old.pth"
        files[PTH, name].write_bytes(pth(body))
        files[OLD, name].write_bytes(old_file(body, ["0"], struct.pack("<q", 2) + bytes(8)))
    outcomes = read_all([*files.values()], timeout_s=120)
    for (kind, name), path in files.items():
        with trials(kind, name):
            expect_refusal(outcomes[path.name])


def test_hostile_archives_end_in_one_error(trials: Trials, tmp_path: Path) -> None:
    paths = []
    for index, make in enumerate(ARCHIVES.values()):
        paths.append(tmp_path / f"{index}.pth")
        paths[-1].write_bytes(make())
    outcomes = read_all(paths)
    for name, path in zip(ARCHIVES, paths, strict=True):
        with trials(PTH, name):
            expect_refusal(outcomes[path.name])


VIEW = b"(" + text(b"v") + b"K\x00K\x02t"
TWO = struct.pack("<q", 2) + bytes(8)
ONE = named(tensor(view=storage(more=b"N")))
OLD_FILES: dict[str, bytes] = {
    "magic number only": MAGIC[:15],
    "no value": MAGIC,
    "another version": MAGIC.replace(b"M\xe9\x03", b"M\xea\x03"),
    "no storages": old_file(ONE, [], b""),
    "storages of other keys": old_file(ONE, ["1"], TWO),
    "a storage listed twice": old_file(ONE, ["0", "0"], TWO * 2),
    "keys that are not text": old_file(ONE, [(("0",),)], TWO),
    "keys that are not a list": old_file(ONE, {"0": 1}, TWO),
    "a storage cut short": old_file(ONE, ["0"], TWO[:-1]),
    "a storage of another length": old_file(ONE, ["0"], struct.pack("<q", 1) + bytes(8)),
    "a storage of -2 numbers": old_file(ONE, ["0"], struct.pack("<q", -2) + bytes(8)),
    "a storage of 2^39 numbers": old_file(
        named(tensor(view=storage(numbers=2**39, more=b"N"))), ["0"], struct.pack("<q", 2**39)
    ),
    "two lengths of a storage": old_file(
        ONE[:-1] + text(b"b") + tensor(view=storage(numbers=3, more=b"N")) + b"s.", ["0"], TWO
    ),
    "a view beyond its storage": old_file(
        named(tensor(view=storage(more=VIEW.replace(b"K\x00", b"K\x01")))), ["0"], TWO
    ),
    "a view of text": old_file(named(tensor(view=storage(more=text(b"v")))), ["0"], TWO),
    "a view of doubled tuples": old_file(named(tensor(view=storage(more=DOUBLED))), ["0"], TWO),
    "a storage in the list of keys": MAGIC + b"\x80\x02" + ONE + b"\x80\x02]" + storage() + b"a." + TWO,
}


def test_hostile_files_of_the_old_format_end_in_one_error(trials: Trials, tmp_path: Path) -> None:
    paths = write_all(tmp_path, OLD_FILES.values(), ".pth")
    outcomes = read_all(paths)
    for name, path in zip(OLD_FILES, paths, strict=True):
        with trials(OLD, name):
            expect_refusal(outcomes[path.name])


def tiny_files(tmp_path: Path) -> dict[str, bytes]:
    """Return sound files of both formats, by hand and as this package writes them."""
    write_pth(tmp_path / "written.pth", tiny_arrays())
    keys = [str(key) for key in range(len(TINY))]
    numbers = b"".join(struct.pack("<q", array.size) + array.tobytes() for array in tiny_arrays().values())
    return {
        "zip.pth": archive_of(sound()),
        "written.pth": (tmp_path / "written.pth").read_bytes(),
        "old.pth": old_file(sound()["x/data.pkl"][2:].replace(b"tQ", b"NtQ"), keys, numbers),
    }


def test_random_damage_ends_in_an_error_or_in_arrays_of_the_right_shapes(trials: Trials, tmp_path: Path) -> None:
    """The old format has no check sums: changed numbers are read as they are, and only the file's digest shows it."""
    generator = random.Random(14)  # noqa: S311 (damage, not secrets)
    expected = arrays_digest(Checkpoint(Fixed("tiny", TINY), tiny_arrays()).arrays)
    paths = []
    for name, content in tiny_files(tmp_path).items():
        paths.append(tmp_path / f"whole {name}")
        paths[-1].write_bytes(content)
        for index in range(150):
            paths.append(tmp_path / f"{index} {name}")
            paths[-1].write_bytes(damage(content, generator))
    outcomes = read_all(paths)
    for path in paths:
        outcome = outcomes[path.name]
        with trials(DAMAGED, path.name):
            if path.name.startswith("whole"):
                assert outcome.message == expected, outcome
            elif outcome.error:
                expect_refusal(outcome, seconds=1)
            elif "old" not in path.name:
                assert outcome.message == expected, "damage that the archive's check sums did not show"


def test_parts_that_are_not_needed_are_not_read(trials: Trials, tmp_path: Path) -> None:
    expected = arrays_digest(Checkpoint(Fixed("tiny", TINY), tiny_arrays()).arrays)
    write_pth(tmp_path / "large.pth", {**tiny_arrays(), "optimizer": np.zeros(37_500_000, np.float32)})
    bomb_beside = archive_of({"x/data/99": bytes(150_000_000)}, zipfile.ZIP_DEFLATED)
    (tmp_path / "bomb.pth").write_bytes(bomb_beside)
    with zipfile.ZipFile(tmp_path / "bomb.pth", "a", zipfile.ZIP_STORED) as archive:
        for name, content in sound().items():
            archive.writestr(name, content)
    (tmp_path / "link.pth").symlink_to(tmp_path / "large.pth")
    paths = [tmp_path / name for name in ("large.pth", "bomb.pth", "link.pth")]
    outcomes = read_all(paths)
    for path in paths:
        with trials(PTH, f"150 MB that are not needed, {path.name}"):
            assert outcomes[path.name].message == expected, outcomes[path.name]
            assert outcomes[path.name].peak_mb < 160


def test_numbers_far_apart_in_a_large_file_take_no_time(trials: Trials, tmp_path: Path) -> None:
    """Tensors of 80 numbers may span 640 MB with gaps; gaps that are read for each number would take hours."""
    step = 2_000_000
    numbers = 79 * step + 1
    body = b"}"
    for name, shape in TINY.items():
        sides = [int(np.prod(shape[axis + 1 :])) * step for axis in range(len(shape))]
        wide = storage(numbers=numbers)
        body += text(name.encode()) + tensor(view=wide, shape=whole(*shape), strides=whole(*sides)) + b"s"
    keys = pickle.dumps(["0"], 2)
    path = tmp_path / "sparse.pth"
    content = MAGIC + b"\x80\x02" + body.replace(b"tQ", b"NtQ") + b"." + keys + struct.pack("<q", numbers)
    path.write_bytes(content)
    os.truncate(path, len(content) + 4 * numbers)
    with trials(OLD, "a sparse file"), open_arrays(path) as stored:
        assert not any(array.read().any() for array in stored.values())


def test_a_file_that_becomes_shorter_while_it_is_read(trials: Trials, tmp_path: Path) -> None:
    write_pth(tmp_path / "x.pth", {"a": np.ones(2_000_000, np.float32)})
    with trials(DAMAGED, "shorter"), open_arrays(tmp_path / "x.pth") as stored:
        os.truncate(tmp_path / "x.pth", 100_000)
        with pytest.raises(CheckpointError), reported_errors(tmp_path / "x.pth"):
            stored["a"].read()


class CallsWhenLoaded:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("verb", ["export", "weights verify", "track"])
def test_no_code_in_a_file_is_run_by_any_verb(verb: str, trials: Trials, tmp_path: Path) -> None:
    mark, path = tmp_path / "it ran", tmp_path / "evil.pth"
    path.write_bytes(pth(pickle.dumps({"state_dict": {"a": CallsWhenLoaded(os.mkdir, str(mark))}}, 2)[2:]))
    arguments: dict[str, tuple[str | Path, ...]] = {
        "export": ("export", "--output-dir", tmp_path, "--weights", path),
        "weights verify": ("weights", "verify", path),
        "track": ("track", tmp_path, "--weights", path),
    }
    with trials(PTH, verb):
        ended = run_command(*arguments[verb])
        assert ended.code == 1
        assert not mark.exists()
