"""The verb ``track``: tracks people in a video and writes the results."""

from __future__ import annotations

import argparse
import dataclasses
import json
from contextlib import ExitStack

from ..association import method_names
from ..backends import PRECISIONS, backend_names
from ..console import summary_text
from ..outputs import sink_names
from ..tracking.job import track_to_files
from ..tracking.model import FairMOT
from ..tracking.options import ModelOptions, OutputOptions, SourceOptions
from ..values import TrackingSummary
from .network_arguments import add_network_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.add_argument("source", metavar="SOURCE", help="video file, folder of images, glob, camera index or URL")
    _add_model_arguments(parser)
    _add_source_arguments(parser)
    _add_output_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_model_arguments(parser: argparse.ArgumentParser) -> None:
    add_network_arguments(parser)
    parser.add_argument("--backend", default="auto", metavar="B", help=f"one of {', '.join(backend_names())}")
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="P",
        help=f"one of {', '.join(PRECISIONS)}; auto: bf16 if the CPU has it; int8: see the verb quantize",
    )
    parser.add_argument(
        "--tracker",
        metavar="M",
        help=f"one of {', '.join(method_names())}; default: the method the weights were published with",
    )
    parser.add_argument("--use-gpu", action="store_true", help="run on a GPU; an error if there is none")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="CPU threads for the network; default: all this process may use"
    )


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--frame-rate", type=float, metavar="FPS", help="if the source states none or a wrong one")
    parser.add_argument("--frame-stride", type=int, default=1, metavar="N", help="track every N-th frame")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--newest-frame",
        action="store_const",
        const=True,
        help="leave out frames that the network is too slow for; default: for cameras and live streams only",
    )
    pace.add_argument(
        "--every-frame", action="store_const", const=False, dest="newest_frame", help="track every frame, however late"
    )


def _add_output_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output-dir", default="", metavar="D", help="folder for mot_results/ and mot_outputs/")
    formats = ",".join(sink_names())
    parser.add_argument("--formats", default="mot", metavar="F,...", help=f"outputs, of {formats}; default: mot")
    parser.add_argument("--no-visualization", action="store_true", help="write no video")
    parser.add_argument("--draw-threshold", type=float, default=0.5, metavar="T", help="smallest score that is drawn")
    parser.add_argument(
        "--fill-gaps", type=int, default=0, metavar="N", help="fill gaps of up to N frames in a track; default: none"
    )


def run(arguments: argparse.Namespace) -> None:
    """Track the source and print the summary."""
    model = ModelOptions(
        weights=arguments.weights,
        backend=arguments.backend,
        precision=arguments.precision,
        input_size=arguments.input_size,
        tracker=arguments.tracker,
        use_gpu=arguments.use_gpu,
        threads=arguments.threads,
    )
    source = SourceOptions(arguments.frame_rate, arguments.frame_stride, arguments.newest_frame)
    output = OutputOptions(
        output_dir=arguments.output_dir,
        visualization=not arguments.no_visualization,
        draw_threshold=arguments.draw_threshold,
        formats=[name.strip() for name in arguments.formats.split(",")],
        fill_gaps=arguments.fill_gaps,
    )
    with ExitStack() as stack:
        summary = track_to_files(
            lambda: stack.enter_context(FairMOT.from_options(model)),
            arguments.source,
            source_options=source,
            output_options=output,
        )
    print(summary_json(summary) if arguments.json else summary_text(summary))


def summary_json(summary: TrackingSummary) -> str:
    """Return the summary as JSON."""
    fields = dataclasses.asdict(summary) | {"frames_per_second": summary.frames_per_second}
    return json.dumps(fields, indent=2, default=str, ensure_ascii=False)
