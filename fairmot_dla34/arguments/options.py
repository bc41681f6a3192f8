"""Options as values: one definition each, added to parsers in the spelling of the verbs or in that of PaddleHub."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidInputError


@dataclass(frozen=True)
class Option:
    """An option with a value.

    Attributes:
        name: Name of the Python argument, ``dest`` in the namespace.
        metavar: Placeholder of the value in the help.
        help: Description with the unit, without the default.
        read: Converts and checks the text; an `InvalidInputError` of it is wrong usage.
        default: Value without the option.
        shown_default: Default in the help, if ``default`` does not describe it.
        spelled: Name of the option with underscores; "" for ``name``.
        required: Whether the command needs the option; it has no default then.
        repeated: Whether the option may be given several times; its value is then the list of the values.
    """

    name: str
    metavar: str
    help: str
    read: Callable[[str], Any] = str
    default: Any = None
    shown_default: str = ""
    spelled: str = ""
    required: bool = False
    repeated: bool = False

    def add(self, parser: argparse._ActionsContainer, default: Any, *, hub: bool) -> None:
        """Add the option to a parser."""
        word = self.spelled or self.name
        shown = f"{self.default if default is None else default}"
        if default == self.default and self.shown_default:
            shown = self.shown_default
        parser.add_argument(
            _flag(word, hub=hub),
            dest=self.name,
            metavar=self.metavar,
            type=_reader(self.read),
            default=default,
            required=self.required,
            action="append" if self.repeated else "store",
            help=self.help.replace("%", "%%") if self.required else _text(self.help, shown),
        )


@dataclass(frozen=True)
class Switch:
    """An option that sets an argument to True or False: flags in the verbs, a value in PaddleHub.

    Attributes:
        name: Name of the Python argument, also the option's name in PaddleHub.
        flags: Flags of the verbs with the value that each sets and its description.
        help: Description in PaddleHub.
        default: Value without the option; None: chosen by the run.
        shown_default: Default in the help of PaddleHub, if ``default`` is None.
    """

    name: str
    flags: Mapping[str, tuple[bool, str]] = field(hash=False)
    help: str
    default: bool | None = False
    shown_default: str = ""

    def add(self, parser: argparse._ActionsContainer, default: Any, *, hub: bool) -> None:
        """Add the option to a parser."""
        if hub:
            parser.add_argument(
                _flag(self.name, hub=True),
                type=_truth_value,
                nargs="?",
                const=True,
                default=default,
                metavar="True|False",
                help=_text(self.help, self.shown_default or str(default)),
            )
            return
        group = parser.add_mutually_exclusive_group()
        for word, (value, text) in self.flags.items():
            group.add_argument(
                _flag(word, hub=False),
                dest=self.name,
                action="store_const",
                const=value,
                default=default,
                help=text.replace("%", "%%"),
            )


def add_options(
    parser: argparse._ActionsContainer,
    options: Iterable[Option | Switch],
    *,
    hub: bool = False,
    defaults: Mapping[str, Any] | None = None,
) -> None:
    """Add options to a parser.

    Args:
        parser: Parser, or group of one.
        options: Options to add, in the order of the help.
        hub: Use PaddleHub's spelling: underscores, and True or False for switches.
        defaults: Defaults by name that differ from those of the options.
    """
    for option in options:
        option.add(parser, (defaults or {}).get(option.name, option.default), hub=hub)


def _flag(word: str, *, hub: bool) -> str:
    return f"--{word}" if hub else f"--{word.replace('_', '-')}"


def _text(text: str, default: str) -> str:
    return f"{text}; default: {default}".replace("%", "%%")


def _reader(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(text: str) -> Any:
        try:
            return read(text)
        except InvalidInputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def _truth_value(text: str) -> bool:
    values = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"{text!r} is not a truth value; expected True or False.")
    return values[text.lower()]
