"""Registries of named parts: architectures, backends, sinks and association methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from .config import check_choice
from .errors import InvalidInputError


class Named(Protocol):
    """A value with a name."""

    @property
    def name(self) -> str:
        """Name in the registry."""


Item = TypeVar("Item", bound=Named)


class Registry(Generic[Item]):
    """Parts by name, in order of registration. It belongs to the process; names are unique.

    Args:
        kind: What the parts are, the first words of its messages.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._items: dict[str, Item] = {}

    def register(self, item: Item) -> None:
        """Add a part; the same part twice is fine, as when a module is imported twice.

        Raises:
            InvalidInputError: Another part of that name is registered.
        """
        if self._items.setdefault(item.name, item) != item:
            raise InvalidInputError(
                f"{self._kind} {item.name!r} is already registered; expected a new name. Choose another one, or "
                "unregister that part first."
            )

    def unregister(self, name: str) -> None:
        """Remove a part; nothing happens if the name is not registered."""
        self._items.pop(name, None)

    def find(self, name: str) -> Item:
        """Return a part by name.

        Raises:
            InvalidInputError: The name is not registered; the message lists the names.
        """
        check_choice(self._kind, name, self.names())
        return self._items[name]

    def names(self) -> tuple[str, ...]:
        """Return all names."""
        return tuple(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())
