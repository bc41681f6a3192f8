"""Reads sources in a process of its own and prints one JSON line for each: what a trial must know."""

from __future__ import annotations

import json
import math
import sys
import time
import traceback

import numpy as np

from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.video import open_source

for spec in sys.argv[1:]:
    report: dict[str, object] = {"source": spec, "frames": 0, "error": "", "wrong": "", "traceback": ""}
    start_s = time.monotonic()
    try:
        with open_source(spec) as source:
            last_index, last_s = -1, -1.0
            for frame in source:
                if frame.index <= last_index or not math.isfinite(frame.time_s) or frame.time_s <= last_s:
                    report["wrong"] = f"frame {frame.index} at {frame.time_s} s follows {last_index} at {last_s} s"
                if frame.image.dtype != np.uint8 or frame.image.ndim != 3:
                    report["wrong"] = f"frame {frame.index} has shape {frame.image.shape}"
                last_index, last_s = frame.index, frame.time_s
                report["frames"] = int(str(report["frames"])) + 1
            if not 0 < source.frame_rate <= 1000:
                report["wrong"] = f"{source.frame_rate} frames/s"
            report.update(skipped=source.frames_skipped, truncated=source.truncated, ended=source.ended)
    except FairMOTError as error:
        report["error"] = str(error)
        if len(str(error)) > 300 or not str(error).isprintable():
            report["wrong"] = f"message {error}"
    except Exception:  # noqa: BLE001 (a user would see its traceback)
        report["traceback"] = traceback.format_exc()
    report["seconds"] = time.monotonic() - start_s
    print(json.dumps(report), flush=True)
