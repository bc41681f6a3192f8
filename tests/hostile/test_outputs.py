"""Hostile trials of outputs: runs that meet, foreign results, links, deletions, odd names, paths and times."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import write_clip
from hostile.runs import FRAMES, image_folder, result_files, track, tracking_process
from trials import Trials, run_python
from videos import walking_boxes

from fairmot_dla34 import Module
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import FairMOTError, InvalidInputError, OutputError
from fairmot_dla34.file_names import MAX_NAME_BYTES, MAX_NAME_CHARS, check_file_name, safe_file_name
from fairmot_dla34.messages import UNSAFE
from fairmot_dla34.outputs import VideoSink
from fairmot_dla34.outputs.reservation import read_record
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import Frame, FrameResult
from fairmot_dla34.video import open_source

TEXT = "mot_results/{}.txt"


def frames_of(video: Path) -> list[float]:
    with open_source(video) as source:
        return [frame.time_s for frame in source]


def lines_of(output_dir: Path, name: str) -> int:
    """Count the lines; a text that two runs wrote contains null characters or broken lines."""
    text = (output_dir / TEXT.format(name)).read_text()
    assert all(len(line.split(",")) == 10 for line in text.splitlines()), text
    return len(text.splitlines())


class TestTwoRuns:
    @pytest.mark.serial
    def test_at_the_same_time(self, trials: Trials, tmp_path: Path) -> None:
        kind = "outputs, two runs at once"
        sources = [image_folder(tmp_path / side / "frames") for side in ("a", "b")]
        out = tmp_path / "out"
        with tracking_process(sources[0], out, name="x") as first:
            assert first.stdout is not None
            assert first.stdin is not None
            assert first.stdout.readline() == "claimed\n"
            settings: tuple[dict[str, Any], ...] = ({}, {"overwrite": True}, {"formats": ("mot", "csv")})
            for source, options in itertools.product(sources, settings):
                with trials(kind, (source.parent.name, options)), pytest.raises(OutputError, match="by another run"):
                    track(source, out, name="x", **options)
            with trials(kind, "the message names the process"), pytest.raises(OutputError, match=f"{first.pid}"):
                track(sources[0], out, name="x")
            with trials(kind, "through a link to the folder"):
                (tmp_path / "link").symlink_to(out)
                with pytest.raises(OutputError, match="by another run"):
                    track(sources[0], tmp_path / "link", name="x")
            with trials(kind, "another name"):
                assert track(sources[1], out, name="y").frames == FRAMES
            first.stdin.write("\n")
            first.stdin.flush()
            with trials(kind, "the first one"):
                assert first.stdout.readline() == "done\n", first.stderr
                assert lines_of(out, "x") == lines_of(out, "y") > 0
        with trials(kind, "after its end"):
            assert track(sources[0], out, name="x").frames == FRAMES

    @pytest.mark.serial
    def test_started_together(self, trials: Trials, tmp_path: Path) -> None:
        """Of two processes that start together, one gets the name."""
        sources = [image_folder(tmp_path / side / "street" / "frames") for side in ("a", "b")]
        for attempt in range(3):
            with trials("outputs, two runs at once", f"started together, {attempt}"):
                out = tmp_path / f"out{attempt}"
                with tracking_process(sources[0], out) as one, tracking_process(sources[1], out) as two:
                    for process in (one, two):
                        assert process.stdout is not None
                    first = sorted(process.stdout.readline() for process in (one, two) if process.stdout)
                assert first[1] == "claimed\n", first
                assert "is being written by another run" in first[0]

    @pytest.mark.serial
    def test_a_killed_run_leaves_no_lock(self, trials: Trials, tmp_path: Path) -> None:
        source = image_folder(tmp_path / "a" / "frames")
        with tracking_process(source, tmp_path / "out") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "claimed\n"
            process.kill()
            process.wait()
            with trials("outputs, kill -9", "the same source again"):
                assert track(source, tmp_path / "out").frames == FRAMES

    def test_streams_in_one_process(self, trials: Trials, tmp_path: Path) -> None:
        images = list(walking_boxes(3))
        with Module.from_backend(FakeBackend()) as module:
            for attempt in range(3):
                with trials("outputs, two streams", f"one after the other, {attempt}"):
                    with module.stream_mode(tmp_path) as stream:
                        stream.predict(images)
                    module.tracking(images, tmp_path, progress=False)
            with trials("outputs, two streams", "at once"), module.stream_mode(tmp_path) as outer:
                with pytest.raises(OutputError, match="by another run"), module.stream_mode(tmp_path):
                    pass
                outer.predict(images)
            with trials("outputs, two streams", "arrays do not replace a file's results"):
                track(image_folder(tmp_path / "a"), tmp_path, name="street")
                with pytest.raises(OutputError, match="another source"), module.stream_mode(tmp_path, name="street"):
                    pass


class TestOtherSources:
    def test_results_of_another_source_are_kept(self, trials: Trials, tmp_path: Path) -> None:
        kind, out = "outputs, another source", tmp_path / "out"
        first, second = (write_clip(tmp_path / side, 12, container="avi") for side in ("x.avi", "x.mkv"))
        track(first, out, formats=("mot", "csv"), visualization=False)
        before = (out / "mot_results" / "x.csv").read_bytes()
        settings: tuple[dict[str, Any], ...] = ({}, {"formats": ("csv",)}, {"formats": ("jsonl",)}, {"formats": ()})
        for options in settings:
            with trials(kind, options), pytest.raises(OutputError, match=r"another source, .*x\.avi.*--overwrite"):
                track(second, out, **options)
        with trials(kind, "unchanged"):
            assert (out / "mot_results" / "x.csv").read_bytes() == before
            assert result_files(out) == ["mot_results/x.csv", "mot_results/x.txt"]
        with trials(kind, "the same source, another spelling"):
            (tmp_path / "link").symlink_to(tmp_path)
            for spelling in (first, os.path.relpath(first), tmp_path / "link" / "x.avi", tmp_path / "out/../x.avi"):
                assert track(spelling, out).frames == 12
        with trials(kind, "overwrite, then only the new source"):
            assert track(second, out, overwrite=True).frames == 12
            assert track(second, out).frames == 12
            with pytest.raises(OutputError, match="another source"):
                track(first, out)
        with trials(kind, "another name"):
            assert track(first, out, name="other").frames == 12

    def test_files_without_a_record_are_kept(self, trials: Trials, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "x.avi", 3)
        for suffix in ("mot_results/x.txt", "mot_outputs/x_vis.mp4"):
            with trials("outputs, no record", suffix):
                out = tmp_path / suffix.replace("/", "-")
                (out / suffix).parent.mkdir(parents=True)
                (out / suffix).write_text("mine")
                with pytest.raises(OutputError, match=r"no run of this source and name wrote it.*--name"):
                    track(source, out)
                assert (out / suffix).read_text() == "mine"
                track(source, out, overwrite=True)

    def test_two_names_with_one_file(self, trials: Trials, tmp_path: Path) -> None:
        first, second = (write_clip(tmp_path / name, 3) for name in ("a.avi", "a.kitti.avi"))
        with trials("outputs, another source", "a.kitti.txt of a and of a.kitti"):
            track(first, tmp_path, formats=("kitti",))
            with pytest.raises(OutputError, match=r"a\.kitti\.txt exists"):
                track(second, tmp_path)

    def test_damaged_records(self, trials: Trials, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "x.avi", 2)
        track(source, tmp_path, visualization=False)
        record = tmp_path / ".fairmot_dla34" / "mot_results" / "x.txt.json"
        text, whole = tmp_path / "mot_results" / "x.txt", record.read_bytes()
        fields: dict[str, Any] = json.loads(whole)
        odd_values: tuple[Any, ...] = (None, [], 1e308, "\x1b[2J")
        damaged = [
            b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"null", b"[]", b"1" * 5000, b"\xff" * 100, b"{}" * 10**6,
            *(json.dumps(fields | {key: value}).encode() for key in fields for value in odd_values),
            json.dumps(fields | {"process": 10**300, "shown": "\x1b]0;x\x07" * 50, "source": "0"}).encode(),
        ]  # fmt: skip
        rng = random.Random(11)  # noqa: S311 (damage, not a secret)
        for _ in range(60):
            noise = bytearray(whole)
            for _ in range(rng.randint(1, 6)):
                noise[rng.randrange(len(noise))] = rng.randrange(256)
            damaged.append(bytes(noise[: rng.randint(1, len(noise))]))
        for number, content in enumerate(damaged):
            with trials("outputs, damaged record", number):
                record.write_bytes(content)
                if read_record(text).source != fields["source"] or read_record(text).name != "x":
                    with pytest.raises(OutputError, match="--overwrite") as caught:
                        track(source, tmp_path, visualization=False)
                    assert str(caught.value).isprintable()
                track(source, tmp_path, visualization=False, overwrite=True)
                assert json.loads(record.read_bytes())["source"] == fields["source"]


class TestOwnSource:
    @pytest.mark.parametrize("link", [os.symlink, os.link, shutil.copy], ids=["symlink", "hard link", "the file"])
    def test_a_video(self, trials: Trials, tmp_path: Path, link: Callable[[Path, Path], object]) -> None:
        source = write_clip(tmp_path / "street.mp4", 5)
        for number, suffix in enumerate(("mot_outputs/x_vis.mp4", "mot_results/x.txt")):
            out = tmp_path / str(number)
            target = out / suffix
            target.parent.mkdir(parents=True)
            link(source, target)
            before = target.read_bytes()
            spec = target if link is shutil.copy else source
            for overwrite in (False, True):
                with trials("outputs, own source", (link.__name__, suffix, overwrite)):
                    with pytest.raises(OutputError, match="a file of the source itself"):
                        track(spec, out, name="x", overwrite=overwrite)
                    assert source.read_bytes() == target.read_bytes() == before

    def test_the_text_of_another_run(self, trials: Trials, tmp_path: Path) -> None:
        track(write_clip(tmp_path / "a.avi", 5), tmp_path)
        text = tmp_path / "mot_results" / "a.txt"
        for overwrite in (False, True):
            with trials("outputs, own source", ("text", overwrite)):
                before = text.read_bytes()
                with pytest.raises(FairMOTError):
                    track(text, tmp_path, overwrite=overwrite)
                assert text.read_bytes() == before

    def test_an_image_folder_that_contains_an_output(self, trials: Trials, tmp_path: Path) -> None:
        folder = image_folder(tmp_path / "a")
        (tmp_path / "mot_results").symlink_to(folder)
        (folder / "x.txt").symlink_to(folder / "0.png")
        before = (folder / "0.png").read_bytes()
        with trials("outputs, own source", "image folder"):
            with pytest.raises(OutputError, match="a file of the source itself"):
                track(folder, tmp_path, name="x", overwrite=True)
            assert (folder / "0.png").read_bytes() == before

    def test_a_backup_by_hard_links_keeps_its_content(self, trials: Trials, tmp_path: Path) -> None:
        source = write_clip(tmp_path / "a.avi", 5)
        track(source, tmp_path)
        for path in ("mot_results/a.txt", "mot_outputs/a_vis.mp4"):
            with trials("outputs, own source", ("backup", path)):
                os.link(tmp_path / path, tmp_path / "backup")
                (tmp_path / path).open("ab").close()
                before = (tmp_path / "backup").read_bytes()
                track(image_folder(tmp_path / path.replace("/", "-")), tmp_path, name="a", overwrite=True)
                assert (tmp_path / "backup").read_bytes() == before
                (tmp_path / "backup").unlink()


def delete(path: Path) -> None:
    path.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def delete_everything(path: Path) -> None:
    shutil.rmtree(path.parents[1])


def move(path: Path) -> None:
    path.rename(path.with_name("moved"))


def replace(path: Path) -> None:
    path.unlink()
    path.write_text("mine")


@pytest.mark.parametrize("change", [delete, delete_folder, delete_everything, move, replace])
@pytest.mark.parametrize("path", ["mot_results/x.txt", "mot_results/x.csv", "mot_outputs/x_vis.mp4"])
def test_outputs_that_vanish_during_the_run(
    trials: Trials, tmp_path: Path, change: Callable[[Path], None], path: str
) -> None:
    out = tmp_path / "out"

    def images() -> Any:
        for index, image in enumerate(walking_boxes(40)):
            if index == 20:
                change(out / path)
            yield image

    with trials("outputs, gone during the run", (change.__name__, path)):
        with pytest.raises(OutputError, match="was deleted, moved or replaced while it was written"):
            track(images(), out, name="x", formats=("mot", "csv"))
        if change is replace:
            assert (out / path).read_text() == "mine"
        if change in {delete, move, replace}:
            others = {"mot_results/x.txt", "mot_results/x.csv", "mot_outputs/x_vis.mp4"} - {path}
            assert others <= set(result_files(out))
            if path != "mot_outputs/x_vis.mp4":
                assert len(frames_of(out / "mot_outputs" / "x_vis.mp4")) == 40


@pytest.mark.parametrize("path", ["mot_results/x.txt", "mot_results/x.csv", "mot_outputs/x_vis.mp4"])
def test_outputs_that_are_truncated_during_the_run(trials: Trials, tmp_path: Path, path: str) -> None:
    """A shell's ``> x.txt`` leaves null characters in front of the next line."""

    def images() -> Any:
        for index, image in enumerate(walking_boxes(40)):
            if index == 20:
                os.truncate(tmp_path / path, 0)
            yield image

    with trials("outputs, truncated during the run", path), pytest.raises(OutputError, match="was changed by another"):
        track(images(), tmp_path, name="x", formats=("mot", "csv"))


ODD_PATHS = """
import json, os, socket, sys
sys.path[:0] = {paths!r}
from pathlib import Path
from hostile.runs import image_folder, track
from fairmot_dla34.errors import OutputError
root = Path({root!r})
source = image_folder(root / "a")
made = []
def refused(name, make):
    out = root / name
    target = make(out)
    try:
        track(source, target or out, name="x", overwrite=True)
        made.append([name, "not refused"])
    except OutputError as error:
        made.append([name, str(error)])
def at(kind, path):
    def make(out):
        (out / path).parent.mkdir(parents=True)
        kind(out / path)
    return make
def bind(path):
    os.chdir(path.parent)
    socket.socket(socket.AF_UNIX).bind(path.name)
files = ("mot_results/x.txt", "mot_outputs/x_vis.mp4", ".fairmot_dla34/mot_results/x.txt.lock", "mot_results",
         "mot_outputs", ".fairmot_dla34")
for path in files:
    refused("fifo " + path.replace("/", "-"), at(os.mkfifo, path))
    refused("socket " + path.replace("/", "-"), at(bind, path))
    refused("loop " + path.replace("/", "-"), at(lambda link: os.symlink(link, link), path))
for path in files[:3]:
    refused("folder " + path.replace("/", "-"), at(Path.mkdir, path))
    refused("device " + path.replace("/", "-"), at(lambda link: os.symlink("/dev/full", link), path))
for path in ("/dev/full", "/dev/null", "/dev/null/x", "/proc/nothing", "n" * 300, "/proc/self/mem"):
    refused("output_dir " + path[:20].replace("/", "-"), lambda out, path=path: path)
os.mkfifo(root / "pipe")
refused("output_dir pipe", lambda out: root / "pipe")
print(json.dumps(made))
"""


def test_paths_that_are_not_files(trials: Trials, tmp_path: Path) -> None:
    tests = Path(__file__).resolve().parents[1]
    ended = run_python(
        "-c", ODD_PATHS.format(paths=[str(tests.parent), str(tests)], root=str(tmp_path)), cwd=tmp_path, timeout_s=60
    )
    for name, message in json.loads(ended.stdout):
        with trials("outputs, odd paths", name):
            assert message != "not refused"
            assert len(message) <= 300
            assert message.isprintable()


def test_a_path_of_1500_folders(trials: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the absolute path might be too long
    try:
        with trials("outputs, odd paths", "1500 folders"):
            assert track(list(walking_boxes(2)), "n/" * 1500, name="x", visualization=False).frames == 2
    finally:
        subprocess.run(["rm", "-rf", "n"], check=True)  # shutil.rmtree calls itself for each folder


@pytest.mark.parametrize("name", ["mot_results/x.txt.json", "mot_outputs/x_vis.mp4.json"])
def test_a_record_that_is_a_pipe(trials: Trials, tmp_path: Path, name: str) -> None:
    path = tmp_path / ".fairmot_dla34" / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with trials("outputs, odd paths", name):
        assert track(list(walking_boxes(2)), tmp_path, name="x").frames == 2


class Raising(os.PathLike[str]):
    """A path object that does not give a path."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __fspath__(self) -> str:
        return self.value  # type: ignore[no-any-return]


HOSTILE: dict[str, list[Any]] = {
    "output_dir": [None, 3, b"out", [], {}, object(), "\0", "a\0b", "\ud800", "n" * 5000, "/".join("n" * 3000),
                   Raising(b"x"), Raising(3), Path("\ud800"), Path("a\0")],
    "formats": [None, "mot", b"mot", 3, ["mot", None], [["mot"]], [{}], {"xml": 1}, ["\ud800"], ["x" * 5000],
                itertools.repeat("mot"), [np.zeros(3)], ["mot\0"], object()],
    "name": ["", ".", "..", ".hidden", "a/b", "a\\b", "a\0", "a\nb", "\x1b[2J", "\ud800", "x" * 121, "x" * 5000,
             "漢" * 70, "a.", "a ", " a", "con", "NUL", "com1", "lpt9.x", "\u202ea", 3, b"a", ["a"], Path("a")],
    "labels": [None, "", "ID", "all", 3, b"id", ["id"], np.array(["id", "id"]), "\ud800", "x" * 5000, object()],
    "line_width": [0, -1, 101, 10**400, 1.5, "3", True, b"3", [3], np.array([1, 2]), float("nan"), object()],
    "overwrite": [None, "yes", 2, [], "True", object()],
    "visualization": [None, "no", 2, [], "\ud800", object()],
    "fill_gaps": [None, "3", -1, 301, 1.0, 10**400, float("nan"), object()],
    "draw_threshold": [None, "x", -1, 2, float("nan"), 10**400, object()],
}  # fmt: skip


@pytest.mark.parametrize("option", HOSTILE)
def test_arguments(trials: Trials, option: str) -> None:
    for value in HOSTILE[option]:
        with trials("outputs, arguments", (option, ascii(value)[:40])), pytest.raises(InvalidInputError) as caught:
            OutputOptions(**{option: value})
        assert str(caught.value).isprintable()


def test_stream_names(trials: Trials, tmp_path: Path) -> None:
    with Module.from_backend(FakeBackend()) as module:
        for name in HOSTILE["name"]:
            with trials("outputs, arguments", ("stream", ascii(name)[:40])), pytest.raises(InvalidInputError):
                module.stream_mode(tmp_path, name=name).__enter__()


ALPHABET = "aB9._- ~/\\:*?\"<>|'\n\t\r\0\x1b\x7f\x85\u2028\u202e\u200d\ud800\udcff漢é😀"


def test_names_of_sources(trials: Trials, tmp_path: Path) -> None:
    rng = random.Random(5)  # noqa: S311 (names, not a secret)
    texts = ["".join(rng.choices(ALPHABET, k=rng.randint(1, 40))) for _ in range(150)]
    texts += ["x" * 250, "漢" * 80, "con", "con.avi", "..", "...", " ", "\udcff", "\n", "aux .x", "COM1" * 100]
    for number, text in enumerate(texts):
        with trials("outputs, names", ascii(text)[:50]):
            name = safe_file_name(text, "video")
            assert check_file_name(name) == name
            assert len(name) <= MAX_NAME_CHARS
            assert len(name.encode()) <= MAX_NAME_BYTES
            stem = text.replace("/", "").replace("\0", "")
            if number % 10 == 0 and stem.strip("."):
                _track_hostile_name(tmp_path / str(number), stem)


def _track_hostile_name(folder: Path, stem: str) -> None:
    """Track a video and a folder of images of this name; the results lie in the output directory."""
    folder.mkdir()
    video = write_clip(folder / "x.avi", 2)
    try:
        video = video.rename(folder / f"{stem}.avi")
    except (OSError, UnicodeEncodeError):
        return  # not a name on this system
    images = image_folder(folder / stem, 2)
    for source in (video, images):
        summary = track(source, folder / f"out{source.suffix == '.avi'}", formats=("mot", "jsonl", "csv"))
        for path in summary.paths:
            assert path.is_file()
            assert not UNSAFE.search(path.name)
            assert path.parent.parent.parent == folder
        jsonl = next(path for path in summary.paths if path.suffix == ".jsonl")
        assert len([json.loads(line) for line in jsonl.read_text().splitlines()]) == 2


HOUR = 3600.0
YEARS = 31 * 365 * 24 * HOUR


@pytest.mark.parametrize("rate", [1.0, 10.0, 30000 / 1001, 59.94, 240.0])
def test_times_that_jump(trials: Trials, tmp_path: Path, rate: float) -> None:
    period = 1 / rate
    steps = {
        "31 years": ([YEARS], 20 * period),
        "31 years, twice": ([YEARS, YEARS], 20 * period),
        "to and fro": ([YEARS, -YEARS, YEARS], 20 * period),
        "back by a day": ([-24 * HOUR], 20 * period),
        "back by a second": ([-1.0], 20 * period),
        "a pause of 50 minutes": ([50 * 60.0], 50 * 60 + 19 * period),
        "two pauses": ([600.0, 3000.0], 3600 + 18 * period),
        "10^300 s": ([1e300], 20 * period),
    }
    for name, (jumps, seconds) in steps.items():
        with trials("outputs, time stamps", (rate, name)):
            path = tmp_path / f"{name}.mp4"
            time_s = 0.0
            with VideoSink(path, frame_rate=rate) as sink:
                for index in range(21):
                    sink.write(Frame(index, time_s, np.zeros((48, 64, 3), np.uint8)), FrameResult(index, time_s, ()))
                    time_s += dict(zip(range(5, 20, 5), jumps, strict=False)).get(index, period)
            times = frames_of(path)
            assert len(times) == 21
            assert abs(times[-1] - seconds) < 1.2 + period, (times[-1], seconds)


FULL_DISK = """
import json, resource, signal, sys
sys.path[:0] = {paths!r}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from hostile.runs import track
from fairmot_dla34.errors import OutputError
from videos import walking_boxes
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, limits[1]))
message = "no error"
try:
    track(walking_boxes(120), {out!r}, name="x", formats=("mot", "csv", "jsonl"))
except OutputError as error:
    message = str(error)
resource.setrlimit(resource.RLIMIT_FSIZE, limits)  # stdout is a file
print(json.dumps(message))
"""


@pytest.mark.parametrize("limit", [10, 1000, 5000, 20_000])
def test_a_full_disk(trials: Trials, tmp_path: Path, limit: int) -> None:
    tests = Path(__file__).resolve().parents[1]
    paths = [str(tests.parent), str(tests)]
    with trials("outputs, full disk", limit):
        ended = run_python("-c", FULL_DISK.format(paths=paths, limit=limit, out=str(tmp_path)), timeout_s=60)
        assert "cannot be written" in json.loads(ended.stdout)
        for path in (tmp_path / "mot_results").glob("x.*"):
            content = path.read_text()
            assert not content or content.endswith("\n")
    with trials("outputs, full disk", (limit, "then with space")):
        assert track(list(walking_boxes(3)), tmp_path, name="x", overwrite=True).frames == 3


def test_a_socket_can_be_made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks the trial itself: a socket in the file system is what the trial of odd paths makes."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("x")
    assert (tmp_path / "x").is_socket()
