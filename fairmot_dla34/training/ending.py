"""Saves a run that a signal or an error ends between two steps."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..console.signals import StopDeferred, StopRequest
from ..errors import DivergedError, FairMOTError, OutputError
from .state import Progress
from .stepping import Stepper
from .writer import RunWriter


@contextlib.contextmanager
def saved_on_error(writer: RunWriter | None, stepper: Stepper, progress: Progress) -> Iterator[None]:
    """Save the run if a signal or an error ends the body; the message of a signal then says how to go on.

    A repeated signal ends the run without saving it, and so does one in the middle of an update of the weights.

    Args:
        writer: Writes the files; None in all processes but the first.
        stepper: Trains the weights.
        progress: Position of the run.
    """
    try:
        yield
    except OutputError:
        raise  # saving would fail too
    except (KeyboardInterrupt, FairMOTError) as error:
        is_repeated = isinstance(error, StopRequest) and error.repeated
        has_results = progress.step > 0 or isinstance(error, KeyboardInterrupt)
        if writer and stepper.is_whole and has_results and not is_repeated:
            outcome = StopRequest.outcome
            try:
                with contextlib.nullcontext() if isinstance(error, KeyboardInterrupt) else StopDeferred():
                    outcome = _saved(writer, progress)
            except StopRequest as request:  # such as torchrun's SIGTERM after another process has failed
                request.outcome = outcome
                raise
            if isinstance(error, StopRequest):
                error.outcome = outcome
        raise


def _saved(writer: RunWriter, progress: Progress) -> str:
    """Save the run; return the outcome in words."""
    try:
        writer.save(progress)
    except (OutputError, DivergedError) as error:
        return f"step {progress.step} could not be saved: {str(error).rstrip('.')}"
    return f"step {progress.step} is saved; the same command with --resume continues the run"
