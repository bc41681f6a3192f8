"""Interpreter of the few pickle instructions that checkpoints need, in bounded time and memory.

A pickle is a program. Python's own readers run it without limits: twenty bytes can reserve gigabytes, and nested values
that are compared, hashed or printed can take for ever. Here a value is a number, a short text, a `Literal` that stays
in the file, a tuple, a list, a `PickledDict`, or what an admitted `Constructor` makes. No instruction compares, hashes,
prints or copies a value, so that the number of instructions bounds time and memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, ClassVar

from .errors import FormatError
from .pickle_values import Buildable, Constructor, Literal, PickledDict

MAX_INSTRUCTIONS = 500_000  # FairMOT DLA-34 needs 9,000
MAX_TEXT_BYTES = 16 << 20  # of all short texts together; FairMOT DLA-34 needs 30,000
SHORT_TEXT_BYTES = 256  # names are short texts
MAX_NAME_BYTES = 128  # of an admitted constructor
MAX_INTEGER_BYTES = 32
MAX_ARGUMENTS = 8

_BYTE, _SHORT, _WORD, _LONG = (struct.Struct(layout) for layout in ("<B", "<H", "<I", "<Q"))
_SIGNED, _REAL = struct.Struct("<i"), struct.Struct(">d")


class PickleMachine:
    """Interpreter of one pickle of protocol 2 to 5.

    Args:
        stream: Binary file at the position where the pickle begins.
        size: Length of the file in bytes.
        constructors: Value that each admitted (module, name) stands for.
        buildable: Types of the values that BUILD may change.
        find_persistent: Function that returns the value of a persistent id, in constant time; None: a pickle may have
            no such ids.
    """

    def __init__(
        self,
        stream: BinaryIO,
        size: int,
        constructors: Mapping[tuple[str, str], object],
        buildable: tuple[type[Buildable], ...],
        find_persistent: Callable[[object], object] | None = None,
    ) -> None:
        self._stream, self._size = stream, size
        self._constructors, self._buildable = constructors, buildable
        self._find_persistent = find_persistent
        self._position, self._text_bytes = stream.tell(), 0
        self._stack: list[Any] = []
        self._outer: list[list[Any]] = []  # the stacks below the open marks
        self._memo: dict[int, object] = {}

    def run(self) -> object:
        """Run the instructions up to STOP and return the value on the stack.

        Raises:
            FormatError: An instruction, a name or a size is one that no checkpoint needs.
            Exception: The pickle is damaged; of nearly any type.
        """
        for _ in range(MAX_INSTRUCTIONS):
            code = self._take(1)
            if code == b".":
                return self._stack.pop()
            if code not in self._INSTRUCTIONS:
                raise FormatError(f"it has the pickle instruction {code!r}, which no checkpoint needs.")
            method, operand = self._INSTRUCTIONS[code]
            method(self, operand)
        raise FormatError(f"it has more than {MAX_INSTRUCTIONS} pickle instructions, far more than a checkpoint.")

    def _take(self, count: int) -> bytes:
        content = self._stream.read(count)
        if len(content) < count:
            raise EOFError("it ends within an instruction")
        self._position += count
        return content

    def _unpack(self, layout: struct.Struct) -> Any:
        return layout.unpack(self._take(layout.size))[0]

    def _skip(self, count: int) -> None:
        self._take(count)

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _push_new(self, kind: Callable[[], object]) -> None:
        self._stack.append(kind())

    def _push_number(self, layout: struct.Struct) -> None:
        self._stack.append(self._unpack(layout))

    def _push_integer(self, layout: struct.Struct) -> None:
        length = self._unpack(layout)
        if length > MAX_INTEGER_BYTES:
            raise FormatError(f"it has a number of {length} bytes, which no checkpoint needs.")
        self._stack.append(int.from_bytes(self._take(length), "little", signed=True))

    def _push_text(self, layout: struct.Struct) -> None:
        length = self._unpack(layout)
        if length > SHORT_TEXT_BYTES:
            self._leave_in_file(length, is_text=True)
            return
        self._text_bytes += length
        if self._text_bytes > MAX_TEXT_BYTES:
            raise FormatError(f"it has more than {MAX_TEXT_BYTES} bytes of names, far more than a checkpoint.")
        self._stack.append(self._take(length).decode("utf-8", "surrogatepass"))

    def _push_bytes(self, layout: struct.Struct) -> None:
        self._leave_in_file(self._unpack(layout), is_text=False)

    def _leave_in_file(self, length: int, *, is_text: bool) -> None:
        if length > self._size - self._position:
            raise EOFError(f"it declares {length} bytes, more than the rest of the file")
        self._stack.append(Literal(self._stream, self._position, length, is_text))
        self._position = self._stream.seek(self._position + length)

    def _mark(self, _operand: None) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _pop(self, count: int | None) -> list[Any]:
        """Remove the last values, or with None those since the mark."""
        if count is None:
            values, self._stack = self._stack, self._outer.pop()
            return values
        if len(self._stack) < count:
            raise IndexError("an instruction needs more values")
        values = self._stack[-count:]
        del self._stack[-count:]
        return values

    def _make_tuple(self, count: int | None) -> None:
        values = self._pop(count)  # with a mark, this replaces the stack
        self._stack.append(tuple(values))

    def _append(self, count: int | None) -> None:
        values = self._pop(count)
        target = self._stack[-1]
        if type(target) is not list:
            raise TypeError("values are appended to something other than a list")
        target.extend(values)

    def _set_items(self, count: int | None) -> None:
        values = self._pop(count)
        target = self._stack[-1]
        if type(target) is not PickledDict:
            raise TypeError("entries are set in something other than a dictionary")
        target.entries.extend(zip(values[::2], values[1::2], strict=True))

    def _put(self, layout: struct.Struct | None) -> None:
        index = len(self._memo) if layout is None else self._unpack(layout)
        self._memo[index] = self._stack[-1]

    def _get(self, layout: struct.Struct) -> None:
        self._stack.append(self._memo[self._unpack(layout)])

    def _global(self, _operand: None) -> None:
        lines = [self._stream.readline(MAX_NAME_BYTES) for _ in range(2)]
        self._position += sum(map(len, lines))
        if not all(line.endswith(b"\n") for line in lines):
            raise FormatError("it asks for something with a longer name than any that a checkpoint needs.")
        module, name = (line[:-1].decode("utf-8") for line in lines)
        self._look_up(module, name)

    def _stack_global(self, _operand: None) -> None:
        self._look_up(*self._pop(2))

    def _look_up(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise FormatError("it asks for something whose name is not a short text, as no checkpoint does.")
        if (module, name) not in self._constructors:
            raise FormatError(
                f"it asks for {module}.{name}, and a checkpoint needs arrays and plain containers only. Nothing was "
                "run. Do not use this file; fetch it from where it was published."
            )
        self._stack.append(self._constructors[module, name])

    def _reduce(self, _operand: None) -> None:
        constructor, arguments = self._pop(2)
        if type(constructor) is not Constructor or type(arguments) is not tuple or len(arguments) > MAX_ARGUMENTS:
            raise FormatError("it calls something that no checkpoint calls. Nothing was run; do not use this file.")
        self._stack.append(constructor.make(*arguments))

    def _push_persistent(self, _operand: None) -> None:
        if self._find_persistent is None:
            raise FormatError("it refers to something outside its pickle, as PyTorch's files do; use another file.")
        self._stack.append(self._find_persistent(self._stack.pop()))

    def _build(self, _operand: None) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if not isinstance(target, self._buildable):
            raise FormatError("it sets the state of something other than an array; do not use this file.")
        target.build(state)

    _INSTRUCTIONS: ClassVar[dict[bytes, tuple[Callable[..., None], Any]]] = {  # names: module `pickletools`
        b"\x80": (_skip, 1),  # PROTO
        b"\x95": (_skip, 8),  # FRAME, a hint for buffering
        b"N": (_push, None),
        b"\x88": (_push, True),
        b"\x89": (_push, False),
        b")": (_push, ()),
        b"]": (_push_new, list),
        b"}": (_push_new, PickledDict),
        b"\x8f": (_push_new, list),  # EMPTY_SET
        b"K": (_push_number, _BYTE),  # BININT1
        b"M": (_push_number, _SHORT),  # BININT2
        b"J": (_push_number, _SIGNED),  # BININT
        b"G": (_push_number, _REAL),  # BINFLOAT
        b"\x8a": (_push_integer, _BYTE),  # LONG1
        b"\x8c": (_push_text, _BYTE),  # SHORT_BINUNICODE
        b"X": (_push_text, _WORD),  # BINUNICODE
        b"\x8d": (_push_text, _LONG),  # BINUNICODE8
        b"C": (_push_bytes, _BYTE),  # SHORT_BINBYTES
        b"B": (_push_bytes, _WORD),  # BINBYTES
        b"\x8e": (_push_bytes, _LONG),  # BINBYTES8
        b"\x96": (_push_bytes, _LONG),  # BYTEARRAY8
        b"(": (_mark, None),
        b"\x85": (_make_tuple, 1),
        b"\x86": (_make_tuple, 2),
        b"\x87": (_make_tuple, 3),
        b"t": (_make_tuple, None),
        b"\x91": (_make_tuple, None),  # FROZENSET
        b"a": (_append, 1),
        b"e": (_append, None),
        b"\x90": (_append, None),  # ADDITEMS
        b"s": (_set_items, 2),
        b"u": (_set_items, None),
        b"q": (_put, _BYTE),
        b"r": (_put, _WORD),
        b"\x94": (_put, None),  # MEMOIZE
        b"h": (_get, _BYTE),
        b"j": (_get, _WORD),
        b"c": (_global, None),
        b"\x93": (_stack_global, None),
        b"R": (_reduce, None),
        b"Q": (_push_persistent, None),  # BINPERSID
        b"b": (_build, None),
    }
