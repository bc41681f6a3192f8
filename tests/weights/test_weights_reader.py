"""Readers of checkpoints: valid files are read exactly, others get one clear error, and no code in them ever runs."""

from __future__ import annotations

import builtins
import collections
import importlib
import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.architectures import HeadSizes
from fairmot_dla34.architectures.dla34 import DLA34
from fairmot_dla34.errors import CheckpointError, IntegrityError
from fairmot_dla34.weights import load_checkpoint, verify_file
from fairmot_dla34.weights.formats import open_arrays, reported_errors
from fairmot_dla34.weights.formats.pdparams import read_pickle

Arrays = dict[str, NDArray[Any]]
HEATMAP_WEIGHT = "detector.head.heatmap.2.conv.weight"
FIRST = "detector.backbone.base_layer.0.conv.weight"


def read(data: bytes) -> Arrays:
    with reported_errors(Path("file")):
        return {name: array.read() for name, array in read_pickle(io.BytesIO(data), len(data)).items()}


def write(path: Path, arrays: dict[str, Any], protocol: int = 4) -> Path:
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    return path


def test_real_checkpoint_is_read_exactly(real_weights: Path) -> None:
    arrays = load_checkpoint(real_weights).arrays
    trusted = pickle.loads(real_weights.read_bytes())
    trusted.pop("StructuredToParameterName@@")
    assert list(arrays) == list(trusted)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, trusted[name])
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_expected_shapes_are_those_of_a_real_checkpoint(real_weights: Path) -> None:
    shapes = DLA34.array_shapes(HeadSizes())
    assert len(shapes) == 347
    with open_arrays(real_weights) as arrays:
        assert shapes == {name: array.shape for name, array in arrays.items()}


def test_classes_change_the_heatmap_only() -> None:
    one, four = DLA34.array_shapes(HeadSizes()), DLA34.array_shapes(HeadSizes(num_classes=4))
    assert {name: four[name] for name in one if one[name] != four[name]} == {
        HEATMAP_WEIGHT: (4, 256, 1, 1),
        "detector.head.heatmap.2.conv.bias": (4,),
    }


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_protocol_and_memory_layout_is_read(protocol: int, order: Any) -> None:
    array = np.asarray(np.random.default_rng(1).normal(size=(3, 4, 5)), order=order)
    wanted = {"a": array.astype(">f8"), "b": array.astype(np.float16), "c": np.float32(2.5), "d": np.zeros((0, 3))}
    got = read(pickle.dumps(collections.OrderedDict(wanted), protocol=protocol))
    assert list(got) == ["a", "b", "d"]  # a lone number is not an array
    for name in got:
        np.testing.assert_array_equal(got[name], wanted[name])


def test_both_names_of_numpys_modules_are_read() -> None:
    """NumPy 2 writes numpy._core, NumPy 1 numpy.core; both open with either."""
    new = pickle.dumps({"a": np.arange(3.0)}, protocol=2).replace(b"numpy._core.", b"numpy.core.")
    old = new.replace(b"numpy.core.", b"numpy._core.")
    assert new != old
    for data in (new, old):
        np.testing.assert_array_equal(read(data)["a"], np.arange(3.0))


def test_named_tensors_are_unwrapped_and_the_table_of_split_arrays_is_left_out() -> None:
    """(name, array) pairs are unwrapped; the table of split arrays is left out with what is not an array."""
    data = {"a": ("linear_0.w_0", np.ones(2)), "UnpackBigParamInfor@@": {"b": {"slices": ["b@@.0"]}}, "epoch": 3}
    assert list(read(pickle.dumps(data))) == ["a"]


def test_training_arrays_are_left_out_and_others_become_float32(constants: Arrays, tmp_path: Path) -> None:
    extra = {"reid.classifier.weight": np.full((128, 3), np.nan), "loss.s_det": np.zeros(1, dtype=np.int64)}
    half = {name: array.astype(np.float16) for name, array in constants.items()}
    arrays = load_checkpoint(write(tmp_path / "half.pdparams", {**half, **extra})).arrays
    assert list(arrays) == list(constants)
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}


def test_an_npz_file_is_read(constants: Arrays, tmp_path: Path) -> None:
    path = tmp_path / "weights.pdparams"  # the content decides, not the suffix
    with path.open("wb") as file:
        half: dict[str, Any] = {name: array.astype(np.float16) for name, array in constants.items()}
        np.savez_compressed(file, **half)
    assert list(load_checkpoint(path).arrays) == list(constants)


class CallsWhenLoaded:
    """An object whose pickle calls ``function`` when it is loaded."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def by_name(module: str, name: str) -> bytes:
    """Return a pickle that only looks up ``name``."""
    parts = [module.encode(), name.encode()]
    return b"\x80\x04" + b"".join(b"\x8c" + struct.pack("B", len(p)) + p for p in parts) + b"\x93."


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "attack",
    [
        lambda mark: CallsWhenLoaded(os.system, f"touch {mark}"),
        lambda mark: CallsWhenLoaded(builtins.eval, f"open({mark!r}, 'w')"),
        lambda mark: CallsWhenLoaded(builtins.exec, f"open({mark!r}, 'w')"),
        lambda mark: CallsWhenLoaded(getattr, CallsWhenLoaded(importlib.import_module, "os"), "system"),
        lambda mark: CallsWhenLoaded(np.load, mark),
        lambda mark: CallsWhenLoaded(np.memmap, mark, "u1", "w+", 0, (1,)),
        lambda mark: CallsWhenLoaded(np.fromfile, mark),
        lambda mark: {"nested": [{"deep": (CallsWhenLoaded(os.mkdir, mark),)}]},
        lambda mark: {FIRST: np.array([CallsWhenLoaded(os.mkdir, mark)], dtype=object)},
        lambda mark: CallsWhenLoaded(collections.OrderedDict, [(CallsWhenLoaded(os.mkdir, mark), 1)]),
    ],
)
def test_no_code_in_a_checkpoint_is_run(attack: Callable[[str], Any], protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    path = write(tmp_path / "evil.pdparams", attack(str(mark)), protocol)
    with pytest.raises(CheckpointError, match=r"evil\.pdparams"):
        load_checkpoint(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "getattr"),
        ("numpy", "core.multiarray._reconstruct"),  # dotted names walk attributes
        ("numpy", "ndarray.tofile"),
        ("collections", "OrderedDict.__init__.__globals__"),
        ("fairmot_dla34.weights.formats.pdparams", "pickle"),
    ],
)
def test_names_outside_the_list_are_refused_by_name(module: str, name: str) -> None:
    with pytest.raises(CheckpointError, match=r"Nothing was run") as caught:
        read(by_name(module, name))
    assert f"asks for {module}.{name}," in str(caught.value)


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


@pytest.mark.parametrize(
    "body",
    [
        _global("numpy.core.multiarray", "_reconstruct") + b"}X\x01\x00\x00\x00aK\x01sb.",  # BUILD on a constructor
        _global("numpy", "dtype") + b"N}X\x05\x00\x00\x00_make" + _global("collections", "OrderedDict") + b"s\x86b.",
        _global("numpy", "ndarray") + b"}X\x01\x00\x00\x00aK\x01sb.",
        _global("collections", "OrderedDict") + b"N}X\x01\x00\x00\x00aK\x01s\x86b.",  # slot state: setattr
        _global("_codecs", "encode") + b"X\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.",
        _global("numpy.core.multiarray", "_reconstruct") + _global("collections", "OrderedDict") + b"\x85R.",
        _global("__builtin__", "bytes") + b"K\x09\x85R.",
        _global("numpy", "dtype") + b"X\x03\x00\x00\x00O8\x00\x85R.",
        _global("numpy", "dtype") + b"X\x02\x00\x00\x00O8\x85R.",
        _global("numpy", "dtype") + b"X\x02\x00\x00\x00f3\x85R.",
        b"cpersid\nx\n.",
        b"Ppersid\n.",
        b"\x82\x01.",  # a code of copyreg's registry
        b"N.",
        b"K\x01.",
        b"]K\x01a.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # bytes longer than any memory
        b"",
    ],
)
def test_handmade_pickles_are_refused(body: bytes) -> None:
    with pytest.raises(CheckpointError):
        read(b"\x80\x02" + body)
    assert list(read(pickle.dumps({"a": np.zeros(1)}))) == ["a"]  # the refusal changed nothing for the next file


@pytest.mark.parametrize(
    "state",
    [
        (1, (2,), np.dtype("f4"), False, b"short"),
        (1, (-1,), np.dtype("f4"), False, b"\0" * 8),
        (1, (True,), np.dtype("f4"), False, b"\0" * 4),
        (1, [2], np.dtype("f4"), False, b"\0" * 8),
        (1, (2,), "f4", False, b"\0" * 8),
        (1, (2,), np.dtype("f4"), False, [1, 2]),
        (1, (2,)),
    ],
)
def test_arrays_whose_parts_do_not_fit_are_refused(state: tuple[object, ...]) -> None:
    class Fake:
        def __reduce__(self) -> tuple[object, ...]:
            reduced = np.zeros(1).__reduce__()
            assert isinstance(reduced, tuple)
            return reduced[0], reduced[1], state

    buffer = io.BytesIO()
    pickle.Pickler(buffer, protocol=2).dump({"a": Fake()})
    with pytest.raises(CheckpointError):
        read(buffer.getvalue())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"  <!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs", "begins with b'version https://"),
        (b"\x80\x04\x95", "damaged or cut short"),
        (b"PK\x03\x04 and no more", "damaged"),
        (pickle.dumps([1, 2]), "holds a list"),
        (pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2), "cut short"),  # the first pickle of an old .pth file
        (pickle.dumps({}), "has 0 arrays, and none belongs to a known architecture"),
        (pickle.dumps({"conv1.weight": np.zeros(3, np.float32)}), "has 1 arrays, such as conv1.weight, and none"),
    ],
)
def test_files_that_are_not_checkpoints_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.pdparams"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"bad\.pdparams") as caught:
        load_checkpoint(path)
    assert message in str(caught.value)


def test_a_truncated_checkpoint_is_reported(constant_pdparams: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.pdparams"
    path.write_bytes(constant_pdparams[: len(constant_pdparams) // 2])
    with pytest.raises(CheckpointError, match="cut short"):
        load_checkpoint(path)


def test_a_zip_archive_without_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("street.jpg", b"")
    with pytest.raises(CheckpointError, match=r"street\.jpg.*\.pdparams.*\.pth.*\.npz"):
        load_checkpoint(path)


def test_npz_with_objects_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    path = tmp_path / "evil.npz"
    np.savez(path, a=np.array([CallsWhenLoaded(os.mkdir, str(mark))], dtype=object))
    with pytest.raises(CheckpointError, match="unsafe"):
        load_checkpoint(path)
    assert not mark.exists()


def test_a_missing_file_and_a_folder_are_reported(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(CheckpointError, match="cannot be read"):
            load_checkpoint(path)
        with pytest.raises(CheckpointError, match="cannot be read"):
            verify_file(path)


def test_missing_arrays_and_those_of_another_shape_are_counted(constants: Arrays, tmp_path: Path) -> None:
    wrong = {**constants, FIRST: np.zeros((16, 1, 7, 7), np.float32)}
    wrong.pop("reid.reid.2.conv.bias")
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(write(tmp_path / "wrong.pdparams", wrong))
    for message in (FIRST, "(16, 1, 7, 7)", "(16, 3, 7, 7)", "1 more of 347"):
        assert message in str(caught.value)


@pytest.mark.parametrize("shape", [(), (0, 256, 1, 1), (1, 256)])
def test_a_heatmap_of_another_shape_is_reported(shape: tuple[int, ...], constants: Arrays, tmp_path: Path) -> None:
    wrong = {HEATMAP_WEIGHT: np.zeros(shape, np.float32)}
    with pytest.raises(CheckpointError, match=f"array {HEATMAP_WEIGHT} has shape"):
        load_checkpoint(write(tmp_path / "wrong.pdparams", {**constants, **wrong}))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.full(2, np.nan, np.float32), "2 of 2 numbers that are NaN"),
        (np.array([0, -np.inf], np.float32), "1 of 2 numbers"),
        (np.array([0, 1e300]), "1 of 2 numbers"),
        (np.zeros(2, np.int64), "type int64"),
        (np.zeros(2, np.uint16), "type uint16"),
    ],
)
def test_arrays_with_nan_infinity_or_integers_are_refused(
    value: NDArray[Any], message: str, constants: Arrays, tmp_path: Path
) -> None:
    path = write(tmp_path / "nan.pdparams", {**constants, "detector.head.offset.2.conv.bias": value})
    with pytest.raises(CheckpointError, match=r"offset\.2\.conv\.bias") as caught:
        load_checkpoint(path)  # and no RuntimeWarning of NumPy: the suite turns warnings into errors
    assert message in str(caught.value)


def test_verify_file_describes_the_file_and_checks_its_digest(real_weights: Path) -> None:
    report = verify_file(real_weights)
    assert (report.bytes, report.arrays, report.classes) == (real_weights.stat().st_size, 347, 1)
    assert verify_file(str(real_weights), sha256=report.sha256.upper()) == report
    with pytest.raises(IntegrityError, match=report.sha256):
        verify_file(real_weights, sha256="0" * 64)
