"""The module in a real paddlehub 2.4.0: install, show, run, use from Python, uninstall."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

pytestmark = [pytest.mark.hub, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fairmot_dla34"
FRAMES = 6


@pytest.fixture(scope="module")
def clip(pets_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of a real video, copied without encoding."""
    path = tmp_path_factory.mktemp("clip") / "street.avi"
    with av.open(str(pets_video)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(source.demux(video=0)):
            if index == FRAMES:
                break
            packet.stream = stream
            target.mux(packet)
    return path


@pytest.fixture(scope="module")
def environment(real_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Environment with a separate home for paddlehub and the weights, and a local mirror of the default weights."""
    served = tmp_path_factory.mktemp("mirror") / "models" / "mot"
    served.mkdir(parents=True)
    (served / "fairmot_dla34_30e_1088x608.pdparams").symlink_to(real_weights)
    handler = functools.partial(_QuietHandler, directory=str(served.parent.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = tmp_path_factory.mktemp("home")
    yield os.environ | {
        "HOME": str(home),
        "HUB_HOME": str(home / "hub"),
        "FAIRMOT_DLA34_HOME": str(home / "weights"),
        "FAIRMOT_DLA34_MIRROR": f"http://127.0.0.1:{server.server_port}",
    }
    server.shutdown()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def hub(environment: dict[str, str], *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = shutil.which("hub", path=str(Path(sys.executable).parent)) or "hub"
    return subprocess.run(
        [command, *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # paddlehub logs its results to stderr
        text=True,
        check=False,
        cwd=cwd or environment["HOME"],  # not the checkout: paddlehub prefers a folder named like the module
    )


@pytest.fixture(scope="module")
def installed(environment: dict[str, str]) -> dict[str, str]:
    done = hub(environment, "install", PACKAGE)
    assert "Successfully installed fairmot_dla34" in done.stdout, done.stdout
    return environment


def test_show_prints_the_name_and_the_version(installed: dict[str, str]) -> None:
    shown = hub(installed, "show", "fairmot_dla34").stdout
    assert "fairmot_dla34" in shown
    assert "2.0.0" in shown


def test_run_downloads_the_weights_and_writes_text_and_video(
    installed: dict[str, str], clip: Path, tmp_path: Path
) -> None:
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", clip, "--output_dir", tmp_path)
    assert f"street: {FRAMES} frames" in done.stdout, done.stdout
    rows = (tmp_path / "mot_results" / "street.txt").read_text().splitlines()
    assert len(rows) > FRAMES
    with av.open(str(tmp_path / "mot_outputs" / "street_vis.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_run_without_visualization_writes_no_video(installed: dict[str, str], clip: Path, tmp_path: Path) -> None:
    hub(installed, "run", "fairmot_dla34", "--video_stream", clip, "--output_dir", tmp_path, "--visualization", "False")
    assert (tmp_path / "mot_results" / "street.txt").is_file()
    assert not (tmp_path / "mot_outputs").exists()


def test_run_takes_the_options_of_track(installed: dict[str, str], clip: Path, tmp_path: Path) -> None:
    """The message about a failed download proposes ``--weights sample``: it must work here too."""
    options = "--weights sample --input_size 576x320 --tracker byte --formats mot,csv --name entrance --frame_stride 2"
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", clip, "--output_dir", tmp_path, *options.split())
    assert f"street: {FRAMES // 2} frames" in done.stdout, done.stdout
    assert {path.name for path in (tmp_path / "mot_results").iterdir()} == {"entrance.txt", "entrance.csv"}
    assert (tmp_path / "mot_outputs" / "entrance_vis.mp4").is_file()


def test_run_shows_help_and_refuses_wrong_values_in_one_line(installed: dict[str, str]) -> None:
    shown = hub(installed, "run", "fairmot_dla34", "--help").stdout
    for part in ("--video_stream", "--weights", "--frame_stride", "default: 0.5", "--use_gpu [True|False]"):
        assert part in shown
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", "x", "--frame_stride", "0")
    assert done.returncode == 2
    assert "hub run fairmot_dla34: --frame_stride is 0; expected a whole number >= 1" in done.stdout
    assert "Traceback" not in done.stdout


def test_run_reports_a_missing_video_in_one_line(installed: dict[str, str], tmp_path: Path) -> None:
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", tmp_path / "no.mp4")
    assert done.returncode == 1
    assert "no.mp4 does not exist" in done.stdout
    assert "Traceback" not in done.stdout


def test_run_works_inside_a_checkout(installed: dict[str, str], tmp_path: Path) -> None:
    """paddlehub loads a folder named like the module instead, and then fails to set its own read-only property."""
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", tmp_path / "no.mp4", cwd=ROOT)
    assert done.returncode == 1
    assert "no.mp4 does not exist" in done.stdout


SCRIPT = """
import sys
import paddlehub as hub
module = hub.Module(name="fairmot_dla34")
video, out = sys.argv[1:]
summary = module.tracking(video, output_dir=out + "/file", visualization=True, draw_threshold=0.5, use_gpu=False)
from fairmot_dla34.video import open_source
source = open_source(video)
images = [frame.image for frame in source]
settings = {"visualization": True, "draw_threshold": 0.5, "use_gpu": False, "frame_rate": source.native_rate}
with module.stream_mode(output_dir=out + "/stream", **settings):
    results = module.predict(images)
print("PATH", sys.modules[type(module).__module__].__file__)
print("RESULTS", summary.frames, len(results), len(results[-1].tracks))
import fairmot_dla34.backends.paddledet  # the backend that wraps PaddleDetection works from here too
wrapped = hub.Module(name="fairmot_dla34", backend="paddledet", input_size="576x320", tracker="jde")
print("METHODS", *(one._options.tracker_config.method for one in (module, wrapped)))
with wrapped.stream_mode(output_dir=out + "/wrapped", visualization=False):
    print("WRAPPED", len(wrapped.predict(images[:1])[0].tracks))
"""


def test_stream_mode_of_the_installed_module_writes_the_rows_of_file_mode(
    installed: dict[str, str], clip: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(clip), str(tmp_path)],
        env=installed,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    printed = dict(
        line.split(" ", 1)
        for line in done.stdout.splitlines()
        if line.startswith(("PATH", "RESULTS", "WRAPPED", "METHODS"))
    )
    assert printed["PATH"].startswith(installed["HUB_HOME"])
    frames, results, tracks = map(int, printed["RESULTS"].split())
    assert (frames, results) == (FRAMES, FRAMES)
    assert printed["METHODS"] == "auto jde"
    assert tracks > 0
    assert int(printed["WRAPPED"]) > 0
    streamed = (tmp_path / "stream" / "mot_results" / "inputimages.txt").read_text()
    assert streamed == (tmp_path / "file" / "mot_results" / "street.txt").read_text()


def test_uninstall_removes_the_module(installed: dict[str, str]) -> None:
    assert "Successfully uninstalled fairmot_dla34" in hub(installed, "uninstall", "fairmot_dla34").stdout
    assert "not existed" in hub(installed, "show", "fairmot_dla34").stdout
