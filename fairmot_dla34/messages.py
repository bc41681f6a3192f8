"""Text of messages: text from outside made safe to show, counts, and the command that installs an optional part."""

from __future__ import annotations

import re

MAX_MESSAGE_CHARS = 300

# Terminal escapes (C0, DEL, C1), direction overrides, which reorder what follows, and halves of surrogate pairs, which
# no encoding can write.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_WORD_CHARS = 50  # shorter words stay whole
_WORD_HEAD = 0.25  # part of a shortened word before the gap: the end of a path is its file name


def plain_line(text: str, limit: int | None = MAX_MESSAGE_CHARS) -> str:
    r"""Return text as one line that a terminal shows as it is.

    White space around line breaks and tabs becomes one space; other control characters, direction overrides and lone
    surrogates become escapes such as ``\x1b``.

    Args:
        text: Any text: a message, a file name, a reason phrase of a server.
        limit: Longest result in characters. In a longer text, the longest words, such as paths, lose their middle; if
            that is not enough, the text itself does, so that cause and remedy remain. None: any length.
    """
    if limit is not None:
        text = _without_middle(text, 4 * limit)  # bounds the work, for a text of many megabytes
    line = UNSAFE.sub(_escape, re.sub(r"\s*[\t\n\r\v\f]\s*", " ", text).strip())
    return line if limit is None else _without_middle(_with_shorter_words(line, limit), limit)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def _with_shorter_words(line: str, limit: int) -> str:
    """Cut the middle out of the longest words, paths and values, until the line is short enough or has none."""
    words = line.split(" ")
    excess = len(line) - limit
    while excess > 0:
        longest = max(range(len(words)), key=lambda position: len(words[position]))
        length = len(words[longest])
        if length <= _WORD_CHARS:
            break
        words[longest] = _without_middle(words[longest], max(_WORD_CHARS, length - excess), _WORD_HEAD)
        excess -= length - len(words[longest])
    return " ".join(words)


def _without_middle(text: str, limit: int, head_part: float = 0.5) -> str:
    """Cut text to a length; ``head_part`` of what remains is before the gap."""
    if len(text) <= limit:
        return text
    head = int(head_part * (limit - 1))
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def counted(number: int, noun: str) -> str:
    """Return a number with a regular noun, such as ``1 visit`` or ``2 visits``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def install_command(extra: str) -> str:
    """Return the command that installs an optional part of this package, which is not on a package registry.

    Args:
        extra: Name of the part in ``pyproject.toml``, such as ``eval``.
    """
    return f"pip install '.[{extra}]' in a clone of fairmot_dla34"
