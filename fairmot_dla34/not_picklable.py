"""A mixin that refuses to copy and pickle objects that hold a network, threads or open files."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

from .errors import StateError


class NotPicklable:
    """An object that cannot be copied or pickled.

    Attributes:
        instead: What to do instead, for the message.
    """

    instead = "make one in each process, with the same arguments"

    def __reduce_ex__(self, _protocol: SupportsIndex) -> NoReturn:
        raise StateError(
            f"A {type(self).__name__} cannot be copied or pickled, because it holds what belongs to this process; "
            f"{self.instead}."
        )
