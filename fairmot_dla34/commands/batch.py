"""The verb ``batch``: tracks many videos in several processes, on this machine or on a Ray cluster."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from ..arguments import Option, Parser, Switch, add_options
from ..arguments.json_output import printable_json
from ..arguments.readers import checked_by, one_of
from ..arguments.run_settings import RunSettings, add_run_options, run_settings
from ..batch.engine import Engine
from ..batch.job import run_job
from ..batch.local import LocalEngine
from ..batch.run import Batch, BatchSettings
from ..batch.workers import plan_workers
from ..cluster.ray_engine import RayEngine
from ..cluster.splitting import SplittingEngine, check_split
from ..cluster.stored_batch import StoredResults, StoredRun
from ..cluster.stores import find_sources, is_stored
from ..messages import plain_line
from ..tracking.expansion import NamedSource, expand_sources
from ..weights import resolve_network
from .several_sources import check_outcomes, outcome_row, outcomes_text, rows_json
from .track import DRAW_THRESHOLD

ENGINES = ("local", "ray")
MOST_WORKERS = 1024

EXAMPLES = """\
examples:
  fairmot_dla34 batch 'clips/*.mp4' --output-dir out --weights sample
  fairmot_dla34 batch day1 day2 --output-dir out --name '{folder}_{name}' --resume --json
  fairmot_dla34 batch day.mp4 --output-dir out --split 300
  fairmot_dla34 batch /nfs/videos --output-dir /nfs/out --engine ray --address ray://head:10001 --threads 2
"""


def add_arguments(parser: Parser) -> None:
    """Add the verb's arguments and its action."""
    parser.set_defaults(run=run)
    parser.epilog = EXAMPLES
    parser.late_words = "source"
    parser.add_argument(
        "source",
        metavar="SOURCE",
        nargs="+",
        help="video files, patterns in quotes, folders of videos or of images",
    )
    add_run_options(
        parser,
        defaults={"draw_threshold": DRAW_THRESHOLD},
        shown_defaults={"threads": "the CPUs divided among the workers"},
        without=("show", "newest_frame"),
    )
    add_options(parser.add_argument_group("batch"), _own_options())
    parser.add_argument(
        "--resume",
        action="store_true",
        help="run only what the manifest does not list as complete and unchanged; default: run all",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON; default: as text")


def run(arguments: argparse.Namespace) -> None:
    """Track the sources and print the summary, also after Ctrl-C."""
    settings = run_settings(arguments)
    if arguments.address is not None and arguments.engine != "ray":
        arguments.parser.error(f"--address is {arguments.address} with --engine {arguments.engine}; it needs ray")
    if settings.model.use_gpu and arguments.engine == "ray":
        arguments.parser.error("--use-gpu is set with --engine ray, whose tasks run on CPUs; leave it out")
    url = str(settings.output.output_dir)
    stored = [word for word in arguments.source if is_stored(word)]
    if arguments.split is not None and (stored or is_stored(url)):
        arguments.parser.error("--split needs videos and an --output-dir on disks that all workers share, not a store")
    local = [word for word in arguments.source if word not in stored]
    sources = (
        *(expand_sources(local).sources if local else ()),
        *(one for word in stored for one in find_sources(word)),
    )
    with ExitStack() as stack:
        engine = _engine(arguments, settings, len(sources) if arguments.split is None else MOST_WORKERS)
        stack.enter_context(engine)
        results = stack.enter_context(StoredResults(url)) if is_stored(url) else None
        if results is not None:
            settings = replace(settings, output=replace(settings.output, output_dir=results.folder))
        _run(engine, sources, settings, arguments, results)


def _run(
    engine: LocalEngine | RayEngine,
    sources: Sequence[NamedSource],
    settings: RunSettings,
    arguments: argparse.Namespace,
    results: StoredResults | None,
) -> None:
    def message(error: Exception) -> str:
        return plain_line(arguments.parser.with_option_names(str(error)))

    chosen = BatchSettings(
        replace(settings.model, threads=engine.threads if not settings.model.use_gpu else None),
        settings.source,
        settings.output,
        keep_detections=arguments.keep_detections,
        resume=arguments.resume,
    )
    shared = None if results is not None else chosen.output_dir
    settle = engine.settler(shared) if isinstance(engine, RayEngine) else None
    loads = 1 if arguments.resume else engine.workers or 1
    runner: Engine = engine if arguments.split is None else SplittingEngine(engine, arguments.split)
    is_local = results is None and not any(source.identity for source in sources)
    batch = Batch(
        runner if results is None else results.engine(runner),
        sources,
        chosen,
        message=message,
        function=run_job if is_local else StoredRun("" if results is None else results.url),
        settle=settle,
        loads=loads,
        is_unchanged=None if results is None else results.is_unchanged,
    )
    try:
        batch.run()
    finally:
        if any(outcome.status != "not started" for outcome in batch.outcomes):
            if arguments.json:
                print(printable_json(rows_json(batch_fields(batch, message))))
            else:
                print(outcomes_text(batch.outcomes, message, batch.seconds))
    check_outcomes(batch.outcomes)


def batch_fields(batch: Batch, message: Callable[[Exception], str]) -> dict[str, Any]:
    """Return the summary of a batch as plain values: totals, and one entry for each source.

    Args:
        batch: The batch.
        message: Function that returns the message of an error.
    """
    jobs = []
    for place, outcome in enumerate(batch.outcomes):
        row = outcome_row(outcome, message)
        if (result := batch.results.get(place)) is not None:
            digests = {name: facts.sha256 for name, facts in result.outputs.items()}
            row |= {"host": result.host, "worker": result.worker, "precision": result.precision, "sha256": digests}
        jobs.append(row)
    frames = sum(result.summary["frames"] for result in batch.results.values())
    rate = frames / batch.seconds if batch.seconds > 0 else 0.0
    return {"frames": frames, "seconds": batch.seconds, "frames_per_second": rate, "jobs": jobs}


def _engine(arguments: argparse.Namespace, settings: RunSettings, jobs: int) -> LocalEngine | RayEngine:
    model = settings.model
    if arguments.engine == "ray":
        return RayEngine(arguments.address, model.threads or 1, arguments.workers)
    network = resolve_network(model.weights, model.input_size, offline=model.offline)
    plan = plan_workers(network, model.backend_options, workers=arguments.workers, threads=model.threads, jobs=jobs)
    return LocalEngine(plan.count, plan.threads or 1)


def _own_options() -> tuple[Option | Switch, ...]:
    return (
        Option(
            "engine",
            "E",
            "where workers run: local, processes of this machine, or ray, a Ray cluster",
            one_of("engine", lambda: ENGINES),
            default="local",
        ),
        Option(
            "address",
            "URL",
            "address of the Ray cluster, such as ray://head:10001",
            checked_by(RayEngine, "address"),
            shown_default="a cluster on this machine alone",
        ),
        Option(
            "workers",
            "N",
            "worker processes, 1 to 1024",
            checked_by(LocalEngine, "workers", int),
            shown_default="one for each CPU, fewer if memory is short",
        ),
        Option(
            "split",
            "SECONDS",
            "detect each video in parts of this length at least, 1 to 86400 s, on all workers",
            _seconds,
            shown_default="one worker for each video",
        ),
        Switch(
            "keep_detections",
            {"keep_detections": (True, "write a file of detections too, for the verb associate; default: none")},
            "write a file of detections too",
        ),
    )


def _seconds(text: str) -> float:
    """Return the value of ``--split``."""
    value: object = text
    with suppress(ValueError):
        value = float(text)
    return check_split(value)
