"""Hostile values: any argument of the tracker and its values gives a valid result or an error of the package."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trials import Trials

from fairmot_dla34.association import AssociationMethod, Tracker, TrackerConfig, method_names
from fairmot_dla34.config import InputSize
from fairmot_dla34.errors import FairMOTError, InvalidInputError
from fairmot_dla34.evaluation import evaluate, evaluation_json, scores_table
from fairmot_dla34.values import Detections, Frame, Peaks

BOX = [[0.0, 0.0, 40.0, 100.0]]


class _Broken:
    """A value whose representation and conversions fail."""

    def __repr__(self) -> str:
        raise RuntimeError("no representation")

    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("no array")


def _cycle() -> list[object]:
    values: list[object] = []
    values.append(values)
    return values


ODD: list[Any] = [
    *(None, True, False, "", "0.5", "\ud800", "\x1b[31m", b"0.5", [], {}, (), set(), object(), _Broken(), _cycle()),
    *(10**400, 10**5000, -(10**400), 2**70, -(2**70), 2**63, -1, 0, 1e300, -1e300, 5e-324, math.nan, math.inf),
    *(
        1j,
        Decimal("0.5"),
        Decimal("NaN"),
        Fraction(10**400, 3),
        Fraction(1, 2),
        float,
        lambda: 0,
        range(3),
        "x" * 10**6,
    ),
    *(np.zeros(0), np.zeros(3), np.array(0.5), np.array([0.5]), np.float16(0.5), np.bool_(1), np.int8(-1)),
    *(np.array([None]), np.array(["a"]), np.ma.masked, np.datetime64("NaT"), np.zeros((2, 2), "i4,f8")),
]

ARRAYS: list[Any] = [
    *ODD,
    *([[]], [[[]]], [[0, 0, 40, 100], [0, 0]], [["0", "0", "40", "100"]], [[0, 0, 40, None]], [[0, 0, 10**30, 1]]),
    *([[0, 0, 1e300, 1]], [[0, 0, math.nan, 1]], [[0j, 0, 40, 100]], [[True, False, True, True]], [b"abcd"]),
    *(
        np.array(BOX, object),
        np.ma.array(BOX, mask=True),
        np.ma.array(BOX),
        np.array(BOX, "S"),
        np.array(BOX, np.float16),
    ),
    *(np.zeros((1, 4), "M8[s]"), np.zeros((1, 4), ">f8"), np.zeros((4, 1)), np.zeros((1, 0)), np.zeros((1, 1, 4))),
    *([0.5], [2.5], [-1], [2**70], [2**63], [10**400], [math.nan], [math.inf], [True], ["1"], [1 + 0j], [None], [[1]]),
    *(np.array([-1]), np.array([2**63], np.uint64), np.array([0.5]), np.array([1.0]), np.array([3], np.uint8)),
    *(np.ma.array([1], mask=[True]), np.ones((1, 128)), np.full((1, 128), math.nan), np.full((1, 8), 1e300)),
    *(np.zeros((1, 10**5)), np.array([], object), np.array([[1]], bool)),
]


def survives(call: Callable[[], object]) -> object:
    """Return the result of a call, or its error if that is one of the package and fits a line."""
    try:
        return call()
    except FairMOTError as error:
        assert_short(str(error))
        return error


def assert_short(message: str) -> None:
    assert 0 < len(message) <= 300
    assert message.isprintable()


def run_tracker(tracker: Tracker, detections: Detections) -> None:
    """Run a tracker for a few frames; ids and boxes must be valid."""
    for _ in range(3):
        for track in tracker.update(detections):
            assert track.track_id >= 1
            assert all(map(math.isfinite, track.box))
            assert 0 <= track.class_id < 2**31


@pytest.mark.filterwarnings("error")
def test_arrays_of_detections(trials: Trials) -> None:
    valid: dict[str, Any] = {"boxes": BOX, "scores": [0.9], "embeddings": np.ones((1, 8)), "class_ids": [0]}
    for kind in (Detections, Peaks):
        for name in valid:
            for index, odd in enumerate(ARRAYS):
                with trials("values, arrays of detections", f"{kind.__name__} {name} {index}"):
                    made = survives(lambda kind=kind, name=name, odd=odd: kind(**{**valid, name: odd}))  # type: ignore[misc]
                    if isinstance(made, Detections):
                        for method in ("auto", "byte"):
                            run_tracker(Tracker(TrackerConfig(method=method, min_box_area=0)), made)


@pytest.mark.filterwarnings("error")
def test_settings_of_the_tracker(trials: Trials) -> None:
    detections = Detections(BOX, [0.95], np.ones((1, 8)))
    for field in dataclasses.fields(TrackerConfig):
        for method in method_names():
            for index, odd in enumerate([*ODD, 1, 0.5, 1e-300, 1e38, 1e39]):
                with trials("values, settings of the tracker", f"{field.name} {method} {index}"):
                    given_settings = {"method": method, field.name: odd}
                    made = survives(lambda values=given_settings: TrackerConfig.from_mapping(values))  # type: ignore[misc]
                    if isinstance(made, TrackerConfig):
                        run_tracker(Tracker(made), detections)


@pytest.mark.filterwarnings("error")
def test_arguments_of_the_tracker(trials: Trials) -> None:
    detections = Detections(BOX, [0.9])
    calls: dict[str, Callable[[Any], object]] = {
        "config": Tracker,
        "frame_rate": lambda odd: Tracker(TrackerConfig(method="byte"), frame_rate=odd).update(detections, time_s=1.0),
        "detections": lambda odd: Tracker(TrackerConfig(method="byte")).update(odd),
        "time_s": lambda odd: Tracker(TrackerConfig(method="byte")).update(detections, time_s=odd),
        "mapping": TrackerConfig.from_mapping,
        "name of a method": lambda odd: AssociationMethod(odd, Tracker),  # type: ignore[arg-type]
        "buffer of a method": lambda odd: AssociationMethod("own", Tracker, lost_buffer_s=odd),  # type: ignore[arg-type]
        "unused settings": lambda odd: AssociationMethod("own", Tracker, unused_settings=odd),  # type: ignore[arg-type]
        "frame index": lambda odd: Frame(odd, 0.0, np.zeros((1, 1, 3), np.uint8)),
        "frame time": lambda odd: Frame(0, odd, np.zeros((1, 1, 3), np.uint8)),
        "frame image": lambda odd: Frame(0, 0.0, odd),
        "input size": InputSize.parse,
        "input width": lambda odd: InputSize(odd, 320),
        "input pair": lambda odd: InputSize.parse((odd, odd)),
    }
    for name, call in calls.items():
        for index, odd in enumerate([*ODD, 1e-3, 1e5, 1e9, 10**15]):
            with trials("values, arguments of the tracker", f"{name} {index}"):
                survives(lambda call=call, odd=odd: call(odd))  # type: ignore[misc]


@pytest.mark.filterwarnings("error")
def test_a_refused_argument_changes_nothing(trials: Trials) -> None:
    odd_values = [odd for odd in ODD if odd is not np.ma.masked]  # NumPy warns of it in a list
    frames = [Detections([[3 * i, 0, 3 * i + 40, 100]], [0.9], np.ones((1, 8))) for i in range(len(odd_values))]
    disturbed, clean = Tracker(), Tracker()
    for frame, odd in zip(frames, odd_values, strict=True):
        with trials("values, state after an error"):
            for call in (
                lambda odd=odd: disturbed.update(odd),
                lambda odd=odd: disturbed.update(Detections(BOX, [odd])),
            ):
                assert isinstance(survives(call), InvalidInputError)
            assert disturbed.update(frame) == clean.update(frame)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.one_of(st.floats(), st.just(1e9), st.just(0.1)), min_size=1, max_size=20), st.floats(1e-3, 1e5))
def test_any_sequence_of_times(times: list[float], frame_rate: float) -> None:
    """Times that jump, repeat or go back by any amount leave a tracker that works."""
    tracker = Tracker(TrackerConfig(), frame_rate=frame_rate)
    for time_s in times:
        survives(lambda time_s=time_s: tracker.update(Detections(BOX, [0.95]), time_s=time_s))  # type: ignore[misc]
    run_tracker(tracker, Detections(BOX, [0.95]))


@pytest.mark.filterwarnings("error")
def test_arguments_of_the_evaluation(trials: Trials, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # some of the values are names of folders
    truth = tmp_path / "A.txt"
    truth.write_text("1,1,0,0,40,100,1,-1,-1,-1\n")
    calls: dict[str, Callable[[Any], object]] = {
        "gt": lambda odd: evaluate(odd, truth),
        "results": lambda odd: evaluate(truth, odd),
        "plots": lambda odd: evaluate(truth, truth, plots=odd),
        "sequences": lambda odd: evaluate(truth, truth, sequences=odd),
        "table": scores_table,
        "json": evaluation_json,
    }
    for name, call in calls.items():
        for index, odd in enumerate(ODD):
            with trials("values, arguments of the evaluation", f"{name} {index}"):
                survives(lambda call=call, odd=odd: call(odd))  # type: ignore[misc]
