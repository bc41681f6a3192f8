"""A real paddlehub 2.4.0, used as people type it."""

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
    """The first frames of a real video, copied without encoding them again."""
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
    """A home of its own for paddlehub and the weights, and a server that has the default weights."""
    served = tmp_path_factory.mktemp("mirror") / "models" / "mot"
    served.mkdir(parents=True)
    (served / "fairmot_dla34_30e_1088x608.pdparams").symlink_to(real_weights)
    handler = functools.partial(_Quiet, directory=str(served.parent.parent))
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


class _Quiet(http.server.SimpleHTTPRequestHandler):
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
        cwd=cwd or environment["HOME"],  # away from the checkout: paddlehub prefers a folder of the module's name
    )


@pytest.fixture(scope="module")
def installed(environment: dict[str, str]) -> dict[str, str]:
    done = hub(environment, "install", PACKAGE)
    assert "Successfully installed fairmot_dla34" in done.stdout, done.stdout
    return environment


def test_show_names_the_module(installed: dict[str, str]) -> None:
    shown = hub(installed, "show", "fairmot_dla34").stdout
    assert "fairmot_dla34" in shown
    assert "2.0.0" in shown


def test_run_fetches_the_weights_and_writes_text_and_video(
    installed: dict[str, str], clip: Path, tmp_path: Path
) -> None:
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", clip, "--output_dir", tmp_path)
    assert f"street: {FRAMES} frames" in done.stdout, done.stdout
    rows = (tmp_path / "mot_results" / "street.txt").read_text().splitlines()
    assert len(rows) > FRAMES
    with av.open(str(tmp_path / "mot_outputs" / "street_vis.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == FRAMES


def test_run_without_visualization(installed: dict[str, str], clip: Path, tmp_path: Path) -> None:
    hub(installed, "run", "fairmot_dla34", "--video_stream", clip, "--output_dir", tmp_path, "--visualization", "False")
    assert (tmp_path / "mot_results" / "street.txt").is_file()
    assert not (tmp_path / "mot_outputs").exists()


def test_run_tells_a_bad_input_in_one_line(installed: dict[str, str], tmp_path: Path) -> None:
    done = hub(installed, "run", "fairmot_dla34", "--video_stream", tmp_path / "no.mp4")
    assert done.returncode == 1
    assert "no.mp4 does not exist" in done.stdout
    assert "Traceback" not in done.stdout


def test_run_inside_a_checkout_works_too(installed: dict[str, str], tmp_path: Path) -> None:
    """paddlehub takes a folder of the module's name for the module, and then trips over its own property."""
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
images = [frame.image for frame in open_source(video)]
with module.stream_mode(output_dir=out + "/stream", visualization=True, draw_threshold=0.5, use_gpu=False):
    results = module.predict(images)
print("PATH", sys.modules[type(module).__module__].__file__)
print("RESULTS", summary.frames, len(results), len(results[-1].tracks))
import fairmot_dla34.backends.paddledet  # the backend that wraps PaddleDetection works from here too
wrapped = hub.Module(name="fairmot_dla34", backend="paddledet", input_size="576x320")
with wrapped.stream_mode(output_dir=out + "/wrapped", visualization=False):
    print("WRAPPED", len(wrapped.predict(images[:1])[0].tracks))
"""


def test_hub_module_in_python(installed: dict[str, str], clip: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(clip), str(tmp_path)],
        env=installed,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(
        line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("PATH", "RESULTS", "WRAPPED"))
    )
    assert told["PATH"].startswith(installed["HUB_HOME"])
    frames, results, tracks = map(int, told["RESULTS"].split())
    assert (frames, results) == (FRAMES, FRAMES)
    assert tracks > 0
    assert int(told["WRAPPED"]) > 0
    streamed = (tmp_path / "stream" / "mot_results" / "inputimages.txt").read_text()
    assert streamed == (tmp_path / "file" / "mot_results" / "street.txt").read_text()


def test_uninstall(installed: dict[str, str]) -> None:
    assert "Successfully uninstalled fairmot_dla34" in hub(installed, "uninstall", "fairmot_dla34").stdout
    assert "not existed" in hub(installed, "show", "fairmot_dla34").stdout
