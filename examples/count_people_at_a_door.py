"""Counts people who cross a line: python count_people_at_a_door.py shop.mp4 door:100,400,500,400."""

import sys

from fairmot_dla34 import FairMOT
from fairmot_dla34.analytics import Analysis, AnalyticsConfig, Crossing
from fairmot_dla34.video import open_source

video, text = sys.argv[1:]
line = AnalyticsConfig.parse_line(text)
analysis = None
with open_source(video) as source, FairMOT("sample") as model:
    for frame, result in model.track(source, with_frames=True):
        if analysis is None:
            height, width = frame.image.shape[:2]
            analysis = Analysis(AnalyticsConfig(lines=(line,)), (width, height), source.frame_rate)
        for event in analysis.update(result):
            if isinstance(event, Crossing):
                print(f"{event.time_s:.1f} s: person {event.track_id} went {event.direction}", flush=True)
if analysis:
    analysis.finish()  # also counts people who disappeared at the line
    for direction, number in analysis.summary().lines[line.name].crossings.items():
        print(f"{line.name} {direction}: {number}")
