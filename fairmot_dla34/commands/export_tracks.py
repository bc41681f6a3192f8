"""The verb ``export-tracks``: writes tracks in the formats of labelling tools and data viewers."""

from __future__ import annotations

import argparse
import json

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import json_switch, printable_json
from ..arguments.results_options import add_results
from ..interchange import TRACK_FORMATS, export_tracks
from ..interchange.export import DEFAULT_TOLERANCE_PX, check_labels, check_tolerance

EXAMPLES = """\
examples:
  fairmot_dla34 export-tracks out/mot_results/street.txt --format cvat --source street.mp4
  fairmot_dla34 export-tracks out/mot_results/street.jsonl --format labelstudio --source street.mp4
  fairmot_dla34 export-tracks out/mot_results/street.txt --format csv --output tracks.csv
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    add_results(parser)
    parser.add_argument(
        "--format", required=True, choices=tuple(TRACK_FORMATS), help=f"one of {', '.join(TRACK_FORMATS)}"
    )
    needless = " and ".join(name for name, kind in TRACK_FORMATS.items() if not kind.needs_video)
    with_keyframes = " and ".join(name for name, kind in TRACK_FORMATS.items() if kind.has_keyframes)
    add_options(
        parser,
        (
            Option(
                "source",
                "VIDEO",
                "video, or folder of images, that the results were made from",
                shown_default=f"none, for {needless} only",
            ),
            Option(
                "output",
                "PATH",
                "file to write; a folder for fiftyone and yolo",
                shown_default="beside RESULTS, named after it",
            ),
            Option(
                "labels",
                "A,B",
                "names of the classes in the order of their numbers, separated by commas",
                _labels,
                default=("person",),
                shown_default="person",
                spelled="label",
            ),
            Option(
                "keyframe_tolerance",
                "PX",
                f"largest error of a box that {with_keyframes} interpolate between two keyframes",
                _tolerance,
                shown_default=f"{DEFAULT_TOLERANCE_PX}",
            ),
            Option(
                "video_url",
                "URL",
                "URL at which Label Studio finds the video",
                shown_default="its local storage, /data/local-files/?d=<file name>",
            ),
            Switch("overwrite", {"overwrite": (True, "replace an earlier export; default: refuse")}, "replace"),
            json_switch("the summary"),
        ),
    )


def run(arguments: argparse.Namespace) -> None:
    """Write the tracks and print a summary."""
    written = export_tracks(
        arguments.results,
        arguments.format,
        source=arguments.source,
        output=arguments.output,
        labels=arguments.labels,
        keyframe_tolerance=arguments.keyframe_tolerance,
        video_url=arguments.video_url,
        overwrite=arguments.overwrite,
    )
    if arguments.json:
        fields = {
            "format": written.format,
            "paths": [str(path) for path in written.paths],
            "frames": written.frames,
            "tracks": written.tracks,
            "boxes": written.boxes,
            "left_out": written.left_out,
        }
        print(printable_json(json.dumps(fields)))
        return
    left_out = f", {written.left_out} wholly outside the image left out" if written.left_out else ""
    print(
        f"{TRACK_FORMATS[written.format].title}: {written.tracks} tracks, {written.boxes} boxes in {written.frames}"
        f" frames{left_out}"
    )
    for path in written.paths:
        print(path)


def _labels(text: str) -> tuple[str, ...]:
    return check_labels([name.strip() for name in text.split(",")])


def _tolerance(text: str) -> float:
    try:
        value: object = float(text)
    except ValueError:
        value = text
    return check_tolerance(None, value)
