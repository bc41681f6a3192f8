"""Runs one camera of `watch` for 30 simulated days and prints memory, threads, descriptors and disk use of each day.

    python benchmarks/watch_soak.py [--days 30] [--interval 60] [--bursts 24] [--segment hour] [--keep 2d,50MB]

The clock is simulated, so a month takes some minutes. The reader with its state machine, the association, the outputs
in parts (text, JSON Lines, video with covered people, crops, analytics) and the deletion of old parts are real. The
camera fails four times a day in seven ways (`FAULTS`), changes its size, and is away for hours; its wall clock is set
back and forth; and the disk is full once a week. Only the network is not run: detections are made up.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path

from soak_camera import FAULTS, RATE, People, SoakCamera, SoakClock

from fairmot_dla34.analytics import AnalyticsConfig, Line
from fairmot_dla34.analytics.plan import AnalyticsPlan
from fairmot_dla34.association import Tracker, TrackerConfig
from fairmot_dla34.cameras import CameraResult, Keep, PartWriter, Segment
from fairmot_dla34.tracking.options import OutputOptions
from fairmot_dla34.values import FrameResult

DAY_S = 86_400.0
_FULL_DISK_BYTES = 600  # no file grows beyond


@dataclass(frozen=True)
class Day:
    """Figures at the end of one day.

    Attributes:
        day: Number of the day, from 1.
        rss_mb: Resident memory, MB.
        objects: Objects of Python that the garbage collector knows.
        threads: Threads of the process.
        descriptors: Open file descriptors.
        disk_mb: Size of all files in the output directory, MB.
        files: Number of these files.
        frames: Frames since the start.
        ids: Ids of tracks given since the start.
        reconnects: Connections after the first.
    """

    day: int
    rss_mb: float
    objects: int
    threads: int
    descriptors: int
    disk_mb: float
    files: int
    frames: int
    ids: int
    reconnects: int


@dataclass(frozen=True)
class Plan:
    """Size of a soak.

    Attributes:
        days: Simulated days.
        interval_s: Seconds between two frames outside the bursts.
        bursts: Bursts a day, at the full frame rate.
        burst_frames: Frames in a burst.
        faults: Faults a day, at most one after each burst.
        longest_away_s: Longest time for which the camera refuses connections.
        segment: Length of the parts.
        keep: Limits after which old parts are deleted.
    """

    days: int = 30
    interval_s: float = 60.0
    bursts: int = 24
    burst_frames: int = 20
    faults: int = 4
    longest_away_s: float = 7200.0
    segment: str = "hour"
    keep: str = "2d,50MB"


def soak(output_dir: Path, plan: Plan) -> Iterator[Day]:
    """Run the soak in a directory; yield the figures of each day."""
    clock, people = SoakClock(), People()
    camera = SoakCamera(clock, plan.interval_s)
    tracker = Tracker(TrackerConfig(reid_buffer_s=60.0), frame_rate=RATE)
    options = OutputOptions(
        output_dir=output_dir,
        formats=("mot", "jsonl"),
        anonymise="heads",
        fill_gaps=3,
        analytics=AnalyticsPlan(AnalyticsConfig(lines=(Line("door", (0, 30), (96, 30)),))),
    )
    writer = PartWriter("door", options, segment=Segment.parse(plan.segment), keep=Keep.parse(plan.keep), clock=clock)
    frames = ids = 0

    def take(after_s: float) -> None:
        nonlocal frames, ids
        item = camera.frame(after_s)
        detections = people.detections(item.frame)
        tracks = tracker.update(detections, item.frame.time_s)
        ids = max((ids, *(track.track_id for track in tracks)))
        result = FrameResult(item.frame.index, item.frame.time_s, tracks)
        writer.write(
            CameraResult(
                item.camera, item.frame, result, item.wall_time, detections, item.connection, item.frame_rate, 0.0
            )
        )
        frames += 1

    faults = cycle(FAULTS)
    for day in range(1, plan.days + 1):
        for burst in range(plan.bursts):
            quarter = 4 * burst // plan.bursts
            end_s = (day - 1 + (burst + 1) / plan.bursts) * DAY_S
            with full_disk(active=day % 7 == 0 and quarter == 1):
                for number in range(plan.burst_frames):
                    if number % (plan.burst_frames // 2) == 0:
                        people.change()
                    take(1 / RATE)
            if burst * 4 % plan.bursts == 0:
                set_clock(clock, day, quarter)
            if burst * plan.faults % plan.bursts < plan.faults:
                fault = next(faults)
                camera.fault(replace(fault, away_s=min(fault.away_s, plan.longest_away_s)), writer.idle)
            while clock.seconds + plan.interval_s < end_s:
                people.change()
                take(plan.interval_s)
        yield measured(day, output_dir, frames, ids, camera.reader.status().reconnects)
    camera.close()
    writer.close()


def set_clock(clock: SoakClock, day: int, quarter: int) -> None:
    """Set the wall clock: back by two seconds each day, and forward by three hours for a part of each fifth day."""
    if quarter == 0:
        clock.offset_s -= 2.0
    if day % 5 == 0 and quarter in {1, 2}:
        clock.offset_s += 10_800.0 if quarter == 1 else -10_800.0


@contextmanager
def full_disk(*, active: bool) -> Iterator[None]:
    """Let no file grow, as on a full disk, where the system has such a limit."""
    if not active or os.name == "nt":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FULL_DISK_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def measured(day: int, output_dir: Path, frames: int, ids: int, reconnects: int) -> Day:
    """Return the figures of this process and of the outputs."""
    gc.collect()
    sizes = [path.stat().st_size for path in output_dir.rglob("*") if path.is_file()]
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1]) if Path("/proc/self/statm").exists() else 0
    descriptors = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    return Day(
        day,
        pages * 4096 / 1e6,
        len(gc.get_objects()),
        threading.active_count(),
        descriptors,
        sum(sizes) / 1e6,
        len(sizes),
        frames,
        ids,
        reconnects,
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=Plan.days)
    parser.add_argument("--interval", type=float, default=Plan.interval_s)
    parser.add_argument("--bursts", type=int, default=Plan.bursts)
    parser.add_argument("--segment", default=Plan.segment)
    parser.add_argument("--keep", default=Plan.keep)
    given = parser.parse_args()
    plan = Plan(given.days, given.interval, given.bursts, segment=given.segment, keep=given.keep)
    logging.disable(logging.CRITICAL)
    started_s = time.perf_counter()
    print("| day | memory, MB | objects | threads | descriptors | disk, MB | files | frames | ids | reconnects |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for day in soak(Path(folder), plan):
            process = f"{day.rss_mb:.1f} | {day.objects} | {day.threads} | {day.descriptors}"
            written = f"{day.disk_mb:.2f} | {day.files} | {day.frames} | {day.ids} | {day.reconnects}"
            print(f"| {day.day} | {process} | {written} |", flush=True)
    print(f"{time.perf_counter() - started_s:.0f} s")


if __name__ == "__main__":
    main()
