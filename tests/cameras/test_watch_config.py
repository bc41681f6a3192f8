"""Settings of many cameras: the TOML file, URLs, passwords from the environment, and every kind of wrong value."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from fairmot_dla34 import FairMOTError, TrackerConfig
from fairmot_dla34.analytics import AnalyticsConfig
from fairmot_dla34.cameras import Camera, WatchConfig
from fairmot_dla34.errors import InvalidInputError

PASSWORD = "s3cret"  # noqa: S105 (of a camera that does not exist)
CAMERA = '[[camera]]\nname = "door"\nsource = "rtsp://viewer:${DOOR}@127.0.0.1:8554/door"\n'
HALL = '[[camera]]\nname = "hall"\nsource = "http://127.0.0.1:8080/hall"\n'


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "cameras.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def read(folder: Path, text: str) -> WatchConfig:
    return WatchConfig.from_toml(write(folder, text), {"DOOR": PASSWORD, "EMPTY": ""})


def test_a_full_file(tmp_path: Path) -> None:
    (tmp_path / "door.toml").write_text('[[line]]\nname = "in"\nstart = [0, 10]\nend = [50, 10]\n')
    config = read(
        tmp_path,
        'weights = "sample"\ninput_size = "320x192"\nprecision = "fp32"\nthreads = 1\ntracker = "byte"\n'
        'output_dir = "out"\nformats = ["jsonl"]\nvisualization = false\nfill_gaps = 3\n'
        'segment = "hour"\nkeep = "7d,5GB"\ngive_up_after_s = 60\nmetrics = 9108\n'
        f'{CAMERA}weight = 2\nmax_fps = 10\nanalytics = "door.toml"\n{HALL}',
    )
    door, hall = config.cameras
    assert door == Camera("door", f"rtsp://viewer:{PASSWORD}@127.0.0.1:8554/door", weight=2, max_fps=10)
    assert hall == Camera("hall", "http://127.0.0.1:8080/hall")
    assert (config.model.weights, str(config.model.input_size), config.model.threads) == ("sample", "320x192", 1)
    assert config.model.tracker_config == TrackerConfig("byte")
    output = config.output(hall)
    assert (output.output_dir, output.formats, output.visualization) == (str(tmp_path / "out"), ("jsonl",), False)
    assert (output.fill_gaps, output.draw_threshold, output.analytics) == (3, 0.0, None)
    assert set(config.analytics) == {"door"}
    assert isinstance(config.analytics["door"], AnalyticsConfig)
    assert config.output(door).analytics is not None
    assert config.segment is not None
    assert config.keep is not None
    assert (config.keep.age_s, config.keep.bytes) == (7 * 86400, 5 * 10**9)
    assert (config.give_up_after_s, config.metrics) == (60.0, 9108)


def test_a_file_with_one_camera_has_the_defaults_of_track(tmp_path: Path) -> None:
    config = read(tmp_path, CAMERA)
    assert config.model.streams == 1
    assert (config.segment, config.keep, config.give_up_after_s, config.metrics) == (None, None, None, None)
    assert config.output(config.cameras[0]).draw_threshold == 0.0


def test_the_tracker_may_be_a_table_and_single_settings_have_priority(tmp_path: Path) -> None:
    config = read(tmp_path, f'{CAMERA}[tracker]\nmethod = "byte"\nconf_thres = 0.3\n')
    assert config.model.tracker == TrackerConfig("byte", conf_thres=0.3)
    changed = config.with_settings({"conf_thres": 0.6, "lost_buffer_s": 3.0, "threads": None})
    assert changed.model.tracker == TrackerConfig("byte", conf_thres=0.6, lost_buffer_s=3.0)
    assert config.with_settings({"tracker": "auto"}).model.tracker_config == TrackerConfig("auto")


def test_settings_of_options_win_over_the_file(tmp_path: Path) -> None:
    config = read(tmp_path, f'weights = "sample"\nsegment = "hour"\nkeep = "7d"\n{CAMERA}')
    changed = config.with_settings({"weights": "other.npz", "segment": "day", "formats": ("csv",)})
    assert changed.model.weights == "other.npz"
    assert changed.output(changed.cameras[0]).formats == ("csv",)
    assert changed.keep == config.keep
    assert changed.segment != config.segment


def test_paths_start_from_the_folder_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (tmp_path / "a.npz").touch()
    (tmp_path / "a.mp4").touch()
    config = read(tmp_path, 'weights = "a.npz"\n[[camera]]\nname = "a"\nsource = "a.mp4"\n')
    assert config.model.weights == str(tmp_path / "a.npz")
    assert config.cameras[0].source == str(tmp_path / "a.mp4")
    assert config.output(config.cameras[0]).output_dir == ""


@pytest.mark.parametrize("source", ["0", '"0"'])
def test_a_camera_of_this_machine_is_a_number_or_digits(source: str, tmp_path: Path) -> None:
    config = read(tmp_path, f'[[camera]]\nname = "usb"\nsource = {source}\n')
    assert config.cameras[0].redacted == "camera 0"


def test_cameras_that_are_named_by_url() -> None:
    config = WatchConfig.from_sources(["rtsp://viewer:pw@10.0.0.5/hall", "1", "rtsp://10.0.0.6/hall"])
    assert [camera.name for camera in config.cameras] == ["10.0.0.5_hall", "camera1", "10.0.0.6_hall"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["rtsp://10.0.0.5/a?channel=1", "rtsp://10.0.0.5/a?channel=2"], "Two cameras have the name '10.0.0.5_a'"),
        (["rtsp://10.0.0.5/a", "rtsp://10.0.0.5/a"], "Two cameras have the name"),
        (["ftp://viewer:s3cret@10.0.0.5/a"], "starts with ftp://"),
        (["missing.mp4"], "missing.mp4 does not exist"),
        ([""], "Source is ''"),
    ],
)
def test_sources_that_are_refused(sources: list[str], message: str) -> None:
    with pytest.raises(FairMOTError, match=message) as refused:
        WatchConfig.from_sources(sources)
    assert PASSWORD not in str(refused.value)


BAD = {
    "": "The file has no camera; expected a TOML file",
    "wieghts = 'sample'\n" + CAMERA: "has the unknown key 'wieghts'.*Did you mean 'weights'",
    CAMERA + "max_fsp = 3\n": "number 1 has the unknown key 'max_fsp'.*Did you mean 'max_fps'",
    CAMERA + CAMERA: "Two cameras have the name 'door'",
    CAMERA + CAMERA.replace("door", "DOOR", 1): "Two cameras have the name 'DOOR'",
    CAMERA + CAMERA.replace("door", "gate", 1): "'door' and 'gate' have one source, rtsp://127.0.0.1:8554/door",
    CAMERA + CAMERA.replace("door", "gate", 1).replace("viewer", "admin"): "'door' and 'gate' have one source",
    "camera = 3\n": "camera is not a list of tables",
    "camera = ['rtsp://viewer:s3cret@127.0.0.1/x']\n": "camera is not a list of tables",
    "[camera]\nname = 'x'\n": "camera is not a list of tables; expected two brackets",
    "[[camera]]\nname = 'door'\n": "number 1 has no key 'source'",
    "[[camera]]\nsource = '0'\n": "number 1 has no key 'name'",
    "[[camera]]\nname = 'door'\nsource = ['rtsp://viewer:s3cret@127.0.0.1/x']\n": "source is a list; expected text",
    "[[camera]]\nname = 'rtsp://viewer:s3cret@127.0.0.1/x'\nsource = 'door'\n": "name is 'rtsp://127.0.0.1/x",
    "[[camera]]\nname = 'a'\nsource = 'rtsp:/viewer:s3cret@127.0.0.1/x'\n": "does not exist",
    "[[camera]]\nname = 'a'\nsource = 'ftp://viewer:s3cret@127.0.0.1/x'\n": "starts with ftp://",
    "[[camera]]\nname = 'a'\nsource = 'nothing.mp4'\n": "nothing.mp4 does not exist",
    "[[camera]]\nname = 'a'\nsource = ''\n": "Source is ''",
    "[[camera]]\nname = 'a'\nsource = true\n": "source is a bool; expected text",
    "[[camera]]\nname = 'a'\nsource = -1\n": "Camera index is|does not exist",
    "[[camera]]\nname = 'a'\nsource = 'rtsp://${HOST}/x'\n": "environment variable HOST, which is not set",
    "[[camera]]\nname = 'a'\nsource = 'rtsp://${EMPTY}/x'\n": "environment variable EMPTY, which is empty",
    "[[camera]]\nname = 'a'\nsource = 'rtsp://u:${DOOR/x'\n": "without the name of an environment variable",
    "[[camera]]\nname = 'a/b'\nsource = '0'\n": "name is 'a/b'; expected a plain file name",
    "[[camera]]\nname = 5\nsource = '0'\n": "name is a int; expected text",
    CAMERA + "weight = 0\n": "weight of camera door is 0",
    CAMERA + "weight = 'much'\n": "weight of camera door is 'much'",
    CAMERA + "max_fps = -1\n": "max_fps of camera door is -1",
    CAMERA + "max_fps = nan\n": "max_fps of camera door is nan",
    CAMERA + "analytics = 3\n": "analytics is 3; expected the path",
    CAMERA + "analytics = 'nothing.toml'\n": "nothing.toml.*cannot be read",
    "segment = '5x'\n" + CAMERA: "segment is '5x'",
    "segment = 5\n" + CAMERA: "segment is 5",
    "segment = 'hour'\nkeep = 'a while'\n" + CAMERA: "keep is 'a while'",
    "keep = '7d'\n" + CAMERA: "keep is '7d' and segment is not given",
    "give_up_after_s = 0\n" + CAMERA: "give_up_after_s is 0; expected seconds",
    "give_up_after_s = 'soon'\n" + CAMERA: "give_up_after_s is 'soon'; expected seconds",
    "give_up_after_s = true\n" + CAMERA: "give_up_after_s is True",
    "metrics = 70000\n" + CAMERA: "metrics is 70000; expected a port",
    "metrics = true\n" + CAMERA: "metrics is True; expected a port",
    "threads = 0\n" + CAMERA: "threads is 0",
    "use_gpu = 'no'\n" + CAMERA: "use_gpu is 'no'",
    "tracker = 'kalman'\n" + CAMERA: "method is 'kalman'",
    "tracker = 5\n" + CAMERA: "tracker is 5|method is 5",
    CAMERA + "[tracker]\nconf = 0.3\n": "Tracker setting is 'conf'",
    CAMERA + "[tracker]\ntracked_thresh = 0.3\n": "method 'auto' does not use it",
    "formats = 'mot'\n" + CAMERA: "formats is 'mot'; expected a list",
    "formats = ['mp5']\n" + CAMERA: "'mp5'; expected one of",
    "output_dir = 5\n" + CAMERA: "output_dir is 5",
    "input_size = [320, 100]\n" + CAMERA: "(?i)input.size",
    "anonymise = 'cats'\n" + CAMERA: "anonymise is 'cats'",
    "follow = 3\n" + CAMERA: "unknown key 'follow'",
    "[[camera]\n": "is not valid TOML",
}  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_files_that_are_refused(text: str, tmp_path: Path) -> None:
    """One sentence that names the file; never a password."""
    with pytest.raises(InvalidInputError, match=BAD[text]) as refused:
        read(tmp_path, text)
    message = str(refused.value)
    assert message.startswith("Settings file ")
    assert "cameras.toml" in message
    assert PASSWORD not in message
    assert "\n" not in message


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"^Settings file .*cannot be read"):
        WatchConfig.from_toml(tmp_path / "nothing.toml")


@pytest.mark.skipif(os.name == "nt", reason="MODES OF FILES ABSENT")
@pytest.mark.parametrize(
    ("source", "mode", "warned"),
    [
        ("rtsp://viewer:s3cret@127.0.0.1/a", 0o644, True),
        ("http://127.0.0.1/a?token=s3cret", 0o644, True),
        ("rtsp://viewer:s3cret@127.0.0.1/a", 0o640, False),
        ("rtsp://viewer:${DOOR}@127.0.0.1/a", 0o644, False),
        ("http://127.0.0.1/a?channel=2", 0o644, False),
        ("rtsp://127.0.0.1/a", 0o644, False),
    ],
)
def test_a_password_that_every_user_can_read_is_a_warning(
    source: str, mode: int, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path, f'[[camera]]\nname = "a"\nsource = "{source}"\n', mode)
    with caplog.at_level(logging.WARNING):
        WatchConfig.from_toml(path, {"DOOR": PASSWORD})
    assert ("contains a password" in caplog.text) is warned
    assert PASSWORD not in caplog.text


def test_the_password_is_in_no_representation(tmp_path: Path) -> None:
    assert PASSWORD not in repr(read(tmp_path, CAMERA))
