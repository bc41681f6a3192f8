"""`TrackingJob`: the summary shows how a run ended, also after an interruption, and the command line reports it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from clips import write_clip
from ending_sources import Camera
from networks import write_random_checkpoint

from fairmot_dla34 import FairMOT, Module
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
from fairmot_dla34.console.summary import summary_text
from fairmot_dla34.errors import OutputError, SourceError
from fairmot_dla34.tracking.job import TrackingJob, check_ended
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.video import Source


def job(source: Source, folder: Path) -> TrackingJob:
    options = OutputOptions(folder, visualization=False)
    return TrackingJob(lambda: FairMOT.from_backend(FakeBackend()), source, output_options=options, progress=False)


@pytest.mark.parametrize("ended", ["end", "lost", "stalled"])
def test_the_summary_shows_how_the_source_ended(tmp_path: Path, ended: str) -> None:
    run = job(Camera(ended), tmp_path)
    summary = run.run()
    assert summary is run.summary
    assert summary.ended == ended
    assert summary.frames == 10 - summary.frames_dropped
    assert (f"ended: {ended}" in summary_text(summary)) is (ended != "end")
    if ended == "end":
        check_ended(summary)
    else:
        with pytest.raises(SourceError, match="camera ended after"):
            check_ended(summary)


def test_an_interrupted_job_keeps_its_summary(tmp_path: Path) -> None:
    run = job(Camera("end", KeyboardInterrupt()), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert run.summary is not None
    assert run.summary.ended == "interrupted"
    rows = run.summary.paths[0].read_text().splitlines()
    assert len(rows) == 2 * run.summary.frames > 0


def test_a_job_that_fails_has_no_summary(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    run = job(Camera("end"), tmp_path / "out")
    with pytest.raises(OutputError):
        run.run()
    assert run.summary is None


def test_python_gets_the_summary_of_a_lost_source_without_an_error(tmp_path: Path) -> None:
    module = Module.from_backend(FakeBackend())
    assert module.tracking(Camera("lost"), tmp_path, visualization=False, progress=False).ended == "lost"


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        (Camera("end"), 0, ""),
        (Camera("lost"), 1, "the connection was lost"),
        (Camera("stalled"), 1, "it stopped sending"),
        (Camera("end", KeyboardInterrupt()), 130, "interrupted"),
    ],
    ids=["end", "lost", "stalled", "interrupted"],
)
def test_the_command_line_prints_the_summary_and_then_one_line(
    source: Camera,
    code: int,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("fairmot_dla34.tracking.options.open_source", lambda *_, **__: source)
    weights = write_random_checkpoint(tmp_path)
    options = ("--weights", str(weights), "--input-size", "128x96", "--no-visualization", "--json")
    assert main(["track", "camera", *options, "--output-dir", str(tmp_path / "out")]) == code
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert summary["ended"] == ("interrupted" if code == 130 else source.after)
    assert Path(summary["paths"][0]).is_file()
    lines = [text for text in captured.err.splitlines() if text.startswith("fairmot_dla34:")]
    assert len(lines) == (1 if line else 0)
    assert all(line in text for text in lines)


def test_a_damaged_file_is_a_summary_with_end(tmp_path: Path) -> None:
    """A file that is cut short ends normally, after a warning: nothing more can be read from it."""
    clip = write_clip(tmp_path / "street.mkv", 40)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    summary = Module.from_backend(FakeBackend()).tracking(clip, tmp_path, visualization=False, progress=False)
    assert summary.ended == "end"
    assert 0 < summary.frames < 40
