"""Resolution of names and paths to weights files, the registry, and the environment variables."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from fairmot_dla34.association import TrackerConfig
from fairmot_dla34.config import DEFAULT_WEIGHTS, InputSize
from fairmot_dla34.errors import DownloadError, UnknownWeightsError
from fairmot_dla34.tracking.options import ModelOptions
from fairmot_dla34.weights import WeightsEntry, cache_dir, registered, resolve_weights
from fairmot_dla34.weights.cache import HOME_VARIABLE
from fairmot_dla34.weights.fetch.location import MIRROR_VARIABLE, OFFLINE_VARIABLE, download_location


def test_registry_lists_the_published_checkpoints() -> None:
    entries = registered()
    assert entries[0].name == DEFAULT_WEIGHTS
    assert len({entry.name for entry in entries}) == len(entries) == 31
    published = [entry for entry in entries if entry.url]
    assert {entry.name for entry in entries} - {entry.name for entry in published} == {"sample"}
    for entry in published:
        assert entry.packaged_path is None
        folder = "pretrained" if entry.name.endswith("pretrained") else "mot"
        assert entry.url == f"https://paddledet.bj.bcebos.com/models/{folder}/{entry.name}.pdparams"
        assert isinstance(entry.input_size, InputSize)
        assert folder == "pretrained" or str(entry.input_size) in entry.name
        assert "Apache-2.0" in entry.licence
        assert entry.trained_on
    assert {entry.architecture for entry in entries} == {"dla34", "hrnetv2_w18"}


def test_registry_has_the_classes_of_every_checkpoint() -> None:
    """The networks of several classes are PaddleDetection's ``mcfairmot`` ones."""
    for entry in registered():
        assert len(set(entry.class_names)) == entry.classes
        assert (entry.classes > 1) == entry.name.startswith("mcfairmot")
        assert (entry.architecture == "hrnetv2_w18") == ("_hrnetv2_w18_" in entry.name)
    visdrone = next(entry for entry in registered() if entry.name == "mcfairmot_dla34_30e_1088x608_visdrone")
    assert visdrone.class_names[3] == "car"
    assert visdrone.classes == 10


def test_weights_of_vehicles_report_small_and_wide_boxes() -> None:
    """The defaults are those of pedestrians: boxes wider than 1.6 times their height are not reported."""
    for entry in registered():
        config = ModelOptions(entry.name).tracker_config
        assert config.method == "auto"
        upright = set(entry.class_names) <= {"person", "head"}
        assert (config.smallest_area, config.vertical_ratio) == (0, 1.6 if upright else 0)
        for method in ("jde", "byte"):
            config = ModelOptions(entry.name, tracker=method).tracker_config
            assert (config.smallest_area, config.vertical_ratio) == ((200, 1.6) if upright else (0, 0))
    cars = "fairmot_dla34_30e_1088x608_kitti_vehicle"
    assert ModelOptions(cars, tracker="byte").tracker_config == TrackerConfig(
        method="byte", min_box_area=0, vertical_ratio=0
    )
    assert ModelOptions(cars, tracker=TrackerConfig()).tracker_config == TrackerConfig()


@pytest.mark.parametrize("kind", [str, Path])
def test_path_of_a_file_is_accepted(kind: type, tmp_path: Path) -> None:
    file = tmp_path / "mine.bin"
    file.write_bytes(b"")
    assert resolve_weights(kind(file), offline=True) == file


@pytest.mark.parametrize("weights", ["fairmot_dla34_30e_1088x60", "no/such.pdparams", "", "a\0b", Path("x")])
def test_error_for_unknown_weights_says_where_the_names_are(weights: str | Path) -> None:
    with pytest.raises(UnknownWeightsError, match=f"such as {DEFAULT_WEIGHTS} or sample.*fairmot_dla34 weights list"):
        resolve_weights(weights)


def test_error_for_unknown_weights_suggests_a_name(tmp_path: Path) -> None:
    with pytest.raises(UnknownWeightsError, match="Did you mean fairmot_dla34_30e_864x480"):
        resolve_weights("fairmot_dla34_30e_864x481")
    with pytest.raises(UnknownWeightsError, match="is a folder"):
        resolve_weights(tmp_path)


@pytest.mark.parametrize(
    ("argument", "variable"), [(True, None), (True, "0"), (None, "1"), (None, "yes"), (False, "1")]
)
def test_offline_never_opens_a_connection(
    argument: bool | None, variable: str | None, monkeypatch: pytest.MonkeyPatch, target: Path, entry: WeightsEntry
) -> None:
    def no_socket(*args: object, **kwargs: object) -> NoReturn:
        pytest.fail("offline mode opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, no_socket)
    if variable is not None:
        monkeypatch.setenv("FAIRMOT_DLA34_OFFLINE", variable)
    with pytest.raises(DownloadError) as caught:
        resolve_weights(entry.name, offline=argument)
    assert target.name in str(caught.value)
    assert str(entry.url) in str(caught.value)
    assert "--weights sample" in str(caught.value)
    assert not target.parent.exists()


@pytest.mark.parametrize(
    ("mirror", "url"),
    [
        ("http://mirror.example:8080", "http://mirror.example:8080/models/mot/{}"),
        ("https://u:p@mirror.example/a/b/", "https://mirror.example/a/b/models/mot/{}"),
        ("https://[::1]", "https://[::1]/models/mot/{}"),
        ("  ", "https://paddledet.bj.bcebos.com/models/mot/{}"),
    ],
)
def test_mirror_replaces_the_host(
    mirror: str, url: str, entry: WeightsEntry, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", mirror)
    assert download_location(entry).url == url.format(target.name)


@pytest.mark.parametrize(
    "mirror",
    [
        "mirror.example",
        "u:secret@mirror.example",
        "ftp://u:secret@host",
        "https://u:secret@host:port",
        "https://u:secret@",
        "https://host/?token=secret",
        "https://u:secret@[",
        "//u:secret@host",
        "https://u:sec@secret@host:x",
        "https://u:sec/secret@host:x",
        "https://u:80/secret@host",
        "https://u:se?secret@host",
        "https://u:p@host?secret",
        "file:///x",
    ],
)
def test_invalid_mirror_is_reported_without_credentials(
    mirror: str, entry: WeightsEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRMOT_DLA34_MIRROR", mirror)
    with pytest.raises(DownloadError, match="FAIRMOT_DLA34_MIRROR is") as caught:
        resolve_weights(entry.name)
    assert "secret" not in str(caught.value)


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", "")
    assert "fairmot_dla34" in str(cache_dir())
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", "relative")
    assert cache_dir().is_absolute()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FAIRMOT_DLA34_HOME", "~/cache")
    assert cache_dir() == tmp_path / "cache"


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, fairmot_dla34.weights; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ["requests", "urllib3", "tqdm", "filelock", "platformdirs", "paddle", "openvino", "onnx", "cv2"]
    done = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["weights.md", "weights.zh.md"])
def test_documentation_lists_weights_and_variables(name: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / name).read_text(encoding="utf-8")
    for entry in registered():
        assert f"`{entry.name}`" in text
        assert str(entry.url or "").rpartition("/")[0] in text
    for variable in (HOME_VARIABLE, MIRROR_VARIABLE, OFFLINE_VARIABLE):
        assert variable in text
