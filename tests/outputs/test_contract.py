"""The contract of every registered output: valid after any end, whole frames only, nothing written elsewhere."""

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
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import av
import pytest
from outputs.results import RATE, sample_results

from fairmot_dla34.errors import InvalidInputError, OutputError, StateError
from fairmot_dla34.outputs import (
    CsvSink,
    MotSink,
    SinkContext,
    SinkKind,
    SinkSet,
    find_sink,
    open_sinks,
    prepare_output_dir,
    sink_names,
)
from fairmot_dla34.outputs.paths import OutputFile
from fairmot_dla34.values import Frame, FrameResult

NAMES = sink_names()
TEXT_NAMES = [name for name in NAMES if not find_sink(name).needs_images]
CONTEXT = SinkContext(RATE)
ROOT = Path(__file__).parents[2]


@pytest.fixture(params=NAMES)
def kind(request: pytest.FixtureRequest) -> SinkKind:
    return find_sink(request.param)


def frames_in(path: Path) -> int:
    """Count the frames a reader finds; fails if the file is not valid."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            return sum(1 for _ in container.decode(video=0))
    lines = path.read_text().splitlines()
    if path.suffix == ".jsonl":
        return len([json.loads(line) for line in lines])
    return len({line.replace(",", " ").split()[0] for line in lines if not line.startswith("frame")})


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_file_is_closed_and_valid_after_an_error_in_the_loop(
    tmp_path: Path, kind: SinkKind, error: type[BaseException]
) -> None:
    sink = kind.open(kind.path_in(tmp_path, "a"), CONTEXT)
    with contextlib.suppress(error), contextlib.closing(sink):
        for frame, result in sample_results(40):
            if frame.index == 35:
                raise error
            sink.write(frame, result)
    found = frames_in(sink.path)
    assert found == (35 if kind.name in {"jsonl", "video"} else 23)  # the others have no line for an empty frame
    with pytest.raises(StateError, match="closed"):
        sink.write(frame, result)
    sink.close()


def test_a_second_run_replaces_the_file(tmp_path: Path, kind: SinkKind) -> None:
    sizes = []
    for count in (40, 10, 10):
        with contextlib.closing(kind.open(tmp_path / "sub" / "a.mp4", CONTEXT)) as sink:
            for frame, result in sample_results(count):
                sink.write(frame, result)
        sizes.append(sink.path.stat().st_size)
    assert sizes[0] > sizes[1] == sizes[2]


def test_a_file_in_place_of_the_folder_is_reported_and_kept(tmp_path: Path, kind: SinkKind) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match=r"out cannot be written.*a file exists where a folder is needed"):
        kind.open(tmp_path / "out" / "a.txt", CONTEXT)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path, kind: SinkKind) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(OutputError, match=r"a\.txt cannot be written.*a folder exists where a file is needed"):
        kind.open(tmp_path / "a.txt", CONTEXT)


def test_a_folder_without_write_permission_is_reported(
    tmp_path: Path, kind: SinkKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object, path: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(OutputFile, "__init__", refuse)  # root may write anywhere
    with pytest.raises(OutputError, match=r"Permission denied.*change its permissions") as caught:
        kind.open(tmp_path / "a.txt", CONTEXT)
    assert caught.value.errno == errno.EACCES


READ_ONLY = """
import json, os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from fairmot_dla34.errors import OutputError
from fairmot_dla34.outputs import SinkContext, open_sinks, prepare_output_dir
if os.geteuid() == 0:
    os.setuid(65534)  # root may write anywhere
messages = []
for attempt in (
    lambda: open_sinks({out!r}, "a", ["mot"], SinkContext(10)),
    lambda: open_sinks({out!r}, "a", ["video"], SinkContext(10)),
    lambda: prepare_output_dir({out!r}),
):
    try:
        attempt()
    except OutputError as error:
        messages.append(str(error))
print(json.dumps(messages))
"""


def test_every_write_to_a_real_folder_without_permission_is_reported() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        messages = json.loads(run_python(READ_ONLY.format(paths=[str(ROOT)], out=folder)).stdout)
    assert len(messages) == 3
    assert all("Permission denied" in message and "change its permissions" in message for message in messages)


@pytest.mark.parametrize("name", TEXT_NAMES)
def test_a_full_disk_removes_the_half_written_frame(tmp_path: Path, name: str) -> None:
    """A limit on the file size stops a write in its middle, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    sink = find_sink(name).open(tmp_path / "a.txt", CONTEXT)
    good = message = ""
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        for frame, result in sample_results(100):
            good = sink.path.read_text()
            sink.write(frame, result)
    except OutputError as error:
        message = str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
        sink.close()
    assert "a.txt cannot be written" in message
    assert "free space" in message
    assert 800 < len(good) <= 1000
    assert sink.path.read_text() == good
    if name == "jsonl":
        assert len([json.loads(line) for line in good.splitlines()]) > 5


TINY_DISK = """
import json, sys
sys.path[:0] = {paths!r}
from outputs.results import sample_results
import numpy as np
from fairmot_dla34.errors import OutputError
from fairmot_dla34.outputs import SinkContext, open_sinks
from fairmot_dla34.values import Frame
noise = np.random.default_rng(1)
message = ""
try:
    with open_sinks({out!r}, "street", ["mot", "video"], SinkContext(10)) as sinks:
        for frame, result in sample_results(60):
            image = noise.integers(0, 256, (240, 320, 3), np.uint8)
            sinks.write(Frame(frame.index, frame.index / 10, image), result)
except OutputError as error:
    message = str(error)
print(json.dumps(message))
"""


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("A FULL DISK WAS NOT TESTED: mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)


def test_a_full_disk_costs_the_video_but_not_the_text(tiny_disk: Path) -> None:
    paths = [str(ROOT), str(ROOT / "tests")]
    done = run_python(TINY_DISK.format(paths=paths, out=str(tiny_disk)))
    message = json.loads(done.stdout)
    assert "street_vis.mp4 cannot be written (No space left on device)" in message
    assert "free space" in message
    text = tiny_disk / "mot_results" / "street.txt"
    assert frames_in(text) == 40  # of 60, every third is empty
    assert frames_in(tiny_disk / "mot_outputs" / "street_vis.mp4") >= 10


@pytest.mark.parametrize("path", ["/dev/full", "/dev/null"])
def test_a_device_is_refused(path: str) -> None:
    with pytest.raises(OutputError, match=r"is a pipe, a socket or a device; expected a regular file"):
        CsvSink(Path(path))


class FailingSink:
    """A sink whose every write fails."""

    def __init__(self, path: Path) -> None:
        self.path, self.closed = path, 0

    def write(self, frame: Frame, result: FrameResult) -> None:
        raise OutputError(f"{self.path} cannot be written")

    def close(self) -> None:
        self.closed += 1


def test_one_failing_output_does_not_stop_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text, failing = MotSink(tmp_path / "a.txt"), FailingSink(tmp_path / "b")
    caplog.set_level(logging.WARNING)
    sinks = SinkSet([text, failing])
    for frame, result in sample_results(6):
        sinks.write(frame, result)
    assert "the others continue" in caplog.text
    with pytest.raises(OutputError, match="b cannot be written"):
        sinks.close()
    assert frames_in(text.path) == 4
    assert failing.closed == 1
    assert len(caplog.records) == 1
    with pytest.raises(OutputError, match="b cannot"):  # no output is left
        SinkSet([FailingSink(tmp_path / "b")]).write(frame, result)


def test_the_error_in_the_loop_is_the_one_raised(tmp_path: Path) -> None:
    def run() -> None:
        with SinkSet([FailingSink(tmp_path / "b"), MotSink(tmp_path / "a")]) as sinks:
            sinks.write(*next(sample_results()))
            raise KeyError

    with pytest.raises(KeyError):
        run()


def test_only_the_documented_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    out = tmp_path / "out"
    with open_sinks(out, "cam.v2", ["mot", "jsonl", "csv", "kitti", "video"], CONTEXT) as sinks:
        for frame, result in sample_results(3):
            sinks.write(frame, result)
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    texts = {f"mot_results/cam.v2{suffix}" for suffix in (".txt", ".jsonl", ".csv", ".kitti.txt")}
    assert found == texts | {"mot_outputs/cam.v2_vis.mp4"}
    assert {str(p.relative_to(out)) for p in sinks.paths} == found
    assert not list(elsewhere.iterdir())
    with open_sinks(tmp_path / "text", "a", ["mot"], CONTEXT) as sinks:
        assert len(sinks) == 1
    assert not (tmp_path / "text" / "mot_outputs").exists()


def test_invalid_settings_write_nothing(tmp_path: Path) -> None:
    for kinds, context in (
        (["xml", "video"], CONTEXT),
        (["mot", "video"], SinkContext(RATE, draw_threshold=1.5)),
        (["mot", "video"], SinkContext(RATE, draw_threshold=float("nan"))),
        (["mot", "video"], SinkContext(0)),
    ):
        with pytest.raises(InvalidInputError, match="expected"):
            open_sinks(tmp_path / "out", "a", kinds, context)
    assert not list((tmp_path / "out").rglob("*.mp4"))


def test_the_output_directory_is_tested_before_a_run(tmp_path: Path) -> None:
    prepare_output_dir(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert not list((tmp_path / "a" / "b").iterdir())
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file", tmp_path / "file" / "b", Path("/proc/nothing")):
        with pytest.raises(OutputError, match="cannot be written"):
            prepare_output_dir(bad)
    for folder in ("mot_results", "counts"):
        (tmp_path / "a" / folder).write_text("")
        with pytest.raises(OutputError, match=folder):
            prepare_output_dir(tmp_path / "a", ["counts"])
        (tmp_path / "a" / folder).unlink()


def test_a_run_without_frames_leaves_no_broken_video(tmp_path: Path) -> None:
    with open_sinks(tmp_path, "a", ["mot", "video"], CONTEXT):
        pass
    assert not (tmp_path / "mot_outputs" / "a_vis.mp4").exists()
    assert (tmp_path / "mot_results" / "a.txt").read_bytes() == b""
