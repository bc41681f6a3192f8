"""Scenes as files, the command ``synth``, and the imports of the package."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from synth.scenes import small

from fairmot_dla34 import synth
from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.synth import PRESETS, Scene, SceneConfig, SceneFrame, parse_scene, write_scene
from fairmot_dla34.synth.config import BACKGROUNDS, CAMERAS


def video_images(path: Path) -> list[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    found: list[NDArray[np.uint8]] = []
    while True:
        ok, image = capture.read()
        if not ok:
            return found
        found.append(image.astype(np.uint8, copy=False))


def sequence(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser()
    parser.read(path, encoding="utf-8")
    return dict(parser["Sequence"])


def test_written_files_read_back(tmp_path: Path) -> None:
    config = small(frames=12, frame_rate=12.5)
    written = write_scene(config, tmp_path / "new" / "folder", name="street", progress=False)
    assert written.video == tmp_path / "new" / "folder" / "street" / "street.mp4"
    frames = list(Scene(config))
    shown = video_images(written.video)
    assert len(shown) == 12
    assert all(np.abs(a.astype(int) - b.image).mean() < 8 for a, b in zip(shown, frames, strict=True))
    assert sequence(written.seqinfo) == {
        "name": "street", "imdir": ".", "framerate": "12.5", "seqlength": "12",
        "imwidth": "256", "imheight": "144", "imext": ".mp4",
    }  # fmt: skip
    rows = np.loadtxt(written.truth, delimiter=",")
    for frame in frames:
        frame_rows = rows[rows[:, 0] == frame.index + 1]
        order = np.argsort(frame.ids)
        np.testing.assert_array_equal(frame_rows[:, 1], frame.ids[order])
        corners = np.hstack([frame_rows[:, 2:4], frame_rows[:, 2:4] + frame_rows[:, 4:6]])
        np.testing.assert_allclose(corners, frame.boxes[order], atol=0.02)
        np.testing.assert_allclose(frame_rows[:, 8], frame.visibility[order], atol=0.006)
        np.testing.assert_array_equal(frame_rows[:, 6], frame.visibility[order] >= 0.1)
        assert (frame_rows[:, 7] == 1).all()


def test_a_second_run_replaces_the_files_of_the_first(tmp_path: Path) -> None:
    write_scene(small(frames=9), tmp_path, name="s", progress=False)
    written = write_scene(small(frames=3), tmp_path, name="s", progress=False)
    assert len(video_images(written.video)) == 3
    assert np.loadtxt(written.truth, delimiter=",")[:, 0].max() == 3


def test_an_interrupted_scene_is_a_shorter_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = Scene.frame

    def interrupted(self: Scene, index: int) -> SceneFrame:
        if index == 7:
            raise KeyboardInterrupt
        return draw(self, index)

    monkeypatch.setattr(Scene, "frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_scene(small(frames=20), tmp_path, name="s", progress=False)
    assert len(video_images(tmp_path / "s" / "s.mp4")) == 7
    assert np.loadtxt(tmp_path / "s" / "gt" / "gt.txt", delimiter=",")[:, 0].max() == 7
    assert sequence(tmp_path / "s" / "seqinfo.ini")["seqlength"] == "7"


def test_a_file_with_the_name_of_the_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(OutputError, match="name another output directory"):
        write_scene(small(), tmp_path, name="s")
    assert (tmp_path / "s").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\nb"])
def test_a_name_that_is_not_one_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="name"):
        write_scene(small(), tmp_path, name=name)
    assert list(tmp_path.iterdir()) == []


def test_images_too_large_for_a_video_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="7680x4320"):
        write_scene(SceneConfig(width=7680, height=4320), tmp_path)


def test_the_command_writes_a_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--people", "4", "--frames", "3", "--size", "128x96", "--seed", "5", "--person-height", "0.2,0.5"]
    assert main(["synth", "--output-dir", str(tmp_path), "--camera", "pan", *options]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.split()]
    folder = tmp_path / "synth-4p-s5"
    assert paths == [folder / "synth-4p-s5.mp4", folder / "gt" / "gt.txt", folder / "seqinfo.ini"]
    assert [image.shape for image in video_images(paths[0])] == [(96, 128, 3)] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--people", "0"], "--people is 0"),
        (["--size", "big"], "--size is 'big'"),
        (["--person-height", "0.5"], "--person-height is '0.5'"),
        (["--camera", "drone"], "'drone'"),
        (["--preset", "busy"], "'busy'"),
    ],
)
def test_the_command_reports_invalid_options(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["synth", "--output-dir", str(tmp_path), *options])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_help_lists_every_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["synth", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for names in (PRESETS, CAMERAS, BACKGROUNDS):
        assert f"one of {', '.join(names)}" in shown


def test_the_names_are_known_without_numpy_and_opencv() -> None:
    code = (
        "import sys, fairmot_dla34.synth as synth; from fairmot_dla34.synth.config import BACKGROUNDS;"
        "synth.SceneConfig.preset('calm'); print([name for name in ('numpy', 'cv2', 'av') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[]"


def test_every_public_name_exists() -> None:
    assert sorted(synth.__all__) == dir(synth)
    assert all(getattr(synth, name) is not None for name in synth.__all__)
    with pytest.raises(AttributeError, match="Scenes"):
        _ = synth.Scenes


def test_options_change_a_preset() -> None:
    config = parse_scene({"preset": "crowded", "people": 70, "seed": None, "output_dir": "x"})
    assert config == SceneConfig.preset("crowded", people=70)
    assert config.occluders == PRESETS["crowded"]["occluders"]
