"""Division into training and validation parts: no near-copies on both sides, and the same result in every run."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34.datasets import ImageLabels, SourceImage, SourceSequence
from fairmot_dla34.datasets.preparation.splitting import (
    PartSequence,
    split_as_published,
    split_by_fraction,
    split_by_name,
)
from fairmot_dla34.errors import DatasetError, InvalidInputError


def sequence(name: str, count: int, *, is_video: bool = True, part: str | None = None) -> SourceSequence:
    images = [SourceImage(Path(name, f"{index}.jpg"), 64, 48, ImageLabels.empty()) for index in range(count)]
    return SourceSequence(name, images, is_video=is_video, part=part)


def names(parts: list[PartSequence], part: str) -> list[str]:
    return [image.path.as_posix() for item in parts if item.part == part for image in item.sequence.images]


def test_whole_videos_are_held_out_if_that_comes_near_the_fraction() -> None:
    videos = [sequence(f"v{number}", 10) for number in range(7)]
    parts, notes = split_by_fraction(videos, 0.3)
    held = {item.sequence.name for item in parts if item.part == "val"}
    assert len(held) == 2
    assert not held & {item.sequence.name for item in parts if item.part == "train"}
    assert "the whole of" in notes[0]


@pytest.mark.parametrize("counts", [[50], [500, 500], [900, 3]])
def test_otherwise_the_end_of_each_video_is_held_out(counts: list[int]) -> None:
    """Never single frames between training frames: they are near-copies of their neighbours."""
    videos = [sequence(f"v{number}", count) for number, count in enumerate(counts)]
    parts, notes = split_by_fraction(videos, 0.1)
    for number, count in enumerate(counts):
        held = [item.sequence for item in parts if item.part == "val" and item.origin == number]
        expected = max(1, round(0.1 * count))
        assert [image.path.stem for image in held[0].images] == [str(index) for index in range(count - expected, count)]
    assert "the last 10 %" in notes[0]


def test_stills_are_chosen_by_their_names_alone() -> None:
    few, _ = split_by_fraction([sequence("s", 200, is_video=False)], 0.2)
    more, _ = split_by_fraction([sequence("other", 400, is_video=False)], 0.2)
    held = {Path(name).name for name in names(few, "val")}
    assert 20 <= len(held) <= 60
    assert held == {Path(name).name for name in names(more, "val") if int(Path(name).stem) < 200}


@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=6),
    st.floats(0.001, 0.999),
)
def test_every_image_is_in_one_part(counts: list[tuple[int, bool]], fraction: float) -> None:
    made = [sequence(f"q{number}", count, is_video=video) for number, (count, video) in enumerate(counts)]
    everything = sorted(image.path.as_posix() for item in made for image in item.images)
    try:
        parts, _ = split_by_fraction(made, fraction)
    except DatasetError:
        assert sum(count for count, _ in counts) == 1
        return
    assert sorted(names(parts, "train") + names(parts, "val")) == everything
    assert names(parts, "train")
    assert names(parts, "val")
    again, _ = split_by_fraction(made, fraction)
    assert names(again, "val") == names(parts, "val")
    assert [item.part for item in parts] == sorted((item.part for item in parts), key=["train", "val"].index)


@pytest.mark.parametrize("is_video", [True, False])
def test_one_image_cannot_be_divided(is_video: bool) -> None:
    with pytest.raises(DatasetError, match=r"val is 0\.2, which leaves one part empty"):
        split_by_fraction([sequence("a", 1, is_video=is_video)], 0.2)


def test_named_sequences_are_held_out() -> None:
    made = [sequence("a", 3, part="val"), sequence("b", 2), sequence("c", 2)]
    parts = split_by_name(made, ["b"])
    assert [(item.part, item.origin) for item in parts] == [("train", 0), ("train", 2), ("val", 1)]
    with pytest.raises(InvalidInputError, match=r"val_sequences is x, but the source has no 'x'; it has a, b, c\."):
        split_by_name(made, ["x"])
    with pytest.raises(DatasetError, match="leaves none to train on"):
        split_by_name(made, ["a", "b", "c"])


def test_parts_of_the_publisher_hold_otherwise() -> None:
    parts = split_as_published([sequence("a", 1, part="val"), sequence("b", 1), sequence("c", 1, part="train")])
    assert [(item.part, item.sequence.name) for item in parts] == [("train", "b"), ("train", "c"), ("val", "a")]
