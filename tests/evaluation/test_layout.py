"""Folder layouts of ground truth and results, and the errors for missing files."""

from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest
from evaluation.mot_files import seqinfo, walkers, write

from fairmot_dla34.errors import TrackFileError
from fairmot_dla34.evaluation.layout import find_sequences, read_length


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Two sequences in MOTChallenge's layout and in flat folders, with results for both."""
    for name in ("B-02", "A-01"):
        write(tmp_path / "train" / name / "gt" / "gt.txt", walkers())
        seqinfo(tmp_path / "train" / name / "seqinfo.ini", 4)
        write(tmp_path / "flat" / "gt" / f"{name}.txt", walkers())
        seqinfo(tmp_path / "flat" / "seqinfo" / f"{name}.ini", 4)
        write(tmp_path / "out" / "mot_results" / f"{name}.txt", walkers())
        write(tmp_path / "out" / "mot_results" / f"{name}.kitti.txt", ["0 1 Pedestrian"])
    return tmp_path


def found(gt: Path, results: Path) -> list[tuple[str, str, str, str]]:
    def short(path: Path | None) -> str:
        return "" if path is None else str(path.relative_to(gt if path.is_relative_to(gt) else results))

    return [
        (files.name, short(files.truth), short(files.results), short(files.seqinfo))
        for files in find_sequences(gt, results)
    ]


def test_motchallenge_layout_matches_the_output_directory_of_track(street: Path) -> None:
    (street / "train" / "seqmaps").mkdir()
    assert found(street / "train", street / "out") == [
        (name, f"{name}/gt/gt.txt", f"mot_results/{name}.txt", f"{name}/seqinfo.ini") for name in ("A-01", "B-02")
    ]


def test_flat_folders_match_by_file_name(street: Path) -> None:
    sequences = find_sequences(street / "flat" / "gt", street / "out" / "mot_results")
    assert [files.name for files in sequences] == ["A-01", "B-02"]
    assert [files.seqinfo for files in sequences] == [
        street / "flat" / "seqinfo" / f"{name}.ini" for name in ("A-01", "B-02")
    ]


@pytest.mark.parametrize("gt", ["train/A-01", "train/A-01/gt", "train/A-01/gt/gt.txt", "flat/gt/A-01.txt"])
@pytest.mark.parametrize("results", ["out", "out/mot_results", "out/mot_results/A-01.txt"])
def test_one_sequence_of_many_may_be_named(street: Path, gt: str, results: str) -> None:
    (files,) = find_sequences(street / gt, street / results)
    assert files.name == "A-01"
    assert files.results == street / "out" / "mot_results" / "A-01.txt"
    assert files.seqinfo is not None
    assert "A-01" in str(files.seqinfo)


def test_the_current_directory_may_be_the_sequence(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(street / "train" / "A-01")
    (files,) = find_sequences(Path(), street / "out")
    assert (files.name, files.seqinfo) == ("A-01", street / "train" / "A-01" / "seqinfo.ini")


def test_two_files_of_any_name_are_one_sequence(tmp_path: Path) -> None:
    truth = write(tmp_path / "gt_480x360.txt", walkers())
    results = write(tmp_path / "vtest.txt", walkers())
    (files,) = find_sequences(truth, results)
    assert (files.name, files.truth, files.results, files.seqinfo) == ("gt_480x360", truth, results, None)
    ini = seqinfo(tmp_path / "seqinfo.ini", 9)
    assert find_sequences(truth, results)[0].seqinfo == ini


def test_missing_and_unknown_results_are_named(street: Path) -> None:
    results = street / "out" / "mot_results"
    (results / "B-02.txt").rename(results / "C-03.txt")
    with pytest.raises(TrackFileError, match=r"no results for B-02 of .*train; it has A-01, C-03\. Expected B-02\.txt"):
        find_sequences(street / "train", street / "out")


def test_results_of_other_sequences_are_logged_and_not_scored(street: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(street / "out" / "mot_results" / "C-03.txt", walkers())
    with caplog.at_level(logging.WARNING):
        assert [files.name for files in find_sequences(street / "train", street / "out")] == ["A-01", "B-02"]
    assert caplog.messages == [f"{street / 'train'} has no ground truth for the results of C-03; they are not scored"]


def test_sequences_may_be_selected(street: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What other sequences lack, results or ground truth, does not matter then."""
    results = street / "out" / "mot_results"
    (results / "A-01.txt").unlink()
    (street / "train" / "A-01" / "gt" / "gt.txt").unlink()
    write(results / "C-03.txt", walkers())
    with caplog.at_level(logging.WARNING):
        (files,) = find_sequences(street / "train", street / "out", ["B-02"])
    assert files.name == "B-02"
    assert not caplog.messages
    (files,) = find_sequences(street / "train", results / "B-02.txt", ["B-02"])  # of one sequence, a file
    assert files.results == results / "B-02.txt"
    with pytest.raises(TrackFileError, match=r"out has no results for A-01 of .*it has B-02, C-03"):
        find_sequences(street / "flat" / "gt", street / "out", ["A-01", "B-02"])


@pytest.mark.parametrize("gt", ["train", "flat/gt"])
def test_an_unknown_sequence_is_an_error_that_lists_those_present(street: Path, gt: str) -> None:
    with pytest.raises(TrackFileError, match=r"has no sequence 'B-2'; it has A-01, B-02\. Name one of these"):
        find_sequences(street / gt, street / "out", ["A-01", "B-2"])
    with pytest.raises(TrackFileError, match=r"has no sequence 'B-02'; it has A-01\."):
        find_sequences(street / "train" / "A-01", street / "out", ["B-02"])


@pytest.mark.parametrize(
    ("gt", "results", "message"),
    [
        ("none", "out", "none does not exist; expected a folder of ground truth"),
        ("train", "none", "none does not exist; expected a folder of <sequence>.txt"),
        ("empty", "out", "empty has no ground truth; expected <sequence>/gt/gt.txt, gt/gt.txt or <sequence>.txt in it"),
        ("train", "empty", "empty has no results; expected <sequence>.txt files as fairmot_dla34 track writes them"),
        (
            "train",
            "out/mot_results/A-01.txt",
            "A-01.txt is one file, but the ground truth has 2 sequences (A-01, B-02)",
        ),
    ],
)
def test_missing_files_are_named(street: Path, gt: str, results: str, message: str) -> None:
    (street / "empty").mkdir()
    with pytest.raises(TrackFileError) as raised:
        find_sequences(street / gt, street / results)
    assert message in str(raised.value)


def test_a_sequence_without_ground_truth_is_named(street: Path) -> None:
    (street / "train" / "B-02" / "gt" / "gt.txt").unlink()
    with pytest.raises(
        TrackFileError, match=r"B-02 has a seqinfo\.ini but no ground truth; expected .*B-02/gt/gt\.txt"
    ):
        find_sequences(street / "train", street / "out")


def test_a_folder_without_read_permission_is_named(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(folder: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(TrackFileError, match=r"train cannot be read \(Permission denied\); check its permissions"):
        find_sequences(street / "train", street / "out")


@pytest.mark.parametrize("length", ["many", "", "0", "-3", "1e9", "1000000000", "9" * 5000])
def test_a_seqinfo_without_a_length_is_named(tmp_path: Path, length: str) -> None:
    with pytest.raises(TrackFileError, match=r"seqinfo\.ini.*expected .*frames"):
        read_length(seqinfo(tmp_path / "seqinfo.ini", length))
    with pytest.raises(TrackFileError, match=r"seqinfo\.ini has no length of the sequence"):
        read_length(write(tmp_path / "seqinfo.ini", ["seqLength=3"]))
