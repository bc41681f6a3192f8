"""Hostile detections files: damaged, truncated, endless and forged ones give one error, and never a wrong result."""

from __future__ import annotations

import json
import os
import random
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from damage import damaged
from made_detections import frames_of, write_detections
from trials import Trials, expect_one_line_error, run_command

from fairmot_dla34.detections import associate_to_files, read_detections
from fairmot_dla34.detections.header import END
from fairmot_dla34.errors import DetectionsFileError, InvalidInputError, SourceError
from fairmot_dla34.tracking.options import OutputOptions


def read_all(path: Path) -> int:
    return sum(len(frame.detections) for frame in read_detections(path))


def test_damaged_detections_files(tmp_path: Path, trials: Trials) -> None:
    frames = frames_of(300)
    file = write_detections(tmp_path / "whole.detections", frames)
    whole, path = file.path.read_bytes(), tmp_path / "x.detections"
    rng = random.Random(5)  # noqa: S311 (not for secrets)
    for number in range(120):
        path.write_bytes(damaged(whole, rng))
        if path.read_bytes() == whole:
            continue
        with trials("detections file, damaged", number):
            try:
                read_all(path)
            except DetectionsFileError as error:
                assert len(str(error).splitlines()) == 1  # noqa: PT017 (an error is one of two good ends)
                continue
            assert (read_detections(path).header, read_detections(path).ending) == (file.header, file.ending)


def test_every_truncation(tmp_path: Path, trials: Trials) -> None:
    whole = write_detections(tmp_path / "whole.detections", frames_of(4)).path.read_bytes()
    path = tmp_path / "x.detections"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with trials("detections file, truncated", length), pytest.raises(DetectionsFileError):
            read_detections(path)
    path.write_bytes(whole + b"x")
    with trials("detections file, longer", 1), pytest.raises(DetectionsFileError, match="after its end"):
        read_detections(path)


def write_forged(path: Path, change: Mapping[str, object]) -> None:
    """Change the header of a file, and make its checksum fit."""
    first, header, rest = parts_of(path)
    line = json.dumps({**header, **change}).encode() + b"\n"
    end = rest.rindex(b"end.")
    content = rest[end + END.size :]
    crc = zlib.crc32(content, zlib.crc32(line))
    path.write_bytes(first + b"\n" + line + rest[:end] + END.pack(b"end.", len(content), crc) + content)


def parts_of(path: Path) -> tuple[bytes, dict[str, object], bytes]:
    first, header, rest = path.read_bytes().split(b"\n", 2)
    return first, json.loads(header), rest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"native_rate": 0}, "native_rate=0"),
        ({"native_rate": float("nan")}, "native_rate=nan"),
        ({"frame_stride": -1}, "frame_stride=-1"),
        ({"min_score": "0.1"}, "min_score='0.1'"),
        ({"class_names": [1]}, "class_names"),
        ({"input_size": [1, 2, 3]}, "input_size"),
        ({"source": {}}, "other fields"),
        ({"more": 1}, "other fields"),
        ({"backend": None}, "other fields"),
        ({"tracker_settings": {"method": 5}}, "settings of no tracker"),
        ({"tracker_settings": {"vertical_ratio": "x"}}, "settings of no tracker"),
        ({"first_frame": 2**70}, "first_frame"),
        ({"path": "rtsp://127.0.0.1:9/x"}, "source="),
        ({"path": "0"}, "source="),
        ({"path": "/a\0b"}, "images are needed"),
        ({"name": ""}, "source="),
        ({"digest": 5}, "source="),
        ({"last_frame": 2}, "a part of street.mp4"),
        ({"min_score": 0.99}, "score"),
    ],
)
def test_forged_headers(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = write_detections(tmp_path / "x.detections", frames_of(4)).path
    if set(change) <= {"path", "name", "digest"}:
        change = {"source": {**vars(read_detections(path).header.source), **change}}
    write_forged(path, change)
    options = OutputOptions(tmp_path, visualization="source" in change)
    with pytest.raises((DetectionsFileError, InvalidInputError, SourceError), match=message):
        associate_to_files(path, output_options=options, progress=False)


@pytest.mark.parametrize("change", [{"first_frame": 3}, {"last_frame": 2}])
def test_frames_outside_of_a_part(tmp_path: Path, change: dict[str, object]) -> None:
    path = write_detections(tmp_path / "x.detections", frames_of(4)).path
    write_forged(path, change)
    with pytest.raises(DetectionsFileError, match="not in order"):
        read_all(path)


def test_a_name_in_the_header_leads_nowhere(tmp_path: Path) -> None:
    path = write_detections(tmp_path / "x.detections", frames_of(4)).path
    source = read_detections(path).header.source
    write_forged(path, {"source": {**vars(source), "name": "../../evil", "shown": "\x1b[31mred\nline"}})
    summary = associate_to_files(path, output_options=OutputOptions(tmp_path / "out", visualization=False))
    assert summary.paths == (tmp_path / "out" / "mot_results" / "x.txt",)


def test_a_block_that_expands_without_end(tmp_path: Path) -> None:
    """A block that states 28 bytes and expands to a gigabyte is stopped at once."""
    path = write_detections(tmp_path / "x.detections", []).path
    first, header, rest = parts_of(path)
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    for frames, rows in ((1, 0), (256, 1 << 18), (2**32 - 1, 2**32 - 1)):
        size = frames * 28 + rows * 24
        packed = bomb[: size + 1000] if size < len(bomb) else bomb
        head = struct.pack("<4s6I", b"dets", frames, rows, 0, len(packed), 0, zlib.crc32(packed))
        path.write_bytes(first + b"\n" + json.dumps(header).encode() + b"\n" + head + packed + rest)
        with pytest.raises(DetectionsFileError):
            read_all(path)


def test_other_files_and_versions(tmp_path: Path, trials: Trials) -> None:
    path = write_detections(tmp_path / "x.detections", frames_of(2)).path
    newer = tmp_path / "newer.detections"
    newer.write_bytes(path.read_bytes().replace(b"detections 1\n", b"detections 2\n", 1))
    (tmp_path / "video.mp4").write_bytes(os.urandom(5000))
    (tmp_path / "line.detections").write_bytes(b"fairmot_dla34 detections 1\n" + b"{" * (3 << 20))
    (tmp_path / "deep.detections").write_bytes(b"fairmot_dla34 detections 1\n" + b"[" * 100_000 + b"\n")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.mkfifo(tmp_path / "pipe")
    cases = {
        newer: "another version",
        tmp_path / "video.mp4": "is not a detections file",
        tmp_path / "line.detections": "header does not end",
        tmp_path / "deep.detections": "not JSON",
        tmp_path / "empty": "is not a detections file",
        tmp_path / "circle": "cannot be read",
        tmp_path / "pipe": "not a regular file",
        tmp_path: "cannot be read",
        tmp_path / "none": "cannot be read",
        Path("/dev/zero"): "not a regular file",
    }
    for file, message in cases.items():
        with trials("detections file, of another kind", file), pytest.raises(DetectionsFileError, match=message):
            read_detections(file)


def test_one_line_on_the_command_line(tmp_path: Path, trials: Trials) -> None:
    path = write_detections(tmp_path / "x.detections", frames_of(3)).path
    (tmp_path / "cut.detections").write_bytes(path.read_bytes()[:-20])
    words = ("--output-dir", tmp_path / "out")
    cases = (
        ((tmp_path / "cut.detections", *words), "not a complete detections file"),
        ((tmp_path / "none.detections", *words), "cannot be read"),
        ((path, *words), "name no file with its images"),
        ((path, *words, "--no-visualization", "--source", "v.mp4"), "no output needs images"),
        ((path, path.parent / "y.detections", *words, "--source", "v.mp4"), "expected one file"),
    )
    for number, (arguments, message) in enumerate(cases):
        with trials("associate, refused", message):
            expect_one_line_error(run_command("associate", *arguments), message, code=1 if number < 3 else 2)
    assert not (tmp_path / "out" / "mot_results").exists()
