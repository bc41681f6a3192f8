"""Standard streams of a command: characters they cannot encode, closed descriptors, full disks and ended readers."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

EXIT_ERROR = 1
_ESCAPES = "fairmot_dla34.escapes"


def prepare_streams() -> None:
    r"""Make stdout and stderr write every character, and reserve the descriptors of closed streams.

    A character that a stream cannot encode is written as ``\uXXXX``, which JSON reads as that character. A closed
    stream's descriptor is opened on the null device: otherwise the first file opened would get it, and with it all
    that libraries print.
    """
    codecs.register_error(_ESCAPES, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError, ValueError):  # a closed one, or one that cannot be flushed
                stream.reconfigure(errors=_ESCAPES)
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one


def write_error(text: str) -> None:
    """Write one line, after the name of the command, to stderr if it can be written."""
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"fairmot_dla34: {text}\n")
            sys.stderr.flush()


def flush_stdout() -> int:
    """Flush stdout; if that fails, write one line to stderr, except after ``| head``.

    Returns:
        The exit code.
    """
    error = _flush(sys.stdout)
    if error is None:
        return 0
    if not isinstance(error, BrokenPipeError):
        write_error(f"stdout cannot be written ({error.strerror}); files written by this run are valid.")
    return EXIT_ERROR


def flush_stderr() -> None:
    """Flush stderr, whose errors can be reported nowhere."""
    _flush(sys.stderr)


def _flush(stream: TextIO | None) -> OSError | None:
    """Flush a stream; if that fails, discard its text, or the interpreter would try again and print a traceback."""
    if stream is None or stream.closed:
        return None
    try:
        stream.flush()
    except OSError as error:
        with contextlib.suppress(OSError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)
        return error
    return None


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    codes = (units[first : first + 2].hex() for first in range(0, len(units), 2))
    return "".join(f"\\u{code}" for code in codes), error.end
