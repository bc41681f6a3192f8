"""The verb ``draw-zones``: lines and zones are drawn on the first frame in a browser and saved as TOML."""

from __future__ import annotations

import argparse
import json

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import json_switch, printable_json
from ..errors import InvalidInputError
from ..messages import counted
from ..zone_page.draw import draw_zones
from ..zone_page.server import check_port
from ..zone_page.zone_file import check_name

EXAMPLES = """\
examples:
  fairmot_dla34 draw-zones shop.mp4 --analytics shop.toml
  fairmot_dla34 draw-zones shop.mp4 --analytics shop.toml --overwrite --port 8000 --no-browser
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.add_argument(
        "source", metavar="SOURCE", help="video, image, folder of images, camera or URL; its first frame is shown"
    )
    add_options(
        parser,
        (
            Option(
                "analytics",
                "FILE.toml",
                "TOML file to write, for track --analytics and analyse",
                check_name,
                required=True,
            ),
            Switch(
                "overwrite",
                {"overwrite": (True, "edit the file if it exists; its comments are not kept; default: refuse")},
                "edit an existing file",
            ),
            Option("port", "N", "port of the page on 127.0.0.1", _port, default=0, shown_default="a free one"),
            Switch(
                "browser",
                {"no_browser": (False, "print the URL only; default: also open it in a browser")},
                "open the page in a browser",
                default=True,
            ),
            json_switch("what was saved"),
        ),
    )


def run(arguments: argparse.Namespace) -> None:
    """Serve the page and print what was saved."""
    drawn = draw_zones(
        arguments.source,
        arguments.analytics,
        overwrite=arguments.overwrite,
        port=arguments.port,
        browser=arguments.browser,
    )
    if arguments.json:
        fields = {
            "path": str(drawn.path),
            "lines": drawn.lines,
            "zones": drawn.zones,
            "frame_size": drawn.frame_size,
        }
        print(printable_json(json.dumps(fields)))
        return
    print(f"{drawn.path}: {counted(drawn.lines, 'line')}, {counted(drawn.zones, 'zone')}")


def _port(text: str) -> int:
    try:
        value: object = int(text)
    except ValueError:
        raise InvalidInputError(f"port is {text!r}; expected a whole number from 1 to 65535.") from None
    return check_port(value)
