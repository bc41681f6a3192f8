"""What is said when a result cannot be written; one place for text and video."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from .errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

_REMEDIES = {
    errno.ENOSPC: "free space on that disk or name another output directory",
    errno.EDQUOT: "free space within your quota or name another output directory",
    errno.EFBIG: "raise the limit on file sizes or name another output directory",
    errno.EACCES: "change its permissions or name another output directory",
    errno.EPERM: "change its permissions or name another output directory",
    errno.EROFS: "it is read-only; name an output directory elsewhere",
    errno.ENOTDIR: "a file stands where a folder is needed; move it or name another output directory",
    errno.EEXIST: "a file stands where a folder is needed; move it or name another output directory",
    errno.EISDIR: "a folder stands where a file is needed; move it or name another output directory",
    errno.ENAMETOOLONG: "the name is too long; rename the source or name a shorter output directory",
}


def output_error(path: Path, error: Exception) -> OutputError:
    """Turn a failure of the system or of FFmpeg into an error with a remedy.

    Args:
        path: The file or folder that could not be written.
        error: An ``OSError`` or an FFmpeg error.

    Returns:
        An `OutputError` to raise; it carries the system's ``errno``.
    """
    number = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or str(error)
    remedy = _REMEDIES.get(number or 0, "check the disk or name another output directory")
    wrapped = OutputError(
        f"{path} cannot be written ({reason}); expected a file in a writable folder with free space: {remedy}."
    )
    wrapped.errno = number
    return wrapped
