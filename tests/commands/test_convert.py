"""The verb ``convert``: reports, wrong usage, and ``--check``, which finds equal and changed networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from videos import walking_boxes

from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.evaluation import compare_networks
from fairmot_dla34.weights import write_arrays

SMALL = ("--input-size", "64x64")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images, and two files of nearly the same random network, which detects many "people" in any image."""
    path = tmp_path_factory.mktemp("convert")
    (path / "street").mkdir()
    for index, image in enumerate(walking_boxes(4, 160, 160)):
        cv2.imwrite(str(path / "street" / f"{index}.png"), image)
    arrays = dict(random_checkpoint().arrays)
    write_arrays(path / "a.npz", arrays)
    arrays["detector.head.heatmap.2.conv.bias"] = arrays["detector.head.heatmap.2.conv.bias"] - np.float32(0.1)
    write_arrays(path / "changed.npz", arrays)
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    try:
        code = main([str(word) for word in words])
    except SystemExit as request:
        code = int(request.code or 0)
    return code, *capsys.readouterr()


def test_the_report_names_arrays_size_and_input(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed, _ = run(capsys, "convert", folder / "a.npz", tmp_path / "a.pth", *SMALL)
    assert code == 0
    assert printed.splitlines() == [
        f"{folder / 'a.npz'} -> {tmp_path / 'a.pth'}",
        "  dla34, 347 arrays, 79.5 MB, input 64x64, names of ifzhang",
    ]


def test_json_has_the_same_keys_with_and_without_check(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed, _ = run(capsys, "convert", folder / "a.npz", tmp_path / "a.pdparams", "--json")
    found = json.loads(printed)
    assert (code, found["check"], found["conversion"]["arrays"]) == (0, None, 347)
    assert (found["conversion"]["input_size"], found["conversion"]["names"]) == (None, "paddledetection")


def test_a_conversion_passes_its_check(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("convert", folder / "a.npz", tmp_path / "a.pth", *SMALL, "--check", folder / "street", "--json")
    code, printed, _ = run(capsys, *words)
    found = json.loads(printed)
    check: dict[str, Any] = found["check"]
    assert code == 0
    assert found["conversion"]["names"] == "ifzhang"
    assert (check["agrees"], check["equal_ids"], check["unmatched"], check["frames"]) == (True, True, 0, 4)
    assert check["detections"] > 10
    assert (check["score"], check["box_px"]) == (0, 0)
    assert check["embedding"] < 1e-6


def test_another_network_fails_the_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file exists and is compared as it is."""
    changed, before = folder / "changed.npz", (folder / "changed.npz").read_bytes()
    code, printed, logged = run(capsys, "convert", folder / "a.npz", changed, *SMALL, "--check", folder / "street")
    assert code == 1
    assert "verdict: DIFFERENT" in printed
    assert "does not compute what" in logged.splitlines()[-1]
    assert changed.read_bytes() == before


def test_an_option_of_the_conversion_is_never_ignored_by_a_check(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option in (("--float16",), ("--to", "paddledetection")):
        words = ("convert", folder / "a.npz", folder / "changed.npz", "--check", folder / "street", *option)
        code, _, logged = run(capsys, *words)
        assert (code, f"{option[0]} has no effect" in logged, "--overwrite" in logged) == (1, True, True)


def test_wrong_usage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ((), ("a.npz",), ("a.npz", "b.npz", "c.npz"), ("a.npz", "b.npz", "--to", "caffe"), ("a", "b", "--x")):
        assert run(capsys, "convert", *words)[0] == 2
    code, _, logged = run(capsys, "convert", folder / "a.npz", folder / "changed.npz")
    assert (code, "exists; expected a new file" in logged) == (1, True)


def test_a_video_without_people_shows_nothing(folder: Path, tmp_path: Path) -> None:
    arrays = dict(random_checkpoint().arrays)
    arrays["detector.head.heatmap.2.conv.bias"] = np.full(1, -50, np.float32)
    write_arrays(tmp_path / "blind.npz", arrays)
    with pytest.raises(InvalidInputError, match="Neither network finds anybody in 4 frames of street"):
        compare_networks(
            tmp_path / "blind.npz",
            tmp_path / "blind.npz",
            video=folder / "street",
            input_size="64x64",
            progress=False,
        )


def test_networks_of_other_embeddings_cannot_be_compared(folder: Path, tmp_path: Path) -> None:
    arrays = dict(random_checkpoint().arrays)
    for part in ("weight", "bias"):
        arrays[f"reid.reid.2.conv.{part}"] = arrays[f"reid.reid.2.conv.{part}"][:64]
    write_arrays(tmp_path / "short.npz", arrays)
    with pytest.raises(InvalidInputError, match="embeddings of 128 and 64 numbers"):
        compare_networks(
            folder / "a.npz", tmp_path / "short.npz", video=folder / "street", input_size="64x64", progress=False
        )
