"""Translation of messages about Python arguments into messages about the options of a command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable

# Subjects of messages that do not have the name of the argument that the value was given for.
_SUBJECTS = {
    "method": "tracker",
    "tracker_method": "tracker",
    "association_method": "tracker",
    "export_format": "format",
}
# The end of the list of sources that Python takes, and of those that a command takes.
_PYTHON_SOURCES = "an rtsp://, http://, https:// or rtmp:// URL, or an iterable of images"
_SOURCES = "or an rtsp://, http://, https:// or rtmp:// URL"


class Spelling:
    """Names of a command's options in messages.

    Args:
        actions: Arguments of the command; ``dest`` is the name of the Python argument.
    """

    def __init__(self, actions: Iterable[argparse.Action]) -> None:
        self._options: dict[str, list[argparse.Action]] = {}
        for action in actions:
            if action.option_strings:
                self._options.setdefault(action.dest, []).append(action)

    def in_message(self, message: str) -> str:
        """Return a message with options in place of the names of arguments.

        Replaced are whole names only: ``frame_stride is 0`` at the start or after "and", a name with an underscore
        also elsewhere if " is " follows, and ``use_gpu=False``. Sources that only Python can name are left out. Paths
        and other values stay as they are.
        """
        message = re.sub(r"^([A-Za-z][A-Za-z_ ]{0,30}?) is (\S*)", self._subject, message)
        message = re.sub(r"(?<=[ (])([a-z]+(?:_[a-z]+)+) is (\S*)", self._subject, message)
        message = re.sub(r"(?<= and )([a-z_]+) is (\S*)", self._subject, message)
        message = re.sub(r"(?<![\w/.-])([a-z_]+)=(True|False|'[^']*')", self._value, message)
        return message.replace(_PYTHON_SOURCES, _SOURCES).replace(" with no --", " without --")

    def _subject(self, match: re.Match[str]) -> str:
        name = _SUBJECTS.get(key := match[1].lower().replace(" ", "_"), key)
        if name not in self._options:
            return match[0]
        bare = match[2].rstrip(",;.:)")
        flag = self._flag(name, bare)
        if flag:
            return f"{flag} is given{match[2][len(bare) :]}"
        return f"{self._options[name][0].option_strings[-1]} is {match[2]}"

    def _value(self, match: re.Match[str]) -> str:
        name = _SUBJECTS.get(match[1], match[1])
        if name not in self._options:
            return match[0]
        if match[2] not in {"True", "False"}:
            return f"{self._options[name][0].option_strings[-1]} {match[2][1:-1]}"
        flag = self._flag(name, match[2])
        if flag:
            return flag
        option = self._options[name][0]
        return f"no {option.option_strings[-1]}" if option.nargs == 0 else f"{option.option_strings[-1]} {match[2]}"

    def _flag(self, name: str, value: str) -> str | None:
        """Return the option without a value that sets an argument to True or False, or None."""
        flags = (action for action in self._options[name] if action.nargs == 0 and str(action.const) == value)
        return next((action.option_strings[-1] for action in flags), None)
