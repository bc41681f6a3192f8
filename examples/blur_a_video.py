"""Hides the heads of all people before a video is shared: python blur_a_video.py street.mp4 out."""

import sys

from fairmot_dla34 import Module

video, folder = sys.argv[1:]
with Module(weights="sample") as module:
    # No track has a score above 1, so boxes and ids are not drawn.
    summary = module.tracking(video, folder, draw_threshold=1.0, labels="none", anonymise="heads", overwrite=True)
print(f"{summary.frames} frames; watch them before you share them:")
for path in summary.paths:
    print(path)
