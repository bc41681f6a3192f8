"""Output folder of one preparation: reserved, filled beside the earlier dataset, and exchanged for it at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from ...closing import ClosedOnExit
from ...errors import DatasetError, InvalidInputError, OutputError
from ...files import make_folder, output_error, write_whole
from ...outputs.locking import FileLock, LockHeldError
from ...outputs.paths import prepare_output_dir
from ...video.regular_files import read_regular
from ..prepared.image_table import TABLE
from ..prepared.manifest import IGNORED, IMAGES, LABELS, LISTS, MANIFEST, PARTS, PREVIEW, read_manifest

STATE_FOLDER = ".fairmot_dla34"
# Everything that a preparation writes; the description first, because a folder without it is not a dataset.
OWN_NAMES = (MANIFEST, IMAGES, LABELS, IGNORED, PREVIEW, LISTS, TABLE, *(f"{part}.txt" for part in PARTS))
_MAX_RECORD_BYTES = 100_000


class DatasetClaim(ClosedOnExit):
    """The output folder of one preparation, locked until `close`; a context manager.

    Attributes:
        staging: Empty folder in it for the new dataset.
        temporary: Empty folder in it for other files; both are removed by `close`.
    """

    def __init__(self, folder: Path, source: dict[str, str], *, overwrite: bool = False) -> None:
        """Reserve the folder; an earlier dataset in it is not changed.

        Args:
            folder: Output directory; created if it does not exist.
            source: Identity of the source: its format and path.
            overwrite: Whether to replace a dataset of another source.

        Raises:
            OutputError: The folder cannot be written, another process prepares a dataset in it, or it has files of
                another source, or files that `prepare` did not write.
        """
        self._folder, self._source = folder, source
        self._is_new, self._is_committed = not folder.exists(), False
        prepare_output_dir(folder)
        state = folder / STATE_FOLDER
        self._record = state / "prepare.json"
        self.staging, self.temporary = state / "new", state / "temporary"
        self._lock = _locked(folder, state / "prepare.lock")
        try:
            self._check_earlier(overwrite=overwrite)
            for path in (self.staging, self.temporary):
                _remove(path)  # of a run that was killed
                path.mkdir()
        except OSError as error:
            self.close()
            raise error if isinstance(error, OutputError) else output_error(state, error) from error
        except BaseException:
            self.close()
            raise

    def commit(self) -> None:
        """Replace the earlier dataset by the one in `staging`; the earlier one returns if that fails.

        Raises:
            OutputError: A file cannot be moved.
        """
        old = self.temporary / "old"
        try:
            old.mkdir()
            write_whole(self._record, json.dumps(self._source).encode())
            with contextlib.ExitStack() as undo:  # also by Ctrl-C
                _move(self._folder, old, OWN_NAMES, undo)
                _move(self.staging, self._folder, reversed(OWN_NAMES), undo)
                undo.pop_all()
        except OSError as error:
            raise output_error(self._folder, error) from error
        self._is_committed = True

    def close(self) -> None:
        """Remove temporary files and release the folder; safe to call twice."""
        if not self._lock.closed:
            for path in (self.staging, self.temporary):
                with contextlib.suppress(OSError):
                    _remove(path)
            self._lock.close()
            if self._is_new and not self._is_committed:
                with contextlib.suppress(OSError):
                    shutil.rmtree(self._record.parent)
                    self._folder.rmdir()

    def _check_earlier(self, *, overwrite: bool) -> None:
        present = [name for name in OWN_NAMES if os.path.lexists(self._folder / name)]
        if not present:
            return
        earlier = self._earlier_source()
        if earlier is None:
            raise OutputError(
                f"{self._folder / present[0]} exists, but prepare did not write it, so it is not replaced; name another"
                " output directory."
            )
        if earlier != self._source and not overwrite:
            raise OutputError(
                f"{self._folder} has a dataset made from another source, {earlier.get('format')} {earlier.get('path')};"
                " name another output directory, or replace it (--overwrite)."
            )

    def _earlier_source(self) -> dict[str, str] | None:
        """Return the source of the dataset in the folder, None if `prepare` did not write it."""
        try:
            source: object = read_manifest(self._folder).source
        except DatasetError:  # a run was killed while it exchanged the files
            try:
                source = json.loads(read_regular(self._record, _MAX_RECORD_BYTES))
            except (OSError, ValueError, RecursionError):
                return None
        return {key: str(source.get(key)) for key in ("format", "path")} if isinstance(source, dict) else None


def check_apart(source: Path, output_dir: Path) -> None:
    """Check that neither folder is in the other.

    Raises:
        InvalidInputError: One is, or they are the same folder.
    """
    real_source, real_output = (Path(os.path.realpath(path)) for path in (source, output_dir))
    if real_output == real_source or real_source in real_output.parents:
        relation = "the source itself" if real_output == real_source else "within the source"
    elif real_output in real_source.parents:
        relation = f"a folder that has the source {source} in it"
    else:
        return
    raise InvalidInputError(
        f"output_dir is {str(output_dir)!r}, {relation}; expected a folder apart from it, because the source is never"
        " changed."
    )


def check_images_apart(images: Iterable[Path], output_dir: Path) -> None:
    """Check that no image is a file in the output directory, to which links in the source may lead.

    Args:
        images: Real paths of the images.
        output_dir: Output directory.

    Raises:
        InvalidInputError: One is.
    """
    inside = os.path.realpath(output_dir) + os.sep
    for image in images:
        if str(image).startswith(inside):
            raise InvalidInputError(
                f"output_dir is {str(output_dir)!r}, in which the source has the image {image}; expected a folder apart"
                " from it, because the source is never changed."
            )


def _locked(folder: Path, path: Path) -> FileLock:
    try:
        make_folder(path.parent)
        return FileLock(path)
    except LockHeldError:
        raise OutputError(
            f"{folder} is being written by another prepare; wait for its end, or name another output directory."
        ) from None
    except OSError as error:
        raise output_error(path, error) from error


def _move(source: Path, target: Path, names: Iterable[str], undo: contextlib.ExitStack) -> None:
    """Move those of the names that exist; ``undo`` moves them back."""
    for name in names:
        if os.path.lexists(source / name):
            (source / name).rename(target / name)
            undo.callback(_move_back, target / name, source / name)


def _move_back(path: Path, target: Path) -> None:
    with contextlib.suppress(OSError):  # the first error is the one to report
        path.rename(target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
