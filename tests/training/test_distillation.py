"""Tests of the losses against a teacher, of its targets at the student's cells, and of what a teacher may return."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from small_training import HEADS, Small  # noqa: E402  (after the check)
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from fairmot_dla34 import InputSize  # noqa: E402
from fairmot_dla34.architectures import Checkpoint, HeadSizes, architecture_names, find_architecture  # noqa: E402
from fairmot_dla34.backends.selfcheck import random_checkpoint  # noqa: E402
from fairmot_dla34.datasets.values import ImageLabels  # noqa: E402
from fairmot_dla34.errors import InvalidInputError  # noqa: E402
from fairmot_dla34.training import DistillationConfig, TrainingConfig  # noqa: E402
from fairmot_dla34.training.batches.augmentation import augment, augment_for_teacher  # noqa: E402
from fairmot_dla34.training.batches.parts import first_images, single_image  # noqa: E402
from fairmot_dla34.training.batches.work import Batch  # noqa: E402
from fairmot_dla34.training.distillation.alignment import aligned, to_student_px  # noqa: E402
from fairmot_dla34.training.distillation.fairmot_teacher import SURE_SCORE, FairMOTTeacher  # noqa: E402
from fairmot_dla34.training.distillation.guide import Guide  # noqa: E402
from fairmot_dla34.training.distillation.losses import (  # noqa: E402
    box_loss,
    cosine_loss,
    feature_loss,
    heatmap_loss,
    relation_loss,
)
from fairmot_dla34.training.distillation.maps import CompiledMaps, TorchMaps  # noqa: E402
from fairmot_dla34.training.distillation.student import Distillation, TeacherShape  # noqa: E402
from fairmot_dla34.training.distillation.targets import TeacherTargets, teacher_targets  # noqa: E402
from fairmot_dla34.training.distillation.teacher import TeacherOutputs, check_outputs, teacher_facts  # noqa: E402
from fairmot_dla34.training.distillation.view import TeacherView  # noqa: E402
from fairmot_dla34.training.losses.counts import LossCounts  # noqa: E402
from fairmot_dla34.training.losses.targets import make_targets  # noqa: E402
from fairmot_dla34.training.memory.need import fitting_batch, step_bytes  # noqa: E402
from fairmot_dla34.training.network.fairmot import FairMOTNetwork, Outputs  # noqa: E402
from fairmot_dla34.training.validation.torch_backend import raw_peaks  # noqa: E402

SIZE = InputSize(96, 64)
SIZES = (InputSize(96, 64), InputSize(192, 128), InputSize(160, 96), InputSize(96, 96), InputSize(64, 32))
SHAPE = TeacherShape(classes=1, channels=5, embedding_size=6, has_boxes=True)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def unit(values: Tensor) -> Tensor:
    return functional.normalize(values)


# Losses


def test_each_loss_of_equal_outputs_is_0_and_of_others_is_not() -> None:
    logits, features, embeddings = random(2, 1, 4, 6), random(2, 5, 4, 6), unit(random(7, 6))
    corners = random(7, 2)
    boxes = torch.cat([corners, corners + random(7, 2, seed=1).abs() + 1], dim=1)
    ones, nobody = torch.ones(7, dtype=torch.float64), torch.zeros_like(logits)
    equal = [
        heatmap_loss(logits, logits.sigmoid(), nobody),
        feature_loss(features, features),
        cosine_loss(3 * embeddings, embeddings),
        relation_loss(3 * embeddings, embeddings),
        box_loss(boxes, boxes, ones),
    ]
    others = [
        heatmap_loss(logits, random(2, 1, 4, 6, seed=2).sigmoid(), nobody),
        feature_loss(features, random(2, 5, 4, 6, seed=2)),
        cosine_loss(random(7, 6, seed=2), embeddings),
        relation_loss(random(7, 6, seed=2), embeddings),
        box_loss(boxes + 0.5, boxes, ones),
    ]
    assert all(abs(float(loss)) < 1e-5 for loss in equal)
    assert all(float(loss) > 0.01 for loss in others)


def test_the_heatmap_loss_is_weighted_by_teacher_truth_and_error() -> None:
    """A person of the teacher or of the labels counts fully; a quiet background hardly, a false alarm there does."""

    def loss(score: float, teacher: float, truth: float = 0.0) -> float:
        logit = torch.tensor(math.log(score / (1 - score)), dtype=torch.float64)
        return float(heatmap_loss(logit, torch.tensor(teacher).double(), torch.tensor(truth).double()))

    def divergence(score: float, teacher: float) -> float:
        return teacher * math.log(teacher / score) + (1 - teacher) * math.log((1 - teacher) / (1 - score))

    assert loss(0.6, 0.9) == pytest.approx(0.9 * divergence(0.6, 0.9), rel=1e-6)
    assert loss(0.6, 0.3, truth=1.0) == pytest.approx(divergence(0.6, 0.3), rel=1e-6)
    assert loss(0.1, 0.01) == pytest.approx(0.01 * divergence(0.1, 0.01), rel=1e-4)
    assert loss(0.9, 0.01) == pytest.approx(0.89**2 * divergence(0.9, 0.01), rel=1e-4)


def test_the_feature_loss_is_that_of_the_paper() -> None:
    """Equation 3 of arXiv 2011.13256, term by term."""
    own, teacher = random(2, 3, 2, 4), random(2, 3, 2, 4, seed=1)
    total = 0.0
    for image in range(2):
        for channel in range(3):
            found, wanted = (values[image, channel].flatten().exp() for values in (own, teacher))
            found, wanted = found / found.sum(), wanted / wanted.sum()
            total += float((wanted * (wanted / found).log()).sum()) / 3
    assert float(feature_loss(own, teacher)) == pytest.approx(total, rel=1e-12)


def test_a_channel_may_be_shifted_because_only_its_places_count() -> None:
    own, teacher = random(1, 3, 4, 4), random(1, 3, 4, 4, seed=1)
    shifted = own + torch.tensor([1.0, -2.0, 3.0]).double()[:, None, None]
    torch.testing.assert_close(feature_loss(shifted, teacher), feature_loss(own, teacher))


def test_relations_compare_embeddings_of_other_sizes_and_not_with_themselves() -> None:
    own, teacher = random(5, 3), unit(random(5, 8, seed=1))
    expected = sum(
        (float(unit(own)[a] @ unit(own)[b]) - float(teacher[a] @ teacher[b])) ** 2
        for a in range(5) for b in range(5) if a != b
    )  # fmt: skip
    assert float(relation_loss(own, teacher)) == pytest.approx(expected, rel=1e-12)
    turned, _ = torch.linalg.qr(random(8, 8, seed=2))
    torch.testing.assert_close(relation_loss(own, teacher @ turned), relation_loss(own, teacher))  # the space is free


def test_boxes_count_by_the_score_of_the_teacher() -> None:
    wanted = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 2]]).double()
    found = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1]]).double()
    assert float(box_loss(found, wanted, torch.tensor([0.4, 0.8]).double())) == pytest.approx(
        0.8 * (0.5 + 0.125), abs=1e-6
    )


@pytest.mark.parametrize("width", [-1.0, 0.0, 0.5])
def test_a_box_without_an_area_grows(width: float) -> None:
    """GIoU alone would leave it as it is, or turn it further inside out."""
    boxes = torch.tensor([[-width, -width, width, width]], dtype=torch.float64).requires_grad_()
    box_loss(boxes, torch.tensor([[-8.0, -20, 8, 20]]).double(), torch.ones(1).double()).backward()
    assert (boxes.grad[0, :2] > 0).all()  # the left and upper side move outwards
    assert (boxes.grad[0, 2:] < 0).all()


@pytest.mark.parametrize("number", [0, 1, 4])
def test_gradients_of_all_losses_are_those_of_finite_differences(number: int) -> None:
    features, embeddings, heatmap = random(1, 2, 2, 3), unit(random(number, 3)), random(1, 1, 2, 3).sigmoid()
    boxes = torch.tensor([0.0, 0, 2, 2]).double().expand(number, 4)
    truth, scores = torch.zeros_like(heatmap), torch.full((number,), 0.5).double()

    def total(own_map: Tensor, own: Tensor, logits: Tensor, box: Tensor) -> Tensor:
        parts = (feature_loss(own_map, features), cosine_loss(own, embeddings), relation_loss(own, embeddings))
        return torch.stack([*parts, heatmap_loss(logits, heatmap, truth), box_loss(boxes + box, boxes, scores)]).sum()

    inputs = (
        random(1, 2, 2, 3, seed=1),
        random(number, 3, seed=2),
        random(1, 1, 2, 3, seed=3),
        0.1 + random(number, 4).abs(),
    )
    assert torch.autograd.gradcheck(total, tuple(values.requires_grad_() for values in inputs))


# The teacher's view of the image


@pytest.mark.parametrize("teacher", SIZES, ids=str)
def test_maps_of_the_teacher_are_aligned_to_the_centres_of_the_student_cells(teacher: InputSize) -> None:
    """A ramp is interpolated without an error: each cell has the coordinates of its own centre."""
    view = TeacherView(SIZE, teacher)
    rows, columns = teacher.height // 4, teacher.width // 4
    x = ((torch.arange(columns).double() + 0.5) * 4).expand(rows, columns)
    y = ((torch.arange(rows).double() + 0.5) * 4)[:, None].expand(rows, columns)
    at_cells = aligned(view, torch.stack([x, y])[None], 16, 24)[0]  # teacher px of the centres of the student's cells
    points = to_student_px(view, at_cells.flatten(1).T).T.view(2, 16, 24)
    wanted_x = ((torch.arange(24).double() + 0.5) * 4).expand(16, 24)
    wanted_y = ((torch.arange(16).double() + 0.5) * 4)[:, None].expand(16, 24)
    inner = (slice(1, -1), slice(1, -1))  # beyond the centres of the outer cells there is nothing to interpolate
    torch.testing.assert_close(points[0][inner], wanted_x[inner])
    torch.testing.assert_close(points[1][inner], wanted_y[inner])


def test_a_map_of_the_same_cells_stays_as_it_is() -> None:
    heatmap = random(2, 1, 16, 24)
    assert aligned(TeacherView(SIZE, SIZE), heatmap, 16, 24) is heatmap


@pytest.mark.parametrize("teacher", SIZES[1:], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_student_and_teacher_see_the_same_place(teacher: InputSize, seed: int) -> None:
    """Both find a green spot at one place, within a tenth of a px, through crop, zoom, rotation and flip."""
    image = np.zeros((192, 320, 3), np.uint8)
    image[..., 1] = 150 * bright_spot(InputSize(320, 192), 150, 100, 6.0)
    small, _, large = augment_for_teacher(image, ImageLabels.empty(), SIZE, np.random.default_rng(seed), teacher)
    assert large is not None
    found = to_student_px(TeacherView(SIZE, teacher), torch.tensor([centre_of_green(large)]))[0]
    assert abs(found - torch.tensor(centre_of_green(small))).max() < 0.1


def bright_spot(size: InputSize, x: float, y: float, sigma: float) -> Any:
    """Return ``(height, width)`` numbers of a Gaussian at a place in px from the corner of an image."""
    rows, columns = np.mgrid[: size.height, : size.width] + 0.5
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


def centre_of_green(image: Any) -> list[float]:
    """Return x and y of the green in an image in px from its corner; grey bars have none."""
    weight = image[..., 1].astype(np.float64) - image[..., 2]
    rows, columns = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    return [float((weight * place).sum() / weight.sum()) for place in (columns, rows)]


def test_the_image_of_the_student_does_not_depend_on_the_teacher() -> None:
    image = np.random.default_rng(0).integers(0, 255, (96, 160, 3), np.uint8)
    alone, _ = augment(image, ImageLabels.empty(), SIZE, np.random.default_rng(7))
    beside, _, larger = augment_for_teacher(
        image, ImageLabels.empty(), SIZE, np.random.default_rng(7), InputSize(192, 128)
    )
    assert np.array_equal(alone, beside)
    assert larger is not None
    assert larger.shape == (128, 192, 3)


# Targets


@pytest.mark.parametrize("teacher", SIZES, ids=str)
def test_boxes_of_the_teacher_keep_their_place(teacher: InputSize) -> None:
    view = TeacherView(SIZE, teacher)
    wanted = torch.tensor([[10.0, 8, 30, 50], [60, 20, 72, 44]])  # student px
    pad = torch.tensor(view.padding * 2)
    outputs = TeacherOutputs(
        heatmap=torch.zeros(2, 1, teacher.height // 4, teacher.width // 4),
        boxes=wanted * view.zoom + pad,
        images=torch.tensor([0, 1]),
        scores=torch.tensor([0.9, 0.5]),
        embeddings=torch.tensor([[3.0, 4.0], [0.0, 2.0]]),
    )
    targets = teacher_targets(outputs, view, stride=4)
    assert targets.cells.tolist() == [[0, 7, 5], [1, 8, 16]]
    found = 4 * (targets.boxes + targets.cells[:, [2, 1, 2, 1]])
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    assert targets.heatmap is not None
    assert [float(targets.heatmap[i, 0, r, c]) for i, r, c in targets.cells.tolist()] == pytest.approx([0.9, 0.5])
    torch.testing.assert_close(targets.embeddings, torch.tensor([[0.6, 0.8], [0.0, 1.0]]))
    assert targets.pairs == 2


def test_neighbours_have_the_targets_of_their_peak_and_other_peaks_their_own() -> None:
    boxes = torch.tensor([[0.0, 0, 8, 8], [8, 0, 16, 8], [0, 20, 4, 28]])  # centres in the cells (1, 1), (1, 3), (6, 0)
    points = torch.tensor([[6.0, 6], [10, 6], [2, 26]])  # cells (1, 1), (1, 2) and (6, 0)
    outputs = TeacherOutputs(boxes=boxes, images=torch.zeros(3, dtype=torch.int64), points=points)
    targets = teacher_targets(outputs, TeacherView(SIZE, SIZE), stride=4, neighbours=True)
    cells = [tuple(cell[1:]) for cell in targets.cells.tolist()]
    assert cells[:3] == [(1, 1), (1, 2), (6, 0)]
    assert cells.count((1, 2)) == cells.count((1, 1)) == 1
    assert sorted(cells[3:]) == sorted([(0, 1), (2, 1), (1, 0), (0, 2), (2, 2), (1, 3), (5, 0), (7, 0), (6, 1)])
    assert targets.peaks.tolist() == [True] * 3 + [False] * 9
    found = 4 * (targets.boxes + targets.cells[:, [2, 1, 2, 1]])
    people = {tuple(box) for box in found.tolist()}
    assert people == {tuple(box) for box in boxes.tolist()}


def test_a_box_outside_the_view_of_the_student_or_without_an_area_has_no_target() -> None:
    """An untrained teacher has boxes whose right side is left of the left one: their GIoU has no lower bound."""
    boxes = torch.tensor([[-20.0, 0, 4, 8], [20, 8, 12, 16], [20, 8, 20, 16]])
    outputs = TeacherOutputs(boxes=boxes, images=torch.zeros(3, dtype=torch.int64))
    assert len(teacher_targets(outputs, TeacherView(SIZE, SIZE), stride=4).cells) == 0


def test_parts_of_a_batch_keep_their_targets() -> None:
    targets = some_targets()
    labels = make_targets([ImageLabels.empty()] * 2, SIZE, stride=4, num_classes=1)
    images = torch.zeros((2, 3, 64, 96), dtype=torch.uint8)
    batch = Batch(images, labels, ["a", "b"], images, targets)
    second = single_image(batch, 1).taught
    assert second is not None
    assert second.cells.tolist() == [[0, 3, 4]]
    assert second.heatmap is not None
    assert len(second.heatmap) == 1
    first = first_images(batch, 1).taught
    assert first is not None
    assert len(first.cells) == 2


# The losses together


def some_targets() -> TeacherTargets:
    return TeacherTargets(
        cells=torch.tensor([[0, 1, 1], [0, 5, 6], [1, 3, 4]]),
        boxes=torch.tensor([[-1.0, -2, 2, 3]] * 3),
        scores=torch.tensor([0.9, 0.5, 1.0]),
        peaks=torch.ones(3, dtype=torch.bool),
        heatmap=torch.rand((2, 1, 16, 24), generator=torch.Generator().manual_seed(0)),
        features=random(2, 5, 16, 24).float(),
        embeddings=unit(random(3, 6)).float(),
    )


def student(embedding_size: int = 4) -> tuple[Outputs, Tensor]:
    shapes = ((2, 1, 16, 24), (3, 4), (3, 2), (3, embedding_size), (2, 8, 16, 24))
    *outputs, features = (random(*shape, seed=9).float().requires_grad_() for shape in shapes)
    return Outputs(*outputs), features


def counts_of(targets: TeacherTargets) -> LossCounts:
    return LossCounts.of(make_targets([ImageLabels.empty()] * 2, SIZE, stride=4, num_classes=1), targets)


def losses(config: DistillationConfig, shape: TeacherShape = SHAPE, embedding_size: int = 4) -> Distillation:
    made = Distillation(config, shape, channels=8, embedding_size=embedding_size)
    made.initialise(torch.Generator().manual_seed(0))
    return made


@pytest.mark.parametrize("name", ["heatmap", "features", "cosine", "relations", "boxes"])
def test_each_loss_has_a_weight_and_can_be_left_out(name: str) -> None:
    targets, outputs = some_targets(), student()
    truth = torch.zeros((2, 1, 16, 24))
    everything, parts = losses(DistillationConfig())(outputs, targets, truth, counts_of(targets))
    weights: dict[str, Any] = {name: 0}
    without, rest = losses(DistillationConfig(**weights))(outputs, targets, truth, counts_of(targets))
    doubled, _ = losses(DistillationConfig(**{name: 2 * getattr(DistillationConfig(), name)}))(
        outputs, targets, truth, counts_of(targets)
    )
    assert set(parts) - set(rest) == {f"teacher_{name}"}
    own = getattr(DistillationConfig(), name) * parts[f"teacher_{name}"]
    torch.testing.assert_close(everything - without, own)
    torch.testing.assert_close(doubled - everything, own)


def test_every_array_has_a_gradient_also_without_people_and_with_a_single_loss() -> None:
    """Otherwise several processes, of which one has no people, would wait for each other for ever."""
    targets = some_targets().of_images(0, 0)
    targets = TeacherTargets(targets.cells, targets.boxes, targets.scores, targets.peaks, embeddings=targets.embeddings)
    outputs = student()
    made = losses(DistillationConfig(heatmap=0, features=0, boxes=0))
    total, parts = made((outputs[0].at(slice(0, 0)), outputs[1]), targets, torch.zeros(()), LossCounts(0, 0, 0))
    total.backward()
    assert total.item() == 0
    assert all(float(part) == 0 for part in parts.values())
    assert all(parameter.grad is not None for parameter in made.parameters())
    assert outputs[0].heatmap.grad is not None


def test_equal_embedding_sizes_need_no_adapter() -> None:
    assert losses(DistillationConfig(), embedding_size=6).embedding_adapter is None
    assert losses(DistillationConfig(cosine=0)).embedding_adapter is None
    assert losses(DistillationConfig()).embedding_adapter is not None
    assert losses(DistillationConfig(features=0)).feature_adapter is None


def test_shares_of_processes_add_up() -> None:
    """The relations compare the images of one process, all other losses are those of the whole batch."""
    targets, outputs = some_targets(), student()
    made, truth = losses(DistillationConfig(relations=0)), torch.zeros((2, 1, 16, 24))
    whole, _ = made(outputs, targets, truth, counts_of(targets))
    total = torch.zeros(())
    for image, cells in ((0, slice(0, 2)), (1, slice(2, 3))):
        part = outputs[0].at(cells)._replace(heatmap=outputs[0].heatmap[image : image + 1])
        own = targets.of_images(image, image + 1)
        total = total + made((part, outputs[1][image : image + 1]), own, truth[:1], counts_of(targets))[0]
    torch.testing.assert_close(total, whole)


# Teachers


def small_network(classes: int = 1) -> FairMOTNetwork:
    """Return a random network whose heatmap has scores on both sides of `SURE_SCORE`."""
    network = FairMOTNetwork(Small(), HeadSizes(classes, 6))
    network.initialise(torch.Generator().manual_seed(3))
    arrays = network.arrays()
    for name in arrays:
        if name.endswith("conv.weight") and not name.startswith("head"):
            arrays[name] = 20 * arrays[name]
    arrays[f"{HEADS.heatmap}.2.conv.bias"] = np.full(classes, math.log(SURE_SCORE / (1 - SURE_SCORE)), np.float32)
    network.load_arrays(arrays)
    network.eval().requires_grad_(requires_grad=False)
    return network


def small_teacher(size: InputSize = SIZE, classes: int = 1) -> FairMOTTeacher:
    """Return a teacher with `small_network`."""
    return FairMOTTeacher(Checkpoint(Small(), small_network(classes).arrays(), "teacher"), size, name="random")


def test_a_fairmot_teacher_gives_what_validation_finds() -> None:
    teacher, network = small_teacher(), small_network()
    images = torch.randint(0, 256, (2, 3, 64, 96), generator=torch.Generator().manual_seed(0)) / 255
    outputs = check_outputs(teacher(images), "random", 2)
    assert outputs.boxes is not None
    assert outputs.images is not None
    assert outputs.scores is not None
    for image in range(2):
        raw = raw_peaks(network, images[image : image + 1])
        peaks = Small().decode(raw, SIZE)
        sure = peaks.scores >= SURE_SCORE
        assert 0 < sure.sum() < len(sure)
        mine = outputs.images == image
        np.testing.assert_allclose(outputs.scores[mine], peaks.scores[sure], rtol=1e-5)
        np.testing.assert_allclose(outputs.boxes[mine], peaks.boxes[sure], atol=1e-3)
        assert outputs.embeddings is not None
        np.testing.assert_allclose(unit(outputs.embeddings[mine]), np.asarray(peaks.embeddings)[sure], atol=1e-4)


def test_at_the_same_size_the_targets_are_the_outputs_of_the_teacher() -> None:
    teacher = small_teacher()
    guide = Guide(teacher, teacher_facts(teacher), SIZE, stride=4, neighbours=False, device=torch.device("cpu"))
    images = torch.randint(0, 255, (2, 3, 64, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    labels = make_targets([ImageLabels.empty()] * 2, SIZE, stride=4, num_classes=1)
    taught = guide.teach(Batch(images, labels, ["a", "b"])).taught
    outputs = teacher(images.float() / 255)
    assert taught is not None
    assert taught.heatmap is not None
    assert guide.shape == TeacherShape(1, 8, 6, has_boxes=True)
    torch.testing.assert_close(taught.heatmap, outputs.heatmap, rtol=0, atol=0)
    torch.testing.assert_close(taught.features, outputs.features, rtol=0, atol=0)
    highest = taught.heatmap[taught.cells[:, 0], 0, taught.cells[:, 1], taught.cells[:, 2]]
    torch.testing.assert_close(highest, taught.scores)


@pytest.mark.parametrize("name", architecture_names())
def test_on_a_cpu_openvino_gives_the_maps_of_pytorch(name: str) -> None:
    architecture, size = find_architecture(name), InputSize(96, 64)
    checkpoint = random_checkpoint(2, architecture=architecture, sizes=HeadSizes(2, architecture.embedding_size))
    images = torch.randint(0, 256, (2, 3, 64, 96), generator=torch.Generator().manual_seed(0)) / 255
    with torch.no_grad():
        expected = TorchMaps(checkpoint, torch.device("cpu"), precision="fp32")(images)
    found = CompiledMaps(checkpoint, size, precision="fp32", threads=1)(images)
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-4 * float(one.abs().max()))


class PatchFeatures(nn.Module):  # type: ignore[misc]  # torch is imported by importorskip
    """A random network that gives features of 14 px patches, as vision transformers do, and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 14, stride=14)
        self.input_size = InputSize(224, 224)

    def forward(self, images: Tensor) -> TeacherOutputs:
        return TeacherOutputs(features=self.patches(images))


def test_another_vision_model_teaches_its_features() -> None:
    teacher = PatchFeatures()
    facts = teacher_facts(teacher)
    assert facts.name == "PatchFeatures"
    assert len(facts.digest) == 64
    guide = Guide(teacher, facts, SIZE, stride=4, neighbours=False, device=torch.device("cpu"))
    assert guide.other_size == InputSize(224, 224)
    assert not teacher.training
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    made = guide.distillation(DistillationConfig(), HEADS, HeadSizes(1, 8), ["person"], has_labels=True)
    assert made.names == ("features",)


def test_a_teacher_needs_memory_of_its_own() -> None:
    """Peak of `train` with DLA-34 at 320x192, two images, plain neck, bf16, taught at 480x288: 1.31 GB, and
    at 1088x608 1.44 GB.
    """
    kind: dict[str, Any] = {"plain_neck": True, "precision": "bf16"}
    alone = step_bytes(InputSize(320, 192), 2, **kind)
    taught = step_bytes(InputSize(320, 192), 2, teacher_size=InputSize(480, 288), **kind)
    larger = step_bytes(InputSize(320, 192), 2, teacher_size=InputSize(1088, 608), **kind)
    assert alone < taught
    assert 1.31e9 < taught < 1.15 * 1.31e9
    assert 1.44e9 < larger < 1.15 * 1.44e9
    fits = fitting_batch(taught, InputSize(320, 192), teacher_size=InputSize(480, 288), **kind)
    assert fits == 2


def test_a_digest_follows_from_the_numbers_of_a_module() -> None:
    first, second = PatchFeatures(), PatchFeatures()
    assert teacher_facts(first).digest != teacher_facts(second).digest
    second.load_state_dict(first.state_dict())
    assert teacher_facts(first).digest == teacher_facts(second).digest


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (None, "expected TeacherOutputs"),
        (TeacherOutputs(heatmap=torch.zeros(1, 1, 4, 4)), r"heatmap of shape \(1, 1, 4, 4\); expected a tensor \(2,"),
        (TeacherOutputs(features=torch.full((2, 1, 4, 4), math.nan)), "NaN or infinite"),
        (TeacherOutputs(boxes=torch.zeros(3, 4)), "without images"),
        (
            TeacherOutputs(boxes=torch.zeros(1, 4), images=torch.tensor([2])),
            "from 2 to 2; expected numbers from 0 to 1",
        ),
        (TeacherOutputs(boxes=torch.zeros(1, 4), images=torch.zeros(2)), "images of shape"),
        (TeacherOutputs(heatmap="none"), "as 'none'"),
    ],
)
def test_outputs_that_are_not_those_of_a_teacher_are_refused(outputs: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_outputs(outputs, "mine", 2)


def test_a_teacher_of_other_classes_is_refused() -> None:
    teacher = small_teacher(classes=2)
    guide = Guide(teacher, teacher_facts(teacher), SIZE, stride=4, neighbours=False, device=torch.device("cpu"))
    with pytest.raises(InvalidInputError, match=r"random has 2 classes, and the data has 1 \(person\)"):
        guide.distillation(DistillationConfig(), HEADS, HeadSizes(1, 8), ["person"], has_labels=True)


def test_a_teacher_that_gives_nothing_for_the_losses_is_refused() -> None:
    teacher = PatchFeatures()
    guide = Guide(teacher, teacher_facts(teacher), SIZE, stride=4, neighbours=False, device=torch.device("cpu"))
    with pytest.raises(InvalidInputError, match="gives nothing for the losses"):
        guide.distillation(DistillationConfig(features=0), HEADS, HeadSizes(1, 8), ["person"], has_labels=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing=1", "expected one of|heatmap"),
        ("boxes", "expected names with weights"),
        ("boxes=-1", "number >= 0"),
        ("boxes=nan", "number >= 0"),
        ("boxes=1,boxes=2", "twice"),
        ("boxes=1e9", "from 0 to 1e6"),
        ("heatmap=0,features=0,cosine=0,relations=0,boxes=0", "only weights of 0"),
    ],
)
def test_wrong_weights_of_losses_are_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        DistillationConfig.parse(text)


def test_weights_of_losses_are_read_and_shown() -> None:
    config = DistillationConfig.parse("features=0, boxes=1.5")
    assert config == DistillationConfig(features=0, boxes=1.5)
    assert DistillationConfig.parse(str(config)) == config


def test_a_teacher_is_a_name_a_file_or_an_object() -> None:
    wrong: Any = 3
    with pytest.raises(InvalidInputError, match="teacher is 3"):
        TrainingConfig(data=("people",), teacher=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="expected an object that is called"):
        teacher_facts(wrong)
