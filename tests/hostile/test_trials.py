"""The counter of trials itself: a failure of each kind is seen, counted and fails the test."""

from __future__ import annotations

import pytest
from trials import CrashError, HangError, TracebackError, Trials, run_python

from fairmot_dla34.errors import InvalidInputError


def test_each_kind_of_failure_is_counted() -> None:
    seen: list[tuple[str, str]] = []
    trials = Trials(lambda kind, failure: seen.append((kind, failure)))
    errors: list[Exception | None] = [
        None,
        AssertionError(),
        HangError(),
        CrashError(),
        TracebackError(),
        KeyError(),
        InvalidInputError(),
    ]
    for error in errors:
        with trials("kind"):
            if error is not None:
                raise error
    failures = [failure for _, failure in seen]
    assert failures == ["", "wrong results", "hangs", "crashes", "tracebacks", "tracebacks", "tracebacks"]
    assert len(trials.failures) == 6


def test_a_process_is_classified_by_how_it_ends() -> None:
    assert run_python("-c", "print('ok')").stdout == "ok\n"
    assert run_python("-c", "x = bytearray(200_000_000)").peak_bytes > 190_000_000  # the kernel counts pages in batches
    with pytest.raises(HangError):
        run_python("-c", "import time; time.sleep(60)", timeout_s=0.5)
    with pytest.raises(CrashError):
        run_python("-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(TracebackError):
        run_python("-c", "1 / 0")
