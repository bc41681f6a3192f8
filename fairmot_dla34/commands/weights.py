"""The verb ``weights``: the registered weights and the cache."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from ..architectures import find_architecture
from ..config import DEFAULT_WEIGHTS
from ..errors import UnknownWeightsError
from ..weights import WeightsEntry, download_weights, find_entry, kept_path, registered, resolve_weights, verify_file


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's actions and their arguments."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = _add_action(actions, "list", list_weights, "registered names, licences, training data")
    listing.add_argument("--json", action="store_true", help="print JSON")
    for action, run, text in (
        ("download", print_downloaded, "download and verify; print the path"),
        ("path", print_path, "print the path of weights, whether the file exists or not"),
        ("verify", verify_weights, "check a file on this machine"),
    ):
        added = _add_action(actions, action, run, text)
        added.add_argument("name", nargs="?", default=DEFAULT_WEIGHTS, help="registered name or file")


def _add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def list_weights(arguments: argparse.Namespace) -> None:
    """Print the registry."""
    entries = registered()
    if arguments.json:
        rows = [dataclasses.asdict(entry) | {"input_size": str(entry.input_size)} for entry in entries]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for entry in entries:
        place = "" if entry.url else " (ships in this package)"
        print(f"{entry.name}{place}", f"    input {entry.input_size}, {entry.licence}", sep="\n")
        print(f"    trained on {', '.join(entry.trained_on)}")


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
