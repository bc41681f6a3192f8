"""`LocalEngine`: results and errors of items, workers that are killed or cannot start, and processes that end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_functions import (
    awaited,
    is_running,
    killed_by_sigterm,
    killed_until,
    odd_error,
    process_of,
    squared,
    unpicklable,
    written_for_ever,
)

from fairmot_dla34.batch.engine import MOST_RETRIES
from fairmot_dla34.batch.local import LocalEngine
from fairmot_dla34.errors import EngineError, InvalidInputError, SourceError

TESTS = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    with LocalEngine(2) as engine:
        yield engine


def test_each_item_has_its_result(engine: LocalEngine) -> None:
    assert dict(engine.run(squared, range(12))) == {number: number * number for number in range(12)}


def test_workers_are_kept_between_runs(engine: LocalEngine) -> None:
    first = {process for _, process in engine.run(process_of, [0.05] * 4)}
    assert {process for _, process in engine.run(process_of, [0.05] * 4)} <= first
    assert len(first) <= 2
    assert os.getpid() not in first


def test_nothing_to_do(engine: LocalEngine) -> None:
    assert list(engine.run(squared, [])) == []


def test_an_item_that_raises_does_not_end_the_others(engine: LocalEngine) -> None:
    results = dict(engine.run(squared, [12, 13, 14, 15]))
    assert results[0] == 144
    assert results[3] == 225
    assert isinstance(results[1], SourceError)
    assert str(results[1]) == "13 cannot be read."
    assert isinstance(results[2], ZeroDivisionError)


@pytest.mark.parametrize("function", [unpicklable, odd_error])
def test_what_cannot_be_sent_is_an_error(engine: LocalEngine, function: object) -> None:
    ((_, error),) = engine.run(function, [1])  # type: ignore[arg-type]
    assert isinstance(error, Exception)
    assert dict(engine.run(squared, [3])) == {0: 9}


def test_items_are_reported_when_they_start(engine: LocalEngine) -> None:
    started: list[int] = []
    assert len(list(engine.run(squared, range(5), on_start=started.append))) == 5
    assert sorted(started) == list(range(5))


@pytest.mark.parametrize("kills", [1, MOST_RETRIES])
def test_an_item_whose_worker_was_killed_is_run_again(engine: LocalEngine, tmp_path: Path, kills: int) -> None:
    items = [(tmp_path / f"{number}", kills if number == 1 else 0) for number in range(4)]
    started: list[int] = []
    results = dict(engine.run(killed_until, items, on_start=started.append))
    assert results == {0: 1, 1: kills + 1, 2: 1, 3: 1}
    assert started.count(1) == kills + 1


def test_an_item_that_kills_every_worker_fails_alone(engine: LocalEngine, tmp_path: Path) -> None:
    items = [(tmp_path / "bad", 99), (tmp_path / "good", 0)]
    results = dict(engine.run(killed_until, items))
    assert results[1] == 1
    assert isinstance(results[0], EngineError)
    assert f"was killed by SIGKILL each of the {MOST_RETRIES + 1} times" in str(results[0])
    assert len((tmp_path / "bad").read_text()) == MOST_RETRIES + 1


def test_a_worker_killed_from_outside_does_not_disturb_the_other(engine: LocalEngine, tmp_path: Path) -> None:
    def kill_first() -> None:
        os.kill(int(text_of(tmp_path / "0")), signal.SIGKILL)

    killer = threading.Thread(target=kill_first)
    killer.start()
    started: list[int] = []
    results = dict(engine.run(awaited, [(tmp_path / "0", 0.7), (tmp_path / "1", 0.7)], on_start=started.append))
    killer.join()
    assert set(results) == {0, 1}
    assert sorted(started) == [0, 0, 1]
    assert results[0] == int((tmp_path / "0").read_text())


def test_a_caller_that_stops_reading_ends_the_items(tmp_path: Path) -> None:
    with LocalEngine(2) as engine:
        run = engine.run(awaited, [(tmp_path / "0", 0.0), (tmp_path / "1", 30.0)])
        next(run)
        process = int(text_of(tmp_path / "1"))
        run.close()  # type: ignore[attr-defined]
        assert not is_running(process)
        assert dict(engine.run(squared, [4])) == {0: 16}


@pytest.mark.skipif(sys.platform == "win32", reason="NO SIGTERM")
def test_a_worker_that_is_ended_leaves_no_temporary_file(tmp_path: Path) -> None:
    with LocalEngine(2) as engine:
        run = engine.run(written_for_ever, [(tmp_path / "a", False), (tmp_path / "b", True)])
        assert next(run) == (0, None)
        assert len(list(tmp_path.iterdir())) == 1
        run.close()  # type: ignore[attr-defined]
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="NO SIGTERM")
def test_a_worker_ends_at_sigterm() -> None:
    with LocalEngine(1) as engine:
        ((_, ended),) = engine.run(killed_by_sigterm, [0])
        assert isinstance(ended, EngineError)
        assert "was killed by SIGTERM" in str(ended)


def test_close_ends_the_processes() -> None:
    engine = LocalEngine(2)
    processes = [int(process) for _, process in engine.run(process_of, [0.2, 0.2])]  # type: ignore[arg-type]
    assert all(map(is_running, processes))
    engine.close()
    engine.close()
    assert not any(map(is_running, processes))


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from pathlib import Path\n"
        "from batch_functions import awaited\n"
        "from fairmot_dla34.batch.local import LocalEngine\n"
        f"list(LocalEngine(2).run(awaited, [(Path({str(tmp_path)!r}) / str(i), 30.0) for i in range(2)]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        processes = [int(text_of(tmp_path / f"{number}")) for number in range(2)]
        parent.send_signal(signal.SIGKILL)
    deadline_s = time.monotonic() + 5
    while any(map(is_running, processes)) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not any(map(is_running, processes))


def test_a_script_without_a_guard_is_one_error(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(TESTS)!r})\n"
        "from batch_functions import squared\n"
        "from fairmot_dla34.batch.local import LocalEngine\n"
        "print(list(LocalEngine(1).run(squared, [1])))\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "ended while it started" in ended.stderr
    assert "__main__" in ended.stderr


@pytest.mark.parametrize("value", [0, -1, 1.5, 1025, "2", None, True])
@pytest.mark.parametrize("name", ["workers", "threads"])
def test_wrong_numbers_are_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidInputError, match=f"^{name} is .*; expected a whole number from 1 to 1024"):
        LocalEngine(**{name: value})  # type: ignore[arg-type]


def text_of(path: Path) -> str:
    """Return the text of a file that another process writes soon."""
    deadline_s = time.monotonic() + 20
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return path.read_text()
