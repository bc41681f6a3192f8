"""Validation: the scores of `track` and `eval`, areas that are not scored, missing figures, and bad cases."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from labelled_images import LabelledImages, labels_of

from fairmot_dla34 import FairMOT
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import CheckpointError, DatasetError, EvaluationUnavailableError, OutputError
from fairmot_dla34.outputs.text_formats import mot_lines
from fairmot_dla34.synth import Scene, SceneConfig
from fairmot_dla34.training.network.fairmot import FairMOTNetwork
from fairmot_dla34.training.validation import validator as validation
from fairmot_dla34.training.validation.samples import side_by_side
from fairmot_dla34.training.validation.validator import FIGURES, TRACKING_FIGURES, Validator
from fairmot_dla34.weights import load_checkpoint, resolve_weights

pytestmark = pytest.mark.train

SIZE = InputSize(320, 192)
needs_trackeval = pytest.mark.skipif(importlib.util.find_spec("trackeval") is None, reason="needs the extra eval")
new_validator = partial(Validator, part="val", input_size=SIZE, threads=1)


@pytest.fixture(scope="module")
def weights() -> Path:
    return resolve_weights("sample")


@pytest.fixture(scope="module")
def network(weights: Path) -> Iterator[FairMOTNetwork]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    checkpoint = load_checkpoint(weights)
    trained = FairMOTNetwork(checkpoint.architecture, checkpoint.sizes)
    trained.load_arrays(checkpoint.arrays)
    yield trained
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def street() -> LabelledImages:
    """Six frames of a scene, which the sample weights track well; the first is number 40 of its sequence."""
    scene = Scene(
        SceneConfig(seed=0, width=320, height=192, people=6, person_height=(0.4, 0.7), occluders=0, frame_rate=12.5)
    )
    frames = [scene.frame(index) for index in range(6)]
    seen = [frame.visibility >= 0.1 for frame in frames]
    labels = [
        labels_of(frame.boxes[s], frame.ids[s] - 1, ignored=frame.boxes[~s])
        for frame, s in zip(frames, seen, strict=True)
    ]
    return LabelledImages("street", [frame.image for frame in frames], labels, frame_rate=12.5, first=40)


@pytest.fixture(scope="module")
def corner(street: LabelledImages) -> LabelledImages:
    """The first two frames, for tests of all but the figures themselves."""
    return street.changed(images_=street.images_[:2], labels_=street.labels_[:2])


@pytest.fixture(scope="module")
def stills(street: LabelledImages) -> LabelledImages:
    labels = [labels_of(labels.boxes) for labels in street.labels_[:3]]
    return LabelledImages("stills", street.images_[:3], labels, is_video=False)


@needs_trackeval
def test_the_figures_are_those_of_track_and_eval(
    street: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path
) -> None:
    """Results equal those of `FairMOT.track` line by line; a second validation gives the same figures."""
    validator = new_validator([street.dataset], output_dir=tmp_path)
    network.train()
    figures = validator.validate(weights, network, "first")
    assert network.training, "the mode is restored"
    assert set(figures) == set(FIGURES)
    assert validator.why_missing == {}
    assert figures["ap50"] > 80
    assert figures["mota"] > 60
    assert 0 < figures["map_id"] <= 100
    assert "of the 6 images with identities" in validator.sample_text

    with FairMOT(weights, precision="fp32", input_size=SIZE, threads=1) as model:
        tracked = model.track(iter(street.images_), frame_rate=street.frame_rate)  # type: ignore[arg-type]
        expected = "".join(mot_lines(result.index, result.tracks) for result in tracked)
    assert (tmp_path / "validation" / "first" / "mot_results" / "street.txt").read_text() == expected
    assert "seqLength=6\n" in (tmp_path / "validation" / "gt" / "seqinfo" / "street.ini").read_text()

    truth = tmp_path / "validation" / "gt" / "street.txt"
    written = truth.stat().st_mtime_ns
    assert validator.validate(weights, network, "second") == figures
    assert truth.stat().st_mtime_ns == written, "ground truth is written once"


def test_samples_show_labels_and_predictions(
    stills: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    validator = new_validator([stills.dataset], output_dir=tmp_path)
    with caplog.at_level("INFO"):
        figures = validator.validate(weights, network, "epoch_001")
    assert not caplog.records, "the figures have a line; facts that are the same each time need none"
    files = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert files == ["epoch_001_1.jpg", "epoch_001_2.jpg", "epoch_001_3.jpg"]
    drawn = cv2.imread(str(tmp_path / "samples" / files[0]))
    assert drawn is not None
    assert drawn.shape == (288 + 32, 2 * 480 + 6, 3)
    half = drawn.shape[1] // 2
    panel = cv2.resize(np.asarray(stills.images_[0]), (480, 288), interpolation=cv2.INTER_LINEAR)
    for side in (drawn[32:, : half - 3], drawn[32:, half + 3 :]):
        assert (np.abs(side.astype(int) - panel).max(axis=2) > 60).sum() > 200, "boxes are drawn in both"

    assert set(figures) == {"ap50"}
    assert set(validator.why_missing) == {*TRACKING_FIGURES, "map_id", "tpr_far"}
    assert validator.why_missing["hota"] == "The val part has no video; tracking scores need one."
    assert validator.why_missing["map_id"].startswith("No identity has two boxes in one sequence (0 boxes of 0")


@pytest.mark.parametrize("shape", [(1, 1), (4000, 1), (1, 4000)])
def test_samples_of_narrow_images_are_small(shape: tuple[int, int]) -> None:
    """An image of 1x4000 px would be 480x1,920,000 px at the width of the others."""
    image = np.zeros((*shape, 3), np.uint8)
    drawn = side_by_side(image, labels_of(np.array([[0.0, 0.0, 1.0, 1.0]])), (), "caption")
    assert drawn.shape[0] <= 2100
    assert drawn.shape[1] <= 2000


@needs_trackeval
def test_an_untrained_network_scores_0(corner: LabelledImages, tmp_path: Path, network: FairMOTNetwork) -> None:
    untrained = FairMOTNetwork(network.architecture, network.sizes)
    untrained.initialise(torch.Generator().manual_seed(3))
    np.savez(tmp_path / "untrained.npz", **untrained.arrays())  # type: ignore[arg-type]
    figures = new_validator([corner.dataset], output_dir=tmp_path).validate(
        tmp_path / "untrained.npz", untrained, "start"
    )
    assert figures["hota"] == figures["mota"] == figures["idf1"] == 0
    assert figures["ap50"] < 1


def test_without_trackeval_the_other_figures_are_computed(
    corner: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise EvaluationUnavailableError("Scores need the package trackeval, which is not installed; install it: X")

    monkeypatch.setattr(validation, "evaluate", unavailable)
    validator = new_validator([corner.dataset], output_dir=tmp_path)
    assert set(validator.validate(weights, network, "a")) == {"ap50", "map_id", "tpr_far"}
    assert set(validator.why_missing) == set(TRACKING_FIGURES)
    assert "not installed" in validator.why_missing["mota"]
    assert (tmp_path / "validation" / "a" / "mot_results" / "street.txt").is_file()


def test_without_people_ap_is_undefined(
    street: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path
) -> None:
    empty = street.changed(images_=street.images_[:1], labels_=[labels_of([])])
    validator = new_validator([empty.dataset], output_dir=tmp_path)
    assert validator.validate(weights, network, "a") == {}
    assert set(validator.why_missing) == set(FIGURES)
    assert validator.why_missing["ap50"] == "The val part has no people, so AP is undefined."
    assert validator.why_missing["hota"] == "No box in the videos of the val part has an identity to score."
    assert (tmp_path / "samples" / "a_1.jpg").is_file()


def test_an_empty_part_gives_no_figures_and_the_reason(
    street: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path
) -> None:
    validator = Validator([street.dataset], "train", SIZE, output_dir=tmp_path)
    assert validator.images == 0
    assert validator.validate(weights, network, "a") == {}
    assert validator.why_missing == dict.fromkeys(FIGURES, "The train part of the data has no images.")


def test_an_image_that_does_not_decode_is_named(
    street: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path
) -> None:
    damaged = street.changed(images_=[*street.images_[:3], None, *street.images_[4:]])
    with pytest.raises(DatasetError, match=r"3\.png cannot be read"):
        new_validator([damaged.dataset], output_dir=tmp_path).validate(weights, network, "a")


def test_weights_that_cannot_be_read_are_named(street: LabelledImages, network: FairMOTNetwork, tmp_path: Path) -> None:
    (tmp_path / "last.pdparams").write_bytes(b"cut off")
    with pytest.raises(CheckpointError, match=r"last\.pdparams"):
        new_validator([street.dataset], output_dir=tmp_path).validate(tmp_path / "last.pdparams", network, "a")


def test_a_folder_that_cannot_be_written_is_named(
    street: LabelledImages, weights: Path, network: FairMOTNetwork, tmp_path: Path
) -> None:
    (tmp_path / "samples").write_text("a file")
    with pytest.raises(OutputError, match="samples"):
        new_validator([street.dataset], output_dir=tmp_path).validate(weights, network, "a")
