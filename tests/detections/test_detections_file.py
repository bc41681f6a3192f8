"""Detections files: what is written is read, in constant memory; there is a complete file or none."""

from __future__ import annotations

import json
import re
import runpy
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_detections import HEADER, frames_of, random_detections, write_detections

from fairmot_dla34 import Detections
from fairmot_dla34.detections import DetectedFrame, DetectionsWriter, join_detections, read_detections
from fairmot_dla34.errors import DetectionsFileError, InvalidInputError, OutputError, StateError


def check_frame(found: DetectedFrame, index: int, written: Detections) -> None:
    kept = written[written.scores >= np.float32(0.1)]
    assert (found.index, found.time_s, found.width, found.height) == (index, index / 30, 320, 192)
    assert found.detections.boxes.tobytes() == kept.boxes.tobytes()
    assert found.detections.scores.tobytes() == kept.scores.tobytes()
    assert found.detections.class_ids is not None
    assert kept.class_ids is not None
    assert found.detections.class_ids.tolist() == kept.class_ids.tolist()
    if len(kept):
        assert found.detections.embeddings is not None
        assert kept.embeddings is not None
        assert found.detections.embeddings.tobytes() == kept.embeddings.tobytes()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    frames = frames_of(600)
    file = write_detections(tmp_path / "deep" / "street.detections", frames)
    for _ in range(2):  # any number of times
        for index, found in enumerate(file):
            check_frame(found, index, frames[index])
        assert index == 599
    assert len(file) == 600
    assert file.header == HEADER
    assert (file.ending.frames_skipped, file.ending.embedding_size, file.ending.ended) == (1, 16, "end")
    assert file.ending.stage_seconds == {"network": 0.5}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["street.detections"]


def test_equal_frames_have_one_digest(tmp_path: Path) -> None:
    frames = frames_of(40)
    first = write_detections(tmp_path / "a", frames)
    assert write_detections(tmp_path / "b", frames, header=replace(HEADER, weights="x")).ending == first.ending
    assert write_detections(tmp_path / "c", frames[:39]).ending.digest != first.ending.digest
    moved = [Detections(one.boxes + np.float32(0.001), one.scores, one.embeddings, one.class_ids) for one in frames]
    assert write_detections(tmp_path / "d", moved).ending.digest != first.ending.digest


def test_numbers_that_no_tracker_uses_are_left_out(tmp_path: Path) -> None:
    boxes = np.array([[0, 0, 9, 9], [0, 0, np.inf, 9], [1, 1, 9, 9], [2, 2, 9, 9], [3, 3, 9, 9]])
    embeddings = np.ones((5, 3))
    embeddings[2] = np.nan, 1, 1
    written = Detections(boxes, [0.9, 0.9, 0.8, np.nan, 0.09], embeddings)
    (found,) = write_detections(tmp_path / "x", [written])
    assert found.detections.boxes.tolist() == [[0, 0, 9, 9], [1, 1, 9, 9]]
    assert found.detections.embeddings is not None
    assert found.detections.embeddings.tolist() == [[1, 1, 1], [0, 0, 0]]  # zeros: unknown, as in a tracker


@pytest.mark.parametrize("people", [0, 1])
def test_files_without_embeddings_or_people(tmp_path: Path, people: int) -> None:
    written = Detections(np.ones((people, 4)) * [0, 0, 5, 5], np.ones(people))
    found = list(write_detections(tmp_path / "x", [written] * 3))
    assert [len(frame.detections) for frame in found] == [people] * 3
    assert found[0].detections.embeddings is None


def test_memory_is_constant(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    detections = random_detections(rng, 30, 128)

    def peak(count: int) -> int:
        tracemalloc.start()
        with DetectionsWriter(tmp_path / "x", HEADER) as writer:
            for index in range(count):
                writer.write(index, index / 30, (320, 192), detections)
            writer.finish()
        for _ in read_detections(tmp_path / "x"):
            pass
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    assert peak(3000) < 1.1 * peak(600)


def test_an_unfinished_file_is_removed_and_an_earlier_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.detections"
    earlier = write_detections(path, frames_of(3)).ending
    with DetectionsWriter(path, HEADER) as writer:
        writer.write(0, 0.0, (5, 5), frames_of(1)[0])
        assert (tmp_path / "x.detections.part").exists()
    assert list(tmp_path.iterdir()) == [path]
    assert read_detections(path).ending == earlier
    with pytest.raises(StateError, match="complete or closed"):
        writer.finish()


def test_the_part_of_a_killed_run_is_replaced_and_a_link_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "x.part").symlink_to(precious)
    write_detections(tmp_path / "x", frames_of(3))
    assert precious.read_text() == "mine"
    assert not (tmp_path / "x.part").exists()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ((0, 0.0, (5, 5)), "from 1 to"),
        ((-1, 0.0, (5, 5)), "Frame index is -1"),
        ((1, float("nan"), (5, 5)), "finite number of seconds"),
        ((1, 0.0, (0, 5)), "width and height"),
    ],
)
def test_frames_that_cannot_be(tmp_path: Path, frame: tuple[int, float, tuple[int, int]], message: str) -> None:
    with DetectionsWriter(tmp_path / "x", HEADER) as writer:
        writer.write(0, 0.0, (5, 5), Detections([], []))
        with pytest.raises(InvalidInputError, match=message):
            writer.write(*frame, Detections([], []))
        writer.write(1, 0.0, (5, 5), Detections([], []))
        writer.finish()


def test_embeddings_of_another_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with DetectionsWriter(tmp_path / "x", replace(HEADER, min_score=0.0)) as writer:
        writer.write(0, 0.0, (5, 5), random_detections(rng, 2, 8))
        for size in (9, 0):
            with pytest.raises(InvalidInputError, match=rf"embeddings of {size} numbers, earlier frames had 8"):
                writer.write(1, 0.0, (5, 5), random_detections(rng, 2, size))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="a file exists where a folder is needed"):
        DetectionsWriter(tmp_path / "file" / "x", HEADER)


class TestJoin:
    """`join_detections`."""

    def test_parts_join_to_the_file_of_the_whole(self, tmp_path: Path) -> None:
        frames = frames_of(700)
        whole = write_detections(tmp_path / "whole", frames)
        bounds = [0, 1, 300, 301, 650, 650, 700]
        parts = []
        for number, first in enumerate(bounds[:-1]):
            last = bounds[number + 1] if number < 5 else None
            parts.append(write_detections(tmp_path / f"part{number}", frames, first=first, last=last).path)
        ending = join_detections(parts, tmp_path / "joined")
        joined = read_detections(tmp_path / "joined")
        assert ending.digest == whole.ending.digest
        assert joined.header == whole.header
        assert joined.ending.frames_skipped == 6
        assert joined.ending.stage_seconds == {"network": 3.0}
        assert [frame.index for frame in joined] == list(range(700))

    def test_other_threads_and_devices(self, tmp_path: Path) -> None:
        frames = frames_of(10)
        other = replace(HEADER, backend=replace(HEADER.backend, threads=8, streams=2))
        a = write_detections(tmp_path / "a", frames, last=5).path
        b = write_detections(tmp_path / "b", frames, header=other, first=5).path
        assert join_detections([a, b], tmp_path / "c").frames == 10

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"min_score": 0.2}, "differ in min_score"),
            ({"network": "other"}, "differ in network"),
            ({"package_version": "1.0"}, "differ in package_version"),
            ({"native_rate": 25.0}, "differ in native_rate"),
            ({"backend": replace(HEADER.backend, precision="bf16")}, "differ in backend"),
            ({"source": replace(HEADER.source, digest="x")}, "differ in source"),
        ],
    )
    def test_other_settings(self, tmp_path: Path, change: dict[str, object], message: str) -> None:
        frames = frames_of(10)
        a = write_detections(tmp_path / "a", frames, last=5).path
        b = write_detections(tmp_path / "b", frames, header=replace(HEADER, **change), first=5).path  # type: ignore[arg-type]
        with pytest.raises(InvalidInputError, match=message):
            join_detections([a, b], tmp_path / "c")
        assert not (tmp_path / "c").exists()

    def test_parts_that_do_not_follow(self, tmp_path: Path) -> None:
        frames = frames_of(10)
        a, b = (write_detections(tmp_path / n, frames, first=f, last=e).path for n, f, e in (("a", 0, 4), ("b", 5, 9)))
        for parts in ([a, b], [b, a], [a, a]):
            with pytest.raises(InvalidInputError, match="expected consecutive parts"):
                join_detections(parts, tmp_path / "c")
        with pytest.raises(InvalidInputError, match="chunks is empty"):
            join_detections([], tmp_path / "c")
        with pytest.raises(InvalidInputError, match="one of the parts"):
            join_detections([a], a)
        with pytest.raises(DetectionsFileError, match="cannot be read"):
            join_detections([a, tmp_path / "none"], tmp_path / "c")


@pytest.mark.parametrize("page", ["scale.md", "scale.zh.md"])
def test_the_example_in_the_docs_reads_a_file(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = frames_of(300)
    file = write_detections(tmp_path / "out" / "detections" / "street.detections", frames)
    text = (Path(__file__).parents[2] / "docs" / page).read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "read.py").write_text(next(example for example in examples if "struct.unpack" in example))
    monkeypatch.chdir(tmp_path)
    names = runpy.run_path("read.py")
    last = [frame.detections for frame in file][256:]  # of the last block
    assert names["header"] == json.loads(HEADER.encoded())
    assert names["boxes"].tobytes() == b"".join(found.boxes.tobytes() for found in last)
    embeddings = [found.embeddings.tobytes() for found in last if found.embeddings is not None]
    assert names["embeddings"].tobytes() == b"".join(embeddings)
