"""Reader of Label Studio's corrected timelines: keyframes, lifespans, frame rates, and files that must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from label_trees import boxes_of, counts, images_of, read, write_json
from track_files import FRAMES, OUTSIDE, RATE, TRUTH, clipped, video, write_results

from fairmot_dla34.datasets.formats.reading import DropReport
from fairmot_dla34.errors import DatasetError
from fairmot_dla34.interchange import export_tracks


def key(frame: int, x: float = 10.0, *, enabled: bool = True) -> dict[str, Any]:
    return {"frame": frame, "x": x, "y": 10, "width": 20, "height": 50, "enabled": enabled, "rotation": 0}


def region(*keys: dict[str, Any], label: str | None = "person", frames: int = FRAMES) -> dict[str, Any]:
    value = {"sequence": list(keys), "framesCount": frames, "duration": frames / RATE}
    return {"type": "videorectangle", "value": value | ({"labels": [label]} if label else {})}


def task(*regions: dict[str, Any], video_url: str = "/data/upload/1/0a1b2c3d-street.mp4") -> dict[str, Any]:
    return {"id": 1, "data": {"video": video_url}, "annotations": [{"result": list(regions)}]}


def test_an_export_comes_back_as_it_was(street: Path, tmp_path: Path) -> None:
    results = write_results(tmp_path, ".jsonl")
    export_tracks(results, "labelstudio", source=street / "street.mp4", output=tmp_path / "a.json")
    tasks = json.loads((tmp_path / "a.json").read_text("utf-8"))
    for item in tasks:  # as after "submit" and export
        item["annotations"] = item.pop("predictions")
    write_json(street / "project-1.json", tasks)
    (sequence,) = read("labelstudio", street)
    expected = {key: clipped(box) for key, box in TRUTH.items() if key not in OUTSIDE}
    assert sum(len(image.labels) for image in sequence.images) == len(expected)
    identities: dict[int, int] = {}
    for (frame, number), corners in sorted(expected.items()):
        labels = sequence.images[frame - 1].labels
        distances = np.abs(labels.boxes - np.array(corners)).max(axis=1)
        assert distances.min() <= 0.52, (frame, number)
        identity = int(labels.ids[distances.argmin()])
        assert identities.setdefault(number, identity) == identity
    assert len(set(identities.values())) == len(identities)


def test_a_keyframe_that_is_not_enabled_is_the_last_one_shown(street: Path) -> None:
    regions = (
        region(key(3, 10), key(5, 20, enabled=False), key(9, 30, enabled=False)),
        region(key(FRAMES - 1, 5)),
    )
    write_json(street / "a.json", [task(*regions)])
    boxes = boxes_of(read("labelstudio", street))
    lefts = [(frame, round(float(corners[0]), 3)) for frame, found in enumerate(boxes, 1) for corners in found]
    assert lefts == [(3, 16), (4, 24), (5, 32), (9, 48), (FRAMES - 1, 8), (FRAMES, 8)]  # the last one stays to the end


@pytest.mark.parametrize(
    "url",
    ["s3://bucket/x/street.mp4", "/data/local-files/?d=videos%2Fstreet.mp4", "C:\\v\\street.mp4", "street.mp4?x=1"],
)
def test_the_video_is_found_by_its_name(url: str, street: Path) -> None:
    video(street, "other.mp4", frames=5)
    write_json(street / "a.json", [task(region(key(FRAMES)), video_url=url)])
    assert len(read("labelstudio", street)[0].images) == FRAMES


def test_what_is_left_out_is_counted(street: Path) -> None:
    turned = key(4) | {"rotation": 10}
    result = {"type": "choices", "value": {"choices": ["night"]}}
    tasks = [
        task(region(key(1, enabled=False)), region(turned), region(key(2), label=None), result),
        {"data": {"video": "street.mp4"}, "annotations": [{"was_cancelled": True, "result": []}]},
        {"data": {"video": "street.mp4"}, "predictions": [{"result": []}], "annotations": []},
    ]
    write_json(street / "a.json", tasks)
    report = DropReport()
    assert [len(image.labels) for image in images_of(read("labelstudio", street, report))][:4] == [1, 0, 0, 0]
    assert counts(report) == {"tasks without annotation": 2, "rotated boxes": 1, "regions without a label": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ({}, "expected a list of objects"),
        ([{"video": "a.mp4", "box": []}], "not JSON-MIN"),
        ([{"data": {"video": "a.mp4"}, "predictions": [{}]}], "no task with an annotation"),
        ([task() | {"annotations": [{"result": []}, {"result": []}]}], "2 annotations; expected one"),
        ([task(region(key(1), frames=19200))], "frameRate"),
        ([task(region(key(0)))], "frame 0; expected a whole number from 1"),
        ([task(region(key(1), key(1)))], "frame 1 twice"),
        ([task(region(key(21)))], "beyond the 20 frames"),
        ([task(region(key(1, 1e9)))], "expected x, y, width, height in per cent"),
        ([task(region(key(1) | {"width": -1}))], "in per cent"),
        ([task(region(key(1) | {"x": "1"}))], "in per cent"),
        ([task({"type": "videorectangle", "value": {"sequence": 3}})], "expected a list of keyframes"),
        ([task(region(key(1)), video_url="other.mp4"), task(video_url="b.mp4")], "none clearly that of"),
        ([task()], "no box to train on"),
    ],
)  # fmt: skip
def test_files_that_are_refused(content: Any, message: str, street: Path) -> None:
    (street / "a.json").write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(DatasetError, match=message):
        read("labelstudio", street)


def test_a_project_of_a_wrong_frame_rate_is_refused(street: Path) -> None:
    """Label Studio's default of 24 frames/s shifts the boxes of a video with 25."""
    frames = round(FRAMES * 24 / 25) - 3
    item = region(key(1), frames=frames)
    item["value"]["duration"] = frames / 24
    write_json(street / "a.json", [task(item)])
    with pytest.raises(DatasetError, match='has 20 at 25 frames/s; expected this video, and frameRate="25"'):
        read("labelstudio", street)
