"""The network gives the peaks of PaddleDetection on real frames, so that its checkpoints can be used unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from networks import Request, write_checkpoint, write_random_checkpoint
from numpy.typing import NDArray
from parity.peaks_match import Difference, compare

from fairmot_dla34.backends.selfcheck import INPUT_SIZE, KNOWN_ANSWER, best_peaks, random_checkpoint, selfcheck_image
from fairmot_dla34.config import InputSize
from fairmot_dla34.geometry import Letterbox
from fairmot_dla34.values import Peaks
from fairmot_dla34.video import open_source
from fairmot_dla34.weights import load_checkpoint, resolve_weights

pytestmark = pytest.mark.paddle

PETS_FRAMES, TUD_FRAMES = range(0, 795, 57), range(0, 71, 12)  # 14 + 6


@pytest.fixture(scope="module")
def real_frames(test_data: Path) -> list[NDArray[np.uint8]]:
    pets = _images(test_data / "PETS09-S2L1" / "vtest_480x360.avi", PETS_FRAMES)
    return [*pets, *_images(test_data / "TUD-Campus" / "img1", TUD_FRAMES)]


@pytest.mark.filterwarnings("default")
def test_trained_weights_give_the_same_peaks(real_frames: list[NDArray[np.uint8]], real_weights: Path) -> None:
    worst = _worst(real_frames, real_weights, InputSize(1088, 608))
    print(f"\ntrained weights, {len(real_frames)} frames at 1088x608: {worst}")
    assert len(real_frames) >= 20
    assert worst.peaks > 100
    _assert_equal(worst)


@pytest.mark.filterwarnings("default")
def test_the_sample_weights_give_the_same_peaks(real_frames: list[NDArray[np.uint8]]) -> None:
    worst = _worst(real_frames[:1], resolve_weights("sample"), InputSize(1088, 608))
    print(f"\nsample weights, one frame at 1088x608: {worst}")
    assert worst.peaks > 0
    _assert_equal(worst)


@pytest.mark.filterwarnings("default")
def test_random_offsets_beyond_the_image_give_the_same_peaks(
    real_frames: list[NDArray[np.uint8]], real_weights: Path, tmp_path: Path
) -> None:
    """Trained offsets are small and would hide a swapped axis or a wrong rule at the border."""
    arrays = dict(load_checkpoint(real_weights).arrays)
    generator = np.random.default_rng(5)
    for name, array in arrays.items():
        if "conv_offset.weight" in name:
            arrays[name] = generator.normal(0, 0.25 / np.sqrt(array[0].size), array.shape).astype(np.float32)
        elif "conv_offset.bias" in name:
            arrays[name] = generator.uniform(-3, 3, array.shape).astype(np.float32)
    path = write_checkpoint(tmp_path / "random_offsets.npz", arrays)
    worst = _worst(real_frames, path, InputSize(576, 320))
    print(f"\nrandom offsets, {len(real_frames)} frames at 576x320: {worst}")
    assert worst.peaks > 100
    _assert_equal(worst)


@pytest.mark.filterwarnings("default")
def test_the_known_answer_of_the_self_check_comes_from_paddledetection(tmp_path: Path) -> None:
    backend = Request(write_random_checkpoint(tmp_path), INPUT_SIZE, "fp32").load("paddledet")
    assert np.abs(best_peaks(backend.infer(selfcheck_image())) - KNOWN_ANSWER).max() < 5e-4


@pytest.mark.filterwarnings("default")
def test_a_small_input_with_several_classes_gives_the_same_peaks(tmp_path: Path) -> None:
    """The heatmap has three classes and fewer cells than the 500 peaks that PaddleDetection extracts."""
    arrays = dict(random_checkpoint().arrays)
    weight, bias = arrays["detector.head.heatmap.2.conv.weight"], arrays["detector.head.heatmap.2.conv.bias"]
    arrays["detector.head.heatmap.2.conv.weight"] = np.concatenate([weight, -weight, weight[:, ::-1]])
    arrays["detector.head.heatmap.2.conv.bias"] = np.concatenate([bias] * 3)
    weights = write_checkpoint(tmp_path / "three_classes.npz", arrays)
    image = selfcheck_image()[:64, :96]
    request = Request(weights, InputSize(96, 64), "fp32")
    ours, theirs = (request.load(name).infer(image) for name in ("openvino", "paddledet"))
    for class_id in range(3):
        found = compare(_of_class(ours, class_id), _of_class(theirs, class_id))
        assert found.peaks > 10
        assert (found.unpaired, found.box_px < 0.01, found.score < 1e-5) == (0, True, True), found


def _of_class(peaks: Peaks, class_id: int) -> Peaks:
    assert peaks.embeddings is not None
    assert peaks.class_ids is not None
    rows = np.flatnonzero(peaks.class_ids == class_id)
    return Peaks(peaks.boxes[rows], peaks.scores[rows], peaks.embeddings[rows], peaks.class_ids[rows])


def _assert_equal(worst: Difference) -> None:
    assert worst.unpaired == 0, worst
    assert worst.box_px <= 0.01, worst
    assert worst.score <= 1e-5, worst
    assert worst.cosine >= 0.99999, worst


def _worst(frames: list[NDArray[np.uint8]], weights: Path, size: InputSize) -> Difference:
    """Return the largest differences between OpenVINO and PaddleDetection over frames."""
    request = Request(weights, size, "fp32")
    ours, reference = request.load("openvino"), request.load("paddledet")
    found = []
    for frame in frames:
        image = Letterbox(frame.shape[1], frame.shape[0], size).apply(frame)
        found.append(compare(ours.infer(image), reference.infer(image)))
    return Difference(
        peaks=sum(difference.peaks for difference in found),
        unpaired=sum(difference.unpaired for difference in found),
        box_px=max(difference.box_px for difference in found),
        score=max(difference.score for difference in found),
        cosine=min(difference.cosine for difference in found),
    )


def _images(source: Path, indices: range) -> Iterator[NDArray[np.uint8]]:
    with open_source(source) as frames:
        for frame in islice(frames, indices.start, indices.stop, indices.step):
            yield frame.image
