"""Anonymised images: who is covered and when, how coarse the blocks are, and that no output gets the image itself."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from outputs.striped_people import ForgetfulBackend, bright_pixels, striped_people

from fairmot_dla34 import Detections, FrameResult, Module, Track
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.errors import InvalidInputError
from fairmot_dla34.outputs.anonymisation import Anonymisation
from fairmot_dla34.outputs.cover_plan import DELAY_S, Covered, CoverPlan
from fairmot_dla34.outputs.pixelation import cover_regions, pixelated
from fairmot_dla34.tracking.options import OutputOptions

RATE = 10.0
NOBODY = Detections([], [])


def person(index: int, speed: float = 4.0) -> tuple[float, float, float, float]:
    return (20 + speed * index, 40, 50 + speed * index, 120)


def run(
    tracks: dict[int, list[Track]], frames: int, kind: str = "people", detections: dict[int, Detections] | None = None
) -> list[Covered]:
    """Return the plan of all frames, for tracks by frame."""
    plan = CoverPlan(Anonymisation.parse(kind), frame_rate=RATE, hold_s=2.0)
    covered = []
    for index in range(frames):
        result = FrameResult(index, index / RATE, tuple(tracks.get(index, ())))
        covered += plan.push(result, (detections or {}).get(index, NOBODY))
    return [*covered, *plan.flush()]


def contains(covered: Covered, box: tuple[float, float, float, float]) -> bool:
    x1, y1, x2, y2 = box
    boxes = cover_regions(covered.boxes, covered.errors_px, heads_only=covered.heads_only)
    return any((a <= x1 and b <= y1 and c >= x2 and d >= y2) for a, b, c, d in boxes.tolist())


def test_every_frame_comes_out_once_in_order_after_at_most_the_delay() -> None:
    plan = CoverPlan(Anonymisation.parse("people"), frame_rate=RATE, hold_s=2.0)
    out: list[int] = []
    for index in range(30):
        out += [covered.result.index for covered in plan.push(FrameResult(index, index / RATE, ()), NOBODY)]
        assert len(out) >= index + 1 - DELAY_S * RATE
    out += [covered.result.index for covered in plan.flush()]
    assert out == list(range(30))


@pytest.mark.parametrize("times", [[0.0] * 80, [5 - i / 10 for i in range(80)], [i * 1000.0 for i in range(80)]])
def test_the_delay_is_bounded_and_tracks_are_covered_whatever_the_times(times: list[float]) -> None:
    plan = CoverPlan(Anonymisation.parse("people"), frame_rate=RATE, hold_s=2.0)
    out: list[Covered] = []
    for index, time_s in enumerate(times):
        out += plan.push(FrameResult(index, time_s, (Track(1, person(index), 0.9, index),)), NOBODY)
        assert index + 1 - len(out) <= 30
    out += plan.flush()
    assert [covered.result.index for covered in out] == list(range(80))
    assert all(contains(covered, person(covered.result.index)) for covered in out)


def test_a_person_is_covered_before_the_track_starts_and_through_a_gap() -> None:
    seen = [*range(5, 20), *range(32, 40)]
    covered = run({index: [Track(3, person(index), 0.9, 0)] for index in seen}, 40)
    assert not len(covered[0].boxes)
    missed = [c.result.index for c in covered if c.result.index > 0 and not contains(c, person(c.result.index))]
    assert not missed


def test_a_lost_person_stays_covered_for_the_lost_buffer_whether_they_walk_on_or_stop() -> None:
    covered = run({index: [Track(3, person(index), 0.9, 0)] for index in range(10)}, 60)
    for at in (person(9), person(12)):
        assert contains(covered[13], at)
    assert contains(covered[29], person(9))
    assert len(covered[29].boxes)
    assert not len(covered[31].boxes)


def test_detections_without_a_track_are_covered_unless_only_ids_are() -> None:
    weak = {4: Detections([person(0)], [0.12]), 20: Detections([person(0)], [0.05])}
    assert [c.result.index for c in run({}, 30, "people", weak) if len(c.boxes)] == [2, 3, 4, 5, 6]
    assert not any(len(c.boxes) for c in run({}, 30, "only:1", weak))


def test_except_and_only_cover_the_others_or_these() -> None:
    near, far = person(0), (200.0, 40.0, 230.0, 120.0)
    tracks = {index: [Track(1, near, 0.9, 0), Track(2, far, 0.9, 0)] for index in range(10)}
    found = {index: Detections([near, far], [0.9, 0.9]) for index in range(10)}
    for kind, hidden, shown in (("except:1", far, near), ("only:1", near, far), ("except:1,7", far, near)):
        for covered in run(tracks, 10, kind, found):
            assert contains(covered, hidden)
            assert not contains(covered, shown)


def test_a_person_who_stays_visible_is_covered_when_somebody_else_may_be_there() -> None:
    tracks = {index: [Track(1, person(0), 0.9, 0), Track(2, person(1), 0.9, 0)] for index in range(10)}
    found = {index: Detections([person(0), person(1)], [0.9, 0.9]) for index in range(10)}
    assert all(contains(covered, person(1)) for covered in run(tracks, 10, "except:1", found))


def blocks_across(image: NDArray[np.uint8], row: int, left: int, right: int) -> int:
    return 1 + int((np.abs(np.diff(image[row, left:right].astype(int), axis=0)).sum(axis=1) > 0).sum())


@pytest.mark.parametrize("height", [30, 80, 200, 470])
def test_a_head_has_at_most_six_blocks_and_nothing_of_the_image_is_left(height: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    width = 0.4 * height
    boxes = np.array([[300 - width / 2, 5, 300 + width / 2, 5 + height]])
    for heads_only in (True, False):
        drawn = pixelated(image, boxes, heads_only=heads_only)
        x1, y1, x2, y2 = cover_regions(boxes, np.zeros(1), heads_only=heads_only)[0].round().astype(int).tolist()
        inside = drawn[max(y1, 0) : y2, x1:x2].astype(int) - image[max(y1, 0) : y2, x1:x2]
        assert (np.abs(inside).max(axis=2) == 0).mean() < 0.02
        box_left, box_right = round(300 - width / 2), round(300 + width / 2)
        assert blocks_across(drawn, 5 + height // 12, box_left, box_right) <= 7  # six, and one cut by the box
        outside = np.ones((480, 640), bool)
        outside[max(y1 - 1, 0) : y2 + 1, x1 - 1 : x2 + 1] = False
        assert np.array_equal(drawn[outside], image[outside])


def test_boxes_outside_the_image_and_odd_images_are_no_error() -> None:
    boxes = np.array([[-500.0, -500, -400, -300], [-5, -5, 3, 20], [1e9, 0, 2e9, 5], [2, 2, 2, 2], [60, 40, 1e7, 1e7]])
    image = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    for part in (image, image[::2, ::-1], image[:1, :1]):
        assert pixelated(part, boxes, heads_only=True).shape == part.shape
        assert np.array_equal(pixelated(part, boxes[:0], heads_only=True), part)


@pytest.mark.parametrize(
    "value", ["face", "heads:1", "except", "except:", "only:0", "only:-1", "only:1,,2", "only:x", 3]
)
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(InvalidInputError, match=r"expected heads, people, except:ID"):
        OutputOptions(anonymise=value)  # type: ignore[arg-type]


def test_an_anonymisation_without_effect_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"no output has images; expected a video, crops or a window"):
        OutputOptions(anonymise="people", visualization=False)
    with pytest.raises(InvalidInputError, match=r"nobody is left for crops"):
        OutputOptions(anonymise="heads", save_crops=True)
    OutputOptions(anonymise="only:1", visualization=False, save_crops=True)


def test_no_output_of_a_run_shows_a_covered_person(tmp_path: Path) -> None:
    """Bright stripes are left where a person is seen: in the video, in the one that follows, and in a crop."""
    with Module.from_backend(FakeBackend()) as module:
        summary = module.tracking(
            striped_people(30),
            tmp_path,
            frame_rate=RATE,
            anonymise="people",
            follow=1,
            draw_threshold=1,
            progress=False,
        )
        assert [len(images_of(path)) for path in summary.paths[1:]] == [30, 30]
        assert max(bright_pixels(image) for path in summary.paths[1:] for image in images_of(path)) == 0
        plain = module.tracking(
            striped_people(6), tmp_path, frame_rate=RATE, follow=1, draw_threshold=1, progress=False
        )
        assert min(bright_pixels(image) for path in plain.paths[1:] for image in images_of(path)) > 300


def test_crops_show_only_those_who_stay_visible(tmp_path: Path) -> None:
    with Module.from_backend(FakeBackend()) as module:
        module.tracking(
            striped_people(12), tmp_path, frame_rate=RATE, anonymise="only:2", save_crops=True, progress=False
        )
    folder = tmp_path / "mot_outputs" / "inputimages_crops"
    assert {path.name for path in folder.iterdir() if path.name.isdigit()} == {"1"}
    assert bright_pixels(np.asarray(cv2.imread(str(folder / "1" / "best.jpg")), np.uint8)) > 300


def images_of(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


def test_arrays_of_the_caller_stay_as_they_are(tmp_path: Path) -> None:
    images = list(itertools.islice(striped_people(8), 8))
    before = [image.copy() for image in images]
    with Module.from_backend(FakeBackend()) as module:
        module.tracking(images, tmp_path, frame_rate=RATE, anonymise="heads", progress=False)
    assert all(map(np.array_equal, images, before))


def test_an_id_that_nobody_got_is_an_error_at_the_end_and_the_files_are_valid(tmp_path: Path) -> None:
    module = Module.from_backend(FakeBackend())
    for settings in ({"anonymise": "only:9"}, {"anonymise": "except:1,9"}, {"follow": 9}):
        with pytest.raises(InvalidInputError, match=r"but nobody in inputimages got the id 9; expected ids"):
            module.tracking(striped_people(8), tmp_path, progress=False, **settings)
        assert (tmp_path / "mot_results" / "inputimages.txt").read_text().count("\n") == 16
        assert len(images_of(tmp_path / "mot_outputs" / "inputimages_vis.mp4")) == 8
    assert not (tmp_path / "mot_outputs" / "inputimages_follow9.mp4").exists()


def test_gaps_are_filled_and_covered_together(tmp_path: Path) -> None:
    module = Module.from_backend(ForgetfulBackend(missing=range(8, 14)))
    summary = module.tracking(
        striped_people(24),
        tmp_path,
        frame_rate=RATE,
        anonymise="people",
        fill_gaps=10,
        draw_threshold=1,
        progress=False,
    )
    assert summary.paths[0].read_text().count("\n") == 48
    assert [bright_pixels(image) for image in images_of(summary.paths[1])] == [0] * 24
