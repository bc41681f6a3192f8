"""Values of the pickle interpreter: literals that stay in the file, dictionaries without hashing, constructors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from .stored import BLOCK_BYTES


@dataclass(eq=False, slots=True)
class Literal:
    """Bytes or a long text in the file.

    Attributes:
        stream: The open file.
        offset: Position of the first byte.
        length: Number of bytes.
        is_text: True for text in UTF-8.
    """

    stream: BinaryIO
    offset: int
    length: int
    is_text: bool

    @property
    def lengths(self) -> tuple[int, int]:
        """Smallest and largest number of bytes that `blocks` may yield."""
        return self.length, self.length

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes block by block.

        Raises:
            EOFError: The file has become shorter.
        """
        self.stream.seek(self.offset)
        left = self.length
        while left:
            block = self.stream.read(min(left, BLOCK_BYTES))
            if not block:
                raise EOFError("it became shorter while it was read")
            left -= len(block)
            yield block


@dataclass(eq=False, slots=True)
class PickledDict:
    """A dictionary as the list of its entries; the keys are not hashed."""

    entries: list[tuple[object, object]] = field(default_factory=list)

    def build(self, state: object) -> None:
        """Ignore attributes, such as the ``_metadata`` of PyTorch's state dictionaries."""


@dataclass(frozen=True, eq=False)
class Constructor:
    """A callable of the interpreter, for an admitted name.

    Attributes:
        make: Function of the arguments. It must take constant time and copy none of them, whatever they are.
    """

    make: Callable[..., Any]


class Buildable(Protocol):
    """A value whose state a BUILD instruction sets."""

    def build(self, state: object) -> None:
        """Set the state, in constant time."""
