"""Rules for the array names of ifzhang/FairMOT's networks besides DLA-34: HRNet and YOLOv5s.

The names were taken from ``src/lib/models/networks/pose_hrnet.py`` and ``src/lib/models/yolo.py``. A rule is a regular
expression for canonical names and its replacement; the first that fits is applied.
"""

from __future__ import annotations

HRNET = (
    (r"detector\.backbone\.(.*\.|)conv(\d)\.conv\.(weight)", r"\1conv\2.\3"),
    (r"detector\.backbone\.(.*\.|)conv(\d)\.norm\.(.*)", r"\1bn\2.\3"),
    (r"detector\.backbone\.(.*)\.conv\.(weight)", r"\1.0.\2"),
    (r"detector\.backbone\.(.*)\.norm\.(.*)", r"\1.1.\2"),
)
HRNET_MARK = "stage2.0.branches.0.0.conv1.weight"  # an array that only HRNet has

YOLOV5S = (
    (r"detector\.(?:backbone|neck)\.(.*)\.conv\.(weight)", r"backbone.model.\1.conv.\2"),
    (r"detector\.(?:backbone|neck)\.(.*)\.norm\.(.*)", r"backbone.model.\1.bn.\2"),
)
YOLOV5S_MARK = "backbone.model.0.conv.conv.weight"  # an array that only YOLOv5s has
