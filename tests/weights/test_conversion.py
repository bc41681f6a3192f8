"""Conversion of checkpoints: no number changes on the way, and nothing is lost, replaced or left half written."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disk_limits import file_size_limit
from hostile.checkpoint_reader import TINY, Fixed, tiny_arrays

from fairmot_dla34.architectures import register_architecture
from fairmot_dla34.architectures.registry import unregister_architecture
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.errors import CheckpointError, FairMOTError, InvalidInputError, OutputError, UnknownWeightsError
from fairmot_dla34.weights import convert, load_checkpoint, write_arrays
from fairmot_dla34.weights.checkpoint_file import INPUT_SIZE_NAME, stored_input_size
from fairmot_dla34.weights.conversion import NAMES, TRAINING_ARRAYS
from fairmot_dla34.weights.formats import open_arrays
from fairmot_dla34.weights.formats.writing import WRITERS


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A checkpoint of a few kB, of an architecture that only this package knows."""
    register_architecture(Fixed("tiny", TINY))
    path = tmp_path / "tiny.npz"
    write_arrays(path, tiny_arrays())
    yield path
    unregister_architecture("tiny")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A network that every project can hold, plain convolutions without bias in the neck, in each format."""
    arrays = dict(random_checkpoint().arrays)
    for name in [name for name in arrays if ".conv_offset." in name or name.endswith(".conv_dcn.bias")]:
        arrays[name] = np.zeros_like(arrays[name])
    arrays[INPUT_SIZE_NAME] = np.array([576, 320], np.float32)
    folder = tmp_path_factory.mktemp("plain")
    write_arrays(folder / "plain.npz", arrays)
    for suffix in NAMES:
        if suffix != ".npz":
            convert(folder / "plain.npz", folder / f"plain{suffix}")
    return {suffix: folder / f"plain{suffix}" for suffix in NAMES}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(NAMES, 2)))
def test_every_pair_of_formats_is_exact(source: str, target: str, plain: dict[str, Path], tmp_path: Path) -> None:
    """The file made from another format has the same bytes as the one made from the first file."""
    report = convert(plain[source], tmp_path / f"made{target}")
    assert digest(report.path) == digest(plain[target])
    assert (report.names, str(report.input_size), report.left_out) == (NAMES[target][0], "576x320", ())
    assert str(stored_input_size(report.path)) == "576x320"
    report.path.unlink()


def test_the_two_kinds_of_mindspore_are_exact(plain: dict[str, Path], tmp_path: Path) -> None:
    report = convert(plain[".npz"], tmp_path / "zjut.ckpt", to="mindspore-zjut")
    assert "merged" in report.notes[0]
    convert(tmp_path / "zjut.ckpt", tmp_path / "back.npz")
    assert digest(tmp_path / "back.npz") == digest(plain[".npz"])
    convert(tmp_path / "zjut.ckpt", tmp_path / "jupyter.ckpt", to="mindspore-jupyter")
    assert digest(tmp_path / "jupyter.ckpt") == digest(plain[".ckpt"])


def test_deformable_convolutions_are_exact_and_refused_for_mindspore(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", random_checkpoint().arrays)
    convert(tmp_path / "a.npz", tmp_path / "a.pth")
    convert(tmp_path / "a.pth", tmp_path / "back.npz")
    assert digest(tmp_path / "back.npz") == digest(tmp_path / "a.npz")
    with pytest.raises(InvalidInputError, match="deformable"):
        convert(tmp_path / "a.npz", tmp_path / "a.ckpt")
    assert not (tmp_path / "a.ckpt").exists()


def test_the_sample_states_its_input_size(tmp_path: Path) -> None:
    """The registry has it, and a file has no registry."""
    report = convert("sample", tmp_path / "sample.pth")
    assert stored_input_size(report.path) == report.input_size
    wanted, found = (load_checkpoint(path).arrays for path in (report.source, report.path))
    assert wanted.keys() == found.keys()
    assert all(np.array_equal(wanted[name], array) for name, array in found.items())


def test_arrays_of_the_training_are_kept_where_the_project_has_them(tmp_path: Path) -> None:
    arrays: dict[str, Any] = dict(random_checkpoint().arrays)
    arrays |= {name: np.full((2, 3), place, np.float32) for place, name in enumerate(TRAINING_ARRAYS)}
    arrays |= {"optimizer": np.ones(5, np.float32), "backbone.step": np.ones(1, np.float32)}
    np.savez(tmp_path / "trained.npz", **arrays)
    report = convert(tmp_path / "trained.npz", tmp_path / "trained.pdparams")
    assert set(report.left_out) == {"optimizer", "backbone.step"}
    with open_arrays(report.path) as found:
        for name in TRAINING_ARRAYS:
            np.testing.assert_array_equal(found[name].read(), arrays[name])
    report = convert(tmp_path / "trained.npz", tmp_path / "trained.pth")
    assert set(report.left_out) == {"optimizer", "backbone.step", *TRAINING_ARRAYS}


def test_float16_halves_convolutions_and_keeps_the_rest(tiny: Path) -> None:
    report = convert(tiny, tiny.with_name("half.npz"), float16=True)
    wanted = tiny_arrays()
    with open_arrays(report.path) as found:
        types = {name: array.type_name for name, array in found.items()}
        assert types == {name: "float16" if array.ndim > 1 else "float32" for name, array in wanted.items()}
        for name, array in found.items():
            np.testing.assert_array_equal(array.read(), wanted[name].astype(types[name]))


def test_a_number_beyond_float16_is_refused(tiny: Path) -> None:
    write_arrays(tiny, {**tiny_arrays(), "a.weight": np.full(TINY["a.weight"], 70_000, np.float32)})
    with pytest.raises(InvalidInputError, match=r"a\.weight has the number 70000; expected at most 65504"):
        convert(tiny, tiny.with_name("half.npz"), float16=True)
    assert not tiny.with_name("half.npz").exists()


def test_a_network_of_this_package_alone_can_be_a_pth_file(tiny: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"no counterpart in ifzhang/FairMOT.*--to paddledetection"):
        convert(tiny, tiny.with_name("a.pth"))
    report = convert(tiny, tiny.with_name("a.pth"), to="paddledetection")
    convert(report.path, tiny.with_name("back.npz"))
    assert digest(tiny.with_name("back.npz")) == digest(tiny)


def test_an_input_size_can_be_stated(tiny: Path) -> None:
    report = convert(tiny, tiny.with_name("sized.npz"), input_size="320x192")
    assert str(stored_input_size(report.path)) == "320x192"
    assert stored_input_size(tiny) is None


def test_a_file_is_replaced_only_on_request(tiny: Path) -> None:
    target = tiny.with_name("other.pdparams")
    target.write_text("mine")
    with pytest.raises(OutputError, match=r"exists; expected a new file: .* \(--overwrite\)"):
        convert(tiny, target)
    assert target.read_text() == "mine"
    convert(tiny, target, overwrite=True)
    assert load_checkpoint(target).architecture.name == "tiny"


@pytest.mark.parametrize("kind", ["same", "link", "hard link"])
def test_the_file_that_is_read_is_never_replaced(kind: str, tiny: Path) -> None:
    target, before = tiny.with_name("x.npz"), tiny.read_bytes()
    if kind == "link":
        target.symlink_to(tiny)
    elif kind == "hard link":
        target.hardlink_to(tiny)
    with pytest.raises(OutputError, match="is the file that is read"):
        convert(tiny, tiny if kind == "same" else target, overwrite=True)
    assert tiny.read_bytes() == before


def test_wrong_arguments_name_what_is_expected(tiny: Path) -> None:
    out = tiny.with_name("out.npz")
    calls: dict[str, Any] = {
        r"has the suffix '\.txt'; expected one of .*\.pth": lambda: convert(tiny, tiny.with_name("out.txt")),
        "has no suffix": lambda: convert(tiny, "out"),
        "cannot have the names of ifzhang; expected a file with .pth": lambda: convert(tiny, out, to="ifzhang"),
        "to is 'caffe'; expected one of": lambda: convert(tiny, out, to="caffe"),
        "float16 is for .npz files": lambda: convert(tiny, tiny.with_name("o.pdparams"), float16=True),
        "float16 is 'no'": lambda: convert(tiny, out, float16="no"),  # type: ignore[arg-type]
        "overwrite is 2": lambda: convert(tiny, out, overwrite=2),  # type: ignore[arg-type]
        "Input width is 100": lambda: convert(tiny, out, input_size="100x64"),
        "path is 5": lambda: convert(tiny, 5),  # type: ignore[arg-type]
        "without null characters": lambda: convert(tiny, "a\0.npz"),
    }
    for message, call in calls.items():
        with pytest.raises(InvalidInputError, match=message):
            call()
    with pytest.raises(UnknownWeightsError):
        convert("nope", out)
    assert not out.exists()


def test_files_that_are_not_weights_leave_no_output(tmp_path: Path) -> None:
    out = tmp_path / "out.pth"
    (tmp_path / "page.pth").write_text("<html>")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    arrays: dict[str, Any] = dict(random_checkpoint().arrays)
    np.savez(tmp_path / "nan.npz", **{**arrays, "reid.reid.2.conv.bias": np.full(128, np.nan, np.float32)})
    for name in ("page.pth", "empty.npz", "other.npz", "nan.npz"):
        with pytest.raises(CheckpointError, match=name):
            convert(tmp_path / name, out)
    with pytest.raises(OutputError, match="is a folder"):
        convert(tmp_path / "nan.npz", (tmp_path / "folder.pth").mkdir() or tmp_path / "folder.pth")  # type: ignore[func-returns-value]
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "bztar", "xztar"])
def test_a_packed_checkpoint_is_to_be_unpacked(kind: str, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    convert(tiny, folder / "权重 1.pth", to="paddledetection")
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), kind, folder))
    with pytest.raises(CheckpointError, match=r"packed\..* is a \w+ archive.*unpack it first"):
        convert(packed, tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_network_of_another_project_is_named_by_its_arrays(tmp_path: Path) -> None:
    """Names and shapes as in torchvision's ResNet-18."""
    shapes = {"conv1.weight": (64, 3, 7, 7), "bn1.running_mean": (64,), "layer1.0.conv1.weight": (64, 64, 3, 3)}
    write_arrays(tmp_path / "resnet18.pth", {name: np.ones(shape) for name, shape in shapes.items()})
    with pytest.raises(CheckpointError, match=r"3 arrays, such as bn1.*none belongs to a known architecture"):
        convert(tmp_path / "resnet18.pth", tmp_path / "out.npz")
    write_arrays(tmp_path / "none.pth", {})
    with pytest.raises(CheckpointError, match=r"none\.pth is not read: it has no tensors"):
        convert(tmp_path / "none.pth", tmp_path / "out.npz")


def test_names_with_spaces_and_chinese_characters_and_new_folders(tiny: Path, tmp_path: Path) -> None:
    first = convert(tiny, tmp_path / "新 文件夹" / "里面" / "我的 权重.pth", to="paddledetection").path
    second = convert(first, tmp_path / "a b" / "又一个.pdparams").path
    assert load_checkpoint(second).architecture.name == "tiny"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tiny: Path) -> None:
    closed = tiny.parent / "closed"
    closed.mkdir(mode=0o500)
    for path in (closed / "out.npz", closed / "new" / "out.npz"):
        with pytest.raises(OutputError, match=r"out\.npz cannot be written \(Permission denied\)"):
            convert(tiny, path)
    assert not list(closed.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
@pytest.mark.parametrize("suffix", WRITERS)
def test_a_full_disk_leaves_the_earlier_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write_arrays(path, {"a": np.zeros(10)})
    before = path.read_bytes()
    with file_size_limit(100_000), pytest.raises(OutputError, match=r"cannot be written \(File too large"):
        write_arrays(path, {"a": np.zeros(100_000), "b": np.zeros(10)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [suffix for suffix in WRITERS if suffix != ".ckpt"])
def test_an_interruption_leaves_no_file(suffix: str, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fairmot_dla34.files.os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        convert(tiny, tiny.with_name(f"out{suffix}"), to="paddledetection")
    assert list(tiny.parent.iterdir()) == [tiny]


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_same_arrays_give_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.full((1,), 2**-7, np.float32)}
    paths = [tmp_path / f"{number}{suffix}" for number in range(3)]
    contents: list[dict[str, Any]] = [
        arrays,
        dict(reversed(arrays.items())),
        {name: np.asfortranarray(array.astype(">f8")) for name, array in arrays.items()},
    ]
    for path, content in zip(paths, contents, strict=True):
        write_arrays(path, content)
    assert len({path.read_bytes() for path in paths}) == 1
    with open_arrays(paths[0]) as found:
        assert all(np.array_equal(found[name].read(), array) for name, array in arrays.items())


def test_numpy_reads_a_written_archive(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", {"x/y": np.ones((2, 0, 3)), "half": np.ones(2, np.float16), "s": 2.5})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        found = {name: (loaded[name].dtype.str, loaded[name].shape) for name in loaded}
    assert found == {"x/y": ("<f4", (2, 0, 3)), "half": ("<f2", (2,)), "s": ("<f4", ())}


def test_odd_paths_end_in_one_error(tiny: Path) -> None:
    for path in ("", ".", "/", "a" * 5000 + ".npz", "/proc/nothing/x.npz", "\ud800.npz", str(tiny / "x.npz")):
        with pytest.raises(FairMOTError) as caught:
            convert(tiny, path)
        assert len(str(caught.value)) <= 300
        assert str(caught.value).isprintable()
