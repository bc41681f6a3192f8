"""Registry of association methods: name, rules and default lost buffer of each.

A method from outside the package is added by `register_method`; `TrackerConfig` and ``--tracker`` then accept its name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import check_amount, shown
from ..errors import InvalidInputError
from ..registry import Registry
from .byte import ByteRules
from .jde import JdeRules
from .steady import SteadyRules

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

    Raises:
        InvalidInputError: The name is not a non-empty string, or the buffer is not a number >= 0.
    """

    name: str
    make_rules: Callable[[TrackerConfig, float], Rules]
    lost_buffer_s: float = 1.0

    def __post_init__(self) -> None:
        name: object = self.name
        if not isinstance(name, str) or not name:
            raise InvalidInputError(f"Name of the association method is {shown(name)}; expected a non-empty string.")
        check_amount("lost_buffer_s", self.lost_buffer_s)

    @property
    def needs_embeddings(self) -> bool:
        """True if ``make_rules`` is a class that declares ``needs_embeddings``; False also if that is unknown."""
        return bool(getattr(self.make_rules, "needs_embeddings", False))


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


def method_names() -> tuple[str, ...]:
    """Return the names of all methods, in the order of registration."""
    return _METHODS.names()


register_method(AssociationMethod("jde", JdeRules, lost_buffer_s=1.0))  # track_buffer 30 at 30 frames/s, JDETracker
register_method(AssociationMethod("byte", ByteRules, lost_buffer_s=1.0))
register_method(AssociationMethod("steady", SteadyRules, lost_buffer_s=2.0))  # measured in docs/association.md
