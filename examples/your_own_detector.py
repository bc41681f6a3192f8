"""Tracks what another detector finds, here whatever moves: python your_own_detector.py street.mp4."""

import sys

import cv2
import numpy as np

from fairmot_dla34 import Detections, Tracker

capture = cv2.VideoCapture(sys.argv[1])
tracker = Tracker(frame_rate=capture.get(cv2.CAP_PROP_FPS))
background = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
while True:
    ok, image = capture.read()
    if not ok:
        break
    moving = cv2.morphologyEx(background.apply(image), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    stats = cv2.connectedComponentsWithStats(moving)[2]
    left, top, width, height, pixels = stats[1:].T  # the first component is the background
    boxes = np.stack([left, top, left + width, top + height], axis=1)[pixels > 200]
    tracks = tracker.update(Detections(boxes.astype(np.float32), np.full(len(boxes), 0.9, np.float32)))
    print([(track.track_id, [round(float(value)) for value in track.box]) for track in tracks])
