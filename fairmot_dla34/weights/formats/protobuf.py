"""Reader of protobuf messages in a file: the fields with their numbers, and where their bytes are.

Source: the description of the encoding (protobuf.dev, "Encoding"). Nothing is read but the keys and lengths of fields,
and numbers and short texts on request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from .errors import FormatError

MAX_FIELDS = 100_000  # in all messages; a training checkpoint of FairMOT, with Adam's state, has 10,000
_MAX_VARINT_BYTES = 10
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # wire types; 3 and 4 are groups, which are no longer used
_FIXED_BYTES = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}

Field = int | range  # a number, or the places of bytes in the file


class Messages:
    """Protobuf messages of a file.

    Args:
        stream: Binary file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._fields_left = MAX_FIELDS

    def fields(self, span: range) -> Iterator[tuple[int, Field]]:
        """Yield number and content of each field of a message.

        Args:
            span: Places of the message's bytes in the file.

        Raises:
            FormatError: The fields do not end where the message ends, or there are more than in any checkpoint.
        """
        position = span.start
        while position < span.stop:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise FormatError(f"it has more than {MAX_FIELDS} fields, far more than a checkpoint needs.")
            key, position = self._varint(position, span.stop)
            number, kind = key >> 3, key & 7
            if kind == _VARINT:
                value, position = self._varint(position, span.stop)
                yield number, value
                continue
            if kind == _LENGTH:
                length, position = self._varint(position, span.stop)
            elif kind in _FIXED_BYTES:
                length = _FIXED_BYTES[kind]
            else:
                raise FormatError("it is damaged, or not a checkpoint: it has a field of an unknown type.")
            if length > span.stop - position:
                raise FormatError(
                    f"it is damaged or cut short: it declares {length} bytes at place {position}, and "
                    f"{span.stop - position} are left; fetch it again."
                )
            yield number, range(position, position + length)
            position += length

    def text(self, field: Field, limit: int) -> str:
        """Return the text of a field.

        Raises:
            FormatError: The field is not a printable text of at most ``limit`` bytes.
        """
        span = self.expect_bytes(field)
        if len(span) > limit:
            raise FormatError(f"it has a name of {len(span)} bytes; expected at most {limit}.")
        self._stream.seek(span.start)
        try:
            text = self._stream.read(len(span)).decode()
        except UnicodeDecodeError:
            text = ""
        if not text or not text.isprintable():
            raise FormatError("it has a name that is not a printable text; fetch it again.")
        return text

    def expect_bytes(self, field: Field) -> range:
        """Return the places of a field's bytes.

        Raises:
            FormatError: The field is a number.
        """
        if isinstance(field, int):
            raise FormatError(
                "it is damaged, or not a checkpoint: it has a number in place of a text, array or message."
            )
        return field

    def expect_number(self, field: Field) -> int:
        """Return the number of a field.

        Raises:
            FormatError: The field has bytes.
        """
        if not isinstance(field, int):
            raise FormatError("it is damaged, or not a checkpoint: it has bytes in place of a number.")
        return field

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        """Return the number at a position, and the position after it."""
        self._stream.seek(position)
        value, length = parse_varint(self._stream.read(min(_MAX_VARINT_BYTES, end - position)))
        return value, position + length


def parse_varint(content: bytes) -> tuple[int, int]:
    """Return the number at the start of bytes, and its length in bytes.

    Raises:
        FormatError: The number has no end within 10 bytes, or within these bytes.
    """
    value = 0
    for place, byte in enumerate(content[:_MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, place + 1
    raise FormatError("it is damaged or cut short: a number in it has no end; fetch it again.")
