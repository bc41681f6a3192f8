"""Atomic file writes and appends, and the errors for results that cannot be written."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fairmot_dla34.errors import FairMOTError, OutputError
from fairmot_dla34.files import append_whole, output_error, write_whole

if TYPE_CHECKING:
    from typing_extensions import Buffer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "result.bin"


def file_names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class TestWriteWhole:
    @pytest.mark.parametrize("content", [b"", b"text", bytes(3_000_000)], ids=["empty", "short", "long"])
    def test_content_is_written_and_folders_are_created(self, content: bytes, path: Path) -> None:
        write_whole(path, content)
        assert path.read_bytes() == content
        assert file_names(path.parent) == [path.name]

    def test_existing_file_is_replaced(self, path: Path) -> None:
        for content in (b"a longer first version", b"second"):
            write_whole(path, content)
        assert path.read_bytes() == b"second"

    def test_open_reader_keeps_the_old_version(self, path: Path) -> None:
        write_whole(path, b"old")
        if sys.platform == "win32":
            pytest.skip("Windows does not replace a file that is open")
        with path.open("rb") as reader:
            write_whole(path, b"new")
            assert reader.read() == b"old"
        assert path.read_bytes() == b"new"

    def test_content_reaches_the_disk_before_the_rename(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[tuple[str, int]] = []

        def fsync(handle: int) -> None:
            calls.append(("fsync", os.fstat(handle).st_size))

        replace = Path.replace

        def recorded_replace(temporary: Path, target: Path) -> None:
            calls.append(("replace", temporary.stat().st_size))
            replace(temporary, target)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "replace", recorded_replace)
        write_whole(path, b"12345")
        assert calls == [("fsync", 5), ("replace", 5)]

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=["disk", "Ctrl-C"])
    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_failure_keeps_the_old_file_and_leaves_no_other(
        self, step: str, error: BaseException, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_arguments: object) -> None:
            raise error

        write_whole(path, b"old")
        monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
        with pytest.raises(type(error)) as caught:
            write_whole(path, b"new")
        assert caught.value is error
        assert path.read_bytes() == b"old"
        assert file_names(path.parent) == [path.name]

    def test_failed_first_write_leaves_an_empty_folder(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_handle: int) -> None:
            raise OSError(errno.EIO, "broken")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="broken"):
            write_whole(path, b"new")
        assert file_names(path.parent) == []

    def test_folder_at_the_path_is_kept(self, path: Path) -> None:
        path.mkdir(parents=True)
        with pytest.raises(OSError, match=path.name):
            write_whole(path, b"new")
        assert path.is_dir()
        assert file_names(path.parent) == [path.name]

    def test_file_in_place_of_the_folder_is_kept(self, path: Path) -> None:
        path.parent.write_bytes(b"file")
        with pytest.raises(OSError, match=path.parent.name):
            write_whole(path, b"new")
        assert path.parent.read_bytes() == b"file"

    @pytest.mark.skipif(os.name == "nt", reason="the longest name differs")
    def test_longest_file_name_is_possible(self, path: Path) -> None:
        longest = path.with_name("n" * os.pathconf(path.parent.parent, "PC_NAME_MAX"))
        write_whole(longest, b"content")
        assert longest.read_bytes() == b"content"

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no umask for files")
    @pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
    def test_permissions_follow_the_umask(self, umask: int, path: Path, restored_umask: None) -> None:
        os.umask(umask)
        write_whole(path, b"content")
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.fixture
def restored_umask() -> Iterator[None]:
    """Restore the umask of the process after the test."""
    before = os.umask(0o022)
    yield
    os.umask(before)


class PartFile(FileIO):
    """A file that writes at most four bytes at a time, and raises an error once it has a number of bytes."""

    limit = 1000
    error: BaseException = OSError(errno.ENOSPC, "full")

    def write(self, data: Buffer, /) -> int:
        left = self.limit - self.tell()
        if left <= 0:
            raise self.error
        return super().write(memoryview(data)[: min(left, 4)])


class TestAppendWhole:
    def test_texts_follow_one_another(self, tmp_path: Path) -> None:
        with FileIO(tmp_path / "a.txt", "w") as file:
            for text in ("first\n", "", "zweite Zeile: ä\n"):
                append_whole(file, text)
        assert (tmp_path / "a.txt").read_bytes() == "first\nzweite Zeile: ä\n".encode()

    def test_a_text_written_in_parts_is_complete(self, tmp_path: Path) -> None:
        with PartFile(tmp_path / "a.txt", "w") as file:
            append_whole(file, "0123456789\n")
        assert (tmp_path / "a.txt").read_bytes() == b"0123456789\n"

    @pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=["disk", "Ctrl-C"])
    def test_failure_removes_the_part_and_the_next_text_follows_the_last_whole_one(
        self, error: BaseException, tmp_path: Path
    ) -> None:
        with PartFile(tmp_path / "a.txt", "w") as file:
            append_whole(file, "whole\n")
            file.limit, file.error = 12, error
            with pytest.raises(type(error)) as caught:
                append_whole(file, "too long\n")
            assert caught.value is error
            assert (tmp_path / "a.txt").read_bytes() == b"whole\n"
            append_whole(file, "next\n")
        assert (tmp_path / "a.txt").read_bytes() == b"whole\nnext\n"

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
    def test_a_pipe_is_written(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with os.fdopen(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
            with FileIO(tmp_path / "pipe", "w") as file:
                append_whole(file, "line\n")
            assert reader.read() == b"line\n"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    def test_a_full_device_raises_its_own_error(self) -> None:
        with FileIO("/dev/full", "w") as file, pytest.raises(OSError, match="No space left"):
            append_whole(file, "line\n")


class TestOutputError:
    @pytest.mark.parametrize(
        ("number", "remedy"),
        [
            (errno.ENOSPC, "free space on that disk"),
            (errno.EACCES, "change its permissions"),
            (errno.EROFS, "it is read-only"),
            (errno.ENOTDIR, "a file exists where a folder is needed"),
            (errno.EISDIR, "a folder exists where a file is needed"),
            (errno.ENAMETOOLONG, "the name is too long"),
            (errno.EIO, "check the disk"),
        ],
    )
    def test_message_names_path_cause_and_remedy(self, number: int, remedy: str) -> None:
        error = output_error(Path("out/a.txt"), OSError(number, "reason"))
        assert str(error).startswith(f"{Path('out/a.txt')} cannot be written (reason); expected a file in")
        assert remedy in str(error)
        assert error.errno == number

    def test_error_without_errno_is_accepted(self) -> None:
        error = output_error(Path("a.mp4"), ValueError("codec"))
        assert "(codec)" in str(error)
        assert "check the disk" in str(error)
        assert error.errno is None

    def test_error_belongs_to_both_trees(self) -> None:
        error = output_error(Path("a.txt"), OSError(errno.ENOSPC, "full"))
        assert isinstance(error, OutputError)
        assert isinstance(error, FairMOTError)
        assert isinstance(error, OSError)
