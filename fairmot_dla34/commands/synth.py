"""The verb ``synth``: draws a street scene with known truth."""

from __future__ import annotations

import argparse

from ..synth import PRESETS, parse_scene, write_scene
from ..synth.config import BACKGROUNDS, CAMERAS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.add_argument("--output-dir", default=".", metavar="D", help="parent of the scene's folder; default: here")
    parser.add_argument("--name", metavar="NAME", help="name of the folder; default: people and seed: synth-12p-s0")
    parser.add_argument("--preset", metavar="P", help=f"start from one of {', '.join(PRESETS)}")
    parser.add_argument("--people", type=int, metavar="N", help="people at one time, about; default: 12")
    parser.add_argument("--frames", type=int, metavar="N", help="number of frames; default: 250")
    parser.add_argument("--frame-rate", type=float, metavar="FPS", help="1 to 240; default: 25")
    parser.add_argument("--size", metavar="WxH", help="image size in px; default: 960x540")
    parser.add_argument("--seed", type=int, metavar="S", help="same seed, same pixels; default: 0")
    parser.add_argument("--camera", metavar="C", help=f"one of {', '.join(CAMERAS)}; default: still")
    parser.add_argument("--background", metavar="B", help=f"one of {', '.join(BACKGROUNDS)}; default: random")
    parser.add_argument(
        "--person-height", metavar="FAR,NEAR", help="height of people, shares of the image height; default: random"
    )
    parser.add_argument("--occluders", type=int, metavar="N", help="objects people walk behind; default: random")
    parser.add_argument(
        "--degradation", type=float, metavar="X", help="0 clean, 1 a plain camera (default), 2 a bad one"
    )


def run(arguments: argparse.Namespace) -> None:
    """Draw the scene and print the files."""
    written = write_scene(parse_scene(vars(arguments)), arguments.output_dir, name=arguments.name)
    for path in (written.video, written.truth, written.seqinfo):
        print(path)
