"""Files in stores that fsspec reaches, such as ``s3://``: found, copied to the local disk, and written back."""

from __future__ import annotations

import hashlib
import posixpath
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..errors import BackendUnavailableError, InvalidInputError, OutputError, SourceError, SourceNotFoundError
from ..file_names import safe_file_name
from ..messages import install_command, plain_line
from ..tracking.expansion import NamedSource
from ..video.locations import SCHEMES
from ..video.names import VIDEO_FILE_SUFFIXES

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.+)", re.DOTALL)
_WHOLE_OBJECTS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "memory"})
_SPARE_BYTES = 1 << 30  # left on the local disk beside a copy


def is_stored(text: str) -> bool:
    """Return whether a text is the URL of a store, and neither a stream nor a local file."""
    match = _URL.fullmatch(text)
    return match is not None and match["scheme"].lower() not in {*SCHEMES, "file"}


def find_sources(url: str) -> list[NamedSource]:
    """Return the videos that a URL names: a file, the matches of a pattern, or the videos of a folder.

    Raises:
        SourceNotFoundError: There are none.
        SourceError: The store cannot be read.
        InvalidInputError: No store has this scheme.
        BackendUnavailableError: fsspec or its part for this store is not installed.
    """
    store, path = _opened(url)
    with _reading(url):
        if any(sign in path for sign in "*?["):
            names = [name for name in store.glob(path) if _is_video(name)]
        elif store.isdir(path):
            names = [name for name in store.ls(path, detail=False) if _is_video(name)]
        else:
            names = [path] if store.exists(path) else []
        found = [_named(store.unstrip_protocol(name), store.info(name)) for name in sorted(names)]
    if not found:
        raise SourceNotFoundError(f"{url} names no video; expected a file, a pattern or a folder: check the spelling.")
    return found


def identity_of(url: str) -> str:
    """Return a digest of a stored file's URL, size and version.

    Raises:
        SourceError: The store cannot be read.
    """
    store, path = _opened(url)
    with _reading(url):
        return _identity(url, store.info(path))


def copy_in(url: str, folder: Path) -> Path:
    """Copy a stored file to a local folder, and return its path.

    Raises:
        SourceError: The store cannot be read, or the disk has no room.
    """
    store, path = _opened(url)
    target = folder / safe_file_name(posixpath.basename(path), "video")
    with _reading(url):
        size = int(store.info(path).get("size") or 0)
        free = shutil.disk_usage(folder).free
        if size + _SPARE_BYTES > free:
            raise SourceError(
                f"{url} has {size / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB free; expected room for it and"
                " 1 GB: set TMPDIR on the nodes to a larger disk."
            )
        store.get_file(path, str(target))
        if target.stat().st_size != size:
            raise SourceError(f"{url} was copied in part ({target.stat().st_size} of {size} bytes); run it again.")
    return target


def copy_out(file: Path, url: str) -> None:
    """Copy a local file to a store: it is there as a whole, or as it was before, if the store can do that.

    Object stores show an object when it is complete; elsewhere it is written under another name and renamed.

    Raises:
        OutputError: The store cannot be written.
    """
    store, path = _opened(url)
    part = path if _protocols(store) & _WHOLE_OBJECTS else f"{path}.{uuid.uuid4().hex[:8]}.part"
    try:
        store.makedirs(posixpath.dirname(path), exist_ok=True)
        store.put_file(str(file), part)
        if part != path:
            store.mv(part, path)
    except Exception as error:
        if part != path:
            with suppress(Exception):  # the first error is the one to report
                store.rm_file(part)
        raise OutputError(
            f"{url} cannot be written ({_reason(error)}); expected a folder of a store that this machine may write:"
            " check the URL and the credentials."
        ) from error


def size_of(url: str) -> int | None:
    """Return the bytes of a stored file; None if it does not exist.

    Raises:
        SourceError: The store cannot be read.
    """
    store, path = _opened(url)
    with _reading(url):
        return int(store.info(path)["size"]) if store.exists(path) else None


def read_stored(url: str) -> bytes | None:
    """Return the content of a small stored file; None if it does not exist.

    Raises:
        SourceError: The store cannot be read.
    """
    store, path = _opened(url)
    with _reading(url):
        return bytes(store.cat_file(path)) if store.exists(path) else None


def _opened(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise BackendUnavailableError(
            f"{url} needs the package fsspec, which is not installed: {install_command('cluster')}"
        ) from error
    try:
        store, path = fsspec.core.url_to_fs(url)
    except ImportError as error:  # s3fs, gcsfs and others
        raise BackendUnavailableError(f"{url} needs another package: {plain_line(str(error))}") from error
    except Exception as error:
        raise InvalidInputError(
            f"{url} cannot be opened ({_reason(error)}); expected the URL of a store that fsspec knows, such as"
            " s3://bucket/folder."
        ) from error
    if hasattr(store, "invalidate_cache"):
        store.invalidate_cache()
    return store, str(path)


@contextmanager
def _reading(url: str) -> Iterator[None]:
    """Turn the errors of a store, which may be of any class, into `SourceError`."""
    try:
        yield
    except SourceError:
        raise
    except FileNotFoundError as error:
        raise SourceNotFoundError(f"{url} does not exist; expected a file: check the spelling.") from error
    except Exception as error:
        raise SourceError(
            f"{url} cannot be read ({_reason(error)}); expected a store that this machine may read: check the URL and"
            " the credentials."
        ) from error


def _named(url: str, info: dict[str, Any]) -> NamedSource:
    path = posixpath.splitext(url)[0]
    return NamedSource(
        url,
        name=safe_file_name(posixpath.basename(path), "video"),
        folder=safe_file_name(posixpath.basename(posixpath.dirname(path)), "folder"),
        identity=_identity(url, info),
    )


def _identity(url: str, info: dict[str, Any]) -> str:
    """Return a digest of what a store states about a file: object stores have an ETag, others a time."""
    known = [info.get(name) for name in ("size", "ETag", "etag", "md5Hash", "mtime", "LastModified", "created")]
    return hashlib.sha256(f"{url} {known}".encode()).hexdigest()


def _is_video(name: str) -> bool:
    return posixpath.splitext(name)[1].lower() in VIDEO_FILE_SUFFIXES


def _protocols(store: Any) -> set[str]:
    protocol = store.protocol
    return {protocol} if isinstance(protocol, str) else set(protocol)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return plain_line(lines[0] if lines else type(error).__name__).rstrip(".")
