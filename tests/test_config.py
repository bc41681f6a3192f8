"""Checks of settings when they are made: a threshold of NaN would otherwise silently match nothing."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from fairmot_dla34.association.config import TrackerConfig
from fairmot_dla34.config import InputSize, check_frame_rate
from fairmot_dla34.errors import InvalidInputError

THRESHOLDS = [field.name for field in dataclasses.fields(TrackerConfig) if field.name.endswith(("thres", "thresh"))]


MEASURED = ("conf_thres", "low_conf_thres")  # by `auto`, if they are None


def test_default_settings() -> None:
    """Numbers are PaddleDetection's; None stands for what `auto` measures or the default of the method."""
    assert dataclasses.asdict(TrackerConfig()) == {
        "method": "auto",
        "conf_thres": None,
        "low_conf_thres": None,
        "det_thresh": 0.3,
        "tracked_thresh": 0.4,
        "match_thres": 0.8,
        "r_tracked_thresh": 0.5,
        "unconfirmed_thresh": 0.7,
        "lost_buffer_s": None,
        "min_box_area": None,
        "vertical_ratio": 1.6,
        "use_embeddings": True,
        "reid_buffer_s": 0.0,
    }


@pytest.mark.parametrize("method", ["jde", "byte"])
def test_defaults_of_jde_and_byte_are_those_that_paddledetection_configures(method: str) -> None:
    """fairmot_dla34.yml and JDETracker set them; the old PaddleHub module used others (0, 0.7, euclidean)."""
    config = TrackerConfig(method=method)
    assert config.score_thresholds == (0.4, 0.2)
    assert (config.buffer_s, config.smallest_area, config.vertical_ratio) == (1.0, 200.0, 1.6)
    assert (config.det_thresh, config.tracked_thresh, config.match_thres) == (0.3, 0.4, 0.8)
    assert (config.r_tracked_thresh, config.unconfirmed_thresh) == (0.5, 0.7)


@pytest.mark.parametrize("name", THRESHOLDS)
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), "0.5", None, True])
def test_thresholds_are_fractions(name: str, value: Any) -> None:
    if value is None and name in MEASURED:
        pytest.skip("measured in the video")
    with pytest.raises(InvalidInputError, match=f"{name} is .*expected a number from 0 to 1"):
        TrackerConfig(**{name: value})


@pytest.mark.parametrize("name", ["lost_buffer_s", "min_box_area", "vertical_ratio"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "2", True])
def test_amounts_are_not_negative(name: str, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} is .*expected a number >= 0"):
        TrackerConfig(**{name: value})


@pytest.mark.parametrize(("method", "seconds"), [("jde", 1.0), ("byte", 1.0), ("auto", 2.0)])
def test_each_method_has_a_default_lost_buffer(method: Any, seconds: float) -> None:
    """One second in JDETracker (track_buffer 30 at 30 frames/s), two in `auto`, also after replacing the method."""
    assert TrackerConfig(method=method).buffer_s == seconds
    assert dataclasses.replace(TrackerConfig(), method=method).buffer_s == seconds
    assert TrackerConfig(method=method, lost_buffer_s=0.5).buffer_s == 0.5


@pytest.mark.parametrize(("method", "area"), [("jde", 200.0), ("byte", 200.0), ("auto", 0.0)])
def test_each_method_has_a_default_smallest_area(method: Any, area: float) -> None:
    """200 px^2 in fairmot_dla34.yml; `auto` reports people of any size, also after replacing the method."""
    assert dataclasses.replace(TrackerConfig(), method=method).smallest_area == area
    assert TrackerConfig(method=method, min_box_area=50).smallest_area == 50


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.float64(1)])
def test_thresholds_may_be_numpy_numbers_and_equal_to_their_bounds(value: Any) -> None:
    config = TrackerConfig(conf_thres=value, lost_buffer_s=value)
    assert config.conf_thres == config.buffer_s == value
    assert type(config.conf_thres) is type(config.buffer_s) is float


@pytest.mark.parametrize("method", ["sort", "", None, "JDE"])
def test_an_unknown_method_is_refused_with_the_known_names(method: Any) -> None:
    with pytest.raises(InvalidInputError, match="expected one of auto, jde, byte"):
        TrackerConfig(method=method)


@pytest.mark.parametrize("value", ["False", None, 2, float("nan"), [True, False], np.zeros(2)])
def test_use_embeddings_is_a_truth_value(value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"use_embeddings is .*expected True or False"):
        TrackerConfig(method="byte", use_embeddings=value)


def test_jde_cannot_do_without_embeddings() -> None:
    with pytest.raises(InvalidInputError, match="method 'jde' matches by embeddings; expected method='auto'"):
        TrackerConfig(method="jde", use_embeddings=False)
    assert not TrackerConfig(use_embeddings=False).use_embeddings


def test_settings_are_made_from_a_mapping() -> None:
    """Such as a table of a TOML file, which has whole numbers where floats are expected."""
    settings: dict[str, object] = {"method": "byte", "conf_thres": 0.5, "lost_buffer_s": 2, "use_embeddings": False}
    expected = TrackerConfig(method="byte", conf_thres=0.5, lost_buffer_s=2, use_embeddings=False)
    assert TrackerConfig.from_mapping(settings) == expected
    assert TrackerConfig.from_mapping({}) == TrackerConfig()
    assert TrackerConfig.from_mapping(dataclasses.asdict(expected)) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"conf_thresh": 0.5}, "Tracker setting is 'conf_thresh'; expected one of method, conf_thres, low_conf_thres"),
        ({"tracker": {"method": "byte"}}, "Tracker setting is 'tracker'; expected one of method"),
        ({1: 2}, "Tracker setting is 1; expected one of method"),
        ({"conf_thres": {}}, "conf_thres is {}; expected a number from 0 to 1"),
        ({"method": []}, r"Tracker method is \[\]; expected one of auto, jde, byte"),
        (["method"], r"Tracker settings are \['method'\]; expected names and values"),
        (None, "Tracker settings are None; expected names and values"),
    ],
)
def test_a_mapping_of_other_names_or_values_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        TrackerConfig.from_mapping(settings)


@pytest.mark.parametrize("value", [0, -30, float("nan"), float("inf"), "30", None, False])
def test_frame_rates_that_are_not_positive_numbers_are_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="frame_rate is"):
        check_frame_rate(value)


def test_a_frame_rate_may_be_a_fraction() -> None:
    assert check_frame_rate(30000 / 1001) == pytest.approx(29.97003)


@pytest.mark.parametrize("value", ["576x320", " 576X320 ", "576*320", (576, 320), InputSize(576, 320)])
def test_input_size_is_read_width_first(value: Any) -> None:
    size = InputSize.parse(value)
    assert (size.width, size.height) == (576, 320)
    assert str(size) == "576x320"
    assert InputSize.parse(str(size)) == size


@pytest.mark.parametrize("value", ["576", "a x b", "576x-320", (1, 2, 3), None, 576, "577x320", (0, 32), (32.0, 32)])
def test_input_size_that_the_network_cannot_take_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInputError, match="Input"):
        InputSize.parse(value)
