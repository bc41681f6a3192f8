"""The verb ``watch``: tracks people in many cameras for months, with one network."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from threading import Event, Thread

from ..arguments import Parser, add_options
from ..arguments.json_output import json_switch, printable_json
from ..arguments.parser import SettingsFileError
from ..arguments.watch_options import add_watch_options, given_settings
from ..cameras.config import WatchConfig
from ..cameras.metrics import MetricsServer
from ..cameras.signals import StatusSignal
from ..cameras.status import CameraStatus, State
from ..cameras.status_lines import running_line, status_fields, summary_text
from ..cameras.watch import Watch
from ..errors import InvalidInputError, SourceError
from ..memory import use_one_arena
from ..messages import counted
from ..tracking.model import FairMOT

logger = logging.getLogger(__name__)

LINE_S = 60.0  # seconds between two lines on all cameras

EXAMPLES = """\
examples:
  fairmot_dla34 watch cameras.toml --metrics 9108
  fairmot_dla34 watch rtsp://10.0.0.5/stream rtsp://10.0.0.6/stream --weights sample --segment hour --keep 7d,50GB
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = (
        f"{EXAMPLES}\nOptions have priority over the settings file. SIGUSR1 writes the state as JSON to stderr."
    )
    parser.late_words = "source"
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+",
        help="a settings file that ends in .toml, or cameras: URLs, camera indices, video files",
    )
    add_watch_options(parser)
    add_options(parser, [json_switch("the summary")])


def run(arguments: argparse.Namespace) -> None:
    """Track until every camera has ended or a signal arrives, and print the summary."""
    use_one_arena()
    config = _config(arguments)
    shown = _Shown(config)
    with ExitStack() as stack:
        stack.enter_context(StatusSignal(shown.write_json))
        if config.metrics is not None:
            server = stack.enter_context(MetricsServer(shown.status, config.metrics))
            logger.info("Metrics are at %s", server.url)
        model = stack.enter_context(FairMOT.from_options(config.model))
        try:
            with config.watch(model) as shown.watch, _status_lines(shown):
                shown.watch.run()
        finally:
            if shown.watch is not None:
                shown.print_summary(str(model.backend.info), as_json=arguments.json)
    _check_ended(shown.status())


class _Shown:
    """The state of the cameras as this command shows it; before the network is loaded, all are new.

    Args:
        config: Settings of the watch.

    Attributes:
        watch: The watch, as soon as it is started.
    """

    def __init__(self, config: WatchConfig) -> None:
        self.watch: Watch | None = None
        self._new = [CameraStatus(camera.name, State.NEW, camera.redacted) for camera in config.cameras]
        self._start_s = time.monotonic()

    def status(self) -> list[CameraStatus]:
        """Return the state of every camera."""
        return self._new if self.watch is None else self.watch.status()

    def write_json(self) -> None:
        """Write the state to stderr, as one line of JSON."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        line = json.dumps({"time": now, "cameras": status_fields(self.status())})
        if sys.stderr is not None:
            with suppress(OSError, ValueError):  # a full disk, or a closed stream
                sys.stderr.write(f"{line}\n")
                sys.stderr.flush()

    def print_summary(self, network: str, *, as_json: bool) -> None:
        """Print what became of every camera.

        Args:
            network: Description of the network.
            as_json: Print JSON.
        """
        seconds = time.monotonic() - self._start_s
        if not as_json:
            print(summary_text(self.status(), seconds, network))
            return
        fields = {"seconds": round(seconds, 3), "backend": network, "cameras": status_fields(self.status())}
        print(printable_json(json.dumps(fields)))


@contextmanager
def _status_lines(shown: _Shown) -> Iterator[None]:
    """Log a line on all cameras every `LINE_S` seconds, in a thread of its own."""
    ended = Event()

    def write() -> None:
        frames, last_s = 0, time.monotonic()
        while not ended.wait(LINE_S):
            statuses, now_s = shown.status(), time.monotonic()
            tracked = sum(status.frames - status.dropped for status in statuses)
            logger.info("%s", running_line(statuses, (tracked - frames) / (now_s - last_s)))
            frames, last_s = tracked, now_s

    thread = Thread(target=write, name="fairmot_dla34 status lines", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _config(arguments: argparse.Namespace) -> WatchConfig:
    """Return the settings: those of the file or of the sources, then those of the options."""
    parser: Parser = arguments.parser
    files = [word for word in arguments.source if word.lower().endswith(".toml")]
    if files and len(arguments.source) > 1:
        parser.error(
            f"the settings file {files[0]} is given beside other sources; expected one settings file, or sources only."
        )
    if files:
        try:
            config = WatchConfig.from_toml(files[0])
        except InvalidInputError as error:
            raise SettingsFileError(str(error)) from None
    else:
        config = WatchConfig.from_sources(arguments.source)
    with parser.wrong_usage():
        return config.with_settings(given_settings(arguments))


def _check_ended(statuses: list[CameraStatus]) -> None:
    """Check that no camera was given up.

    Raises:
        SourceError: Cameras ended with an error; the message names them.
    """
    failed = [status.name for status in statuses if status.last_error]
    if failed:
        amount = f"{len(failed)} of {counted(len(statuses), 'camera')}"
        raise SourceError(f"{amount} ended with an error: {', '.join(failed)}. The reasons are above.")
