"""What every output keeps to."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import pytest
from results import RATE, made_up

from fairmot_dla34.errors import InvalidInputError, OutputError, StateError
from fairmot_dla34.outputs import (
    CsvWriter,
    JsonlWriter,
    KittiWriter,
    MotWriter,
    VideoWriter,
    WriterSet,
    open_writers,
    prepare_output_dir,
)

KINDS = {
    "mot": MotWriter,
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "kitti": KittiWriter,
    "video": lambda path: VideoWriter(path, frame_rate=RATE),
}
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def frames_in(path: Path) -> int:
    """Frames a reader finds; fails where the file is not valid."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    lines = path.read_text().splitlines()
    if path.suffix == ".jsonl":
        return len([json.loads(line) for line in lines])
    return len({line.replace(",", " ").split()[0] for line in lines if not line.startswith("frame")})


@pytest.mark.parametrize("kind_name", KINDS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_closed_and_valid_after_an_error_in_the_loop(tmp_path, kind_name, error):
    suffix = {"jsonl": ".jsonl", "video": ".mp4"}.get(kind_name, ".txt")
    writer = KINDS[kind_name](tmp_path / f"a{suffix}")
    with contextlib.suppress(error), writer:
        for frame, result in made_up(40):
            if frame.index == 35:
                raise error
            writer.write(frame, result)
    found = frames_in(writer.path)
    assert found == (35 if kind_name in {"jsonl", "video"} else 23)  # the others are silent on empty frames
    with pytest.raises(StateError, match="closed"):
        writer.write(frame, result)
    writer.close()


def test_a_second_run_starts_anew(tmp_path, kind):
    sizes = []
    for count in (40, 10, 10):
        with kind(tmp_path / "sub" / "a.mp4") as writer:
            for frame, result in made_up(count):
                writer.write(frame, result)
        sizes.append(writer.path.stat().st_size)
    assert sizes[0] > sizes[1] == sizes[2]


def test_a_file_where_the_folder_goes(tmp_path, kind):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match=r"out cannot be written.*a file exists where a folder is needed"):
        kind(tmp_path / "out" / "a.txt")
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_where_the_file_goes(tmp_path, kind):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputError, match=r"a\.txt cannot be written.*a folder exists where a file is needed"):
        kind(tmp_path / "a.txt")


@pytest.mark.parametrize("kind_name", KINDS)
def test_a_folder_that_may_not_be_written(tmp_path, kind_name, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)  # root may write anywhere
    with pytest.raises(OutputError, match=r"Permission denied.*change its permissions") as caught:
        KINDS[kind_name](tmp_path / "a.txt")
    assert caught.value.errno == errno.EACCES


READ_ONLY = """
import json, os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from fairmot_dla34.errors import OutputError
from fairmot_dla34.outputs import open_writers, prepare_output_dir
if os.geteuid() == 0:
    os.setuid(65534)  # root may write anywhere
told = []
for attempt in (
    lambda: open_writers({out!r}, "a", video=False, frame_rate=10),
    lambda: open_writers({out!r}, "a", formats=(), frame_rate=10),
    lambda: prepare_output_dir({out!r}),
):
    try:
        attempt()
    except OutputError as error:
        told.append(str(error))
print(json.dumps(told))
"""


def test_a_real_folder_without_permission():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        told = json.loads(run_python(READ_ONLY.format(paths=[str(ROOT)], out=folder)).stdout)
    assert len(told) == 3
    assert all("Permission denied" in message and "change its permissions" in message for message in told)


@pytest.mark.parametrize("kind_name", ["mot", "jsonl", "csv", "kitti"])
def test_a_full_disk_takes_back_the_half_written_frame(tmp_path, kind_name):
    """A limit on the file size stops a write in its middle, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = KINDS[kind_name](tmp_path / "a.txt")
    good = told = ""
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        for frame, result in made_up(100):
            good = writer.path.read_text()
            writer.write(frame, result)
    except OutputError as error:
        told = str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
        writer.close()
    assert "a.txt cannot be written" in told
    assert "free space" in told
    assert 800 < len(good) <= 1000
    assert writer.path.read_text() == good
    if kind_name == "jsonl":
        assert len([json.loads(line) for line in good.splitlines()]) > 5


TINY_DISK = """
import json, sys
sys.path[:0] = {paths!r}
from results import made_up
import numpy as np
from fairmot_dla34.errors import OutputError
from fairmot_dla34.outputs import open_writers
from fairmot_dla34.values import Frame
noise = np.random.default_rng(1)
told = ""
try:
    with open_writers({out!r}, "street", frame_rate=10) as writers:
        for frame, result in made_up(60):
            image = noise.integers(0, 256, (240, 320, 3), np.uint8)
            writers.write(Frame(frame.index, frame.index / 10, image), result)
except OutputError as error:
    told = str(error)
print(json.dumps(told))
"""


@pytest.fixture
def tiny_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("A FULL DISK WAS NOT TRIED: mounting a tmpfs needs root")
    yield place
    subprocess.run(["umount", place], check=True)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)


def test_a_full_disk_costs_the_video_but_not_the_text(tiny_disk):
    paths = [str(ROOT), str(Path(__file__).parent)]
    done = run_python(TINY_DISK.format(paths=paths, out=str(tiny_disk)))
    told = json.loads(done.stdout)
    assert "street_vis.mp4 cannot be written (No space left on device)" in told
    assert "free space" in told
    text = tiny_disk / "mot_results" / "street.txt"
    assert frames_in(text) == 40  # of 60, every third is empty
    assert frames_in(tiny_disk / "mot_outputs" / "street_vis.mp4") >= 10


def test_dev_full_is_an_output_error():
    with pytest.raises(OutputError, match=r"No space left on device.*free space"):
        CsvWriter(Path("/dev/full"))


class _Failing:
    def __init__(self, path):
        self.path, self.closed = path, 0

    def write(self, frame, result):
        raise OutputError(f"{self.path} cannot be written")

    def close(self):
        self.closed += 1


def test_one_failing_output_leaves_the_others(tmp_path, caplog):
    text, failing = MotWriter(tmp_path / "a.txt"), _Failing(tmp_path / "b")
    caplog.set_level(logging.WARNING)
    writers = WriterSet([text, failing])
    for frame, result in made_up(6):
        writers.write(frame, result)
    assert "the others go on" in caplog.text
    with pytest.raises(OutputError, match="b cannot be written"):
        writers.close()
    assert frames_in(text.path) == 4
    assert failing.closed == 1
    assert len(caplog.records) == 1
    with pytest.raises(OutputError, match="b cannot"):  # nobody left
        WriterSet([_Failing(tmp_path / "b")]).write(frame, result)


def test_the_error_in_the_loop_is_the_one_told(tmp_path):
    def run():
        with WriterSet([_Failing(tmp_path / "b"), MotWriter(tmp_path / "a")]) as writers:
            writers.write(*next(made_up()))
            raise KeyError

    with pytest.raises(KeyError):
        run()


def test_where_files_go_and_nothing_else(tmp_path, monkeypatch):
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    out = tmp_path / "out"
    formats = ("mot", "jsonl", "csv", "kitti")
    with open_writers(out, "cam.v2", formats=formats, frame_rate=RATE) as writers:
        for frame, result in made_up(3):
            writers.write(frame, result)
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    texts = {f"mot_results/cam.v2{suffix}" for suffix in (".txt", ".jsonl", ".csv", ".kitti.txt")}
    assert found == texts | {"mot_outputs/cam.v2_vis.mp4"}
    assert {str(p.relative_to(out)) for p in writers.paths} == found
    assert not list(elsewhere.iterdir())
    with open_writers(tmp_path / "text", "a", video=False, frame_rate=RATE) as writers:
        assert len(writers) == 1
    assert not (tmp_path / "text" / "mot_outputs").exists()


def test_bad_settings_write_nothing(tmp_path):
    for options in (
        {"formats": ("xml",)},
        {"draw_threshold": 1.5},
        {"draw_threshold": float("nan")},
        {"frame_rate": 0},
    ):
        with pytest.raises(InvalidInputError, match="expected"):
            open_writers(tmp_path / "out", "a", **{"frame_rate": RATE, **options})
    assert not list((tmp_path / "out").rglob("*.mp4"))


def test_trying_the_directory(tmp_path):
    prepare_output_dir(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert not list((tmp_path / "a" / "b").iterdir())
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file", tmp_path / "file" / "b", Path("/proc/nothing")):
        with pytest.raises(OutputError, match="cannot be written"):
            prepare_output_dir(bad)
    (tmp_path / "a" / "mot_results").write_text("")
    with pytest.raises(OutputError, match="mot_results"):
        prepare_output_dir(tmp_path / "a")


def test_a_run_without_frames_leaves_no_broken_video(tmp_path):
    with open_writers(tmp_path, "a", frame_rate=RATE):
        pass
    assert not (tmp_path / "mot_outputs" / "a_vis.mp4").exists()
    assert (tmp_path / "mot_results" / "a.txt").read_bytes() == b""
