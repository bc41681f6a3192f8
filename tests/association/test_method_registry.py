"""Registration of association methods: a wrong or repeated name must fail when it is registered, not in a video."""

from __future__ import annotations

from typing import Any

import pytest

from fairmot_dla34.association import (
    AssociationMethod,
    Tracker,
    TrackerConfig,
    find_method,
    method_names,
    register_method,
)
from fairmot_dla34.association.byte import ByteRules
from fairmot_dla34.association.registry import check_used
from fairmot_dla34.errors import InvalidInputError


def test_built_in_methods_come_in_a_fixed_order() -> None:
    assert method_names() == ("auto", "jde", "byte")
    assert [find_method(name).name for name in method_names()] == list(method_names())


def test_a_registered_method_is_listed_and_has_its_own_lost_buffer() -> None:
    register_method(AssociationMethod("mine", ByteRules, lost_buffer_s=0.25))
    assert method_names()[-1] == "mine"
    assert TrackerConfig(method="mine").buffer_s == 0.25
    assert TrackerConfig(method="mine", lost_buffer_s=3.0).buffer_s == 3.0
    with pytest.raises(InvalidInputError, match="'other'; expected one of auto, jde, byte, mine"):
        TrackerConfig(method="other")


def test_a_name_belongs_to_one_method() -> None:
    register_method(find_method("jde"))  # a module that is imported twice
    with pytest.raises(InvalidInputError, match="'jde' is already registered; expected a new name"):
        register_method(AssociationMethod("jde", ByteRules))
    assert find_method("jde").make_rules is not ByteRules


@pytest.mark.parametrize("name", ["", None, 3])
def test_names_are_strings(name: Any) -> None:
    with pytest.raises(InvalidInputError, match="expected a non-empty string"):
        AssociationMethod(name, ByteRules)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), None])
def test_lost_buffers_are_finite(seconds: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"lost_buffer_s is .*expected a number >= 0"):
        AssociationMethod("mine", ByteRules, lost_buffer_s=seconds)


@pytest.mark.parametrize("names", ["conf_thres", ["conf_thres"], (3,), None])
def test_names_of_unused_settings_are_strings(names: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"unused_settings is .*expected a tuple of names"):
        AssociationMethod("mine", ByteRules, unused_settings=names)


def test_settings_that_a_method_does_not_use_are_refused() -> None:
    """A registered method without a list uses every setting."""
    unused = {
        "auto": ("det_thresh", "tracked_thresh", "match_thres", "r_tracked_thresh"),
        "jde": ("low_conf_thres", "match_thres"),
        "byte": ("det_thresh", "r_tracked_thresh"),
    }
    register_method(AssociationMethod("mine", ByteRules))
    for method in method_names():
        for name in vars(TrackerConfig()):
            if name in unused.get(method, ()):
                with pytest.raises(InvalidInputError, match=rf"^{name} is 0.3, but method '{method}' does not use"):
                    check_used(method, {name: 0.3})
            else:
                check_used(method, {name: 0.3})
    with pytest.raises(InvalidInputError, match=r"tracked_thresh is 0.3.*choose a method that does: jde, byte, mine\."):
        check_used("auto", {"conf_thres": 0.5, "tracked_thresh": 0.3})


def test_every_video_has_rules_of_its_own() -> None:
    """Rules may keep state, which must not pass from one video to the next."""
    made: list[ByteRules] = []

    def make_rules(config: TrackerConfig, frame_rate: float) -> ByteRules:
        made.append(ByteRules(config, frame_rate))
        return made[-1]

    register_method(AssociationMethod("mine", make_rules))
    tracker = Tracker(TrackerConfig(method="mine"))
    tracker.reset()
    assert len(made) == 2
    assert tracker._rules is made[1]
