"""Comparison of the tracker with PaddleDetection's JDETracker, frame by frame: equal tracks, order and boxes.

A user of PaddleDetection who changes to this package must get the same tracks. Ids are mapped one to one over the whole
run, because only tracks that are reported use up an id here. Both sides compute in float32 with
different orders of summation, so boxes may differ by rounding: at most 0.001 px is accepted. The largest difference
measured is 0.00025 px, on coordinates above 1000 px.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fairmot_dla34.association import Tracker
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.values import Detections

pytestmark = [pytest.mark.paddle, pytest.mark.filterwarnings("default")]

BOX_TOLERANCE_PX = 1e-3
SEQUENCES = ("02", "04", "05", "09", "10", "11", "13")
BYTE_ON_MOT17 = TrackerConfig(method="byte", conf_thres=0.6, low_conf_thres=0.1, match_thres=0.9, min_box_area=100)


@dataclass
class Comparison:
    """Counts of a comparison, and the largest difference of a box."""

    frames: int = 0
    tracks: int = 0
    ids: int = 0
    box_px: float = 0.0


class Reference:
    """JDETracker, followed by the filter of ``_eval_seq_jde``."""

    def __init__(self, config: TrackerConfig, frame_rate: float, num_classes: int = 1) -> None:
        ppdet_tracker = pytest.importorskip("ppdet.modeling.mot.tracker", exc_type=ImportError)
        assert config.method in {"jde", "byte"}, "the methods of JDETracker"
        conf_thres, low_conf_thres = config.score_thresholds
        self.tracker = ppdet_tracker.JDETracker(
            use_byte=config.method == "byte",
            num_classes=num_classes,
            det_thresh=config.det_thresh,
            track_buffer=30,
            min_box_area=config.smallest_area,
            vertical_ratio=config.vertical_ratio,
            tracked_thresh=config.tracked_thresh,
            r_tracked_thresh=config.r_tracked_thresh,
            unconfirmed_thresh=config.unconfirmed_thresh,
            conf_thres=conf_thres,
            match_thres=config.match_thres,
            low_conf_thres=low_conf_thres,
            metric_type="cosine",
        )
        assert config.buffer_s == 1.0, "track_buffer=30 at 30 frames/s is one second"
        self.tracker.max_time_lost = int(frame_rate / 30.0 * self.tracker.track_buffer)

    def update(self, detections: Detections) -> list[tuple[int, int, NDArray[np.float64]]]:
        """Return (class, id, xyxy) of every reported track."""
        classes = np.zeros(len(detections)) if detections.class_ids is None else detections.class_ids
        rows = np.column_stack([classes, detections.scores, detections.boxes]).astype(np.float32)
        embeddings = None if detections.embeddings is None else detections.embeddings.copy()
        by_class = self.tracker.update(rows, embeddings)
        reported = []
        for class_id in range(self.tracker.num_classes):
            for track in by_class[class_id]:
                _, _, width, height = track.tlwh
                if width * height <= self.tracker.min_box_area:
                    continue
                if self.tracker.vertical_ratio > 0 and width / height > self.tracker.vertical_ratio:
                    continue
                reported.append((class_id, track.track_id, track.tlbr))
        return reported


def compare(frames: list[Detections], config: TrackerConfig, frame_rate: float, *, num_classes: int = 1) -> Comparison:
    """Run both trackers; their ids are mapped one to one over the whole run. Own ids are 1, 2, 3, ... as reported."""
    tracker, reference = Tracker(config, frame_rate=frame_rate), Reference(config, frame_rate, num_classes)
    found = Comparison()
    own_ids: dict[tuple[int, int], int] = {}  # by class and id of the reference
    for index, detections in enumerate(frames):
        tracks = tracker.update(detections)
        new = {track.track_id for track in tracks} - set(own_ids.values())
        assert [track.track_id for track in tracks if track.track_id in new] == [
            len(own_ids) + position for position in range(1, len(new) + 1)
        ], f"frame {index}"
        own = sorted(tracks, key=lambda track: track.class_id)
        reported = reference.update(detections)
        assert len(own) == len(reported), f"frame {index}"
        keys = [(class_id, track_id) for class_id, track_id, _ in reported]
        expected = [own_ids.setdefault(key, track.track_id) for key, track in zip(keys, own, strict=True)]
        assert [track.track_id for track in own] == expected, f"frame {index}"
        assert len(set(own_ids.values())) == len(own_ids), f"frame {index}"
        for track, (class_id, _, box) in zip(own, reported, strict=True):
            assert track.class_id == class_id
            found.box_px = max(found.box_px, float(np.abs(np.subtract(track.box, box)).max()))
        found.frames += 1
        found.tracks += len(own)
        found.ids = max([found.ids, *(track.track_id for track in own)])
    assert found.tracks > 0
    assert found.box_px <= BOX_TOLERANCE_PX
    return found


def mot17(test_data: Path, name: str) -> tuple[list[Detections], float]:
    """Return the public detections of every frame, and the frame rate."""
    info = configparser.ConfigParser()
    info.read(test_data / "MOT17" / "seqinfo" / f"MOT17-{name}.ini")
    sequence = info["Sequence"]
    table = np.loadtxt(test_data / "MOT17" / "det" / f"MOT17-{name}.txt", delimiter=",")
    boxes = table[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    frames = []
    for frame in range(1, int(sequence["seqLength"]) + 1):
        in_frame = table[:, 0] == frame
        frames.append(Detections(boxes[in_frame], table[in_frame, 6]))
    return frames, float(sequence["frameRate"])


@pytest.mark.parametrize("config", [BYTE_ON_MOT17, TrackerConfig(method="byte")], ids=["mot17", "default"])
@pytest.mark.parametrize("name", SEQUENCES)
def test_byte_gives_equal_tracks_on_mot17(test_data: Path, name: str, config: TrackerConfig) -> None:
    frames, frame_rate = mot17(test_data, name)
    compare(frames, config, frame_rate)


@pytest.mark.parametrize("method", ["jde", "byte"])
def test_equal_tracks_on_detections_of_the_network(pets_detections: list[Detections], method: str) -> None:
    assert len(pets_detections) == 235
    compare(pets_detections, TrackerConfig(method=method), frame_rate=10.0)


@pytest.mark.parametrize("method", ["jde", "byte"])
@pytest.mark.parametrize("seed", [0, 1])
def test_equal_tracks_on_noisy_annotation(test_data: Path, method: str, seed: int) -> None:
    """Track annotated boxes with jitter, misses, false alarms, empty frames and an embedding per person."""
    rng = np.random.default_rng(seed)
    table = np.loadtxt(test_data / "PETS09-S2L1" / "gt_480x360.txt", delimiter=",")
    embeddings = unit(rng.normal(size=(int(table[:, 1].max()) + 1, 128)))
    frames = []
    for frame in range(1, 796):
        rows = table[(table[:, 0] == frame) & (rng.random(len(table)) > 0.15)]
        if rng.random() < 0.03:
            rows = rows[:0]
        frames.append(noisy(rng, rows[:, 2:6], embeddings[rows[:, 1].astype(int)], (480, 360)))
    compare(frames, TrackerConfig(method=method), frame_rate=10.0)


@pytest.mark.parametrize(("method", "embeddings"), [("jde", True), ("byte", True), ("byte", False)])
@pytest.mark.parametrize("seed", range(4))
def test_equal_tracks_in_a_random_crowd(method: str, seed: int, embeddings: bool) -> None:
    """People cross, are hidden for longer than the lost buffer and return, at several frame rates."""
    config = TrackerConfig(method=method, conf_thres=(0.4, 0.5, 0.3, 0.6)[seed])
    compare(crowd(seed, people=40, frames=300, embeddings=embeddings), config, frame_rate=(30, 12.5, 5, 59.94)[seed])


@pytest.mark.parametrize("method", ["jde", "byte"])
def test_equal_tracks_of_several_classes(method: str) -> None:
    """PaddleDetection tracks each class separately and counts ids per class; here ids are unique in the tracker."""
    frames = crowd(7, people=30, frames=200, embeddings=True, classes=3)
    compare(frames, TrackerConfig(method=method), frame_rate=10.0, num_classes=3)


def crowd(seed: int, *, people: int, frames: int, embeddings: bool, classes: int = 0) -> list[Detections]:
    """Return detections of people who walk at random and are hidden at times, in 1280 x 720 px."""
    rng = np.random.default_rng(seed)
    position = rng.uniform((0, 0), (1280, 720), (people, 2))
    velocity = rng.normal(0, 3, (people, 2))
    size = np.column_stack([rng.uniform(15, 60, people), rng.uniform(40, 150, people)])
    person_embeddings = unit(rng.normal(size=(people, 64)))
    person_classes = rng.integers(0, max(classes, 1), people)
    visible, found_in_frames = np.ones(people, bool), []
    for _ in range(frames):
        velocity += rng.normal(0, 0.5, velocity.shape)
        position = (position + velocity) % (1280, 720)
        visible ^= rng.random(people) < np.where(visible, 0.03, 0.08)
        detected = np.flatnonzero(visible & (rng.random(people) > 0.05))
        found = noisy(rng, np.column_stack([position, size])[detected], person_embeddings[detected], (1280, 720))
        if classes:
            class_ids = np.concatenate([person_classes[detected], rng.integers(0, classes, len(found) - len(detected))])
            found = replace(found, class_ids=class_ids)
        found_in_frames.append(found if embeddings else replace(found, embeddings=None))
    return found_in_frames


def noisy(
    rng: np.random.Generator,
    tlwh: NDArray[np.float64],
    embeddings: NDArray[np.float64],
    extent: tuple[int, int],
) -> Detections:
    """Return noisy detections of people at ``tlwh``, then a few false alarms."""
    alarms = rng.poisson(2)
    corners = rng.uniform((0, 0), extent, (alarms, 2))
    boxes = np.concatenate([tlwh, np.column_stack([corners, rng.uniform(10, 80, (alarms, 2))])])
    boxes = boxes + rng.normal(0, 0.03, boxes.shape) * np.tile(boxes[:, 2:], 2)
    boxes[:, 2:] = boxes[:, :2] + np.maximum(boxes[:, 2:], 1)
    embeddings = np.concatenate([embeddings, unit(rng.normal(size=(alarms, embeddings.shape[1])))])
    embeddings = unit(embeddings + rng.normal(0, 0.06, embeddings.shape)) * rng.uniform(0.5, 3)
    return Detections(boxes, rng.beta(4, 2, len(boxes)), embeddings)


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    normalised: NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return normalised
