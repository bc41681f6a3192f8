"""The verb ``weights``: the registered weights and the cache."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..architectures import find_architecture
from ..arguments import Parser
from ..arguments.json_output import printable_json
from ..config import DEFAULT_WEIGHTS
from ..errors import UnknownWeightsError
from ..weights import WeightsEntry, download_weights, find_entry, kept_path, registered, resolve_weights, verify_file
from ..weights.fetch.location import download_location

EXAMPLES = """\
examples:
  fairmot_dla34 weights list
  fairmot_dla34 weights verify sample
"""
_ACTION_EXAMPLES = {
    "list": ("", "--json"),
    "download": ("", "fairmot_dla34_30e_576x320"),
    "path": ("sample", "fairmot_dla34_30e_864x480"),
    "verify": ("sample", "trained.npz"),
}
# PaddleDetection publishes no sizes; these are of checkpoints with their identity classifiers.
_UNKNOWN_SIZES = {"dla34": "about 90 MB", "hrnetv2_w18": "about 50 MB"}


def add_arguments(parser: Parser) -> None:
    """Add the verb's actions and their arguments."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = _add_action(actions, "list", list_weights, "registered names, places, sizes, licences, training data")
    listing.add_argument("--json", action="store_true", help="print JSON; default: text")
    for action, run, text in (
        ("download", print_downloaded, "download and verify; print the path"),
        ("path", print_path, "print the path of weights, whether the file exists or not"),
        ("verify", verify_weights, "check a file on this machine"),
    ):
        added = _add_action(actions, action, run, text)
        added.add_argument(
            "name",
            nargs="?",
            metavar="NAME",
            default=DEFAULT_WEIGHTS,
            help="registered name or file; default: %(default)s",
        )


def _add_action(
    actions: argparse._SubParsersAction[Parser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
) -> Parser:
    lines = [f"  fairmot_dla34 weights {name} {words}".rstrip() for words in _ACTION_EXAMPLES[name]]
    parser = actions.add_parser(name, help=text, description=text, epilog="\n".join(["examples:", *lines]))
    parser.set_defaults(run=run)
    return parser


def list_weights(arguments: argparse.Namespace) -> None:
    """Print the registry."""
    entries = registered()
    if arguments.json:
        print(printable_json(json.dumps([_row(entry) for entry in entries])))
        return
    for entry in entries:
        print(f"{entry.name}: {_place(entry)}", f"    input {entry.input_size}, {entry.licence}", sep="\n")
        print(f"    {entry.architecture}, {_class_text(entry)}, trained on {', '.join(entry.trained_on)}")


def _class_text(entry: WeightsEntry) -> str:
    names = ", ".join(entry.class_names)
    return f"{entry.classes} classes ({names})" if entry.classes > 1 else f"class {names}"


def _row(entry: WeightsEntry) -> dict[str, Any]:
    """Return an entry with the path of its file; ``bytes`` is the length of the file if it exists."""
    size = _size(entry)
    place = {"path": str(kept_path(entry)), "here": size is not None, "ships_in_package": entry.url is None}
    fields = dataclasses.asdict(entry) | {"input_size": str(entry.input_size), "classes": entry.classes} | place
    return fields | {"bytes": entry.bytes if size is None else size}


def _place(entry: WeightsEntry) -> str:
    """Return the place and the size of registered weights as text."""
    size = _size(entry)
    if size is None and entry.url:
        expected = f"{entry.bytes / 1e6:.0f} MB" if entry.bytes else _UNKNOWN_SIZES[entry.architecture]
        return f"not here; downloaded on first use from {urlsplit(download_location(entry).url).netloc}, {expected}"
    length = "missing: install fairmot_dla34 again" if size is None else f"{size / 1e6:.0f} MB"
    return f"{'in the cache' if entry.url else 'ships in this package'}, {length}"


def _size(entry: WeightsEntry) -> int | None:
    """Return the length of the file of an entry in bytes, or None if it is not here."""
    try:
        return kept_path(entry).stat().st_size
    except OSError:
        return None


def print_downloaded(arguments: argparse.Namespace) -> None:
    """Download weights if they are not in the cache or damaged there, and print their path."""
    print(download_weights(arguments.name))


def print_path(arguments: argparse.Namespace) -> None:
    """Print the path of weights."""
    print(_locate(arguments.name)[0])


def verify_weights(arguments: argparse.Namespace) -> None:
    """Check a file and print the result."""
    path, entry = _locate(arguments.name)
    if not path.is_file():
        raise UnknownWeightsError(
            f"{arguments.name} is not at {path}; expected a file there: get it with fairmot_dla34 weights download."
        )
    if entry:
        verify_file(path, sha256=entry.sha256, architecture=find_architecture(entry.architecture))
    else:
        verify_file(path)
    print(f"{path}: every array is present, with the right shape and finite values")


def _locate(name: str) -> tuple[Path, WeightsEntry | None]:
    """Return the path of registered weights with their entry, or the path of an existing file."""
    entry = find_entry(name)
    return (kept_path(entry) if entry else resolve_weights(name)), entry
