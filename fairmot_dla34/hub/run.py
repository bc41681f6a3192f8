"""The command ``hub run fairmot_dla34``, with the arguments of PaddleHub's module."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..console import guarded, log_to_stderr, summary_text
from ..values import TrackingSummary


def hub_run(tracking: Callable[..., TrackingSummary], argv: list[str]) -> str:
    """Run ``hub run fairmot_dla34 …``.

    Args:
        tracking: The method `Module.tracking`.
        argv: The arguments after the module's name.

    Returns:
        The summary as text.

    Raises:
        SystemExit: With 1 after an error, 2 after wrong usage, 130 after Ctrl-C.
    """
    arguments = _parser().parse_args(argv)
    log_to_stderr(verbose=False)
    summaries: list[TrackingSummary] = []

    def track() -> None:
        summaries.append(
            tracking(
                arguments.video_stream,
                output_dir=arguments.output_dir,
                visualization=arguments.visualization,
                draw_threshold=arguments.draw_threshold,
                use_gpu=arguments.use_gpu,
            )
        )

    code = guarded(track)
    if code:
        raise SystemExit(code)
    return summary_text(summaries[0])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hub run fairmot_dla34", description="Track people in a video.")
    parser.add_argument("--video_stream", required=True, help="video file, folder, glob, camera index or URL")
    parser.add_argument("--output_dir", default="", help="folder for mot_results/ and mot_outputs/")
    parser.add_argument("--visualization", type=_boolean, nargs="?", const=True, default=True, metavar="True|False")
    parser.add_argument("--draw_threshold", type=float, default=0.5, help="smallest score that is drawn")
    parser.add_argument("--use_gpu", type=_boolean, nargs="?", const=True, default=False, metavar="True|False")
    return parser


def _boolean(text: str) -> bool:
    values = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"expected True or False, got {text!r}")
    return values[text.lower()]
