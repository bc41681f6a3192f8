"""The verb ``synth``: draws a street scene with known truth."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..arguments import Option, Parser, add_options
from ..arguments.readers import checked_by, folder
from ..synth import PRESETS, SceneConfig, parse_scene, write_scene
from ..synth.config import BACKGROUNDS, CAMERAS

SCENE = SceneConfig()
EXAMPLES = """\
examples:
  fairmot_dla34 synth --output-dir scenes --people 30 --frames 500 --seed 7
  fairmot_dla34 synth --output-dir scenes --preset crowded --size 640x360 --frames 50
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    add_options(
        parser,
        (
            Option(
                "output_dir",
                "D",
                "parent of the scene's folder",
                folder,
                default=".",
                shown_default="the current folder",
            ),
            Option(
                "name",
                "NAME",
                "name of the scene's folder; existing files in it are replaced",
                shown_default="people and seed, such as synth-12p-s0",
            ),
            _option("preset", "P", f"settings to start from, one of {', '.join(PRESETS)}", shown="none"),
            _option("people", "N", "people at one time, about, 1 to 300", int),
            _option("frames", "N", "number of frames, 1 to 1000000", int),
            _option("frame_rate", "FPS", "frames per second, 1 to 240", float),
            _option("size", "WxH", "image size in px, sides from 32 to 7680", shown=f"{SCENE.width}x{SCENE.height}"),
            _option("seed", "S", "number from 0; the same seed gives the same pixels", int),
            _option("camera", "C", f"one of {', '.join(CAMERAS)}"),
            _option("background", "B", f"one of {', '.join(BACKGROUNDS)}", shown="random"),
            _option(
                "person_height",
                "FAR,NEAR",
                "height of the farthest and the nearest people, shares of the image height such as 0.1,0.4",
                shown="random",
            ),
            _option("occluders", "N", "objects that people walk behind, 0 to 50", int, shown="random, 0 to 7"),
            _option("degradation", "X", "noise, blur and compression from 0 (none) to 2 (a bad camera)", float),
        ),
    )


def _option(name: str, metavar: str, text: str, convert: Callable[[str], Any] = str, shown: str = "") -> Option:
    """Return an option of the scene. It has no default of its own: a preset may give one, or else `SceneConfig`."""
    read = checked_by(lambda **options: parse_scene(options), name, convert)
    return Option(name, metavar, text, read, shown_default=shown or f"{getattr(SCENE, name)}")


def run(arguments: argparse.Namespace) -> None:
    """Draw the scene and print the files."""
    with arguments.parser.wrong_usage():  # every setting is an option
        written = write_scene(parse_scene(vars(arguments)), arguments.output_dir, name=arguments.name)
    for path in (written.video, written.truth, written.seqinfo):
        print(path)
