"""Arguments of the verbs that read a results file of ``track``."""

from __future__ import annotations

from ..tracking.options import SourceOptions
from .options import Option
from .parser import Parser
from .readers import checked_by


def add_results(parser: Parser) -> None:
    """Add the positional argument ``results``."""
    parser.add_argument("results", metavar="RESULTS", help="results file of track: .jsonl, .csv or .txt (MOT)")


def results_frame_rate() -> Option:
    """Return the option for the frame rate, which a .txt file does not state."""
    return Option(
        "frame_rate",
        "FPS",
        "frames per second of the source, for a .txt file without --source, or to correct the source",
        checked_by(SourceOptions, "frame_rate", float),
        shown_default="what the results or the source state",
    )
