"""The verb ``associate``: makes tracks from detections files, and writes what ``track`` would have written."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..arguments import Option, Parser, add_options
from ..arguments.analytics_options import analytics_options
from ..arguments.json_output import printable_json
from ..arguments.model_options import tracker_options
from ..arguments.run_settings import association_settings
from ..arguments.source_options import output_options
from ..console.summary import summary_text
from ..detections.associating import AssociationJob
from ..detections.file import read_detections
from ..errors import FairMOTError
from ..file_names import safe_file_name
from ..messages import plain_line
from ..tracking.expansion import NamedSource
from ..tracking.options import OutputOptions
from ..tracking.several import Outcome, check_names, is_of_source
from ..tracking.source_run import outputs_of, summary_fields
from .several_sources import check_outcomes, outcomes_json, outcomes_text, rows_json
from .track import DRAW_THRESHOLD

logger = logging.getLogger(__name__)

EXAMPLES = """\
examples:
  fairmot_dla34 associate out/detections/street.detections --output-dir out
  fairmot_dla34 associate out/detections/*.detections --output-dir byte --tracker byte --conf 0.5 --no-visualization
  fairmot_dla34 associate street.detections --source copies/street.mp4 --anonymise heads
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.late_words = "file"
    parser.add_argument("file", metavar="FILE", nargs="+", help="detections files that detect wrote")
    add_options(parser.add_argument_group("association"), tracker_options())
    source = Option(
        "source",
        "VIDEO",
        "video, or folder of images, that the detections were made from, for images",
        shown_default="the one that was detected, if it has not changed",
    )
    add_options(parser.add_argument_group("source"), [source])
    add_options(parser.add_argument_group("outputs"), output_options(), defaults={"draw_threshold": DRAW_THRESHOLD})
    add_options(parser.add_argument_group("analysis"), analytics_options())
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; default: as text")


def run(arguments: argparse.Namespace) -> None:
    """Associate the files and print the summary, also after Ctrl-C."""
    files = [_named(word) for word in dict.fromkeys(arguments.file)]
    if len(files) > 1 and arguments.source is not None:
        arguments.parser.error(f"--source is {arguments.source} for {len(files)} files; expected one file.")
    _, writing = association_settings(arguments, {})
    check_names(writing, files)
    if len(files) == 1:
        _run_one(files[0], writing, arguments)
    else:
        _run_several(files, writing, arguments)


def _run_one(file: NamedSource, writing: OutputOptions, arguments: argparse.Namespace) -> None:
    job = _job(file, writing, arguments)
    try:
        job.run()
    finally:
        if job.summary is not None and arguments.json:
            print(printable_json(rows_json(summary_fields(job.summary))))
        elif job.summary is not None:
            print(summary_text(job.summary))


def _run_several(files: Sequence[NamedSource], writing: OutputOptions, arguments: argparse.Namespace) -> None:
    def message(error: Exception) -> str:
        return plain_line(arguments.parser.with_option_names(str(error)))

    outcomes: list[Outcome] = []
    try:
        for file in files:
            _add_outcome(outcomes, file, writing, arguments)
            if (error := outcomes[-1].error) is not None:
                logger.error("%d of %d: %s failed: %s", len(outcomes), len(files), file.shown, message(error))
            if outcomes[-1].status == "closed":  # the window: the user has seen enough
                break
    finally:
        outcomes += [Outcome(file, "not started") for file in files[len(outcomes) :]]
        text = (outcomes_json if arguments.json else outcomes_text)(outcomes, message)
        print(printable_json(text) if arguments.json else text)
    check_outcomes(outcomes, remedy="remove the causes and run the same command for these files")


def _add_outcome(
    outcomes: list[Outcome], file: NamedSource, writing: OutputOptions, arguments: argparse.Namespace
) -> None:
    """Associate one of several files, and add its outcome; a file that fails does not end the others."""
    job: AssociationJob | None = None
    try:
        job = _job(file, writing, arguments)
        summary = job.run()
    except KeyboardInterrupt:
        if job is not None and job.summary is not None:
            outcomes.append(Outcome(file, "interrupted", summary_fields(job.summary)))
        raise
    except (FairMOTError, OSError, MemoryError) as error:
        if not is_of_source(error):
            raise
        outcomes.append(Outcome(file, "failed", None, error))
    else:
        outcomes.append(Outcome(file, "closed" if summary.ended == "closed" else "tracked", summary_fields(summary)))


def _job(file: NamedSource, writing: OutputOptions, arguments: argparse.Namespace) -> AssociationJob:
    published: Mapping[str, object] = read_detections(file.spec).header.tracker_settings
    tracker, _ = association_settings(arguments, published)
    return AssociationJob(file.spec, tracker=tracker, source=arguments.source, output_options=outputs_of(writing, file))


def _named(word: str) -> NamedSource:
    """Return a file of the command with the name of its outputs."""
    path = Path(word)
    return NamedSource(path, path, safe_file_name(path.absolute().stem, "video"), path.absolute().parent.name)
