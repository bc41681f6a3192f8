"""Tests of the contrastive loss of identities, of the pairs of images that it needs, and of runs with it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from made_sources import image, video  # noqa: E402  (after the check)
from small_dataset import make_small_dataset  # noqa: E402
from small_training import HEADS, arrays_of, register_small, same_arrays, small_config  # noqa: E402
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from fairmot_dla34 import InputSize  # noqa: E402
from fairmot_dla34.commands.main import main  # noqa: E402
from fairmot_dla34.datasets import Dataset, DatasetImage, DatasetSequence, SourceSequence  # noqa: E402
from fairmot_dla34.datasets.preparation.prepare import prepare_sequences  # noqa: E402
from fairmot_dla34.errors import InvalidInputError, OutOfMemoryError, ResumeError  # noqa: E402
from fairmot_dla34.training import TrainingConfig, loop, train  # noqa: E402
from fairmot_dla34.training.batches.partners import MAX_SECONDS, Partners  # noqa: E402
from fairmot_dla34.training.batches.source import Batch, BatchSource  # noqa: E402
from fairmot_dla34.training.config import LossConfig  # noqa: E402
from fairmot_dla34.training.losses.contrastive import TEMPERATURE, anchor_cells, contrastive_loss  # noqa: E402
from fairmot_dla34.training.losses.fairmot_loss import FairMOTLoss, LossCounts  # noqa: E402
from fairmot_dla34.training.losses.targets import Targets  # noqa: E402
from fairmot_dla34.training.memory import check as memory_check  # noqa: E402
from fairmot_dla34.training.model import TrainedModel  # noqa: E402
from fairmot_dla34.training.network.fairmot import Outputs  # noqa: E402
from fairmot_dla34.training.paddle_engine.limits import check_settings  # noqa: E402
from fairmot_dla34.training.plan import default_batch_size  # noqa: E402
from fairmot_dla34.training.processes.world import World  # noqa: E402
from fairmot_dla34.training.validation.retrieval import retrieval  # noqa: E402
from fairmot_dla34.weights import load_checkpoint  # noqa: E402

SIZE = InputSize(96, 64)
LOSS = LossConfig(contrastive=True)
IDS = [5, 5, 7, -1, 5, 7, 7, 9, -1, 11, 2**62, 2**62]
IMAGES = [0, 0, 0, 0, 1, 1, 2, 2, 2, 1, 0, 2]  # 9 and 11 are in one image only


def targets_of(ids: list[int], images: list[int]) -> Targets:
    """Return targets with the given identity and image of each cell; the other targets are 0."""
    number, count = len(ids), max(images, default=0) + 1
    cells = torch.zeros((number, 3), dtype=torch.int64)
    cells[:, 0] = torch.tensor(images, dtype=torch.int64)
    return Targets(
        heatmap=torch.zeros(count, 1, 4, 4), heatmap_mask=torch.ones(count, 4, 4, dtype=torch.bool), cells=cells,
        sizes=torch.zeros(number, 4), offsets=torch.zeros(number, 2), ids=torch.tensor(ids, dtype=torch.int64),
        class_ids=torch.zeros(number, dtype=torch.int64), centres=torch.ones(number, dtype=torch.bool),
    )  # fmt: skip


def embeddings_for(number: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((number, 6), generator=generator, dtype=torch.float64).requires_grad_()


def outputs_for(targets: Targets, embeddings: Tensor) -> Outputs:
    number = len(targets.cells)
    return Outputs(torch.zeros_like(targets.heatmap), torch.zeros(number, 4), torch.zeros(number, 2), embeddings)


def by_loops(embeddings: Tensor, ids: list[int], images: list[int]) -> float:
    """Return equation 2 of arXiv 2004.11362, summed over the anchors, term by term."""
    unit = functional.normalize(embeddings.detach(), eps=1e-6).numpy()
    cells = [cell for cell, identity in enumerate(ids) if identity >= 0]
    total = 0.0
    for one in cells:
        others = [cell for cell in cells if images[cell] != images[one] or ids[cell] != ids[one]]
        positives = [cell for cell in others if ids[cell] == ids[one]]
        if not positives:
            continue
        similarities = {cell: math.exp(float(unit[one] @ unit[cell]) / TEMPERATURE) for cell in others}
        terms = [math.log(similarities[cell] / sum(similarities.values())) for cell in positives]
        total -= sum(terms) / len(positives)
    return total


@pytest.mark.parametrize(
    ("ids", "images"),
    [(IDS, IMAGES), ([3, 3], [0, 1]), ([0, 0, 0], [0, 1, 2]), ([1, 1, 1, 4], [0, 0, 1, 1])],
)
def test_the_loss_is_that_of_the_paper(ids: list[int], images: list[int]) -> None:
    embeddings = embeddings_for(len(ids)).detach()
    found = float(contrastive_loss(embeddings, targets_of(ids, images)))
    assert found == pytest.approx(by_loops(embeddings, ids, images), rel=0, abs=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    targets = targets_of(IDS, IMAGES)
    assert torch.autograd.gradcheck(lambda embeddings: contrastive_loss(embeddings, targets), embeddings_for(len(IDS)))


def test_order_and_numbers_of_identities_do_not_matter() -> None:
    embeddings, targets = embeddings_for(len(IDS)), targets_of(IDS, IMAGES)
    expected = contrastive_loss(embeddings, targets)
    order = np.random.default_rng(0).permutation(len(IDS)).tolist()
    shuffled = targets_of([IDS[number] for number in order], [IMAGES[number] for number in order])
    torch.testing.assert_close(contrastive_loss(embeddings[order], shuffled), expected)
    numbers = {identity: place for place, identity in enumerate(sorted(set(IDS), reverse=True))} | {-1: -1}
    renumbered = targets_of([numbers[identity] for identity in IDS], IMAGES)
    torch.testing.assert_close(contrastive_loss(embeddings, renumbered), expected)
    torch.testing.assert_close(contrastive_loss(3 * embeddings, targets), expected)


def test_cells_that_are_neither_positive_nor_negative_have_no_part() -> None:
    embeddings = embeddings_for(len(IDS))
    contrastive_loss(embeddings, targets_of(IDS, IMAGES)).backward()
    moved = (embeddings.grad.abs().sum(dim=1) > 0).tolist()
    assert moved == [identity >= 0 for identity in IDS]  # 9 and 11 are negatives
    assert anchor_cells(targets_of(IDS, IMAGES)).tolist() == [identity in {5, 7, 2**62} for identity in IDS]


def test_a_second_cell_of_an_anchor_in_its_image_does_not_change_its_loss() -> None:
    """The neighbours of a centre have nearly its embedding: as positives or negatives, they would decide its loss."""
    unit = functional.normalize(embeddings_for(3).detach())
    logits = unit @ unit.T / TEMPERATURE
    first, second = (float(logits[one, [other, 2]].logsumexp(0) - logits[0, 1]) for one, other in ((0, 1), (1, 0)))
    pair = contrastive_loss(unit, targets_of([0, 0, 1], [0, 1, 1]))
    assert float(pair) == pytest.approx(first + second, abs=1e-12)
    with_neighbour = contrastive_loss(unit[[0, 0, 1, 2]], targets_of([0, 0, 0, 1], [0, 0, 1, 1]))
    again = float(logits[1, [0, 0, 2]].logsumexp(0) - logits[0, 1])  # of the other image's cell: two positives
    assert float(with_neighbour) == pytest.approx(2 * first + again, abs=1e-12)


@pytest.mark.parametrize(
    ("ids", "images"),
    [
        ([], []),
        ([-1], [0]),
        ([-1, -1], [0, 1]),
        ([0], [0]),
        ([0, 0], [1, 1]),
        ([0, 1], [0, 1]),
        ([0, 1, -1], [0, 0, 1]),
    ],
)
@pytest.mark.parametrize("config", [LOSS, LossConfig(contrastive=True, giou=True, fixed_weights=True)])
def test_without_anchors_the_loss_is_zero(ids: list[int], images: list[int], config: LossConfig) -> None:
    targets, embeddings = targets_of(ids, images), embeddings_for(len(ids))
    assert LossCounts.of(targets).anchors == 0
    total, parts = FairMOTLoss(4, 6, config)(outputs_for(targets, embeddings), targets)
    total.backward()
    assert float(parts["identity"]) == 0
    assert torch.isfinite(total)
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


def test_embeddings_of_zeros_and_equal_ones_have_finite_gradients() -> None:
    targets = targets_of([0, 0, 1, 1], [0, 1, 0, 1])
    for value in (0.0, 1e-30, 1.0, 1e18):
        embeddings = torch.full((4, 6), value, requires_grad=True)
        contrastive_loss(embeddings, targets).backward()
        assert torch.isfinite(embeddings.grad).all()


def test_half_precision_is_computed_in_single_precision() -> None:
    embeddings = embeddings_for(len(IDS)).detach().bfloat16()
    loss = contrastive_loss(embeddings, targets_of(IDS, IMAGES))
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(by_loops(embeddings.double(), IDS, IMAGES), rel=1e-5)


def test_without_a_classifier_only_the_weights_of_the_tasks_are_kept() -> None:
    loss, targets = FairMOTLoss(4, 6, LOSS), targets_of(IDS, IMAGES)
    loss.initialise(torch.Generator().manual_seed(0))
    assert loss.classifier is None
    assert set(loss.arrays()) == {"loss.det_weight", "loss.reid_weight"}
    assert loss.load_arrays(loss.arrays()) == []
    _, parts = loss(outputs_for(targets, embeddings_for(len(IDS))), targets)
    expected = by_loops(embeddings_for(len(IDS)), IDS, IMAGES) / 8  # cells of 5, 7 and 2**62
    assert float(parts["identity"]) == pytest.approx(expected, rel=1e-6)
    assert "identity" not in FairMOTLoss(0, 6, LOSS)(outputs_for(targets, embeddings_for(len(IDS))), targets)[1]


def test_processes_contrast_their_own_images_and_divide_by_the_anchors_of_all() -> None:
    halves = [targets_of([0, 0, 1, -1], [0, 1, 1, 0]), targets_of([0, 1, 1, 2, 2], [0, 0, 1, 0, 1])]
    embeddings = [embeddings_for(4, 1), embeddings_for(5, 2)]
    counts = [LossCounts.of(half) for half in halves]
    assert [count.anchors for count in counts] == [2, 4]
    summed = LossCounts(0, 9, 8, 2, sum(count.anchors for count in counts))
    loss = FairMOTLoss(3, 6, LOSS)
    parts = [
        loss(outputs_for(half, one), half, summed)[1]["identity"] for half, one in zip(halves, embeddings, strict=True)
    ]
    expected = sum(
        by_loops(one, half.ids.tolist(), half.cells[:, 0].tolist())
        for half, one in zip(halves, embeddings, strict=True)
    )
    assert float(sum(parts)) == pytest.approx(expected / 6, rel=1e-6)


def test_embeddings_of_a_toy_problem_separate() -> None:
    """Eight people with features of their own, disturbed along one direction, and a linear layer as the network."""
    generator = torch.Generator().manual_seed(3)
    people = torch.randn((8, 24), generator=generator)
    common = torch.randn((1, 24), generator=generator)

    def draw() -> tuple[Tensor, Targets]:
        ids = torch.arange(8).repeat(4)
        features = people[ids] + 3 * common * torch.randn((32, 1), generator=generator)
        noise = 0.5 * torch.randn((32, 24), generator=generator)
        return features + noise, targets_of(ids.tolist(), torch.arange(4).repeat_interleave(8).tolist())

    layer = torch.nn.Linear(24, 8)
    torch.nn.init.normal_(layer.weight, std=0.2, generator=generator)
    optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
    features, test = draw()
    before = retrieval(layer(features).detach().numpy(), test.ids.numpy()).map_id
    for _ in range(100):
        optimizer.zero_grad()
        drawn, targets = draw()
        (contrastive_loss(layer(drawn), targets) / 32).backward()
        optimizer.step()
    after = retrieval(layer(features).detach().numpy(), test.ids.numpy()).map_id
    assert before is not None
    assert after is not None
    assert before < 70
    assert after > 90


def test_settings_that_exclude_each_other_are_refused() -> None:
    assert LossConfig.parse("giou,contrastive") == LossConfig(giou=True, contrastive=True)
    assert str(LossConfig(giou=True, contrastive=True)) == "paper,giou,contrastive"
    with pytest.raises(InvalidInputError, match="sequence_ids and contrastive; leave one of them out"):
        LossConfig.parse("sequence_ids,contrastive")
    with pytest.raises(InvalidInputError, match="loss is paper,contrastive, but PaddleDetection has the losses"):
        check_settings(TrainingConfig(data=(Path("x"),), loss=LOSS))


@pytest.mark.parametrize(
    ("size", "device", "expected"), [(1, "cpu", 2), (3, "cpu", 6), (5, "cuda", 20), (8, "cuda", 16)]
)
def test_each_process_has_pairs_by_default(size: int, device: str, expected: int) -> None:
    assert default_batch_size(World(0, size, torch.device(device)), LOSS) == expected


def sequence_of(name: str, frames: list[int], *, is_video: bool = True, rate: float = 5.0) -> DatasetSequence:
    images = tuple(DatasetImage(Path(f"{name}{frame}"), Path("x"), None, 96, 64, name, frame) for frame in frames)
    return DatasetSequence(name, is_video=is_video, frame_rate=rate, images=images)


def test_partners_are_near_in_time_and_in_the_same_video() -> None:
    sequences = [
        sequence_of("a", list(range(40))), sequence_of("stills", list(range(5)), is_video=False),
        sequence_of("b", [0, 3, 50, 51]), sequence_of("single", [7]),
    ]  # fmt: skip
    images = [image for sequence in sequences for image in sequence.images]
    partners, numbers = Partners(sequences), np.arange(len(images))
    distances = set()
    for seed in range(40):
        chosen = partners.choose(numbers, np.random.default_rng(seed))
        for one, other in zip(images, (images[number] for number in chosen), strict=True):
            assert one.sequence == other.sequence
            assert (one == other) == (one.sequence in {"stills", "single"})
            assert abs(one.index - other.index) <= MAX_SECONDS * 5
            distances.add(one.index - other.index)
    assert distances == set(range(-10, 11))
    far = Partners([sequence_of("far", [0, 30, 60]), sequence_of("last", [0])])
    assert far.choose(np.arange(4), np.random.default_rng(0)).tolist() == [0, 1, 2, 3]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    register_small()
    return make_small_dataset(tmp_path_factory.mktemp("data"), sequences=2, frames=6, size=(96, 64), people=3)


def source_of(data: Path, **settings: Any) -> BatchSource:
    chosen: dict[str, Any] = {"batch_size": 4, "seed": 3, "threads": 2, "loss": LOSS} | settings
    return BatchSource([Dataset.open(data)], input_size=SIZE, stride=4, num_classes=1, **chosen)


def epoch_of(source: BatchSource) -> list[Batch]:
    with source.batches(1) as batches:
        return list(batches)


def test_batches_have_pairs_and_an_epoch_has_each_image(data: Path) -> None:
    source = source_of(data)
    batches = epoch_of(source)
    assert len(batches) == source.steps_per_epoch == 6
    names = [name for batch in batches for name in batch.names]
    assert len(set(names[::2])) == len(names[::2]) == 12
    for first, second in zip(names[::2], names[1::2], strict=True):
        assert first != second
        assert Path(first).parent == Path(second).parent
    anchors = [LossCounts.of(batch.targets).anchors for batch in batches]
    assert sum(anchors) > 0.5 * sum(LossCounts.of(batch.targets).identified for batch in batches)
    plain = source_of(data, loss=LossConfig())
    assert sum(LossCounts.of(batch.targets).anchors for batch in epoch_of(plain)) < sum(anchors)


def test_each_process_has_whole_pairs_of_the_same_batch(data: Path) -> None:
    whole = epoch_of(source_of(data, threads=1))
    shares = [epoch_of(source_of(data, rank=rank, world_size=2)) for rank in range(2)]
    for batch, first, second in zip(whole, *shares, strict=True):
        assert batch.names == first.names + second.names
        assert batch.images.equal(torch.cat([first.images, second.images]))


def test_batches_without_whole_pairs_are_refused(data: Path) -> None:
    with pytest.raises(InvalidInputError, match="batch_size is 3 with 1 process; expected a multiple of 2, because"):
        source_of(data, batch_size=3)
    with pytest.raises(InvalidInputError, match="batch_size is 6 with 2 processes; expected a multiple of 4"):
        source_of(data, batch_size=6, world_size=2)


def test_still_images_are_paired_with_themselves_in_another_variation(tmp_path: Path) -> None:
    images = [image(tmp_path / "source" / f"{place}.jpg", (20, 10, 60, 60, 0)) for place in range(4)]
    sequence = SourceSequence("photos", images, is_video=False)
    prepare_sequences([sequence], tmp_path / "source", tmp_path / "prepared", name="made", progress=False)
    for batch in epoch_of(source_of(tmp_path / "prepared", batch_size=2)):
        assert batch.names[0] == batch.names[1]
        assert not batch.images[0].equal(batch.images[1])
        assert LossCounts.of(batch.targets).anchors == LossCounts.of(batch.targets).identified == 2


def test_one_identity_is_enough(tmp_path: Path) -> None:
    walk = video(tmp_path / "source", "walk", 4, (0,))
    prepare_sequences([walk], tmp_path / "source", tmp_path / "prepared", name="made", progress=False)
    summary = train(small_config(tmp_path / "prepared", tmp_path / "run", loss=LOSS))
    assert all(np.isfinite(array).all() for array in arrays_of(summary.last).values())


@pytest.mark.parametrize(("largest", "remedy"), [(1, "two images are too much too"), (3, "use --batch-size 2,")])
def test_a_batch_that_fits_has_whole_pairs(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int, remedy: str
) -> None:
    forward = TrainedModel.forward

    def limited(self: Any, images: Tensor, *arguments: Any) -> Any:
        if len(images) > largest:
            raise MemoryError
        return forward(self, images, *arguments)

    monkeypatch.setattr(TrainedModel, "forward", limited)
    with pytest.raises(OutOfMemoryError, match=remedy):
        train(small_config(data, tmp_path / "run", batch_size=6, loss=LOSS))


@pytest.mark.parametrize(
    ("left", "words"), [(9.4e9, "use --batch-size 2, a"), (3e9, "2 images are too much too: use a")]
)
def test_memory_is_checked_for_whole_pairs(left: float, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_check, "resident_memory", lambda: 300e6)
    monkeypatch.setattr(memory_check, "memory_left", lambda: left)
    with pytest.raises(OutOfMemoryError, match=words):
        memory_check.require_training_memory(
            InputSize(1088, 608), 12, plain_neck=False, precision="fp32", num_identities=0, multiple=2
        )


def test_a_resumed_run_is_that_of_an_uninterrupted_one(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"loss": LossConfig(contrastive=True, neighbours=True), "batch_size": 4}
    whole = train(small_config(data, tmp_path / "whole", **settings))
    agree = loop.TrainingLoop._agree

    def interrupted(self: Any, batch: Any, progress: Any) -> Any:
        if progress.step == 8:
            raise KeyboardInterrupt
        return agree(self, batch, progress)

    with monkeypatch.context() as patch:
        patch.setattr(loop.TrainingLoop, "_agree", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(small_config(data, tmp_path / "run", **settings))
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert [name for name in state["model"] if name.startswith("loss.")] == ["loss.det_weight", "loss.reid_weight"]
    with pytest.raises(ResumeError, match="loss is paper, but the run in"):
        train(small_config(data, tmp_path / "run", resume=True, batch_size=4))
    resumed = train(small_config(data, tmp_path / "run", resume=True, **settings))
    assert resumed.steps == whole.steps == 12
    assert same_arrays(resumed.last, whole.last)


def test_the_embedding_head_is_trained(data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = train(small_config(data, tmp_path / "first", epochs=1, loss=LOSS, lr=1e-9))
    caplog.set_level("INFO")
    after = train(small_config(data, tmp_path / "after", epochs=1, loss=LOSS, weights=first.last, lr=1e-2))
    assert "classifier" not in caplog.text
    before, trained = arrays_of(first.last), arrays_of(after.last)
    names = [name for name in before if name.startswith(HEADS.embedding)]
    assert names
    assert all(not np.array_equal(before[name], trained[name]) for name in names if name.endswith("weight"))


def test_the_command_trains_weights_that_track(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_small_dataset(tmp_path, sequences=1, frames=3, size=(96, 64), people=3)
    run = tmp_path / "run"
    words = ["--data", str(data), "--weights", "none", "--arch", "dla34", "--input-size", "64x64", "--plain-neck"]
    words += ["--device", "cpu", "--threads", "1", "--epochs", "1", "--output-dir", str(run)]
    assert main(["train", *words, "--loss", "giou,contrastive,neighbours,fixed_weights"]) == 0
    steps = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps[-1]["loss_identity"] > 0
    assert "paper,giou,neighbours,fixed_weights,contrastive" in (run / "last.md").read_text()
    assert not [name for name in load_checkpoint(run / "last.pdparams").arrays if "classifier" in name]
    images = tmp_path / "source" / "scene-1" / "img1"
    words = [str(images), "--weights", str(run / "last.pdparams"), "--output-dir", str(tmp_path / "out")]
    assert main(["track", *words]) == 0
    assert list((tmp_path / "out").rglob("*.txt"))
    with pytest.raises(SystemExit):
        main(["train", "--data", str(data), "--loss", "contrastive,sequence_ids"])
    assert "loss has both sequence_ids and contrastive; leave one of them out" in capsys.readouterr().err
