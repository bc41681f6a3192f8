"""The claim of a run's folder, by either engine; needs no PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairmot_dla34.errors import OutputError
from fairmot_dla34.training.folder import RunFiles, claimed_folder
from fairmot_dla34.training.paddle_engine.folder import RUN_FILES

ENGINES = [RunFiles(), RUN_FILES]


@pytest.mark.parametrize("files", ENGINES)
def test_without_an_earlier_run_files_of_the_user_stay(files: RunFiles, tmp_path: Path) -> None:
    for name in ("samples/a.jpg", "validation/b.txt", "data/c.csv", "notes.tmp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine", "utf-8")
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    with claimed_folder(tmp_path, files, resume=False, overwrite=True):
        pass
    assert [path for path in before if path.is_file()] == before


@pytest.mark.parametrize("files", ENGINES)
def test_an_earlier_run_is_refused_or_replaced(files: RunFiles, tmp_path: Path) -> None:
    (tmp_path / "last.pdparams").write_bytes(b"weights")
    (tmp_path / "samples").mkdir()
    (tmp_path / "0123456789abcdef.tmp").touch()
    claims = {"resume": False, "overwrite": False}
    with (
        pytest.raises(OutputError, match=r"earlier run \(last.pdparams\).* Use --overwrite"),
        claimed_folder(tmp_path, files, **claims),
    ):
        pass
    with claimed_folder(tmp_path, files, resume=False, overwrite=True):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
