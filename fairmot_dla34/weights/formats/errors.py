"""Conversion of the readers' errors to `CheckpointError` with the file's name and a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import CheckpointError

EXPECTED = "expected PaddleDetection's FairMOT checkpoint (.pdparams) or a .npz file"


class FormatError(Exception):
    """A file is not read for a reason that its reader knows; the message continues "FILE is not read: "."""


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
