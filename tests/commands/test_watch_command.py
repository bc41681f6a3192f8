"""`watch` as a process: real RTSP and HTTP servers, metrics, SIGUSR1, every way to end, and no password anywhere."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import pytest
import requests
from clips import write_clip
from mjpeg_server import part, serving_mjpeg
from rtsp_server import RtspServer
from videos import walking_boxes

from fairmot_dla34.analytics.afterwards import analyse_results
from fairmot_dla34.analytics.config import AnalyticsConfig
from fairmot_dla34.commands.main import main

pytest.importorskip("prometheus_client", reason="PROMETHEUS-CLIENT ABSENT")
pytestmark = pytest.mark.serial  # frames are left out on a busy machine

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("s3cret", "t0ken")
END_S = 20.0

# Runs the command with a fake network, which detects coloured boxes.
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
FairMOT.from_options = lambda options: FairMOT.from_backend(
    FakeBackend(streams=options.streams), tracker=options.tracker_config
)
raise SystemExit(main({words!r}))
"""


@dataclass
class Watching:
    """A running command.

    Attributes:
        process: The process.
        folder: Folder of its standard streams.
        answers: Metrics that were read so far.
    """

    process: subprocess.Popen[str]
    folder: Path
    answers: list[str] = field(default_factory=list)

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout").read_text("utf-8")

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text("utf-8")

    def metric(self, name: str, camera: str, **labels: str) -> float:
        """Return a metric of a camera over HTTP; 0 before it is there."""
        url = re.search(r"Metrics are at (http://127\.0\.0\.1:\d+/metrics)", self.stderr)
        if url is None:
            return 0.0
        self.answers.append(requests.get(url[1], timeout=5).text)
        wanted = "".join(f',{key}="{value}"' for key, value in labels.items())
        found = re.search(
            rf'^fairmot_camera_{name}{{camera="{camera}"{wanted}}} (\S+)$', self.answers[-1], re.MULTILINE
        )
        return 0.0 if found is None else float(found[1])

    def until(self, name: str, camera: str, least: float, **labels: str) -> None:
        """Wait until a metric of a camera has a value or more."""
        wait_for(lambda: self.metric(name, camera, **labels) >= least, self)

    def states(self) -> list[dict[str, Any]]:
        """Send SIGUSR1 and return the line of JSON that follows."""
        before = self.stderr.count('{"time"')
        self.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: re.findall(r'^{"time".*}$', self.stderr, re.MULTILINE)[before:], self)
        line = json.loads(re.findall(r'^{"time".*}$', self.stderr, re.MULTILINE)[-1])
        cameras: list[dict[str, Any]] = line["cameras"]
        return cameras

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(END_S)


def wait_for(check: Callable[[], object], run: Watching) -> None:
    """Wait until a check returns something true; a machine with much other work takes long to start Python."""
    end_s = time.monotonic() + END_S
    while not check():
        assert time.monotonic() < end_s, run.stderr
        assert run.process.poll() is None, run.stderr
        time.sleep(0.05)


@contextmanager
def watching(folder: Path, *words: str) -> Iterator[Watching]:
    """Run the command in a folder of its own."""
    (folder / "streams").mkdir()
    with (folder / "streams" / "stdout").open("w") as stdout, (folder / "streams" / "stderr").open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT.format(root=str(ROOT), words=["watch", *words])],
            cwd=folder,
            stdout=stdout,
            stderr=stderr,
            env={"PATH": "/usr/bin", "HOME": str(folder), "DOOR_PASSWORD": SECRETS[0]},
            text=True,
        )
        try:
            yield Watching(process, folder / "streams")
        finally:
            process.kill()
            process.wait()


@contextmanager
def street() -> Iterator[str]:
    """Serve walking boxes as motion JPEG at 20 frames/s."""
    images = [cv2.imencode(".jpg", image)[1].tobytes() for image in walking_boxes(60, 160, 128)]
    with serving_mjpeg(100_000, 0.05, make_part=lambda index: part(images[index % len(images)])) as url:
        yield url


def settings_file(folder: Path, cameras: dict[str, str], settings: str = "") -> str:
    tables = [f'[[camera]]\nname = "{name}"\nsource = "{source}"\n' for name, source in cameras.items()]
    path = folder / "cameras.toml"
    path.write_text(settings + "".join(tables))
    path.chmod(0o600)
    return str(path)


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def check_no_secret(run: Watching, folder: Path) -> None:
    """No password is in what was printed, in the metrics, and in any file except the settings."""
    texts = {"stdout": run.stdout, "stderr": run.stderr, "metrics": "".join(run.answers)}
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "cameras.toml"]
    texts |= {str(path): path.read_bytes().decode("latin-1") + path.name for path in files}
    for secret in SECRETS:
        assert not [name for name, text in texts.items() if secret in text]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGUSR1 ABSENT")
def test_cameras_that_fail_return_and_are_down_at_the_start(tmp_path: Path) -> None:
    with street() as url, RtspServer(40, Fraction(20), pause_s=0.05, endless=True) as door:
        cameras = {
            "door": f"rtsp://viewer:${{DOOR_PASSWORD}}@127.0.0.1:{door.port}/door?token=t0ken",
            "street": url.replace("//", "//viewer:s3cret@") + "?token=t0ken",
            "attic": "rtsp://viewer:s3cret@127.0.0.1:9/attic",
        }
        file = settings_file(tmp_path, cameras, 'output_dir = "out"\nformats = ["mot", "jsonl"]\nsegment = "2s"\n')
        with watching(tmp_path, file, "--metrics", "0", "--formats", "jsonl", "--json") as run:
            run.until("frames_total", "door", 5)
            run.until("frames_total", "street", 40)
            run.until("people", "street", 2)
            door.mode = "refuse"
            door.drop()
            run.until("state", "door", 1, state="waiting")
            states = run.states()
            assert [camera["name"] for camera in states] == ["door", "street", "attic"]
            assert [camera["state"] for camera in states][1:] == ["running", "waiting"]
            door.mode = "serve"
            run.until("reconnects_total", "door", 1)
            frames = run.metric("frames_total", "street")
            assert run.end(signal.SIGTERM) == 143
        assert "ended by SIGTERM; everything written so far is closed and valid" in run.stderr
        assert "Traceback" not in run.stderr
        summary = {camera["name"]: camera for camera in json.loads(run.stdout)["cameras"]}
        assert summary["street"]["frames"] >= frames
        assert summary["street"]["state"] == "ended"
        assert summary["attic"]["frames"] == 0
        check_no_secret(run, tmp_path)
    out = tmp_path / "out"
    texts = sorted((out / "mot_results").glob("street_*.jsonl"))
    videos = sorted((out / "mot_outputs").glob("street_*.mp4"))
    assert len(texts) == len(videos) >= 2
    assert not list((out / "mot_results").glob("*.txt")), "options win over the file"
    for text, video in zip(texts, videos, strict=True):
        assert frames_of(video) == len(text.read_text().splitlines())
        done = analyse_results(
            text, AnalyticsConfig(lines=(AnalyticsConfig.parse_line("a:80,0,80,128"),)), source=video, output_dir=out
        )
        assert done.frames > 0


# Sends SIGUSR1 before each import of the command, so also before a handler is set.
SIGNALS_AT_THE_START = """
import signal, sys
sys.path.insert(0, {root!r})
from fairmot_dla34.commands.main import main
class Sender:
    sent = 0
    def find_spec(self, name, path=None, target=None):
        Sender.sent += 1
        signal.raise_signal(signal.SIGUSR1)
sys.meta_path.insert(0, Sender())
code = main(["watch", "missing.mp4"])
sys.meta_path.clear()
assert Sender.sent > 10
assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
raise SystemExit(code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGUSR1 ABSENT")
def test_a_state_asked_for_too_early_does_not_end_the_command(tmp_path: Path) -> None:
    code = SIGNALS_AT_THE_START.format(root=str(ROOT))
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1), ended.stderr
    assert "missing.mp4 does not exist" in ended.stderr


def test_ctrl_c_ends_with_a_line_for_each_camera(tmp_path: Path) -> None:
    with street() as url, watching(tmp_path, url, "--metrics", "0", "--output-dir", "out") as run:
        name = f"{url.split('/')[2].split(':')[0]}_live"
        run.until("frames_total", name, 5)
        assert run.end(signal.SIGINT) == 130
        lines = run.stdout.splitlines()
        assert re.match(rf"{name}: \d+ frames.*, 0 reconnects$", lines[0])
        assert re.match(r"1 camera: \d+ frames? tracked in \d+ s, [\d.]+ frames/s$", lines[1])
        assert lines[2].startswith("network: fake 1 on CPU")


def test_it_ends_with_the_last_file(tmp_path: Path) -> None:
    files = [write_clip(tmp_path / f"{name}.mp4", 12, rate=Fraction(30)) for name in ("a", "b")]
    with watching(tmp_path, *map(str, files), "--no-visualization") as run:
        assert run.process.wait(END_S) == 0
        assert "2 cameras: 24 frames tracked" in run.stdout
    rows = [path.read_text() for path in sorted((tmp_path / "mot_results").glob("*.txt"))]
    assert len(rows) == 2


def test_a_camera_that_is_given_up_is_an_error(tmp_path: Path) -> None:
    url = "rtsp://viewer:s3cret@127.0.0.1:9/attic"
    with watching(tmp_path, url, "--give-up-after", "1.5") as run:
        assert run.process.wait(END_S) == 1
        assert "1 of 1 camera ended with an error: 127.0.0.1_attic. The reasons are above." in run.stderr
        check_no_secret(run, tmp_path)


def test_two_processes_do_not_write_the_same_parts(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    with street() as url, watching(tmp_path / "first", url, "--metrics", "0", "--output-dir", str(tmp_path)) as run:
        run.until("frames_total", "127.0.0.1_live", 1)
        with watching(tmp_path, url, "--output-dir", str(tmp_path)) as second:
            assert second.process.wait(END_S) == 1
            assert "Traceback" not in second.stderr
            assert second.stderr.splitlines()[-1].startswith("fairmot_dla34: ")
        assert run.end(signal.SIGINT) == 130


WRONG = {
    ("a.toml", "rtsp://127.0.0.1/x"): (2, "the settings file a.toml is given beside other sources"),
    ("missing.toml",): (1, "Settings file 'missing.toml' cannot be read"),
    ("rtsp://u:s3cret@127.0.0.1/x", "--keep", "7d"): (2, "--keep is '7d' and --segment is not given"),
    ("rtsp://127.0.0.1/x", "--segment", "5x"): (2, "--segment is '5x'; expected hour, day"),
    ("rtsp://127.0.0.1/x", "--give-up-after", "0"): (2, "--give-up-after is 0"),
    ("rtsp://127.0.0.1/x", "--metrics", "65536"): (2, "--metrics is 65536; expected a port"),
    ("rtsp://u:s3cret@127.0.0.1/x", "--show"): (2, "unrecognized arguments: --show"),
    ("rtsp://127.0.0.1/x", "--shwo", "rtsp://u:s3cret@127.0.0.1/y"): (2, "--shwo rtsp://127.0.0.1/y"),
    ("rtsp://u:s3cret@127.0.0.1/x", "rtsp://v:s3cret@127.0.0.1/x"): (1, "Two cameras have the name"),
    ("missing.mp4",): (1, "missing.mp4 does not exist"),
    ("ftp://u:s3cret@127.0.0.1/x",): (1, "starts with ftp://"),
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_usage_is_one_line(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, message = WRONG[words]
    try:
        ended = main(["watch", *words])
    except SystemExit as request:
        ended = int(str(request.code))
    shown = capsys.readouterr()
    assert (ended, shown.out) == (code, "")
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1
    assert SECRETS[0] not in shown.err


def test_a_metrics_port_in_use_ends_before_the_network_is_loaded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with street() as url:
        port = url.split(":")[2].split("/")[0]
        with pytest.raises(SystemExit) as request:
            main(["watch", url, "--metrics", port, "--output-dir", str(tmp_path)])
    assert request.value.code == 2
    assert f"--metrics is {port}, a port that cannot be used" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
