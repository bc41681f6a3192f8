"""Hostile results files: damaged lines give an export of valid boxes or one error of the package."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from damage import damaged
from track_files import FRAMES, HEIGHT, WIDTH, video, write_results
from trials import Trials, expect_one_line_error, run_command

from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.interchange import export_tracks


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv"])
def test_damaged_results(suffix: str, tmp_path: Path, trials: Trials) -> None:
    source = video(tmp_path)
    path = write_results(tmp_path, suffix)
    whole = path.read_bytes()
    rng = random.Random(suffix)  # noqa: S311 (not for secrets)
    for number in range(60):
        path.write_bytes(damaged(whole, rng))
        with trials("results files, damaged", f"{suffix} {number}: {path.read_bytes()!r}"):
            target = tmp_path / f"{number}.json"
            try:
                export_tracks(path, "labelstudio", source=source, output=target, progress=False)
            except FairMOTError as error:
                assert len(str(error).splitlines()) == 1  # noqa: PT017 (an error is one of two good ends)
                assert not target.exists()
                continue
            (task,) = json.loads(target.read_text("utf-8"))
            for region in task["predictions"][0]["result"]:
                frames = [key["frame"] for key in region["value"]["sequence"]]
                assert frames == sorted(set(frames))
                assert frames[0] >= 1
                assert frames[-1] <= FRAMES
                for key in region["value"]["sequence"]:
                    assert all(0 <= key[name] <= 100 for name in ("x", "y", "width", "height"))


def test_results_of_another_video_on_the_command_line(tmp_path: Path, trials: Trials) -> None:
    source = video(tmp_path)
    (tmp_path / "far.txt").write_text(f"1,1,{WIDTH * 3},{HEIGHT},9,9,0.5\n")
    (tmp_path / "late.txt").write_text("9999999,1,1,1,9,9,0.5\n")
    target = tmp_path / "out.xml"
    for name, expected in (("far.txt", "far outside"), ("late.txt", f"beyond the {FRAMES} frames")):
        with trials("export-tracks, results of another video", name):
            words = (tmp_path / name, "--format", "cvat", "--source", source, "--output", target)
            expect_one_line_error(run_command("export-tracks", *words), "line 1", expected)
            assert not target.exists()
