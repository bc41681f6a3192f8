"""The verb ``prepare``: makes a dataset to train on from labelled images."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import json_switch, printable_json
from ..arguments.readers import checked_by, folder
from ..datasets import READERS, ReadOptions, prepare, report_json, report_text
from ..datasets.preparation.prepare import PrepareOptions

EXAMPLES = """\
examples:
  fairmot_dla34 prepare mot17 MOT17 --output-dir prepared/mot17 --val-sequences MOT17-13
  fairmot_dla34 prepare yolo labelled --output-dir prepared/shop --val 0.2 --preview 8
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument("format", metavar="FORMAT", choices=tuple(READERS), help=f"one of {', '.join(READERS)}")
    parser.add_argument("source", metavar="SOURCE", help="folder of the labelled images; it is not changed")
    add_options(
        parser,
        (
            Option("output_dir", "D", "folder of the dataset, apart from the source", folder, required=True),
            Option(
                "val",
                "X",
                "share of the images to validate on, such as 0.2: whole videos, or the end of each",
                _checked("val", float),
                shown_default="the parts that the publisher made",
            ),
            Option(
                "val_sequences",
                "A,B",
                "names of the sequences to validate on, separated by commas",
                _checked("val_sequences", _names),
                default=(),
                shown_default="none",
            ),
            Option(
                "min_visibility",
                "X",
                "least visible share of a person, 0 to 1; people below it become ignored areas",
                checked_by(ReadOptions, "min_visibility", float),
                default=ReadOptions.min_visibility,
            ),
            Option(
                "classes",
                "A,B",
                "names or numbers of the classes to train on, separated by commas",
                checked_by(ReadOptions, "classes", _names),
                shown_default="people, as one class",
            ),
            Switch(
                "use_ids",
                {"no_ids": (False, "leave identities out, if they are wrong; default: keep them")},
                "keep identities",
                default=True,
            ),
            Switch(
                "box_ids",
                {"box_ids": (True, "each box of a still image without an identity is a person; default: it has none")},
                "an identity for each box",
            ),
            Option("preview", "N", "images to draw with their labels, 0 to 1000", _checked("preview", int), default=0),
            Switch(
                "overwrite",
                {"overwrite": (True, "replace a dataset of another source; default: refuse")},
                "replace a dataset of another source",
            ),
            json_switch("the report"),
        ),
    )


def run(arguments: argparse.Namespace) -> None:
    """Make the dataset and print the report."""
    report = prepare(
        arguments.format,
        arguments.source,
        arguments.output_dir,
        val=arguments.val,
        val_sequences=arguments.val_sequences,
        min_visibility=arguments.min_visibility,
        classes=arguments.classes,
        use_ids=arguments.use_ids,
        box_ids=arguments.box_ids,
        preview=arguments.preview,
        overwrite=arguments.overwrite,
    )
    print(printable_json(report_json(report)) if arguments.json else report_text(report))


def _checked(name: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    return checked_by(PrepareOptions, name, convert)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))
