"""The command ``prepare``: its report, and one line for whatever is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_dataset import make_small_source

from fairmot_dla34.commands.main import main
from fairmot_dla34.datasets import Dataset, prepare
from fairmot_dla34.errors import InvalidInputError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_source(tmp_path_factory.mktemp("made") / "scenes", frames=4, size=(160, 96), people=2)


def test_the_report_as_text(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["prepare", "mot", str(source), "--output-dir", str(tmp_path / "out"), "--val-sequences", "scene-2"]) == 0
    )
    lines = capsys.readouterr().out.splitlines()
    dataset = Dataset.open(tmp_path / "out")
    assert lines[0] == f"{tmp_path / 'out'}: person, {dataset.num_identities} identities"
    assert lines[2].split() == ["part", "sequences", "images", "boxes"]
    assert lines[3].split()[:3] == ["train", "1", "4"]
    assert lines[4].split()[:3] == ["val", "1", "4"]
    assert [sequence.name for sequence in dataset.sequences("val")] == ["scene-2"]


def test_the_report_as_json(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["prepare", "mot", str(source), "--output-dir", str(tmp_path / "out"), "--no-ids", "--json"]
    assert main([*command, "--min-visibility", "0.5"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_identities"] == 0
    assert report["source"]["settings"]["min_visibility"] == 0.5
    assert json.loads((tmp_path / "out" / "dataset.json").read_text()).items() <= report.items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--val", "0"], "--val is 0.0; expected a share above 0 and below 1"),
        (["--val", "1"], "--val is 1.0"),
        (["--val", "nan"], "--val is nan"),
        (["--val", "20%"], "--val is '20%'"),
        (["--val", "0.2", "--val-sequences", "scene-1"], "--val is 0.2 and --val-sequences is scene-1; expected one"),
        (["--val-sequences", "scene-1,"], "--val-sequences is"),
        (
            ["--val-sequences", "scene-9"],
            "--val-sequences is scene-9, but the source has no 'scene-9'; it has scene-1, scene-2.",
        ),
        (["--min-visibility", "2"], "--min-visibility is 2.0"),
        (["--classes", ""], "--classes is"),
        (["--preview", "-1"], "--preview is -1"),
        (["--preview", "many"], "--preview is 'many'"),
        (["--output-dir", ""], "--output-dir is"),
        (["--colour", "red"], "--colour"),
    ],
)
def test_wrong_usage_is_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    command = ["prepare", "mot", str(source), "--output-dir", str(tmp_path / "out"), *options]
    try:
        code: object = main(command)
    except SystemExit as error:
        code = error.code
    printed = capsys.readouterr()
    assert code == 2
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [["prepare"], ["prepare", "mot"], ["prepare", "mots", ".", "--output-dir", "out"]])
def test_missing_words_are_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(words)
    assert raised.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_source_that_does_not_exist_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "mot", str(tmp_path / "absent"), "--output-dir", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith(f"fairmot_dla34: {tmp_path / 'absent'} does not exist")
    assert not (tmp_path / "out").exists()


def test_source_and_output_are_wrong_usage_if_they_are_one_folder(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["prepare", "mot", str(source), "--output-dir", str(source / "prepared")])
    assert raised.value.code == 2
    assert "--output-dir is" in capsys.readouterr().err
    assert not (source / "prepared").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        {"val_sequences": "scene-1"}, {"classes": "person"}, {"val": True}, {"val": "0.2"}, {"use_ids": "no"},
        {"overwrite": "yes"}, {"preview": 2.0}, {"min_visibility": None}, {"val_sequences": [3]}, {"classes": []},
    ],
)  # fmt: skip
def test_a_wrong_argument_is_an_error(source: Path, tmp_path: Path, arguments: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=f"^{next(iter(arguments))} "):
        prepare("mot", source, tmp_path / "out", progress=False, **arguments)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_two_runs_at_once_do_not_mix(source: Path, tmp_path: Path) -> None:
    from fairmot_dla34.datasets.preparation.claim import DatasetClaim

    with DatasetClaim(tmp_path / "out", {"format": "mot", "path": str(source)}):
        paths = [str(source), "--output-dir", str(tmp_path / "out")]
        command = [sys.executable, "-m", "fairmot_dla34", "prepare", "mot", *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 1
    assert "is being written by another prepare" in done.stderr
