"""Calls a function for each frame of a camera, with the newest frame: python live_camera.py 0, or an rtsp:// URL."""

import sys
from collections.abc import Callable

from fairmot_dla34 import FairMOT, Frame, FrameResult


def watch(camera: str, callback: Callable[[Frame, FrameResult], None]) -> None:
    """Track people until the camera ends or Ctrl-C; frames that the network is too slow for are left out."""
    with FairMOT("sample") as model:
        for frame, result in model.track(camera, with_frames=True, newest_frame=True):
            callback(frame, result)


def show_people(frame: Frame, result: FrameResult) -> None:
    """Print who is there; save frame.image, ring a bell or send a message here."""
    height, width = frame.image.shape[:2]
    print(f"{result.time_s:8.2f} s, {width}x{height}: {[track.track_id for track in result.tracks]}", flush=True)


try:
    watch(sys.argv[1], show_people)
except KeyboardInterrupt:
    print("Ended.")
