"""FairMOT HRNetV2-W18 gives the peaks and tracks of PaddleDetection, so that its checkpoints can be used unchanged.

No trained weights are at hand: the weights and the statistics of the norms are random.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from networks import Request, write_checkpoint
from numpy.typing import NDArray
from paddle_fairmot import arrays_of, build_model, set_arrays
from parity.peaks_match import Difference, compare
from parity.test_association_parity import Reference

from fairmot_dla34.architectures import HeadSizes, find_architecture
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.association import Tracker
from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.backends import Backend
from fairmot_dla34.backends.selfcheck import random_checkpoint
from fairmot_dla34.config import InputSize
from fairmot_dla34.geometry import Letterbox
from fairmot_dla34.values import Detections, Peaks
from fairmot_dla34.video import open_source

pytestmark = [pytest.mark.paddle, pytest.mark.filterwarnings("default")]

SIZE = InputSize(320, 192)
HEATMAP = "detector.head.heatmap.2.conv"


def random_arrays(seed: int, sizes: HeadSizes | None = None) -> Arrays:
    """Return random weights and statistics of norms that give boxes of a person's size.

    Norms before a residual sum are small, so that the sums of 40 blocks stay near 1.
    """
    arrays = dict(random_checkpoint(seed, architecture=find_architecture("hrnetv2_w18"), sizes=sizes).arrays)
    rng = np.random.default_rng(seed)
    for name, array in arrays.items():
        if name.endswith(".norm.weight"):
            summed = re.search(r"fuse_func|conv_down|la1.*conv3|branch_layer.*conv2", name)
            arrays[name] = rng.uniform(0.8, 1.2, array.shape).astype(np.float32) * np.float32(0.2 if summed else 1)
        elif name.endswith("._variance"):
            arrays[name] = rng.uniform(0.6, 1.5, array.shape).astype(np.float32)
        elif name.endswith("._mean"):
            arrays[name] = rng.uniform(-0.2, 0.2, array.shape).astype(np.float32)
    size = "detector.head.size.2.conv"
    half = np.array([3, 8] if len(arrays[f"{size}.bias"]) == 4 else [6, 16], np.float32)  # cells
    arrays[f"{size}.bias"] = np.resize(half, arrays[f"{size}.bias"].shape)
    arrays[f"{size}.weight"] = arrays[f"{size}.weight"] * np.float32(0.15)
    arrays[f"{HEATMAP}.bias"] = arrays[f"{HEATMAP}.bias"] - np.float32(
        0.8 if arrays[f"{HEATMAP}.bias"].size == 1 else 3
    )
    return arrays


@pytest.fixture(scope="module")
def frames(test_data: Path) -> list[NDArray[np.uint8]]:
    """Return the first 20 frames of PETS09-S2L1, letterboxed."""
    with open_source(test_data / "PETS09-S2L1" / "vtest_480x360.avi") as source:
        images = [frame.image for frame in islice(source, 20)]
    return [Letterbox(image.shape[1], image.shape[0], SIZE).apply(image) for image in images]


def load(folder: Path, arrays: Arrays, *names: str) -> list[Backend]:
    request = Request(write_checkpoint(folder / "random.npz", arrays), SIZE, "fp32")
    return [request.load(name) for name in names]


def test_arrays_have_the_names_and_shapes_of_paddledetection() -> None:
    """Only arrays of training are missing here."""
    pytest.importorskip("ppdet")
    theirs = {name: array.shape for name, array in arrays_of(build_model(5, "hrnetv2_w18")).items()}
    ours = find_architecture("hrnetv2_w18").array_shapes(HeadSizes())
    assert len(ours) == 1629
    training_only = {name: theirs[name] for name in theirs.keys() - ours.keys()}
    assert set(training_only) == {
        "reid.classifier.weight",
        "reid.classifier.bias",
        "loss.det_weight",
        "loss.reid_weight",
    }
    assert ours == {name: shape for name, shape in theirs.items() if name not in training_only}


@pytest.mark.parametrize("classes", [1, 3])
def test_random_weights_give_the_same_peaks_and_tracks(
    frames: list[NDArray[np.uint8]], classes: int, tmp_path: Path
) -> None:
    """With several classes, as in PaddleDetection's multi-class networks, the size head has width and height."""
    sizes = HeadSizes(classes, size_channels=4 if classes == 1 else 2)
    ours, theirs = load(tmp_path, random_arrays(1, sizes), "openvino", "paddledet")
    found = [[backend.infer(frame) for frame in frames] for backend in (ours, theirs)]
    differences = [
        compare(of_class(a, class_id), of_class(b, class_id))
        for a, b in zip(*found, strict=True)
        for class_id in range(classes)
    ]
    worst = Difference(
        peaks=sum(difference.peaks for difference in differences),
        unpaired=sum(difference.unpaired for difference in differences),
        box_px=max(difference.box_px for difference in differences),
        score=max(difference.score for difference in differences),
        cosine=min(difference.cosine for difference in differences),
    )
    print(f"\nHRNetV2-W18, random weights, {classes} classes, {len(frames)} frames at {SIZE}: {worst}")
    assert worst.peaks > 1000
    assert worst.unpaired == 0, worst
    assert worst.box_px <= 0.01, worst
    assert worst.score <= 1e-5, worst
    assert worst.cosine >= 0.99999, worst
    tracked = equal_tracks(found[0], found[1], classes)
    print(f"tracks: {tracked}")
    assert tracked.ids > 20


def test_the_training_network_gives_the_feature_map_of_paddledetection() -> None:
    torch = pytest.importorskip("torch")
    import paddle

    from fairmot_dla34.training.network.fairmot import FairMOTNetwork

    arrays = random_arrays(2)
    network = FairMOTNetwork(find_architecture("hrnetv2_w18"))
    network.load_arrays(arrays)
    reference = build_model(5, "hrnetv2_w18")
    set_arrays(reference, arrays)
    reference.eval()
    images = np.random.default_rng(2).random((2, 3, 64, 96), np.float32)
    with torch.no_grad(), paddle.no_grad():
        found = network.eval().features(torch.from_numpy(images))[1].numpy()
        detector = reference.detector
        expected = detector.neck(detector.backbone({"image": paddle.to_tensor(images)})).numpy()
    assert found.shape == (2, 18, 16, 24)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@dataclass
class Tracked:
    """Counts of tracks that both sides report, and the largest difference of a box."""

    tracks: int = 0
    ids: int = 0
    box_px: float = 0.0


def equal_tracks(ours: Sequence[Peaks], theirs: Sequence[Peaks], classes: int) -> Tracked:
    """Track our peaks with our tracker and PaddleDetection's with its own; ids are mapped one to one."""
    config = TrackerConfig(method="jde")
    tracker, reference = Tracker(config, frame_rate=7.0), Reference(config, 7.0, classes)
    own_ids: dict[tuple[int, int], int] = {}  # by class and id of the reference
    found = Tracked()
    for a, b in zip(ours, theirs, strict=True):
        own = sorted(tracker.update(Detections(*vars(a).values())), key=lambda track: track.class_id)
        reported = reference.update(Detections(*vars(b).values()))
        assert len(own) == len(reported)
        for track, (class_id, track_id, box) in zip(own, reported, strict=True):
            assert track.class_id == class_id
            assert own_ids.setdefault((class_id, track_id), track.track_id) == track.track_id
            found.box_px = max(found.box_px, float(np.abs(np.subtract(track.box, box)).max()))
        found.tracks += len(own)
    assert len(set(own_ids.values())) == len(own_ids)
    assert found.box_px <= 0.01
    found.ids = len(own_ids)
    return found


def of_class(peaks: Peaks, class_id: int) -> Peaks:
    assert peaks.embeddings is not None
    assert peaks.class_ids is not None
    rows = np.flatnonzero(peaks.class_ids == class_id)
    return Peaks(peaks.boxes[rows], peaks.scores[rows], peaks.embeddings[rows], peaks.class_ids[rows])
