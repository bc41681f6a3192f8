"""The verb ``export-tracks``: its summary, default paths, and wrong usage in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from track_files import TRUTH, video, write_results

from fairmot_dla34.commands.main import main


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Folder with ``street.mp4`` and its results."""
    video(tmp_path)
    write_results(tmp_path, ".txt")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    try:
        code = main(["export-tracks", *map(str, words)])
    except SystemExit as request:
        code = int(request.code or 0)
    return code, *capsys.readouterr()


def test_the_file_is_beside_the_results_by_default(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (street / "street.txt", "--format", "cvat", "--source", street / "street.mp4")
    code, printed, _ = run(capsys, *words)
    assert code == 0
    assert printed.splitlines() == [
        f"CVAT for video 1.1: 4 tracks, {len(TRUTH)} boxes in 19 frames",
        str(street / "street.cvat.xml"),
    ]
    code, _, logged = run(capsys, *words)
    assert code == 1
    assert "--overwrite" in logged
    assert run(capsys, *words, "--overwrite")[0] == 0


def test_json_has_counts_and_paths(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (street / "street.txt", "--format", "labelstudio", "--source", street / "street.mp4", "--json")
    code, printed, _ = run(capsys, *words)
    assert code == 0
    report = json.loads(printed)
    names = ["street.labelstudio.json", "street.labelstudio.config.xml"]
    assert report["paths"] == [str(street / name) for name in names]
    assert (report["format"], report["tracks"], report["boxes"], report["left_out"]) == (
        "labelstudio",
        4,
        len(TRUTH) - 2,
        2,
    )


def test_wrong_usage(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, source = street / "street.txt", ("--source", street / "street.mp4")
    for words, expected in (
        ((results, "--format", "cvat"), "--source is missing"),
        ((results, "--format", "pascal"), "pascal"),
        ((results,), "--format"),
        ((results, "--format", "cvat", "--source", street / "absent.mp4"), "does not exist"),
        ((results, "--format", "cvat", *source, "--label", "a,a"), "--label is"),
        ((results, "--format", "cvat", *source, "--keyframe-tolerance", "x"), "--keyframe-tolerance is"),
        ((results, "--format", "csv", "--keyframe-tolerance", "2"), "--keyframe-tolerance is 2"),
        ((results, "--format", "cvat", *source, "--video-url", "x"), "--video-url is"),
        ((results, "--format", "cvat", *source, "--output", ""), "--output is"),
    ):
        code, printed, logged = run(capsys, *words)
        assert (code, printed) == (2, ""), words
        assert expected in logged
        assert len(logged.splitlines()) == 1
    code, _, logged = run(capsys, street / "absent.txt", "--format", "csv")
    assert code == 1
    assert "does not exist" in logged
    assert sorted(path.name for path in street.iterdir()) == ["street.mp4", "street.txt"]
