"""Argument parser that reports wrong usage in one line, and errors that name options instead of Python arguments."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, NoReturn

from ..errors import FairMOTError, InvalidInputError
from ..messages import plain_line
from ..video.names import redact_urls
from .spelling import Spelling

_LONGEST_OPTION = 40  # characters; longer words are not compared with options


class SettingsFileError(InvalidInputError):
    """A file of settings cannot be read or is not accepted; its message names keys of the file, not options."""


class Parser(argparse.ArgumentParser):
    """Parser of one command or verb; its namespaces carry the parser that filled them as ``parser``.

    Args:
        arguments: Arguments of `argparse.ArgumentParser`.

    Attributes:
        late_words: Argument that takes several words, also those that follow options; "" without one.
    """

    late_words = ""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, **arguments})
        self.set_defaults(parser=self)

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse all words; the parser of the verb reports those that it does not know."""
        arguments, unknown = self.parse_known_args(words)
        late = arguments.parser.late_words
        if late and not any(word.startswith("-") for word in unknown):
            getattr(arguments, late).extend(unknown)
        elif unknown:
            arguments.parser.report_unknown(unknown)
        return arguments

    def report_unknown(self, words: Sequence[str]) -> NoReturn:
        """Report words that the parser does not know; one that is similar to an option is named with that option."""
        options = {option.replace("_", "-"): option for option in self._option_string_actions}
        for word in words:
            name = word.partition("=")[0].replace("_", "-")
            similar = get_close_matches(name, options, n=1, cutoff=0.8) if len(word) < _LONGEST_OPTION else []
            if word.startswith("--") and similar:
                self.error(f"unrecognized argument: {word}; did you mean {options[similar[0]]}?")
        self.error(f"unrecognized arguments: {' '.join(words)}")

    def error(self, message: str) -> NoReturn:
        """Print one line to stderr and exit with 2."""
        by_argument = re.match(r"argument (\S+): (.*)", message, re.DOTALL)
        if by_argument:  # the check names the value itself: "frame_stride is 0; expected ..."
            detail = self.with_option_names(by_argument[2])
            message = detail if detail.startswith("--") else f"{by_argument[1]}: {detail}"
        if not message.endswith((".", "?")):  # a message of argparse, which has no remedy
            message = f"{message}; see {self.prog} --help"
        self.exit(2, f"{plain_line(f'{self.prog}: {redact_urls(message)}')}\n")

    def with_option_names(self, message: str) -> str:
        """Return a message of the package with the options of this command in place of its arguments' names."""
        return Spelling(self._actions).in_message(message)

    @contextmanager
    def wrong_usage(self) -> Iterator[None]:
        """Report an `InvalidInputError` in the body as wrong usage: settings are made there, and nothing is read."""
        try:
            yield
        except InvalidInputError as error:
            self.error(self.with_option_names(str(error)))


def run_action(arguments: argparse.Namespace) -> None:
    """Call ``arguments.run``; its errors then name options, and one about the value of an option is wrong usage.

    Raises:
        FairMOTError: An error of the action.
        SystemExit: With 2, if an `InvalidInputError` is about the value of an option.
    """
    try:
        arguments.run(arguments)
    except SettingsFileError:  # its names are keys of the file
        raise
    except FairMOTError as error:
        message = arguments.parser.with_option_names(str(error))
        if isinstance(error, InvalidInputError) and message.startswith("--") and not str(error).startswith("--"):
            arguments.parser.error(message)
        error.args = (plain_line(message),)
        raise
