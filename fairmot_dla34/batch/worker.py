"""The main function of a worker process of `LocalEngine`: receives items, and sends results or exceptions."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
from collections.abc import Callable
from multiprocessing import connection, parent_process
from typing import Any

from ..errors import EngineError
from ..files import remove_temporaries

READY = "ready"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def work(channel: connection.Connection, threads: int, log_level: int) -> None:
    """Run items until the channel is closed or the parent process ends.

    Args:
        channel: Channel to the parent: pairs of a pickled function and an item come in; `READY`, then pairs of success
            and a value or an exception go out.
        threads: Threads that native libraries may start in this process.
        log_level: Level of the package's log.
    """
    _prepare(threads, log_level)
    channel.send(READY)
    function: Callable[[Any], Any] | None = None
    pickled = b""
    while True:
        try:
            sent, item = channel.recv()
        except (EOFError, OSError):
            return
        except Exception as error:  # noqa: BLE001 (an item of a class that this process cannot import)
            channel.send_bytes(_pickled(error))
            continue
        try:
            if function is None or sent != pickled:
                function, pickled = pickle.loads(sent), sent  # noqa: S301 (from the parent process)
            outcome = pickle.dumps((True, function(item)))
        except BaseException as error:  # noqa: BLE001 (raised again in the parent)
            outcome = _pickled(error)
        channel.send_bytes(outcome)


def _prepare(threads: int, log_level: int) -> None:
    """Leave Ctrl-C to the parent, limit native threads, and end at SIGTERM and with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # in this thread and those that it starts
        threading.Thread(target=_end_on_request, name="fairmot_dla34 end", daemon=True).start()
    for name in _THREAD_VARIABLES:
        os.environ.setdefault(name, str(threads))  # before NumPy is imported
    if log_level:
        from ..console.logs import log_to_stderr

        log_to_stderr(verbose=False)
        logging.getLogger("fairmot_dla34").setLevel(log_level)
    threading.Thread(target=_end_with_parent, name="fairmot_dla34 parent", daemon=True).start()


def _end_on_request() -> None:
    """End at SIGTERM, whatever the other threads do, and leave no temporary file."""
    signal.sigwait({signal.SIGTERM})
    remove_temporaries()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.raise_signal(signal.SIGTERM)
    os._exit(128 + signal.SIGTERM)  # a script that starts the engine may have set a handler


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        remove_temporaries()
        os._exit(1)


def _pickled(error: BaseException) -> bytes:
    """Return an exception in a form that the parent can read, whatever its class."""
    try:
        content = pickle.dumps((False, error))
        pickle.loads(content)  # noqa: S301 (made in the line above)
    except Exception:  # noqa: BLE001 (an exception may hold anything)
        content = pickle.dumps((False, EngineError(f"A worker failed: {type(error).__name__}: {error}")))
    return content
