"""Exchange of ``.ckpt`` files with a real MindSpore: each side reads what the other wrote, bit by bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from weights.test_mindspore_names import plain_arrays, seeded_arrays

from fairmot_dla34.errors import CheckpointError
from fairmot_dla34.weights import load_checkpoint
from fairmot_dla34.weights.formats import ckpt_writing, open_arrays
from fairmot_dla34.weights.formats.ckpt_writing import write_ckpt
from fairmot_dla34.weights.naming.mindspore import MINDSPORE, MINDSPORE_ZJUT, MindSporeNames

mindspore: Any = pytest.importorskip("mindspore")
pytestmark = [pytest.mark.mindspore, pytest.mark.filterwarnings("default")]

KEY = b"0123456789abcdef"
Arrays = dict[str, NDArray[Any]]
NUMBERS = np.array([0, -0.0, 1.5, -2, 65504, 2**-14, 3, 1 / 3], np.float64)


def save(path: Path, arrays: Arrays, **options: Any) -> Path:
    parameters = [{"name": name, "data": mindspore.Tensor(array)} for name, array in arrays.items()]
    mindspore.save_checkpoint(parameters, str(path), **options)
    return path


def load(path: Path) -> Arrays:
    return {name: parameter.asnumpy() for name, parameter in mindspore.load_checkpoint(str(path)).items()}


def read(path: Path) -> Arrays:
    with open_arrays(path) as found:
        return {name: array.read() for name, array in found.items() if array.type_name != "str"}


def expect_equal(found: Arrays, expected: Arrays) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape), name
        assert found[name].tobytes() == array.tobytes(), name


CODES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")


@pytest.mark.parametrize("check_sum", [False, True])
def test_what_mindspore_saves_is_read(check_sum: bool, tmp_path: Path) -> None:
    arrays: Arrays = {code: np.abs(NUMBERS[4:6]).astype(code) for code in CODES}
    arrays |= {f"{code}.4d": np.arange(16).reshape(2, 2, 2, 2).astype(code) for code in CODES}
    arrays |= {"lone": np.array(2.5, np.float32)}
    path = save(tmp_path / "a.ckpt", arrays, crc_check=check_sum, append_dict={"epoch": 3, "note": "text"})
    found = read(path)
    assert found.pop("epoch") == 3
    expect_equal(found, arrays)


def test_bfloat16_is_read(tmp_path: Path) -> None:
    tensor = mindspore.Tensor(NUMBERS.astype(np.float32)).astype(mindspore.bfloat16)
    mindspore.save_checkpoint([{"name": "b", "data": tensor}], str(tmp_path / "a.ckpt"))
    np.testing.assert_array_equal(read(tmp_path / "a.ckpt")["b"], tensor.astype(mindspore.float32).asnumpy())


def test_what_mindspore_splits_is_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mindspore.train.serialization.SLICE_SIZE", 1)  # kB
    arrays: Arrays = {"a": np.random.default_rng(0).normal(size=(7, 3, 41)), "b": np.ones(2, np.float32)}
    path = save(tmp_path / "a.ckpt", arrays)
    assert path.read_bytes().count(b"\n\x01a\x12") > 5
    expect_equal(read(path), arrays)


@pytest.mark.parametrize("mode", ["AES-GCM", "AES-CBC", "SM4-CBC"])
def test_what_mindspore_encrypts_is_refused(mode: str, tmp_path: Path) -> None:
    save(tmp_path / "a.ckpt", {"a": np.ones(3, np.float32)}, enc_key=KEY, enc_mode=mode)
    with pytest.raises(CheckpointError, match="encrypted by MindSpore"):
        read(tmp_path / "a.ckpt")


@pytest.mark.parametrize("piece_bytes", [None, 64])
def test_what_is_written_is_loaded_by_mindspore(
    piece_bytes: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if piece_bytes:
        monkeypatch.setattr(ckpt_writing, "PIECE_BYTES", piece_bytes)
    arrays: Arrays = {
        "full": NUMBERS.astype(np.float32).reshape(2, 4),
        "half": NUMBERS.astype(np.float16),
        "lone": np.array(2.5, np.float32),
        "many": np.random.default_rng(0).normal(size=(5, 4, 3, 3)).astype(np.float32),
    }
    write_ckpt(tmp_path / "a.ckpt", arrays)
    expect_equal(load(tmp_path / "a.ckpt"), arrays)


@pytest.mark.parametrize("project", [MINDSPORE, MINDSPORE_ZJUT], ids=lambda project: project.NAME)
def test_networks_of_both_projects_pass_in_both_directions(project: MindSporeNames, tmp_path: Path) -> None:
    arrays = seeded_arrays(project)
    save(tmp_path / "theirs.ckpt", arrays)
    canonical = load_checkpoint(tmp_path / "theirs.ckpt")
    write_ckpt(tmp_path / "ours.ckpt", project.from_canonical(canonical.arrays, canonical.architecture))
    expect_equal(load(tmp_path / "ours.ckpt"), dict(sorted(arrays.items())))


def test_parameters_of_a_network_are_set(tmp_path: Path) -> None:
    """A network with the layers of the neck's first merge in jingcjie's code, under their names."""
    arrays = MINDSPORE.from_canonical(plain_arrays(), load_plain(tmp_path).architecture)
    write_ckpt(tmp_path / "fairmot.ckpt", arrays)
    network = merge()
    missing, _unused = mindspore.load_param_into_net(network, mindspore.load_checkpoint(str(tmp_path / "fairmot.ckpt")))
    assert missing == []
    for name, parameter in network.parameters_dict().items():
        np.testing.assert_array_equal(parameter.asnumpy(), arrays[name])


def load_plain(folder: Path) -> Any:
    np.savez(folder / "plain.npz", **dict[str, Any](plain_arrays()))
    return load_checkpoint(folder / "plain.npz")


def merge() -> Any:
    from mindspore import nn

    class Block(nn.Cell):  # type: ignore[misc,unused-ignore]
        def __init__(self, channels_in: int, channels: int) -> None:
            super().__init__()
            self.actf = nn.SequentialCell([nn.BatchNorm2d(channels), nn.ReLU()])
            self.conv = nn.Conv2d(channels_in, channels, 3)

    class Merge(nn.Cell):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.proj = nn.CellList([Block(512, 256)])
            up = nn.Conv2dTranspose(256, 256, 4, stride=2, pad_mode="pad", padding=1, group=256)
            self.up = nn.CellList([up])
            self.node = nn.CellList([Block(256, 256)])

    class Neck(nn.Cell):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.ida_nfs = nn.CellList([Merge()])

    class Network(nn.Cell):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.dla_up = Neck()

    return Network()
