"""Progress of a training run: plain words, the remaining time, and lines that fit a log file."""

from __future__ import annotations

import io
import re
import sys

import pytest

from fairmot_dla34.training.records.metrics import ValidationRecord
from fairmot_dla34.training.records.progress import RunProgress
from fairmot_dla34.training.records.wording import figures_text, number_text
from fairmot_dla34.training.schedule import RunLength

LOSSES = {"loss": -3.0, "heatmap": 1.234, "size": 0.45, "offset": 0.311, "identity": 2.1}
BY_EPOCHS = RunLength(steps_per_epoch=400, epochs=30, seconds=None)
BY_CLOCK = RunLength(steps_per_epoch=400, epochs=None, seconds=1800.0)


class Terminal(io.StringIO):
    """Stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("fairmot_dla34.training.records.progress.time.monotonic", lambda: now[0])
    return now


def run(length: RunLength, clock: list[float], steps: range) -> None:
    """Train steps of 10 s with 31 images each, and one whose losses are twice as high."""
    with RunProgress(length, step=steps.start, elapsed_s=10.0 * steps.start) as shown:
        for step in steps:
            clock[0] += 10.0
            losses = {name: value * (2 if step == steps[-1] else 1) for name, value in LOSSES.items()}
            shown.step(step + 1, losses, images=31, seconds=10.0, elapsed_s=10.0 * (step + 1))


def test_a_log_file_gets_lines_with_plain_words(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    run(BY_EPOCHS, clock, range(917, 921))
    first, second = capsys.readouterr().err.splitlines()
    assert first == (
        "epoch 3/30, step 118/400: finding people 1.23, box size 0.450, position 0.311, telling people apart 2.10; "
        "3.10 images/s, 1 d 6 h left"
    )
    assert second == (
        "epoch 3/30, step 121/400: finding people 1.65, box size 0.600, position 0.415, telling people apart 2.80; "
        "3.10 images/s, 1 d 6 h left"
    )


def test_a_run_by_the_clock_shows_the_rest_of_its_time(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    run(BY_CLOCK, clock, range(119, 120))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("epoch 1, step 120/400: finding people 2.47")
    assert line.endswith("3.10 images/s, 10 min 0 s left")


def test_the_last_step_of_an_epoch_belongs_to_it(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    run(BY_EPOCHS, clock, range(799, 800))
    assert "epoch 2/30, step 400/400:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("length", "shown_state"),
    [
        (BY_EPOCHS, "| 1 d 5 h left, epoch 1/30, step 100/400, 3.10 images/s: finding people 1.23, box"),
        (BY_CLOCK, "50% |#####     | 15 min 0 s left, epoch 1, step 100/400, 3.10 images/s: finding people 1.23, box"),
    ],
)
def test_a_terminal_gets_a_bar_and_whole_lines(
    length: RunLength, shown_state: str, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with RunProgress(length) as shown:
        clock[0] += 10.0
        shown.step(100, LOSSES, images=31, seconds=10.0, elapsed_s=900.0)
        shown.note("a note")
        shown.step(101, LOSSES, images=31, seconds=10.0, elapsed_s=9000.0)
    shown.close()
    states = re.split(r"[\r\n]", terminal.getvalue())
    assert any(shown_state in state for state in states)
    assert "a note" in states


def test_a_validation_and_a_new_best_get_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {"map_id": 80.0, "mota": 52.14, "id_switches": 3.0, "hota": 48.2}
    with RunProgress(BY_EPOCHS) as shown:
        record = ValidationRecord(1200, 3, 100.0, figures, is_best=True, duration_s=84.0)
        shown.validation(record, chosen_by="hota", best_before=45.04)
        shown.validation(record, chosen_by="hota")
        shown.validation(ValidationRecord(1600, 4, 100.0, figures), chosen_by="hota", best_before=48.2)
        shown.validation(ValidationRecord(1600, 4, 100.0, {}))
    scores = "HOTA 48.2, MOTA 52.1, ID switches 3, identity mAP 80.0"
    assert capsys.readouterr().err.splitlines() == [
        f"validation after epoch 3/30, step 1200 in 1 min 24 s: {scores}",
        "new best: HOTA 48.2 (45.0 before), written to best.pdparams",
        f"validation after epoch 3/30, step 1200 in 1 min 24 s: {scores}",
        "new best: HOTA 48.2, written to best.pdparams",
        f"validation after epoch 4/30, step 1600: {scores}",
        "validation after epoch 4/30, step 1600: no figure can be computed from this data",
    ]


def test_a_process_that_is_not_the_first_shows_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with RunProgress(BY_EPOCHS, enabled=False) as shown:
        shown.step(1, LOSSES, images=1, seconds=1.0, elapsed_s=1.0)
        shown.note("text")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_a_display_that_cannot_be_written_does_not_end_the_run(
    kind: type[io.StringIO], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> int:
        raise OSError(28, "No space left on device")

    stream = kind()
    monkeypatch.setattr(sys, "stderr", stream)
    with RunProgress(BY_EPOCHS) as shown:
        monkeypatch.setattr(stream, "write", fail)
        for step in range(3):
            clock[0] += 100.0
            shown.step(step + 1, LOSSES, images=31, seconds=10.0, elapsed_s=10.0)
            shown.note("text")


def test_without_stderr_nothing_is_shown(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    run(BY_EPOCHS, clock, range(5))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (1.2345, "1.23"),
        (-12.345, "-12.3"),
        (123.45, "123"),
        (123456.0, "123456"),
        (0.012345, "0.0123"),
        (1e-7, "1.00e-07"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number_text(value) == text


def test_unknown_figures_keep_their_name() -> None:
    assert figures_text({"other": 0.5, "loss": -1.5, "ap50": 71.25}) == "AP50 71.2, loss -1.50, other 0.500"
