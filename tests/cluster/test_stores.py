"""Videos and results in stores that fsspec reaches: a store in memory, and a folder reached by a URL."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

fsspec = pytest.importorskip("fsspec")
pytestmark = pytest.mark.cluster

from clips import write_clip  # noqa: E402

from fairmot_dla34.cluster import stored_batch, stores  # noqa: E402
from fairmot_dla34.cluster.stores import copy_in, copy_out, find_sources, identity_of, is_stored, size_of  # noqa: E402
from fairmot_dla34.commands.main import main  # noqa: E402
from fairmot_dla34.errors import (  # noqa: E402
    BackendUnavailableError,
    InvalidInputError,
    OutputError,
    SourceError,
    SourceNotFoundError,
)
from fairmot_dla34.tracking.completion import source_digest  # noqa: E402

OPTIONS = ("--weights", "sample", "--input-size", "128x96", "--workers", "1", "--no-visualization")


@pytest.fixture(autouse=True)
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()


def test_urls_of_stores_are_told_from_streams_and_files() -> None:
    assert [is_stored(text) for text in ("s3://a/b.mp4", "gs://a", "memory://a/b", "local:///a")] == [True] * 4
    others = ("rtsp://a/b", "http://a/b.mp4", "file:///a", "a.mp4", "0", "C:/a.mp4", "://a", "s3://")
    assert [text for text in others if is_stored(text)] == []


def test_files_patterns_and_folders_are_found(memory: Any) -> None:
    for name in ("/day/a.mp4", "/day/b.mkv", "/day/notes.txt", "/other/c.mp4"):
        memory.pipe_file(name, b"content")
    assert [source.spec for source in find_sources("memory://day")] == ["memory:///day/a.mp4", "memory:///day/b.mkv"]
    assert [source.name for source in find_sources("memory://*/*.mp4")] == ["a", "c"]
    (source,) = find_sources("memory://day/a.mp4")
    assert (source.name, source.folder, source.is_remote) == ("a", "day", False)
    assert source_digest(source) == source.identity == identity_of("memory://day/a.mp4".replace("//", "///"))
    for missing in ("memory://day/z.mp4", "memory://nothing/*.mp4"):
        with pytest.raises(SourceNotFoundError, match="names no video"):
            find_sources(missing)


def test_a_changed_file_has_another_identity(memory: Any) -> None:
    memory.pipe_file("/a.mp4", b"one")
    first = identity_of("memory:///a.mp4")
    memory.pipe_file("/a.mp4", b"other")
    assert identity_of("memory:///a.mp4") != first


def test_files_are_copied_in_and_out(memory: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    copy_out(tmp_path / "a", "memory://out/x/a.mp4")
    assert size_of("memory://out/x/a.mp4") == 7
    assert size_of("memory://out/x/b.mp4") is None
    assert copy_in("memory://out/x/a.mp4", tmp_path).read_bytes() == b"content"
    with pytest.raises(SourceNotFoundError, match="does not exist"):
        copy_in("memory://out/z.mp4", tmp_path)


def test_a_store_that_renames_never_shows_a_part_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"content")
    copy_out(tmp_path / "a", f"local://{tmp_path}/out/a")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    local = type(fsspec.filesystem("local"))
    monkeypatch.setattr(local, "mv", lambda *_, **__: (_ for _ in ()).throw(PermissionError("no")))
    (tmp_path / "a").write_bytes(b"newer")
    with pytest.raises(OutputError, match="cannot be written"):
        copy_out(tmp_path / "a", f"local://{tmp_path}/out/a")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "out").iterdir()] == [("a", b"content")]


def test_a_file_that_does_not_fit_on_the_disk_is_not_copied(
    memory: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/a.mp4", b"content")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**6))
    with pytest.raises(SourceError, match="set TMPDIR"):
        copy_in("memory:///a.mp4", tmp_path)


def test_unknown_stores_and_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInputError, match="Protocol not known: nope"):
        find_sources("nope://a/b.mp4")
    monkeypatch.setattr(
        fsspec.core, "url_to_fs", lambda _: (_ for _ in ()).throw(ImportError("Install s3fs to access S3"))
    )
    with pytest.raises(BackendUnavailableError, match="Install s3fs"):
        find_sources("s3://a/b.mp4")
    assert stores.is_stored("s3://a/b.mp4")


def test_a_batch_from_a_store_to_a_store_has_the_results_of_a_local_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "clips").mkdir()
    for number in range(2):
        write_clip(tmp_path / "clips" / f"clip{number}.mp4", 10 + number)
    store = f"local://{tmp_path}"
    batch = ["batch", f"{store}/clips", "--output-dir", f"{store}/out", *OPTIONS, "--json"]
    assert main(batch) == 0
    jobs = json.loads(capsys.readouterr().out)["jobs"]
    assert [job["paths"] for job in jobs] == [[f"{store}/out/mot_results/clip{n}.txt"] for n in range(2)]
    assert main(["batch", str(tmp_path / "clips"), "--output-dir", str(tmp_path / "plain"), *OPTIONS]) == 0
    for number in range(2):
        name = Path("mot_results") / f"clip{number}.txt"
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"manifest.jsonl", "mot_results"}
    capsys.readouterr()
    (tmp_path / "out" / "mot_results" / "clip1.txt").unlink()
    assert main([*batch, "--resume"]) == 0
    assert [job["status"] for job in json.loads(capsys.readouterr().out)["jobs"]] == ["skipped", "tracked"]
    assert not list(temporary.glob("fairmot_dla34-*"))
    assert stored_batch.StoredRun("").url == ""


def test_a_store_that_cannot_be_written_is_noticed_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = write_clip(tmp_path / "a.mp4", 3)
    (tmp_path / "file").write_text("x")
    assert main(["batch", str(clip), "--output-dir", f"local://{tmp_path}/file/out", *OPTIONS]) == 1
    assert "cannot be" in capsys.readouterr().err


def test_splitting_needs_disks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["batch", "memory://a/b.mp4", "--output-dir", str(tmp_path), "--split", "60", *OPTIONS])
    assert "--split needs videos" in capsys.readouterr().err
