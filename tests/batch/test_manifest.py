"""The manifest of a batch: round trips, lines that are not whole or not sound, and what counts as a change."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from disk_limits import file_size_limit

from fairmot_dla34.batch.entry import Entry, line_of, read_entry
from fairmot_dla34.batch.job import output_digest
from fairmot_dla34.batch.manifest import Manifest
from fairmot_dla34.errors import ManifestError, OutputError

SUMMARY = {"frames": 3, "track_ids": 2, "seconds": 0.5}


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """An entry whose output exists."""
    (tmp_path / "mot_results").mkdir()
    result = tmp_path / "mot_results" / "a.txt"
    result.write_text("1,1,2,3,4,5,1,-1,-1,-1\n")
    outputs = {"mot_results/a.txt": output_digest(result)}
    return Entry(
        "a", "/videos/ä\n.mp4", 10, 2**62, "s" * 64, "t" * 64, "w" * 64, "fp32", outputs, 3, 2, 0.5, "host", 1, SUMMARY
    )


def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    line = line_of(entry)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert read_entry(line.encode()) == entry


def test_the_last_line_of_a_name_counts(tmp_path: Path, entry: Entry) -> None:
    manifest = Manifest(tmp_path)
    assert manifest.read() == {}
    for each in (entry, replace(entry, name="b"), replace(entry, frames=9)):
        manifest.append(each)
    assert {name: found.frames for name, found in manifest.read().items()} == {"a": 9, "b": 3}


@pytest.mark.parametrize("cut", [1, 2, 40, 300])
def test_a_line_that_was_not_written_to_its_end_is_ignored_and_replaced(tmp_path: Path, entry: Entry, cut: int) -> None:
    manifest = Manifest(tmp_path)
    manifest.append(entry)
    manifest.append(replace(entry, name="b"))
    manifest.path.write_bytes(manifest.path.read_bytes()[:-cut])
    assert list(manifest.read()) == ["a"]
    manifest.append(replace(entry, name="c"))
    assert list(manifest.read()) == ["a", "c"]
    assert all(json.loads(line) for line in manifest.path.read_text().splitlines())


def test_a_damaged_line_in_the_middle_loses_only_itself(tmp_path: Path, entry: Entry) -> None:
    manifest = Manifest(tmp_path)
    lines = [line_of(replace(entry, name=name)) for name in "abc"]
    manifest.path.write_bytes(lines[0].encode() + b"\xff\0" + lines[1].encode() + lines[2].encode())
    assert list(manifest.read()) == ["a", "c"]


@pytest.mark.parametrize("content", [b"{}\n", b"hello\n", b'[1, 2]\n{"manifest": 2}\n', b"x" * 3_000_000 + b"\n"])
def test_another_file_of_that_name_is_refused(tmp_path: Path, content: bytes) -> None:
    manifest = Manifest(tmp_path)
    manifest.path.write_bytes(content)
    with pytest.raises(ManifestError, match="is not a manifest of a batch; expected one"):
        manifest.read()


@pytest.mark.parametrize("content", [b"", b"{", b'{"manifest": 1, "na'])
def test_a_first_line_that_was_not_written_to_its_end_is_no_manifest_of_another(tmp_path: Path, content: bytes) -> None:
    manifest = Manifest(tmp_path)
    manifest.path.write_bytes(content)
    assert manifest.read() == {}


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.path.mkdir()
    with pytest.raises(OutputError, match=r"manifest\.jsonl cannot be written"):
        manifest.read()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 1),
        ("frames", -1),
        ("frames", 1.5),
        ("ids", "2"),
        ("seconds", "x"),
        ("seconds", float("nan")),
        ("source_digest", 1),
        ("summary", []),
        ("summary", {"frames": 1}),
        ("outputs", []),
        ("outputs", {"a": {}}),
        ("outputs", {"/etc/passwd": {"bytes": 1, "mtime_ns": 1, "files": 1, "sha256": ""}}),
        ("outputs", {"../a": {"bytes": 1, "mtime_ns": 1, "files": 1, "sha256": ""}}),
        ("outputs", {"a": {"bytes": -1, "mtime_ns": 1, "files": 1, "sha256": ""}}),
        ("manifest", 2),
    ],
)
def test_a_line_of_wrong_values_is_not_an_entry(entry: Entry, field: str, value: Any) -> None:
    content = json.loads(line_of(entry))
    assert read_entry(json.dumps(content).encode()) is not None
    assert read_entry(json.dumps({**content, field: value}).encode()) is None
    del content[field]
    assert read_entry(json.dumps(content).encode()) is None


def test_nothing_has_changed(tmp_path: Path, entry: Entry) -> None:
    assert entry.change(tmp_path, "s" * 64, "t" * 64) == ""
    os.utime(tmp_path / "mot_results" / "a.txt", ns=(1, 1))  # as after a copy
    assert entry.change(tmp_path, "s" * 64, "t" * 64) == ""


def test_each_change_is_named(tmp_path: Path, entry: Entry) -> None:
    assert entry.change(tmp_path, "x", "t" * 64) == "the source"
    assert entry.change(tmp_path, None, "t" * 64) == "the source"
    assert replace(entry, source_digest=None).change(tmp_path, None, "t" * 64) == "the source"
    assert entry.change(tmp_path, "s" * 64, "x").startswith("a setting, the network or the version")
    result = tmp_path / "mot_results" / "a.txt"
    result.write_text(result.read_text().replace("2,3", "2,4"))  # of equal size
    os.utime(result, ns=(1, 1))
    assert entry.change(tmp_path, "s" * 64, "t" * 64) == "a file of the results"
    result.unlink()
    assert entry.change(tmp_path, "s" * 64, "t" * 64) == "a file of the results"


def test_a_full_disk_leaves_the_manifest_as_it_was(tmp_path: Path, entry: Entry) -> None:
    manifest = Manifest(tmp_path)
    manifest.append(entry)
    before = manifest.path.read_bytes()
    with file_size_limit(len(before) + 100), pytest.raises(OutputError, match=r"manifest\.jsonl cannot be written"):
        manifest.append(replace(entry, name="b"))
    assert manifest.path.read_bytes() == before
