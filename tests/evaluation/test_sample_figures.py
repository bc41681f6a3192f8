"""benchmarks/sample_figures.py: the rules of each place, on hand-made grids and boxes with known scores."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from aims import Aim, Figure, at_least, at_most, mean_of_figures, table
from folds import HEADER, RANKED, Scores, figure_of, left_out, mean_row, read_folds, row
from leave_one_out import recipe_command
from numpy.typing import NDArray
from places import makers
from still_matching import false_alarms, match_still
from still_scores import CocoNegatives, CocoPeople, LastFrames, StillPlace
from stills_reading import Still, TrustedGround, is_upright, on_trusted_ground, read_last_frames, read_wildtrack
from video_scores import VideoPlace, retrieve

from fairmot_dla34 import Detections, Frame

Rows = Sequence[Sequence[float]]
UPRIGHT, SEATED = [10, 10, 30, 60], [60, 10, 100, 60]  # 20x50 and 40x50


def boxes_of(rows: Rows) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


def found(rows: Rows, scores: Sequence[float] | None = None) -> Detections:
    return Detections(boxes_of(rows), np.array([0.9] * len(rows) if scores is None else scores, np.float32))


def still(people: Rows = (), others: Rows = (), areas: Rows = ()) -> Still:
    return Still(Path("a.jpg"), boxes_of(people), boxes_of(others), boxes_of(areas))


def values(figures: Sequence[Figure]) -> dict[str, float]:
    assert len({figure.name for figure in figures}) == len(figures)
    return {figure.name: figure.value for figure in figures}


def make_set(folder: Path, labels: dict[str, Rows], grid: dict[str, list[str]] | None = None) -> None:
    """Write a set of stills with boxes left, top, width, height, in images of 64x48."""
    (folder / "images").mkdir(parents=True)
    lines = ["file,id,left,top,width,height"]
    for name, rows in labels.items():
        cv2.imwrite(str(folder / "images" / name), np.zeros((48, 64, 3), np.uint8))
        lines += [f"{name},-1,{','.join(map(str, one))}" for one in rows]
    (folder / "labels.csv").write_text("\n".join(lines), "utf-8")
    if grid:
        (folder / "trusted_foot_grid.json").write_text(json.dumps({"cell": 20, "trusted": grid}), "utf-8")


class TestMatching:
    def test_detections_on_a_box_that_does_not_count_are_neither_right_nor_wrong(self) -> None:
        matches = match_still(still([UPRIGHT], [SEATED]), found([UPRIGHT, SEATED, SEATED, [200, 0, 220, 50]]))
        assert matches.right.tolist() == [True, False]
        assert matches.people == 1

    def test_a_part_of_a_box_that_does_not_count_is_a_false_alarm(self) -> None:
        matches = match_still(still([], [SEATED]), found([[60, 10, 75, 40]]))  # IoU 0.225
        assert matches.right.tolist() == [False]

    def test_half_of_a_detection_in_an_ignored_area_leaves_it_out(self) -> None:
        matches = match_still(still([], areas=[[0, 0, 100, 100]]), found([[80, 0, 118, 50], [81, 0, 121, 50]]))
        assert matches.right.tolist() == [False]

    def test_a_person_comes_before_a_box_that_does_not_count(self) -> None:
        matches = match_still(still([UPRIGHT], [[10, 10, 31, 60]]), found([[10, 10, 31, 60]]))
        assert matches.right.tolist() == [True]

    def test_only_detections_of_the_default_threshold_are_false_alarms(self) -> None:
        detections = found([UPRIGHT, SEATED, [200, 0, 220, 50]], [0.41, 0.39, 0.8])
        assert false_alarms([still()], [detections]) == 2

    def test_a_detection_with_exchanged_sides_is_left_out(self) -> None:
        matches = match_still(still([UPRIGHT], [SEATED]), found([UPRIGHT, [40, 10, 20, 60]]))
        assert matches.right.tolist() == [True]


class TestCoco:
    def test_upright_is_over_1_6_widths(self) -> None:
        assert is_upright(boxes_of([[0, 0, 10, 16], [0, 0, 10, 16.1], [0, 0, 40, 50]])).tolist() == [False, True, False]

    def test_seated_people_count_only_in_the_figure_of_all_boxes(self) -> None:
        place = CocoPeople("coco", [still([UPRIGHT, SEATED])])
        scores = values(place.score([found([SEATED, [200, 0, 220, 50], UPRIGHT], [0.9, 0.8, 0.7])]))
        assert scores == {
            "AP50, upright": 50,
            "recall": 100,
            "precision": 50,
            "AP50, all boxes": pytest.approx(500 / 6),
        }

    def test_images_of_more_than_ten_people_are_left_out(self) -> None:
        crowd = [[20 * i, 0, 20 * i + 10, 40] for i in range(11)]
        assert len(CocoPeople("coco", [still(crowd), still(crowd[:10])]).stills) == 1

    def test_false_alarms_are_counted_in_every_fifth_image_and_in_all(self) -> None:
        images = [found([UPRIGHT])] * 3 + [found([])] * 2 + [found([UPRIGHT, SEATED])]
        reported, every = CocoNegatives("negatives", [still()] * 6).score(images)
        assert [reported.value, every.value] == pytest.approx([1.5, 5 / 6])
        assert (reported.percent, every.percent) == (0, None)
        assert "2 images" in reported.name
        assert "all 6" in every.name


class TestWildtrack:
    GRID = ("000", "010")  # feet may be from 20 to 40 px in both directions

    def test_feet_are_on_trusted_ground(self) -> None:
        ground = TrustedGround(np.array([[cell == "1" for cell in line] for line in self.GRID]), 20)
        feet = [(20, 20), (39, 39), (19, 30), (30, 19), (40, 30), (30, 40), (-5, 30), (30, 500)]
        boxes = boxes_of([[x - 4, y - 15, x + 4, y] for x, y in feet])
        assert on_trusted_ground(boxes, ground).tolist() == [True, True] + [False] * 6

    def test_every_fifth_image_and_all_of_c7_are_scored_inside_the_grid(self, tmp_path: Path) -> None:
        on, off = [26, 10, 8, 20], [46, 10, 8, 20]
        folder = tmp_path / "stills" / "wildtrack"
        names = [*(f"C1_{number}.png" for number in range(7)), "C7_0.png", "C7_1.png"]
        make_set(folder, {name: [on, off] for name in names}, {"C1": list(self.GRID), "C7": list(self.GRID)})
        assert [one.path.stem for one in read_wildtrack(folder)] == ["C1_0", "C1_5", "C7_0", "C7_1"]
        place = makers(tmp_path)["wildtrack"]()
        right = found([[26, 10, 34, 30], [46, 10, 54, 30], [6, 10, 14, 30]])  # the last one is no person, off the grid
        scores = values(place.score([found([]), right, right, right]))
        assert scores["AP50 in the grid"] == 75
        assert scores["AP50 in the grid, C7 alone"] == 100
        assert (scores["recall"], scores["precision"]) == (75, 100)


def test_every_fifth_image_is_scored(tmp_path: Path) -> None:
    make_set(tmp_path / "stills" / "pennfudan", {f"{number:02d}.png": [[10, 10, 10, 30]] for number in range(11)})
    place = makers(tmp_path)["pennfudan"]()
    assert isinstance(place, StillPlace)
    assert [one.path.stem for one in place.stills] == ["00", "05", "10"]
    assert len([load().shape for load in place.loaders()]) == 3
    figure = place.score([found([[10, 10, 20, 40]]), found([]), found([])])[0]
    assert figure.name == "AP50"
    assert figure.value == pytest.approx(100 / 3)
    assert str(figure.aim) == "≥ 80"


class TestLastFrames:
    def test_people_of_at_most_half_visibility_are_ignored(self, tmp_path: Path) -> None:
        folder = tmp_path / "MOT17-02"
        (folder / "img1").mkdir(parents=True)
        (folder / "gt").mkdir()
        for number in (1, 2):
            cv2.imwrite(str(folder / "img1" / f"{number:06d}.jpg"), np.zeros((48, 64, 3), np.uint8))
        rows = ["1,1,0,0,9,30,1,1,1", "2,1,10,0,10,30,1,1,0.51", "2,2,40,0,10,30,1,1,0.5"]
        (folder / "gt" / "gt.txt").write_text("\n".join(rows) + "\n", "utf-8")
        (last,) = read_last_frames(tmp_path)
        assert last.path.stem == "000002"
        assert (len(last.people), len(last.areas)) == (1, 1)
        (last,) = read_last_frames(tmp_path, None)
        assert (len(last.people), len(last.areas)) == (2, 0)

    def test_false_alarms_enter_the_mean_by_person(self) -> None:
        place = LastFrames("mot17", [still([UPRIGHT, SEATED])], [still([UPRIGHT, SEATED, [300, 0, 320, 50]])])
        recall, alarms, _, recall_of_all, _ = place.score([found([UPRIGHT, [200, 0, 220, 50]])])
        assert recall_of_all.value == pytest.approx(100 / 3)
        assert recall_of_all.percent is None
        assert (recall.value, recall.percent) == (50, 50)
        assert (alarms.value, alarms.percent) == (1, 50)


class Walkers:
    """Two people who stand still for ten frames; see `parts.Part`."""

    name, length = "walkers, seed 1", 10

    def frame_rate(self) -> float:
        return 10.0

    def frames(self) -> Iterator[Frame]:
        for index in range(self.length):
            yield Frame(index, index / 10, np.zeros((8, 8, 3), np.uint8))

    def truth(self) -> str:
        rows = [(frame, person) for frame in range(1, self.length + 1) for person in (1, 2)]
        return "".join(f"{frame},{person},{100 * person},10,20,50,1,1,1\n" for frame, person in rows)

    def detections(self) -> list[Detections]:
        boxes = boxes_of([[100, 10, 120, 60], [200, 10, 220, 60]])
        return [Detections(boxes, np.full(2, 0.9, np.float32), np.eye(2, 8, dtype=np.float32))] * self.length


class TestVideos:
    def test_perfect_detections_have_perfect_scores(self) -> None:
        pytest.importorskip("trackeval")
        people = Walkers()
        place = VideoPlace("walkers", [people], (91, 93), ("forwards", "backwards"))
        assert len(list(place.loaders())) == 10
        figures = place.score(people.detections())
        assert {figure.value for figure in figures[:-1]} == {100.0}
        assert (figures[-1].name, figures[-1].value) == ("IDF1 gained by embeddings", 0.0)
        assert sum(figure.weight for figure in figures if figure.percent is not None) == 2.0

    def test_equal_embeddings_retrieve_nobody(self) -> None:
        people = Walkers()
        assert retrieve(people.truth(), people.detections()).map_id == 100
        same = [Detections(one.boxes, one.scores, np.ones((2, 8), np.float32)) for one in people.detections()]
        assert (retrieve(people.truth(), same).map_id or 100) < 50
        assert retrieve(people.truth(), [found([])] * 10).map_id is None


class TestMean:
    def test_the_mean_is_over_figures_with_aims_in_percent(self) -> None:
        figures = [
            at_least("a", "AP50", 80, 70),
            at_least("b", "MOTA, forwards", 60, 91, weight=0.5),
            at_least("b", "MOTA, backwards", 50, 91, weight=0.5),
            at_most("c", "false alarms per image", 0.25, 0.1, share=0.25, digits=2),
            at_most("d", "false alarms", 30, 12, share=3.0, digits=0),
            Figure("a", "recall", 1.0),
            Figure("b", "IDF1 gained by embeddings", -3.0, Aim(0)),
        ]
        assert mean_of_figures(figures) == pytest.approx((80 + 55 + 75 + 0) / 4)
        lines = table([("x", figures), ("y", figures)]).splitlines()
        assert lines[2] == "| a | AP50 | ≥ 70 | **80.0** | **80.0** |"
        assert lines[5] == "| c | false alarms per image | ≤ 0.1 | 0.25 | 0.25 |"
        assert lines[-1] == "| mean of all figures | 4 figures | | 52.5 | 52.5 |"

    def test_runs_with_different_figures_have_no_table(self) -> None:
        with pytest.raises(ValueError, match="different figures"):
            table([("x", [at_least("a", "AP50", 80, 70)]), ("y", [])])

    def test_figures_without_aims_have_no_mean(self) -> None:
        with pytest.raises(ValueError, match="has an aim"):
            mean_of_figures([Figure("cafe", "AP50", 1.0)])


class TestFolds:
    def test_both_sets_of_coco_are_left_out_together(self) -> None:
        assert left_out(["pennfudan", "coco256_person"]) == ["coco256_negative", "coco256_person", "pennfudan"]

    def test_a_run_sees_neither_the_places_of_its_fold_nor_their_cutouts(self, tmp_path: Path) -> None:
        arguments = argparse.Namespace(
            weights=None, cutouts=tmp_path, stages=None, lr_factor=1.0, minutes=5.0, threads=2, seed=0, input_size="1x1"
        )
        absent = left_out(["coco256_person"])
        command = list(map(str, recipe_command([Path("a/pennfudan")], absent, tmp_path, arguments)))
        position = command.index("--without")
        assert command[position : position + 4] == ["--without", "coco256_negative", "coco256_person", "--lr-factor"]
        assert [command[index + 1] for index, word in enumerate(command) if word == "--data"] == ["a/pennfudan"]
        assert "--start" not in command
        assert "--stages" not in command

    def test_folds_are_read(self) -> None:
        assert read_folds(["pennfudan+wildtrack", "TUD-Campus"]) == [("pennfudan", "wildtrack"), ("TUD-Campus",)]

    @pytest.mark.parametrize("folds", [["pennfudan+cafe"], ["pennfudan", "wildtrack+pennfudan"], [""]])
    def test_an_unknown_or_repeated_place_is_refused(self, folds: list[str]) -> None:
        with pytest.raises(ValueError, match="--folds has"):
            read_folds(folds)

    def test_each_place_is_ranked_by_figures_of_its_scorer(self) -> None:
        assert set(RANKED) <= set(makers(Path()))
        scores: Scores = {"pennfudan": {"AP50": 40.0, "recall": 1.0}}
        assert figure_of("pennfudan", scores) == 40

    def test_the_mean_is_over_the_places(self) -> None:
        first: Scores = {"pennfudan": {"AP50": 40.0}}
        second: Scores = {"wildtrack": {"AP50 in the grid": 60.0}, "MOT17-mini": {"AP50": 80.0}}
        results: list[tuple[tuple[str, ...], Scores, Scores]] = [
            (("pennfudan",), {}, first),
            (("wildtrack", "MOT17-mini"), {}, second),
        ]
        assert mean_row(results) == "| mean | | | | - | 60.0 |"
        line = row("wildtrack", ("wildtrack", "MOT17-mini"), {}, second)
        assert line.count("|") == HEADER.splitlines()[0].count("|")
