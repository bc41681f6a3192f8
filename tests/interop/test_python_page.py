"""The programs of docs/python.md run, and the Chinese page has the same ones."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from videos import walking_boxes

import fairmot_dla34
from fairmot_dla34 import FairMOT, FrameResult
from fairmot_dla34.backends.fake import FakeBackend

DOCS = Path(__file__).resolve().parents[2] / "docs"
PROGRAMS = re.findall(r"```python\n(.*?)\n```", (DOCS / "python.md").read_text("utf-8"), re.DOTALL)
FRAMES = 8


def test_both_pages_have_the_same_programs() -> None:
    chinese = (DOCS / "python.zh.md").read_text("utf-8")
    assert re.findall(r"```python\n(.*?)\n```", chinese, re.DOTALL) == PROGRAMS
    assert len(PROGRAMS) == 5


class UltralyticsModel:
    """Gives the results of a detector with the attributes that ultralytics' have."""

    def __init__(self, _weights: str) -> None:
        self._backend = FakeBackend()

    def __call__(self, image: NDArray[np.uint8]) -> list[Any]:
        peaks = self._backend.infer(image)
        classes = np.zeros(len(peaks))
        boxes = SimpleNamespace(xyxy=peaks.boxes, conf=peaks.scores, cls=classes, id=None)
        return [SimpleNamespace(names={0: "person"}, boxes=boxes, obb=None, masks=None)]


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with street.mp4, a model without a network, and a package with the names of ultralytics."""
    monkeypatch.chdir(tmp_path)
    writer = cv2.VideoWriter("street.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (320, 192))
    for image in walking_boxes(FRAMES):
        writer.write(image)
    writer.release()
    monkeypatch.setattr(fairmot_dla34, "FairMOT", lambda _weights: FairMOT.from_backend(FakeBackend()), raising=False)
    ultralytics = ModuleType("ultralytics")
    ultralytics.YOLO = UltralyticsModel  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ultralytics", ultralytics)


def run(number: int) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(PROGRAMS[number], names)  # noqa: S102 (a program of our own page)
    return names


def test_frames_with_results(street: None, tmp_path: Path) -> None:
    run(0)
    assert sorted(path.name for path in tmp_path.glob("*.jpg")) == [f"{index:06d}.jpg" for index in range(FRAMES)]


def test_a_loop_with_opencv(street: None, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(1)["result"]
    assert result.time_s == pytest.approx((FRAMES - 1) / 25)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == FRAMES
    assert all(line.startswith(f"{index} [1, 2") for index, line in enumerate(lines))  # a codec may blur out some more


def test_a_detector_of_ones_own(street: None, supervision: Any) -> None:
    names = run(2)
    assert names["names"][:2] == ["person 1", "person 2"]


def test_a_table(street: None, pandas: Any) -> None:
    names = run(3)
    assert names["people_per_frame"].min() >= 2
    assert names["seen_s"].loc[[1, 2]].to_numpy().tolist() == [[0, pytest.approx((FRAMES - 1) / 25)]] * 2


def test_results_as_json(street: None) -> None:
    results = run(4)["results"]
    assert results == list(FairMOT.from_backend(FakeBackend()).track("street.mp4"))
    assert all(isinstance(result, FrameResult) for result in results)
