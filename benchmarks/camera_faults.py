"""Prints how a camera's reader gets over each fault of a real server on the loopback: the table in docs/cameras.md.

Run it with ``python benchmarks/camera_faults.py [--lasts SECONDS] [--rate FPS]``.
"""

from __future__ import annotations

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from faulty_camera import (
    DROPPED,
    GARBAGE,
    HANGING,
    REFUSING,
    RESIZED,
    SILENT,
    STOPPED,
    UNAUTHORIZED,
    FaultyCamera,
    MjpegCamera,
    RtspCamera,
    measure,
    wait_until,
)

from fairmot_dla34.cameras.camera import Camera
from fairmot_dla34.cameras.reader import CameraReader
from fairmot_dla34.cameras.watchdog import Limits

REPEATS = 3
STEADY_FRAMES = 60  # FFmpeg collects about 36 frames to measure the rate of an RTSP stream


@dataclass(frozen=True)
class Trial:
    """A fault to try.

    Attributes:
        title: Fault in the table.
        mode: Mode of the camera.
        lasts: Whether the fault lasts, or is over at once.
        starts_without: Whether the camera is off when the reader starts.
    """

    title: str
    mode: str
    lasts: bool = True
    starts_without: bool = False


TRIALS = [
    Trial("camera switched on later", STOPPED, starts_without=True),
    Trial("connection dropped", DROPPED, lasts=False),
    Trial("restart with another frame size", RESIZED, lasts=False),
    Trial("switched off, then on, same port", STOPPED),
    Trial("server refuses (RTSP: closes; HTTP: 503)", REFUSING),
    Trial("server silent, connection open", SILENT),
    Trial("garbage in place of images", GARBAGE),
    Trial("decoder hangs", HANGING, lasts=False),
]
KINDS: dict[str, type[FaultyCamera]] = {"RTSP": RtspCamera, "HTTP": MjpegCamera}


def row(trial: Trial, kind: str, *, rate: float, lasts_s: float) -> list[str]:
    """Return the row of a fault: the range of several trials at the same time."""
    fault_s = lasts_s if trial.lasts else 0.0
    with ThreadPoolExecutor(REPEATS) as pool:
        trials = [
            pool.submit(
                measure,
                KINDS[kind](rate),
                trial.mode,
                fault_s,
                limits=Limits(),
                starts_without=trial.starts_without,
                steady=STEADY_FRAMES,
            )
            for _ in range(REPEATS)
        ]
        found = [trial.result() for trial in trials]
    damaged = sum(recovery.watched.damaged for recovery in found)
    worst = max(found, key=lambda recovery: recovery.recovery_s)
    error = re.sub(r"(rtsp|http)://127\.0\.0\.1:\d+/live cannot be opened \((.*?)\);.*", r"\2", worst.error)
    if not error and worst.status.corrupt:
        error = "none; damaged frames are counted"
    return [
        trial.title,
        kind,
        f"{fault_s:g} s",
        error,
        _range([recovery.recovery_s for recovery in found]),
        "-" if trial.starts_without else _range([recovery.lost for recovery in found], digits=0),
        str(damaged),
    ]


def access_row(kind: str, rate: float) -> list[str]:
    """Return the row of a server that refuses user and password: the wait before the next attempt."""
    with KINDS[kind](rate) as server, CameraReader(Camera("door", server.url), print) as reader:
        server.set_mode(UNAUTHORIZED)
        reader.start()
        wait_until(lambda: reader.status().retry_in_s is not None)
        retry_s = reader.status().retry_in_s or 0.0
    return [
        "user or password refused (401)",
        kind,
        "until repaired",
        "refuses access",
        f"next attempt after {retry_s:.0f}",
        "-",
        "0",
    ]


def _range(values: Sequence[float], digits: int = 1) -> str:
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    return low if low == high else f"{low} to {high}"


def main() -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lasts", type=float, default=10.0, metavar="SECONDS", help="duration of faults that last")
    parser.add_argument("--rate", type=float, default=25.0, metavar="FPS", help="frame rate of the cameras")
    arguments = parser.parse_args()
    logging.getLogger("fairmot_dla34").setLevel(logging.ERROR)
    head = [
        "fault",
        "server",
        "lasts",
        "error in the status",
        "s to recover",
        "frames lost",
        "damaged frames delivered",
    ]
    print("|", " | ".join(head), "|")
    print("|", " | ".join("---" for _ in head), "|")
    for trial in TRIALS:
        for kind in KINDS:
            print("|", " | ".join(row(trial, kind, rate=arguments.rate, lasts_s=arguments.lasts)), "|", flush=True)
    for kind in KINDS:
        print("|", " | ".join(access_row(kind, arguments.rate)), "|")


if __name__ == "__main__":
    main()
