"""Ctrl-C and SIGTERM while verbs other than ``track`` run: one line, the exit code of the signal, valid files."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from clips import write_clip
from hostile.signalled import SIGNALS, Try, check_stopped, decoded_frames, stopping
from networks import write_random_checkpoint
from trials import Trials

from fairmot_dla34 import FairMOT
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.detections import DetectOptions, detect_to_file

pytestmark = [pytest.mark.serial, pytest.mark.slow]

VERBS = {
    "demo": ("demo", "--output-dir", "{out}"),
    "watch": (
        *("watch", "{video}", "rtsp://127.0.0.1:9/x", "--weights", "{weights}", "--input-size", "320x192"),
        *("--output-dir", "{out}", "--segment", "1s"),
    ),
    "synth": ("synth", "--frames", "100000", "--output-dir", "{out}"),
    "eval": ("eval", "--gt", "{scene}", "--results", "{scene}/gt", "--plots", "{out}"),
    "batch": ("batch", "{video}", *("--weights", "{weights}", "--workers", "2", "--output-dir", "{out}")),
    "detect": ("detect", "{video}", *("--weights", "{weights}", "--input-size", "320x192", "--output-dir", "{out}")),
    "associate": ("associate", "{detections}", "--formats", "mot,jsonl", "--output-dir", "{out}"),
    "export": ("export", "--format", "openvino", "--weights", "{weights}", "--output-dir", "{out}"),
    "convert": ("convert", "{weights}", "{out}/a.pth", "--input-size", "320x192", "--check", "{video}"),
    "quantize": ("quantize", "--calibration", "{video}", "--weights", "{weights}", "--input-size", "320x192"),
    "info": ("info",),
    "weights verify": ("weights", "verify", "sample"),
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint, a video, and a sequence of 60,000 boxes, which takes seconds to score."""
    folder = tmp_path_factory.mktemp("inputs")
    scene = folder / "street"
    (scene / "gt").mkdir(parents=True)
    rows = [
        f"{frame},{person},{20 * person},{frame % 400},15,40,1,1,1.0\n"
        for frame in range(1, 2001)
        for person in range(1, 31)
    ]
    (scene / "gt" / "gt.txt").write_text("".join(rows))
    shutil.copy(scene / "gt" / "gt.txt", scene / "gt" / "street.txt")
    seqinfo = "[Sequence]\nname=street\nframeRate=25\nseqLength=2000\nimWidth=960\nimHeight=540\n"
    (scene / "seqinfo.ini").write_text(seqinfo)
    video = write_clip(folder / "street.mp4", 300, size=(320, 192))
    with FakeBackend() as backend:
        found = detect_to_file(FairMOT.from_backend(backend), video, options=DetectOptions(folder), progress=False)
    return {
        "weights": write_random_checkpoint(folder),
        "video": video,
        "scene": scene,
        "detections": found.path,
    }


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_ends_on_a_signal(trials: Trials, verb: str, places: dict[str, Path], tmp_path: Path) -> None:
    if verb == "quantize":
        pytest.importorskip("nncf", reason="NNCF ABSENT")
    if verb == "eval":
        pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT")
    moments = [(after_s, number) for after_s in (0.3, 1.2, 2.5) for number in (signal.SIGINT, signal.SIGTERM)]
    tries = []
    for after_s, number in moments:
        out = tmp_path / f"{after_s} {number.name}"
        words = [word.format(out=out, **places) for word in VERBS[verb]]
        home = {"FAIRMOT_DLA34_HOME": str(out / "home")}
        tries.append(Try(["-m", "fairmot_dla34", *words], [(after_s, number)], home))
    with stopping(tries) as ended:
        for (after_s, number), stopped in zip(moments, ended, strict=True):
            with trials("signal, other verbs", f"{verb}, {number.name} after {after_s} s"):
                check_stopped(stopped.result(), number, after_s)
    with trials("signal, files of other verbs", verb):
        assert not [path for path in tmp_path.rglob("*") if path.suffix in {".tmp", ".part"}]
        assert all(decoded_frames(path) > 0 for path in tmp_path.rglob("*.mp4"))


@contextmanager
def server(drip_s: float | None) -> Iterator[str]:
    """Serve a file of 90 MB one byte at a time, or no answer at all; yield the URL."""
    done = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            if drip_s is not None:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 90000000\r\n\r\n")
            while not done.wait(drip_s or 0.1):
                connection.sendall(b"\0" if drip_s is not None else b"")

    def accept(listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, args=(listening,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            done.set()
            listening.shutdown(socket.SHUT_RDWR)
            time.sleep(0.2)


@pytest.mark.parametrize("drip_s", [None, 0.02], ids=["silent", "drip"])
def test_a_signal_during_a_download(trials: Trials, drip_s: float | None, tmp_path: Path) -> None:
    moments = [(after_s, number) for after_s in (1.0, 2.0) for number in SIGNALS]
    with server(drip_s) as url:
        tries = [
            Try(
                ["-m", "fairmot_dla34", "weights", "download"],
                [moment],
                {"FAIRMOT_DLA34_MIRROR": url, "FAIRMOT_DLA34_HOME": str(tmp_path / f"{position}")},
            )
            for position, moment in enumerate(moments)
        ]
        with stopping(tries) as ended:
            for (after_s, number), stopped in zip(moments, ended, strict=True):
                with trials("signal, during a download", f"{number.name} after {after_s} s, byte every {drip_s} s"):
                    assert stopped.result().code == 128 + number, stopped.result()
                    check_stopped(stopped.result(), number, after_s)
    with trials("signal, files of a download"):
        assert not list(tmp_path.rglob("*.pdparams"))
