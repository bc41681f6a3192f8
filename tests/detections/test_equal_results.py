"""`detect` and `associate` write the bytes that `track` writes: all methods, outputs, strides and kinds of sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from videos import walking_boxes, write_walking_boxes

from fairmot_dla34 import FairMOT, Frame, InputSize, TrackerConfig
from fairmot_dla34.analytics import AnalyticsConfig, AnalyticsPlan, HeatSettings, Line, Zone
from fairmot_dla34.backends.base import Backend, BackendInfo
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.detections import (
    DetectOptions,
    associate_to_files,
    detect_to_file,
    read_detections,
    recorded_tracking_job,
)
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.tracking.job import TrackingJob
from fairmot_dla34.tracking.options import OutputOptions, SourceOptions, published_settings
from fairmot_dla34.values import Peaks

FORMATS = ("mot", "jsonl", "csv", "kitti")


class Flickering(FakeBackend):
    """Scores of people go up and down, and there are many weak detections, as with a real network."""

    def _infer(self, image: np.ndarray) -> Peaks:
        found = super()._infer(image)
        rng = np.random.default_rng(int(image.sum()) % 2**32)
        boxes = rng.uniform(0, 150, (40, 2)).astype(np.float32)
        boxes = np.concatenate([boxes, boxes + rng.uniform(10, 60, (40, 2)).astype(np.float32)], axis=1)
        embeddings = rng.normal(size=(40, 128)).astype(np.float32)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        scores = np.concatenate([rng.uniform(0.15, 0.95, len(found)), rng.uniform(0, 0.3, 40)]).astype(np.float32)
        order = np.argsort(-scores)
        return Peaks(
            np.concatenate([found.boxes, boxes])[order],
            scores[order],
            np.concatenate([found.embeddings, embeddings])[order],
            np.zeros(len(scores), np.int64),
        )


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (320, 192))
    for image in walking_boxes(70):
        writer.write(image)
    writer.release()
    return path


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the content of all results below a folder."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith((".", "detections"))}


def check_equal(
    tmp_path: Path,
    source: object,
    *,
    tracker: TrackerConfig | str | None = None,
    reading: SourceOptions | None = None,
    make_backend: Callable[[], Backend] = Flickering,
    given_source: object = None,
    **outputs: object,
) -> dict[str, bytes]:
    """Compare the results of a run with those of its two halves; return them."""
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    options = OutputOptions(whole, **{"formats": FORMATS, **outputs})  # type: ignore[arg-type]
    with make_backend() as backend:
        model = FairMOT.from_backend(backend, tracker=tracker)
        job = TrackingJob(lambda: model, source, source_options=reading, output_options=options, progress=False)  # type: ignore[arg-type]
        tracked = job.run()
        other = FairMOT.from_backend(backend)
        found = detect_to_file(other, source, source_options=reading, options=DetectOptions(halves), progress=False)  # type: ignore[arg-type]
    again = associate_to_files(
        found.path,
        tracker=tracker,
        source=given_source,  # type: ignore[arg-type]
        output_options=replace(options, output_dir=halves),
        progress=False,
    )
    results = files_below(whole)
    assert results == files_below(halves)
    assert [path.relative_to(halves) for path in again.paths] == [path.relative_to(whole) for path in tracked.paths]
    for name in ("source", "frames", "frames_skipped", "frames_dropped", "track_ids", "backend", "ended", "measured"):
        assert getattr(again, name) == getattr(tracked, name), name
    assert again.analytics == tracked.analytics
    return results


@pytest.mark.parametrize("tracker", ["auto", "jde", "byte", TrackerConfig(reid_buffer_s=5, use_embeddings=True)])
def test_every_method_and_format(tmp_path: Path, video: Path, tracker: TrackerConfig | str) -> None:
    results = check_equal(tmp_path, video, tracker=tracker)
    assert len(results) == len(FORMATS) + 1
    assert results["mot_results/walk.txt"].count(b"\n") > 50


def test_without_embeddings(tmp_path: Path, video: Path) -> None:
    check_equal(tmp_path, video, tracker=TrackerConfig(use_embeddings=False), visualization=False)


@pytest.mark.parametrize("who", ["heads", "people", "except:1", "only:1"])
def test_anonymised_images_are_equal(tmp_path: Path, video: Path, who: str) -> None:
    check_equal(tmp_path, video, anonymise=who, formats=("mot",))


def test_all_other_outputs(tmp_path: Path, video: Path) -> None:
    config = AnalyticsConfig(
        lines=(Line("door", (160, 0), (160, 191)),),
        zones=(Zone("hall", ((5, 5), (300, 5), (300, 180), (5, 180))),),
        heatmap=HeatSettings(),
    )
    results = check_equal(
        tmp_path, video, fill_gaps=5, follow=1, save_crops=True, analytics=AnalyticsPlan(config), draw_threshold=0.2
    )
    assert any(name.startswith("analytics/") for name in results)
    assert any("crops" in name for name in results)


def test_stride_and_frame_rate(tmp_path: Path, video: Path) -> None:
    check_equal(tmp_path, video, reading=SourceOptions(frame_rate=20.0, frame_stride=3))


def test_a_folder_with_corrupt_images(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    folder.mkdir()
    write_walking_boxes(folder, 30)
    for number in (4, 5, 20):
        (folder / f"{number:06d}.png").write_bytes(b"no image")
    results = check_equal(tmp_path, folder)
    assert b'"frame": 6' not in results["mot_results/street.jsonl"]
    assert b'"frame": 5,' not in results["mot_results/street.jsonl"]


def test_images_that_change_their_size(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    folder.mkdir()
    for index, image in enumerate(walking_boxes(12)):
        cv2.imwrite(str(folder / f"{index}.png"), image if index < 6 else image[:160, :300])
    config = AnalyticsConfig(lines=(Line("door", (160, 0), (160, 191)),))
    check_equal(tmp_path, folder, analytics=AnalyticsPlan(config))
    check_equal(tmp_path / "text", folder, analytics=AnalyticsPlan(config), visualization=False)


def test_images_from_python_are_given_again(tmp_path: Path) -> None:
    images = list(walking_boxes(20))
    check_equal(tmp_path, images, given_source=images)


def test_frames_without_people(tmp_path: Path) -> None:
    images = [np.full((192, 320, 3), 90, np.uint8)] * 4 + list(walking_boxes(20))
    check_equal(tmp_path, images, given_source=images, make_backend=FakeBackend)


def test_a_backend_without_embeddings(tmp_path: Path, video: Path) -> None:
    class Boxes(Backend):
        """Gives boxes alone."""

        def __init__(self) -> None:
            super().__init__(BackendInfo("boxes", "1", "CPU", "fp32"), InputSize(320, 192))
            self._inner = FakeBackend()

        def _infer(self, image: np.ndarray) -> Peaks:
            found = self._inner.infer(image)
            return Peaks(found.boxes, found.scores)

    check_equal(tmp_path, video, tracker="byte", make_backend=Boxes)


def test_lower_scores_than_stored_are_refused(tmp_path: Path, video: Path) -> None:
    with Flickering() as backend:
        model = FairMOT.from_backend(backend)
        options = OutputOptions(tmp_path, visualization=False)
        found = detect_to_file(model, video, options=DetectOptions(tmp_path), progress=False)
        low = TrackerConfig(low_conf_thres=0.05)
        with pytest.raises(InvalidInputError, match=r"uses scores from 0.05, but .* --min-score 0.05 or lower"):
            associate_to_files(found.path, tracker=low, output_options=options, progress=False)
        assert not (tmp_path / "mot_results").exists()
        high = detect_to_file(model, video, options=DetectOptions(tmp_path, name="high", min_score=0.3), progress=False)
        associate_to_files(high.path, tracker="jde", output_options=options, progress=False)
        for tracker in ("auto", "byte", TrackerConfig(low_conf_thres=0.35)):
            with pytest.raises(InvalidInputError, match="--min-score"):
                associate_to_files(high.path, tracker=tracker, output_options=options, progress=False)
        anonymise = OutputOptions(tmp_path, anonymise="heads")
        with pytest.raises(InvalidInputError, match=r"anonymise uses scores from 0.1"):
            associate_to_files(high.path, tracker="jde", output_options=anonymise, progress=False)
    check_equal(tmp_path / "equal", video, tracker=TrackerConfig(low_conf_thres=0.15), visualization=False)


def test_detections_kept_while_tracking(tmp_path: Path, video: Path) -> None:
    with Flickering() as backend:
        model = FairMOT.from_backend(backend)
        options = OutputOptions(tmp_path / "kept", formats=FORMATS)
        summary = recorded_tracking_job(lambda: model, video, output_options=options, progress=False).run()
        alone = detect_to_file(model, video, options=DetectOptions(tmp_path / "alone"), progress=False)
    assert summary.frames == 70
    kept = tmp_path / "kept" / "detections" / "walk.detections"
    assert read_detections(kept).ending.digest == alone.digest
    again = replace(options, output_dir=tmp_path / "again")
    associate_to_files(kept, output_options=again, progress=False)
    assert files_below(tmp_path / "kept") == files_below(tmp_path / "again")


def test_frames_are_images_of_any_size_without_memory() -> None:
    from fairmot_dla34.detections.associating import _black
    from fairmot_dla34.detections.blocks import DetectedFrame
    from fairmot_dla34.values import Detections

    image = _black(DetectedFrame(0, 0.0, 16384, 16384, Detections([], [])))
    assert Frame(0, 0.0, image).image.shape == (16384, 16384, 3)


def test_real_video_with_the_network(tmp_path: Path, pets_video: Path) -> None:
    """All methods have the same tracks of real detections, and the file names the weights and their settings."""
    reading = SourceOptions(frame_stride=80)
    with FairMOT("sample", input_size="320x192", threads=1) as model:
        found = detect_to_file(
            model, pets_video, source_options=reading, options=DetectOptions(tmp_path), progress=False
        )
        for method in ("auto", "jde", "byte"):
            options = OutputOptions(tmp_path / method, formats=FORMATS, visualization=method == "auto")
            other = FairMOT.from_backend(model.backend, tracker=method)
            job = TrackingJob(
                lambda other=other: other,  # type: ignore[misc]
                pets_video,
                source_options=reading,
                output_options=options,
                progress=False,
            )
            tracked = job.run()
            again = replace(options, output_dir=tmp_path / f"{method} again")
            associate_to_files(found.path, tracker=method, output_options=again, progress=False)
            assert files_below(tmp_path / method) == files_below(tmp_path / f"{method} again")
            assert tracked.frames == found.frames == 10
            assert tracked.track_ids
    header = read_detections(found.path).header
    assert header.tracker_settings == published_settings("sample")
    assert (header.weights, len(header.network), header.input_size) == ("sample", 32, (320, 192))
