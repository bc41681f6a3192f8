"""Scores of the sample weights on frames not used in training: the figures of the README, in fp32 and in bf16."""

from __future__ import annotations

from pathlib import Path

import accuracy
import pytest
from parts import real_parts

from fairmot_dla34 import Detections, TrackerConfig
from fairmot_dla34.evaluation import Scores

pytest.importorskip("trackeval", reason="TRACKEVAL ABSENT: pip install '.[eval]'")

pytestmark = pytest.mark.slow


def scores(held_out: list[Detections], data: Path, tmp_path: Path) -> Scores:
    part = real_parts(data)[0]
    accuracy.write(tmp_path / "results.txt", accuracy.track(part, held_out, TrackerConfig(method="auto")))
    return accuracy.score(part, tmp_path / "results.txt")


def test_fp32_reaches_the_published_scores(pets_detections: list[Detections], test_data: Path, tmp_path: Path) -> None:
    """Compare with figures measured in bf16; releases of decoders and of OpenCV change them by some tenths."""
    found = scores(pets_detections, test_data, tmp_path)
    assert found.mota == pytest.approx(90.0, abs=1.0)
    assert found.idf1 == pytest.approx(93.0, abs=1.5)
    assert found.hota == pytest.approx(68.1, abs=1.5)


def test_bf16_costs_at_most_three_tenths_of_mota(
    pets_detections: list[Detections], pets_detections_bf16: list[Detections], test_data: Path, tmp_path: Path
) -> None:
    fp32 = scores(pets_detections, test_data, tmp_path).mota
    bf16 = scores(pets_detections_bf16, test_data, tmp_path).mota
    print(f"\nMOTA fp32 {fp32:.2f}, bf16 {bf16:.2f}")
    assert abs(fp32 - bf16) <= 0.3
