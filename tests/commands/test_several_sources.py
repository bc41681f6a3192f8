"""`track` with several sources: one network, an outcome for each source, and --resume."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import pytest
from clips import write_clip
from disk_limits import file_size_limit
from networks import write_random_checkpoint
from videos import walking_boxes, write_walking_boxes

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
from fairmot_dla34.outputs.window import Window
from fairmot_dla34.tracking.expansion import expand_sources
from fairmot_dla34.tracking.options import ModelOptions
from fairmot_dla34.weights import resolve_network

Track = Callable[..., int]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three videos of 8, 9 and 10 frames."""
    folder = tmp_path_factory.mktemp("recorded")
    for number in range(3):
        write_video(folder / f"clip{number}.mp4", 8 + number)
    return folder


def write_video(path: Path, frames: int) -> None:
    """Encode walking boxes, which the fake backend detects."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (160, 128))
    for image in walking_boxes(frames, 160, 128):
        writer.write(image)
    writer.release()


@pytest.fixture
def clips(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the three videos in ``clips`` of an empty working directory."""
    shutil.copytree(recorded, tmp_path / "clips")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "clips"


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[FairMOT]:
    """The models that commands load, each on a fake backend."""
    loaded: list[FairMOT] = []

    def load(options: ModelOptions) -> FairMOT:
        loaded.append(FairMOT.from_backend(FakeBackend(), tracker=options.tracker_config))
        return loaded[-1]

    monkeypatch.setattr("fairmot_dla34.tracking.shared_model.FairMOT.from_options", load)
    monkeypatch.setattr("fairmot_dla34.tracking.shared_model.resolve_network", lambda weights, *_, **__: Key(weights))
    return loaded


@dataclass(frozen=True)
class Key:
    """Stands for a network: returns its key, and reads the weights once for all tests."""

    weights: str

    def key(self) -> str:
        return key_of(self.weights)


@lru_cache
def key_of(weights: str) -> str:
    return resolve_network(weights).key()


@pytest.fixture
def track(models: list[FairMOT], weights: Path, clips: Path) -> Track:
    """A function that runs the verb in this process and returns the exit code."""
    del models, clips

    def run(*words: object) -> int:
        return main(["track", *map(str, words), "--weights", str(weights), "--output-dir", "out"])

    return run


def results(folder: Path = Path("out")) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("mot_*/*"))}


def names(*words: object) -> list[str]:
    return [source.name for source in expand_sources([str(word) for word in words]).sources]


def statuses(text: str) -> dict[str, str]:
    return {Path(row["input"]).name: row["status"] for row in json.loads(text)}


def test_all_sources_use_one_network_and_each_has_a_line(
    track: Track, models: list[FairMOT], capsys: pytest.CaptureFixture[str]
) -> None:
    assert track("clips/clip2.mp4", "clips/*.mp4") == 0
    assert len(models) == 1
    assert models[0]._closed
    assert sorted(results()) == sorted(
        [f"mot_outputs/clip{n}_vis.mp4" for n in range(3)] + [f"mot_results/clip{n}.txt" for n in range(3)]
    )
    printed = capsys.readouterr()
    lines = [line.split(",")[0] for line in printed.err.splitlines() if " of 3: " in line]
    assert lines == ["1 of 3: clips/clip2.mp4", "2 of 3: clips/clip0.mp4", "3 of 3: clips/clip1.mp4"]
    assert printed.out.splitlines()[-1].startswith("3 videos: 3 tracked; 27 frames, ")


def test_the_results_equal_those_of_single_runs(track: Track) -> None:
    assert track("clips") == 0
    together = results()
    assert together["mot_results/clip0.txt"].count(b"\n") > 8
    shutil.rmtree("out")
    for number in range(3):
        assert track(f"clips/clip{number}.mp4") == 0
    assert results() == together


def test_a_source_may_follow_the_options(track: Track, capsys: pytest.CaptureFixture[str]) -> None:
    assert track("clips/clip0.mp4", "--json", "clips/clip1.mp4") == 0
    assert statuses(capsys.readouterr().out) == {"clip0.mp4": "tracked", "clip1.mp4": "tracked"}


def test_one_source_prints_one_json_object(track: Track, capsys: pytest.CaptureFixture[str]) -> None:
    assert track("clips/clip0.mp4", "--json") == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 8


class TestExpansion:
    """Words become sources in the order given; patterns and folders of videos are sorted."""

    def test_videos_of_a_folder_and_of_a_pattern_once_each_in_natural_order(self, clips: Path) -> None:
        shutil.copy(clips / "clip0.mp4", clips / "clip10.MP4")
        (clips / ".hidden.mp4").touch()
        (clips / "notes.txt").touch()
        assert names("clips") == ["clip0", "clip1", "clip2", "clip10"]
        assert names("clips/clip1.mp4", "clips", "clips/*.mp4") == ["clip1", "clip0", "clip2", "clip10"]

    def test_a_folder_of_images_is_one_source(self, clips: Path) -> None:
        for sequence in ("seq-02", "seq-01"):
            (clips / sequence / "img1").mkdir(parents=True)
            write_walking_boxes(clips / sequence / "img1", 2, 64, 64)
        assert not expand_sources(["clips/seq-01/img1"]).several
        assert not expand_sources(["clips/seq-01/img1/*.png"]).several
        assert names("clips/*/img1") == ["seq-01", "seq-02"]
        assert [source.folder for source in expand_sources(["clips/*/img1"]).sources] == ["clips", "clips"]

    def test_results_of_earlier_runs_are_not_tracked(self, track: Track, capsys: pytest.CaptureFixture[str]) -> None:
        assert track("clips/clip0.mp4") == 0
        assert names("**/*.mp4") == ["clip0", "clip1", "clip2"]
        assert track("**/*.mp4") == 0
        assert "results of earlier runs are left out, 1 in all, such as clip0_vis.mp4" in capsys.readouterr().err

    def test_cameras_and_addresses_are_one_source(self, clips: Path) -> None:
        del clips
        for word in ("0", "rtsp://user:secret@camera/1"):
            assert not expand_sources([word]).several

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["clips", "0"], "'0' is one of 4; expected files and folders"),
            (["clips", "rtsp://user:secret@camera/1"], "'rtsp://camera/1' is one of 4"),
            (["mixed"], "Folder mixed has images (1) and videos (1); expected one of both"),
            (["mixed/*", "clips"], "Pattern mixed/* has images (1) and videos (1)"),
            (["frames/0.png", "frames/1.png"], "are single images; expected videos"),
            (["parts"], "has the playlist index.m3u8 beside other videos"),
            (["clips", "other/clip1.mp4"], "both write out/mot_results/clip1.txt; expected different names"),
            (["clips", "--name", "{folder}"], "both write out/mot_results/clips.txt"),
        ],
    )
    def test_what_cannot_be_tracked_together_is_refused_before_the_start(
        self, words: list[str], message: str, clips: Path, track: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for folder in ("mixed", "frames", "parts", "other"):
            (clips.parent / folder).mkdir()
        for copy in ("mixed/a.mp4", "parts/a.ts", "other/clip1.mp4"):
            shutil.copy(clips / "clip0.mp4", copy)
        for image in ("mixed/0.png", "frames/0.png", "frames/1.png", "parts/index.m3u8"):
            Path(image).write_bytes(b"\0")
        assert track(*words) == 1
        printed = capsys.readouterr()
        assert message in printed.err
        assert "secret" not in printed.err
        assert not results()

    def test_names_with_placeholders_are_unique(self, clips: Path, track: Track) -> None:
        shutil.copytree(clips, "other")
        assert track("clips", "other", "--name", "{folder}_{name}", "--no-visualization") == 0
        assert list(results()) == [f"mot_results/{at}_clip{n}.txt" for at in ("clips", "other") for n in range(3)]

    @pytest.mark.parametrize(("words", "code"), [(["clips", "--name", "street"], 2), (["0", "--name", "{name}"], 2)])
    def test_a_name_that_does_not_fit_is_wrong_usage(
        self, words: list[str], code: int, track: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            track(*words)
        assert ended.value.code == code
        assert "--name is '" in capsys.readouterr().err


class TestFailures:
    """A source that fails does not end the others; the command exits with 1 and lists it."""

    def test_a_damaged_and_a_missing_file(
        self, clips: Path, track: Track, models: list[FairMOT], capsys: pytest.CaptureFixture[str]
    ) -> None:
        (clips / "clip1.mp4").write_text("not a video\n" * 100)
        assert track("clips", "clips/gone.mp4", "--json") == 1
        printed = capsys.readouterr()
        rows = json.loads(printed.out)
        assert [row["status"] for row in rows] == ["tracked", "failed", "tracked", "failed"]
        assert "is not a video" in rows[1]["error"]
        last = printed.err.splitlines()[-1]
        assert last.startswith("fairmot_dla34: 2 of 4 sources failed: clips/clip1.mp4, clips/gone.mp4.")
        assert len(models) == 1
        assert [name for name in results() if "results" in name] == ["mot_results/clip0.txt", "mot_results/clip2.txt"]

    def test_an_output_that_cannot_be_written(self, track: Track, capsys: pytest.CaptureFixture[str]) -> None:
        Path("out/mot_results/clip1.txt").mkdir(parents=True)
        assert track("clips") == 1
        printed = capsys.readouterr()
        assert "clips/clip1.mp4: failed: out/mot_results/clip1.txt cannot be written" in printed.out
        assert "3 videos: 2 tracked, 1 failed; 18 frames" in printed.out

    def test_a_full_disk(self, clips: Path, track: Track, capsys: pytest.CaptureFixture[str]) -> None:
        write_video(clips / "clip1.mp4", 150)
        with file_size_limit(8000):
            assert track("clips", "--no-visualization", "--formats", "jsonl") == 1
        assert "clips/clip1.mp4: failed: out/mot_results/clip1.jsonl cannot be written" in capsys.readouterr().out
        assert all(json.loads(line) for line in Path("out/mot_results/clip1.jsonl").read_text("utf-8").splitlines())
        assert track("clips", "--no-visualization", "--formats", "jsonl", "--resume", "--json") == 0
        assert list(statuses(capsys.readouterr().out).values()) == ["skipped", "tracked", "skipped"]

    def test_results_of_another_source_are_kept(
        self, clips: Path, track: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shutil.copytree(clips, "other")
        assert track("other/clip1.mp4") == 0
        kept = results()
        assert track("clips", "--resume") == 1
        assert "contains results of another source" in capsys.readouterr().err
        assert kept.items() <= results().items()
        assert track("clips", "--resume", "--overwrite") == 0

    @pytest.mark.parametrize("word", ["", " ", "\ud800", "a" * 5000, "~nobody/x", "nothing*", "empty", "loop"])
    def test_a_text_that_names_no_video(
        self, word: str, clips: Path, track: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("empty").mkdir()
        Path("loop").symlink_to("loop")
        assert track(clips / "clip0.mp4", word, "--json") == 1
        assert [row["status"] for row in json.loads(capsys.readouterr().out)] == ["tracked", "failed"]

    def test_weights_that_cannot_be_loaded_end_the_command_once(
        self, clips: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        del clips
        assert main(["track", "clips", "--weights", "no_such_weights"]) == 1
        printed = capsys.readouterr()
        assert printed.err.count("no_such_weights") == 1
        assert not printed.out


def test_closing_the_window_ends_the_run(
    track: Track, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(Window):
        """A window that is closed after the first frame."""

        def write(self, *_: object) -> None:
            return

        def refresh(self) -> bool:
            return False

    monkeypatch.setattr("fairmot_dla34.tracking.options.check_display", lambda: None)
    monkeypatch.setattr("fairmot_dla34.tracking.options.Window", Closed)
    assert track("clips", "--show", "--json") == 0
    assert list(statuses(capsys.readouterr().out).values()) == ["closed", "not started", "not started"]


class TestResume:
    """A source is skipped if its results, the source and the settings are those of a complete run."""

    @pytest.fixture
    def done(self, track: Track, capsys: pytest.CaptureFixture[str]) -> Track:
        """The verb with --resume after a complete run; it returns nothing."""
        assert track("clips") == 0
        capsys.readouterr()
        return track

    def resumed(self, track: Track, capsys: pytest.CaptureFixture[str], *words: object) -> list[str]:
        """Return the statuses of the videos, in order."""
        assert track("clips", "--resume", "--json", *words) == 0
        return list(statuses(capsys.readouterr().out).values())

    def test_complete_results_are_skipped_and_left_as_they_are(
        self, done: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in Path("out").glob("mot_*/*")}
        assert self.resumed(done, capsys, "--threads", 1) == ["skipped"] * 3
        assert {path: path.stat().st_mtime_ns for path in Path("out").glob("mot_*/*")} == before

    def test_a_single_source_is_skipped_too(self, done: Track, capsys: pytest.CaptureFixture[str]) -> None:
        assert done("clips/clip0.mp4", "--resume") == 0
        assert capsys.readouterr().out == "clips/clip0.mp4: skipped, its results are complete and unchanged.\n"
        assert done("clips/clip0.mp4", "--resume", "--json") == 0
        row = json.loads(capsys.readouterr().out)
        assert (row["status"], row["frames"], row["paths"][0]) == ("skipped", 8, "out/mot_results/clip0.txt")

    def test_without_resume_everything_is_tracked_again(self, done: Track, capsys: pytest.CaptureFixture[str]) -> None:
        assert done("clips") == 0
        assert "3 tracked" in capsys.readouterr().out

    def test_other_settings_are_tracked_again(self, done: Track, capsys: pytest.CaptureFixture[str]) -> None:
        changes: list[tuple[object, ...]] = [
            ("--conf", 0.5), ("--frame-stride", 2), ("--formats", "mot,csv"), ("--labels", "id"), ("--fill-gaps", 3),
            ("--tracker", "byte"), ("--no-visualization",), ("--line", "door:0,0,50,50"),
            ("--line", "gate:0,0,50,50"),
        ]  # fmt: skip
        for words in changes:
            found = [done("clips/clip0.mp4", "--resume", "--json", *words) for _ in range(2)]
            assert found == [0, 0]
            assert capsys.readouterr().out.count('"status": "skipped"') == 1, words

    def test_other_weights_are_tracked_again(
        self, done: Track, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        other = write_random_checkpoint(tmp_path, seed=1)
        assert self.resumed(done, capsys, "--weights", other) == ["skipped"] * 3  # the fixture's weights come last
        assert main(["track", "clips", "--resume", "--json", "--weights", str(other), "--output-dir", "out"]) == 0
        assert set(statuses(capsys.readouterr().out).values()) == {"tracked"}

    def test_another_version_of_the_package_is_tracked_again(
        self, done: Track, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fairmot_dla34.tracking.source_run.__version__", "0.0.0")
        assert self.resumed(done, capsys) == ["tracked"] * 3

    def test_a_changed_source_is_tracked_again(
        self, done: Track, clips: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        os.utime(clips / "clip0.mp4")
        data, times = (clips / "clip1.mp4").read_bytes(), (clips / "clip1.mp4").stat()
        (clips / "clip1.mp4").write_bytes(data[:-1] + b"!")
        os.utime(clips / "clip1.mp4", ns=(times.st_atime_ns, times.st_mtime_ns))
        assert self.resumed(done, capsys) == ["tracked", "tracked", "skipped"]

    def test_results_that_are_gone_or_changed_are_tracked_again(
        self, done: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        complete = results()
        Path("out/mot_results/clip0.txt").unlink()
        with Path("out/mot_outputs/clip1_vis.mp4").open("ab") as file:
            file.write(b"!")
        assert self.resumed(done, capsys) == ["tracked", "tracked", "skipped"]
        assert results() == complete

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"source": 1}', b"\xff" * 50, b"[" * 100_000])
    def test_a_damaged_record_is_no_record(
        self, content: bytes, done: Track, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Path("out/.fairmot_dla34/complete/clip1.json").write_bytes(content)
        assert self.resumed(done, capsys) == ["skipped", "tracked", "skipped"]

    def test_a_camera_cannot_be_resumed(self, track: Track, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            track("0", "--resume")
        assert "--resume is given for 0; expected files or folders" in capsys.readouterr().err


class TestSignals:
    """A signal ends the present source with valid files, and the others are not started."""

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_the_present_source_ends_with_valid_files(
        self, number: signal.Signals, code: int, clips: Path, weights: Path
    ) -> None:
        stopped, stdout, stderr = self.stop_in_clip1(number, clips, weights)
        assert stopped == code, stderr
        assert "clips/clip2.mp4: not started" in stdout
        assert "3 videos: 1 tracked, 1 interrupted, 1 not started" in stdout
        assert Path("out/mot_results/clip1.txt").read_text("utf-8").endswith("\n")
        assert not Path("out/mot_results/clip2.txt").exists()

    def test_a_killed_run_is_resumed_to_the_bytes_of_a_whole_one(self, clips: Path, weights: Path) -> None:
        """SIGKILL leaves a text and a video that are too short."""
        assert self.stop_in_clip1(signal.SIGKILL, clips, weights)[0] == -signal.SIGKILL
        words = self.words(weights)
        assert self.finish(*words, "--output-dir", "out", "--resume", "--json") == ["skipped", "tracked", "tracked"]
        assert self.finish(*words, "--output-dir", "whole", "--json") == ["tracked"] * 3
        assert results() == results(Path("whole"))

    def words(self, weights: Path) -> list[str]:
        return ["track", "clips", "--weights", str(weights), "--input-size", "64x64", "--threads", "1"]

    def stop_in_clip1(self, number: signal.Signals, clips: Path, weights: Path) -> tuple[int, str, str]:
        """Send a signal when the second of three videos has its first results."""
        write_clip(clips / "clip1.mp4", 50)
        process = self.start(*self.words(weights), "--output-dir", "out")
        text = Path("out/mot_results/clip1.txt")
        deadline_s = time.monotonic() + 60
        while (not text.exists() or text.stat().st_size < 100) and time.monotonic() < deadline_s:
            time.sleep(0.002)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
        return process.returncode, stdout, stderr

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "fairmot_dla34", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, *words: str) -> list[str]:
        stdout, stderr = self.start(*words).communicate(timeout=120)
        assert "Traceback" not in stderr
        return list(statuses(stdout).values())
