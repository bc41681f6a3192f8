"""Conversion of the readers' errors to `CheckpointError` with the file's name and a remedy."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CheckpointError

EXPECTED = "expected a FairMOT checkpoint (.pdparams, .pth, .ckpt or .npz)"

MAX_FILE_BYTES = 4 << 30  # training checkpoints with the optimiser's state have less than 1 GB


class FormatError(Exception):
    """A file is not read for a reason that its reader knows; the message continues "FILE is not read: "."""


def check_kind(path: Path, status: os.stat_result) -> None:
    """Refuse what has no end or takes hours to read: devices, pipes, folders and huge files.

    Args:
        path: The file.
        status: Its status.

    Raises:
        CheckpointError: It is not a regular file, or it is larger than any checkpoint.
    """
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or a pipe"
        raise CheckpointError(f"{path} cannot be read (it is {kind}); {EXPECTED}.")
    if status.st_size > MAX_FILE_BYTES:
        raise CheckpointError(
            f"{path} has {status.st_size} bytes; expected a checkpoint of at most {MAX_FILE_BYTES}: use another file."
        )


@contextmanager
def reported_errors(path: Path) -> Iterator[None]:
    """Convert the errors of the body, which reads a checkpoint file, to `CheckpointError`.

    A damaged file raises nearly any exception (documentation of `pickle.UnpicklingError`).

    Args:
        path: The file.

    Raises:
        CheckpointError: The body raised an exception other than `MemoryError`.
    """
    try:
        yield
    except (CheckpointError, MemoryError):
        raise
    except FormatError as error:
        raise CheckpointError(f"{path} is not read: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}); {EXPECTED}.") from error
    except Exception as error:
        raise CheckpointError(
            f"{path} is damaged or cut short ({type(error).__name__}: {error}); {EXPECTED}: fetch it again."
        ) from error
