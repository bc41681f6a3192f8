"""Registry of association methods: name, rules and default settings of each.

A method from outside the package is added by `register_method`; `TrackerConfig` and ``--tracker`` then accept its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import check_amount, shown
from ..errors import InvalidInputError
from ..registry import Registry
from .auto import AutoRules
from .byte import ByteRules
from .jde import JdeRules

if TYPE_CHECKING:
    from .config import TrackerConfig
    from .rules import Rules


@dataclass(frozen=True)
class AssociationMethod:
    """One association method.

    Attributes:
        name: Value of ``TrackerConfig.method`` that selects it.
        make_rules: Makes the rules for one video from the settings and the frames per second of the source.
        lost_buffer_s: Seconds a lost track is kept if ``TrackerConfig.lost_buffer_s`` is None.
        min_box_area: Area in px^2 that reported tracks exceed if ``TrackerConfig.min_box_area`` is None.
        unused_settings: Names of the settings of `TrackerConfig` that the method does not use. Settings files that have
            one are refused.

    Raises:
        InvalidInputError: The name is not a non-empty string, the buffer or the area is not a number >= 0, or the
            names of settings are not a tuple of strings.
    """

    name: str
    make_rules: Callable[[TrackerConfig, float], Rules]
    lost_buffer_s: float = 1.0
    min_box_area: float = 200.0
    unused_settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise InvalidInputError(f"Name of the association method is {shown(name)}; expected a non-empty string.")
        check_amount("lost_buffer_s", self.lost_buffer_s)
        check_amount("min_box_area", self.min_box_area)
        names: object = self.unused_settings
        if not isinstance(names, tuple) or not all(isinstance(one, str) for one in names):
            raise InvalidInputError(f"unused_settings is {shown(names)}; expected a tuple of names of settings.")

    @property
    def needs_embeddings(self) -> bool:
        """True if ``make_rules`` is a class that declares ``needs_embeddings``; False also if that is unknown."""
        return bool(getattr(self.make_rules, "needs_embeddings", False))

    @property
    def reenters(self) -> bool:
        """True if ``make_rules`` is a class that declares ``reenters``: people who left can get their old ids again."""
        return bool(getattr(self.make_rules, "reenters", False))


_METHODS: Registry[AssociationMethod] = Registry("Tracker method")


def register_method(method: AssociationMethod) -> None:
    """Make a method available under its name in this process.

    Raises:
        InvalidInputError: Another method of this name is registered.
    """
    _METHODS.register(method)


def unregister_method(name: str) -> None:
    """Remove a method; nothing happens if the name is not registered."""
    _METHODS.unregister(name)


def find_method(name: str) -> AssociationMethod:
    """Return the method of a name.

    Raises:
        InvalidInputError: No method has the name.
    """
    return _METHODS.find(name)


def check_used(method: str, settings: Mapping[str, object]) -> None:
    """Check that a method uses settings that were given to it by name.

    Raises:
        InvalidInputError: The method is unknown, or does not use one of the settings.
    """
    unused = find_method(method).unused_settings
    for name, value in settings.items():
        if name in unused:
            others = [other for other in method_names() if name not in find_method(other).unused_settings]
            raise InvalidInputError(
                f"{name} is {shown(value)}, but method {method!r} does not use it; remove it, or choose a method that "
                f"does: {', '.join(others) or 'there is none'}."
            )


def method_names() -> tuple[str, ...]:
    """Return the names of all methods, in the order of registration."""
    return _METHODS.names()


# auto: measured in docs/association.md. jde and byte: track_buffer 30 at 30 frames/s of JDETracker, fairmot_dla34.yml.
register_method(
    AssociationMethod(
        "auto",
        AutoRules,
        lost_buffer_s=2.0,
        min_box_area=0.0,
        unused_settings=("det_thresh", "tracked_thresh", "match_thres", "r_tracked_thresh"),
    )
)
register_method(AssociationMethod("jde", JdeRules, unused_settings=("low_conf_thres", "match_thres")))
register_method(AssociationMethod("byte", ByteRules, unused_settings=("det_thresh", "r_tracked_thresh")))
