"""The verbs `detect` and `associate`, live sources, and the images of sources that are gone or have changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from ending_sources import Camera, Recording
from videos import walking_boxes, write_walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
from fairmot_dla34.detections import (
    DetectionJob,
    DetectionSummary,
    DetectOptions,
    associate_to_files,
    detect_to_file,
    read_detections,
)
from fairmot_dla34.errors import InvalidInputError, OutputError, SourceError
from fairmot_dla34.tracking.options import OutputOptions, SourceSpec

NETWORK = ("--weights", "sample", "--input-size", "192x128", "--precision", "fp32", "--threads", "1")
TEXT = ("--no-visualization", "--formats", "mot,jsonl")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "street"
    place.mkdir()
    return write_walking_boxes(place, 12)


def detect(source: SourceSpec, output_dir: Path) -> DetectionSummary:
    with FakeBackend() as backend:
        model = FairMOT.from_backend(backend)
        return detect_to_file(model, source, options=DetectOptions(output_dir), progress=False)


def test_the_two_verbs_write_what_track_writes(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    reading = ("--frame-stride", "2", "--frame-rate", "10")
    assert main(["track", str(folder), "--output-dir", str(whole), *NETWORK, *reading, "--formats", "mot,jsonl"]) == 0
    capsys.readouterr()
    assert main(["detect", str(folder), "--output-dir", str(halves), *NETWORK, *reading, "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert fields["frames"] == 6
    file = Path(fields["path"])
    assert file == halves / "detections" / "street.detections"
    assert fields["size_bytes"] == file.stat().st_size
    assert main(["associate", str(file), "--output-dir", str(halves), "--formats", "mot,jsonl", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    for name in ("mot_results/street.txt", "mot_results/street.jsonl", "mot_outputs/street_vis.mp4"):
        assert (whole / name).read_bytes() == (halves / name).read_bytes()
        assert str(halves / name) in summary["paths"]
    assert main(["associate", str(file), "--output-dir", str(halves)]) == 0
    assert "street: 6 frames" in capsys.readouterr().out


def test_several_files(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = detect(folder, tmp_path / "a").path
    second = first.with_name("other.detections")
    shutil.copy(first, second)
    broken = first.with_name("broken.detections")
    broken.write_bytes(first.read_bytes()[:-9])
    words = [str(first), str(broken), str(second), "--output-dir", str(tmp_path / "out"), *TEXT]
    assert main(["associate", *words, "--json"]) == 1
    shown = capsys.readouterr()
    assert [row["status"] for row in json.loads(shown.out)] == ["tracked", "failed", "tracked"]
    assert "not a complete detections file" in shown.err
    assert "--resume" not in shown.err
    results = tmp_path / "out" / "mot_results"
    assert sorted(path.name for path in results.glob("*.txt")) == ["other.txt", "street.txt"]
    with pytest.raises(SystemExit):
        main(["associate", str(first), str(second), "--name", "same", "--output-dir", str(tmp_path), *TEXT])
    assert "{name}" in capsys.readouterr().err


def test_settings_of_the_association(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(detect(folder, tmp_path / "a").path)
    results = []
    for words in (("--tracker", "byte"), ("--conf", "0.95"), ("--lost-buffer", "3", "--no-embeddings")):
        assert main(["associate", file, "--output-dir", str(tmp_path / words[-1]), *words, *TEXT]) == 0
        results.append((tmp_path / words[-1] / "mot_results" / "street.txt").read_bytes())
    assert not results[1]
    assert results[0]
    config = tmp_path / "low.toml"
    config.write_text("[tracker]\nlow_conf_thres = 0.05\n")
    capsys.readouterr()
    assert main(["associate", file, "--output-dir", str(tmp_path / "x"), "--config", str(config), *TEXT]) == 1
    assert "repeat detect with --min-score 0.05 or lower" in capsys.readouterr().err


@pytest.mark.parametrize("ended", ["end", "lost", "stalled"])
def test_live_sources(tmp_path: Path, ended: str) -> None:
    summary = detect(Camera(ended), tmp_path)
    assert summary.ended == ended
    header = read_detections(summary.path).header
    assert header.source.is_live
    assert header.source.path is None
    with pytest.raises(InvalidInputError, match="live source the camera, whose images are gone"):
        associate_to_files(summary.path, output_options=OutputOptions(tmp_path), progress=False)
    text = OutputOptions(tmp_path, visualization=False)
    assert associate_to_files(summary.path, output_options=text, progress=False).ended == ended


def test_an_interrupted_camera_leaves_a_file_and_an_interrupted_video_none(tmp_path: Path) -> None:
    with FakeBackend() as backend:
        for source, kept in ((Camera(error=KeyboardInterrupt()), True), (Recording(error=KeyboardInterrupt()), False)):
            options = DetectOptions(tmp_path / str(kept))
            job = DetectionJob(lambda: FairMOT.from_backend(backend), source, options=options, progress=False)
            with pytest.raises(KeyboardInterrupt):
                job.run()
            assert (job.summary is not None) is kept
            assert [path.suffix for path in (tmp_path / str(kept)).glob("detections/*")] == [".detections"] * kept
    assert job.summary is None
    assert read_detections(tmp_path / "True" / "detections" / "camera.detections").ending.ended == "interrupted"


def test_a_source_that_breaks_leaves_no_file_and_an_earlier_one_stays(tmp_path: Path) -> None:
    earlier = detect(Recording(), tmp_path)
    with pytest.raises(SourceError, match="broken"):
        detect(Recording(error=SourceError("broken")), tmp_path)
    assert read_detections(earlier.path).ending.digest == earlier.digest


def test_images_of_a_source_that_is_gone_or_has_changed(tmp_path: Path, folder: Path) -> None:
    file = detect(folder, tmp_path / "a").path
    options = OutputOptions(tmp_path / "out", formats=("mot",))
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    image = folder / "000003.png"
    cv2.imwrite(str(image), np.zeros((192, 320, 3), np.uint8))
    for given in (None, folder):
        with pytest.raises(SourceError, match=r"has changed .*--source, or write no images \(--no-visualization\)"):
            associate_to_files(file, source=given, output_options=options, progress=False)
    shutil.rmtree(folder)
    with pytest.raises(SourceError, match=r"cannot be opened, and its images are needed: name the video by --source"):
        associate_to_files(file, output_options=options, progress=False)
    assert not (tmp_path / "out").exists()
    assert associate_to_files(file, source=copy, output_options=options, progress=False).frames == 12
    text = OutputOptions(tmp_path / "text", visualization=False)
    assert associate_to_files(file, output_options=text, progress=False).frames == 12
    with pytest.raises(InvalidInputError, match="no output needs images"):
        associate_to_files(file, source=copy, output_options=text, progress=False)


def test_a_source_with_other_frames(tmp_path: Path) -> None:
    file = detect(list(walking_boxes(12)), tmp_path / "a").path
    options = OutputOptions(tmp_path / "out", formats=("mot",))
    with pytest.raises(SourceError, match="name no file with its images"):
        associate_to_files(file, output_options=options, progress=False)
    for images, frame in ((list(walking_boxes(9)), 10), (list(walking_boxes(12, 300)), 1)):
        with pytest.raises(SourceError, match=f"has no frame {frame} of 320x192 px"):
            associate_to_files(file, source=images, output_options=options, progress=False)


def test_results_and_files_of_another_source_are_kept(tmp_path: Path, folder: Path) -> None:
    file = detect(folder, tmp_path / "out").path
    other = tmp_path / "other" / "street"
    other.mkdir(parents=True)
    write_walking_boxes(other, 5)
    with pytest.raises(OutputError, match="contains results of another source"):
        detect(other, tmp_path / "out")
    assert detect(folder, tmp_path / "out").frames == 12
    video = OutputOptions(tmp_path / "out", visualization=False)
    associate_to_files(file, output_options=video, progress=False)
    with FakeBackend() as backend:
        from fairmot_dla34.tracking.job import TrackingJob

        model = FairMOT.from_backend(backend)
        TrackingJob(lambda: model, folder, output_options=video, progress=False).run()  # of the same source
        with pytest.raises(OutputError, match="contains results of another source"):
            TrackingJob(lambda: model, other, output_options=video, progress=False).run()


def test_an_id_that_was_never_tracked(tmp_path: Path, folder: Path) -> None:
    file = detect(folder, tmp_path).path
    with pytest.raises(InvalidInputError, match="follow is 77, but nobody in street got the id 77"):
        associate_to_files(file, output_options=OutputOptions(tmp_path, follow=77), progress=False)
