"""Runs a command's action and converts errors, stop signals and broken output streams to an exit code and one line.

Importing this module takes a few milliseconds, so that a Ctrl-C during the imports that follow is handled too.
"""

from __future__ import annotations

import atexit
import os
import signal
from typing import TYPE_CHECKING

from .signals import StopRequest, StopSignals
from .streams import EXIT_ERROR, flush_stderr, flush_stdout, prepare_streams, write_error

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_SIGNAL = 128  # a process that a signal ended has the exit code 128 + its number, as in a shell


def guarded(action: Callable[[], None]) -> int:
    """Run ``action`` and convert errors, Ctrl-C, SIGTERM and SIGHUP to one line on stderr.

    In the main thread it installs signal handlers and restores the earlier ones at the end; elsewhere it installs none.

    Returns:
        The exit code: 0 ok, 1 a FairMOT error or a stream that cannot be written, 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP.

    Raises:
        SystemExit: ``action`` raised it, such as `argparse` for ``--help`` (0) and for wrong usage (2).
    """
    signals = StopSignals(_exit_now)
    try:
        signals.start()
        return _exit_code(action, signals)
    except KeyboardInterrupt as request:  # in the few lines around the action
        return _report_stop(request) if signals.exit_code is None else signals.exit_code
    finally:
        atexit.unregister(_end_at_once)
        atexit.register(_end_at_once)  # the last one registered is the first one called
        signals.stop()


def _exit_code(action: Callable[[], None], signals: StopSignals) -> int:
    prepare_streams()
    code = 0
    try:
        try:
            action()
        finally:
            code = flush_stdout()
    except SystemExit as request:
        raise SystemExit(request.code or code) from None
    except KeyboardInterrupt as request:
        code = _report_stop(request)
    except Exception as error:  # noqa: BLE001 (raised again if it is not one that users should see)
        if signals.received:  # an import or a library may replace the request by an error of its own
            code = _report_stop(StopRequest(signals.received))
        elif not (code and isinstance(error, OSError)):  # otherwise it is reported already
            code = signals.exit_code = _report(error)
    finally:
        flush_stderr()
    return code


def _report(error: Exception) -> int:
    """Write one line about an error of the package, a broken stream or a lack of memory; raise any other error."""
    from ..errors import FairMOTError
    from ..memory import is_lack_of_memory
    from ..messages import plain_line

    if isinstance(error, BrokenPipeError) and not isinstance(error, FairMOTError):
        return EXIT_ERROR  # the reader of the output has ended, as in `| head -1`
    if isinstance(error, FairMOTError):
        write_error(str(error))
    elif is_lack_of_memory(error):
        write_error("there is not enough memory; close other programs, or use a smaller --input-size or --size.")
    elif isinstance(error, OSError):
        write_error(plain_line(f"the operating system refused an operation ({error}); files written so far are valid."))
    else:
        raise error
    return EXIT_ERROR


def _report_stop(request: KeyboardInterrupt) -> int:
    from ..messages import plain_line

    number = request.number if isinstance(request, StopRequest) else signal.SIGINT
    outcome = request.outcome if isinstance(request, StopRequest) else StopRequest.outcome
    name = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    write_error(plain_line(f"{name}; {outcome}."))
    return EXIT_SIGNAL + number


def _exit_now(number: int) -> None:
    """End the process from the thread that watches a main thread which does not react to a signal."""
    _report_stop(StopRequest(number))
    os._exit(EXIT_SIGNAL + number)


def _end_at_once() -> None:
    """Let a Ctrl-C while the interpreter shuts down end the process without a traceback."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
