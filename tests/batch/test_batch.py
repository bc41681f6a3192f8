"""`batch` in this process, without a network: what is run, refused, resumed, reported and left on the disk."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from batch_functions import SerialEngine
from disk_limits import file_size_limit
from fake_backends import fake_backend
from videos import walking_boxes

from fairmot_dla34 import FairMOT, TrackerConfig
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.batch.manifest import MANIFEST, Manifest
from fairmot_dla34.batch.run import Batch, BatchSettings
from fairmot_dla34.detections import associate_to_files
from fairmot_dla34.errors import InvalidInputError, ManifestError, OutputError, SourceError
from fairmot_dla34.outputs.reservation import STATE_FOLDER
from fairmot_dla34.tracking.expansion import expand_sources
from fairmot_dla34.tracking.job import track_to_files
from fairmot_dla34.tracking.options import ModelOptions, OutputOptions, SourceOptions

Run = Callable[..., Batch]
FRAMES = (12, 8, 10)


@pytest.fixture(autouse=True)
def _fake_backend() -> Iterator[None]:
    with fake_backend():
        yield


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three videos."""
    folder = tmp_path_factory.mktemp("recorded")
    for number, frames in enumerate(FRAMES):
        writer = cv2.VideoWriter(str(folder / f"clip{number}.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10, (160, 128))
        for image in walking_boxes(frames, 160, 128):
            writer.write(image)
        writer.release()
    return folder


@pytest.fixture
def clips(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "clips"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def run(clips: Path, out: Path) -> Run:
    """Runs a batch over the three videos; keywords are settings of the outputs, or named below."""

    def batch(
        *words: Path | str,
        engine: SerialEngine | None = None,
        resume: bool = False,
        keep_detections: bool = False,
        tracker: TrackerConfig | None = None,
        reading: SourceOptions | None = None,
        progress: bool = False,
        **outputs: Any,
    ) -> Batch:
        sources = expand_sources([str(word) for word in words or (clips,)]).sources
        settings = BatchSettings(
            ModelOptions("sample", "fake", input_size="320x192", tracker=tracker),
            reading or SourceOptions(),
            OutputOptions(**{"output_dir": out, **outputs}),
            keep_detections=keep_detections,
            resume=resume,
        )
        made = Batch(engine or SerialEngine(), sources, settings, progress=progress)
        made.run()
        return made

    return batch


def statuses(batch: Batch) -> list[str]:
    return [outcome.status for outcome in batch.outcomes]


def content(folder: Path) -> dict[str, bytes]:
    """Return the results below a folder by path."""
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.startswith((STATE_FOLDER, MANIFEST))}


def no_temporary_files(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.name.endswith((".part", ".tmp"))]


def test_results_are_those_of_track(run: Run, clips: Path, out: Path, tmp_path: Path) -> None:
    options = {"formats": ("mot", "jsonl", "csv"), "save_crops": True, "fill_gaps": 3, "anonymise": "only:99999"}
    options = {name: value for name, value in options.items() if name != "anonymise"}
    batch = run(**options)
    assert statuses(batch) == ["tracked"] * 3
    with FairMOT.from_backend(FakeBackend()) as model:
        for clip in sorted(clips.iterdir()):
            writing = OutputOptions(output_dir=tmp_path / "track", **options)  # type: ignore[arg-type]
            track_to_files(lambda: model, clip, output_options=writing, progress=False)
    assert content(out) == content(tmp_path / "track")
    assert len(content(out)) > 15
    assert no_temporary_files(out)


def test_the_manifest_states_what_was_made(run: Run, clips: Path, out: Path) -> None:
    run()
    entries = Manifest(out).read()
    assert [entry.frames for _, entry in sorted(entries.items())] == list(FRAMES)
    for name, entry in entries.items():
        status = (clips / f"{name}.mp4").stat()
        assert (entry.source_bytes, entry.source_mtime_ns) == (status.st_size, status.st_mtime_ns)
        assert (entry.precision, entry.worker, entry.ids) == ("fp32", os.getpid(), entry.summary["track_ids"])
        assert set(entry.outputs) == {f"mot_results/{name}.txt", f"mot_outputs/{name}_vis.mp4"}
        assert all(Path(path).is_absolute() for path in entry.summary["paths"])


def test_the_largest_source_starts_first(run: Run, clips: Path) -> None:
    engine = SerialEngine()
    run(engine=engine)
    sizes = [(clips / f"{job.name}.mp4").stat().st_size for job in engine.ran]
    assert sizes == sorted(sizes, reverse=True)


def test_resume_runs_nothing_if_all_is_complete(run: Run, out: Path) -> None:
    run()
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4")}
    engine = SerialEngine()
    batch = run(engine=engine, resume=True)
    assert statuses(batch) == ["skipped"] * 3
    assert engine.ran == []
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.mp4")} == before
    assert [outcome.summary["frames"] for outcome in batch.outcomes if outcome.summary] == list(FRAMES)


class Terminal(io.StringIO):
    """Stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_progress_of_the_comparison_with_the_manifest(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of videos on a slow disk take minutes to compare, before the first one starts."""
    comparison = "batch: compare with the manifest"
    for stream, resume, is_shown in (
        (Terminal(), True, False),  # there is no manifest yet
        (Terminal(), True, True),
        (Terminal(), False, False),
        (io.StringIO(), True, False),
    ):
        monkeypatch.setattr("sys.stderr", stream)
        run(resume=resume, progress=True, overwrite=not resume)
        assert (comparison in stream.getvalue()) is is_shown
        assert (f"{comparison}: 100%" in stream.getvalue()) is is_shown
        assert ("3/3" in stream.getvalue()) is stream.isatty()


def test_resume_continues_after_an_interruption(run: Run, out: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(engine=SerialEngine(stop_before=1))
    assert no_temporary_files(out)
    assert len(Manifest(out).read()) == 1
    engine = SerialEngine()
    assert sorted(statuses(run(engine=engine, resume=True))) == ["skipped", "tracked", "tracked"]
    run(output_dir=tmp_path / "at once")
    assert content(out) == content(tmp_path / "at once")


def test_an_interruption_is_in_the_outcomes(clips: Path, out: Path) -> None:
    settings = BatchSettings(
        ModelOptions("sample", "fake", input_size="320x192"), SourceOptions(), OutputOptions(output_dir=out)
    )
    batch = Batch(SerialEngine(stop_before=1), expand_sources([str(clips)]).sources, settings, progress=False)
    with pytest.raises(KeyboardInterrupt):
        batch.run()
    assert sorted(statuses(batch)) == ["interrupted", "not started", "tracked"]


@pytest.mark.parametrize("change", ["source", "result", "missing", "crops"])
def test_resume_repeats_what_has_changed(run: Run, clips: Path, out: Path, change: str) -> None:
    settings = {"save_crops": change == "crops"}
    run(**settings)
    expected = content(out)
    if change == "source":
        shutil.copy(clips / "clip0.mp4", clips / "clip1.mp4")
    elif change == "result":
        path = out / "mot_results" / "clip1.txt"
        path.write_text(path.read_text().replace("1", "2"))
    elif change == "crops":
        next(iter(sorted((out / "mot_outputs" / "clip1_crops").rglob("*.jpg")))).unlink()
    else:
        (out / "mot_outputs" / "clip1_vis.mp4").unlink()
    assert statuses(run(resume=True, **settings)) == ["skipped", "tracked", "skipped"]
    if change == "source":
        assert content(out)["mot_results/clip1.txt"] == expected["mot_results/clip0.txt"]
    else:
        assert content(out) == expected


def test_resume_accepts_results_that_were_copied(run: Run, out: Path, tmp_path: Path) -> None:
    run()
    shutil.copytree(out, tmp_path / "copy", copy_function=shutil.copy)
    assert statuses(run(output_dir=tmp_path / "copy", resume=True)) == ["skipped"] * 3


SETTINGS: list[dict[str, Any]] = [
    {"formats": ("csv",)},
    {"draw_threshold": 0.7},
    {"tracker": TrackerConfig(method="byte")},
    {"reading": SourceOptions(frame_stride=2)},
    {"visualization": False},
    {"keep_detections": True},
]


@pytest.mark.parametrize("changed", SETTINGS, ids=lambda settings: next(iter(settings)))
def test_results_of_other_settings_are_not_mixed(run: Run, out: Path, changed: dict[str, Any]) -> None:
    run()
    before = content(out)
    with pytest.raises(
        ManifestError, match=r"3 of 3 videos of other settings, .*--resume .*--overwrite .*--output-dir"
    ):
        run(**changed)
    assert content(out) == before
    assert statuses(run(resume=True, **changed)) == ["tracked"] * 3
    assert statuses(run(resume=True, **changed)) == ["skipped"] * 3


def test_overwrite_starts_anew(run: Run, out: Path) -> None:
    run()
    assert statuses(run(draw_threshold=0.9, overwrite=True)) == ["tracked"] * 3
    assert len(Manifest(out).path.read_text().splitlines()) == 3


def test_equal_settings_run_again_without_a_question(run: Run, out: Path) -> None:
    run()
    assert statuses(run()) == ["tracked"] * 3
    assert len(Manifest(out).read()) == 3


def test_a_corrupt_video_does_not_end_the_others(run: Run, clips: Path, out: Path) -> None:
    (clips / "clip1.mp4").write_bytes(b"\0" * 5000)
    batch = run()
    assert statuses(batch) == ["tracked", "failed", "tracked"]
    assert isinstance(batch.outcomes[1].error, SourceError)
    assert set(Manifest(out).read()) == {"clip0", "clip2"}
    assert no_temporary_files(out)
    assert not list(out.rglob("clip1*.txt"))


def test_a_failed_run_leaves_the_earlier_results(run: Run, clips: Path, out: Path) -> None:
    run()
    before = content(out)
    (clips / "clip1.mp4").write_bytes(b"\0" * 5000)
    assert statuses(run(resume=True)) == ["skipped", "failed", "skipped"]
    assert content(out) == before


def test_a_full_disk_leaves_no_half_result(run: Run, out: Path) -> None:
    with file_size_limit(6000):
        batch = run(formats=("mot", "jsonl"))
    failed = [outcome for outcome in batch.outcomes if outcome.status == "failed"]
    assert failed
    assert all(isinstance(outcome.error, OutputError) for outcome in failed)
    assert all("cannot be written" in str(outcome.error) for outcome in failed)
    for outcome, name in zip(batch.outcomes, ("clip0", "clip1", "clip2"), strict=True):
        assert bool(list(out.rglob(f"{name}*.txt"))) == (outcome.status == "tracked")
    assert no_temporary_files(out)
    assert statuses(run(formats=("mot", "jsonl"), resume=True)).count("tracked") == len(failed)


def test_a_video_without_its_earlier_outputs_is_whole(run: Run, out: Path) -> None:
    """A crop that an earlier run wrote and this one does not is removed."""
    run(save_crops=True, crop_interval_s=0)
    earlier = set(content(out))
    run(save_crops=True, crop_interval_s=10, overwrite=True)
    assert set(content(out)) < earlier


def test_leftovers_of_a_batch_that_was_killed_are_removed(run: Run, out: Path) -> None:
    part = out / STATE_FOLDER / "batch" / "0123456789abcdef.part" / "1" / "mot_results"
    part.mkdir(parents=True)
    (part / "clip0.txt").write_text("1,")
    old = out / STATE_FOLDER / "mot_results" / "0123456789abcdef.tmp"
    old.parent.mkdir()
    old.write_text("{")
    os.utime(old, (1, 1))
    assert statuses(run()) == ["tracked"] * 3
    assert no_temporary_files(out)


def test_two_batches_do_not_share_a_folder(run: Run, out: Path) -> None:
    class Nested(SerialEngine):
        def check(self) -> None:
            if not self.ran:
                self.ran.append("nested")

        def run(self, *arguments: Any, **keywords: Any) -> Any:
            with pytest.raises(OutputError, match="Another batch writes to"):
                run()
            return super().run(*arguments, **keywords)

    assert statuses(run(engine=Nested())) == ["tracked"] * 3


def test_names_that_collide_are_refused_before_anything_starts(run: Run, clips: Path, out: Path) -> None:
    shutil.copytree(clips, clips.parent / "more")
    with pytest.raises(InvalidInputError, match="would both write"):
        run(clips, clips.parent / "more")
    assert not out.exists()
    assert statuses(run(clips, clips.parent / "more", name="{folder}_{name}")) == ["tracked"] * 6


@pytest.mark.parametrize("source", ["0", "rtsp://user:secret@camera/stream", "http://host/a.mp4"])
def test_cameras_and_urls_are_refused(run: Run, source: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        run(source)
    assert "expected files" in str(error.value)
    assert "secret" not in str(error.value)


def test_a_window_is_refused(run: Run) -> None:
    with pytest.raises(InvalidInputError, match="show is True for a batch"):
        run(show=True)


def test_a_foreign_manifest_is_refused(run: Run, out: Path) -> None:
    out.mkdir()
    (out / MANIFEST).write_text(json.dumps({"files": []}) + "\n")
    with pytest.raises(ManifestError, match="is not a manifest"):
        run()


def test_results_of_another_source_are_not_replaced(run: Run, clips: Path, out: Path, tmp_path: Path) -> None:
    run()
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(clips / "clip0.mp4", other / "clip1.mp4")
    batch = run(other)
    assert statuses(batch) == ["failed"]
    assert "results of another source" in str(batch.outcomes[0].error)


def test_the_settings_are_picklable_and_equal() -> None:
    settings = BatchSettings(ModelOptions("sample"), SourceOptions(), OutputOptions())
    assert replace(settings) == settings


def test_detections_are_kept_and_give_the_same_tracks(run: Run, clips: Path, out: Path, tmp_path: Path) -> None:
    assert statuses(run(keep_detections=True)) == ["tracked"] * 3
    entry = Manifest(out).read()["clip0"]
    assert set(entry.outputs) == {
        "mot_results/clip0.txt",
        "mot_outputs/clip0_vis.mp4",
        "detections/clip0.detections",
    }
    again = OutputOptions(output_dir=tmp_path / "again")
    associate_to_files(out / "detections" / "clip0.detections", output_options=again, progress=False)
    expected = content(out)
    assert content(tmp_path / "again") == {name: expected[name] for name in content(tmp_path / "again")}
    assert len(content(tmp_path / "again")) == 2
    run(keep_detections=True)
    (out / "detections" / "clip1.detections").unlink()
    assert statuses(run(keep_detections=True, resume=True)) == ["skipped", "tracked", "skipped"]
