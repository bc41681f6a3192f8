"""The command line: one small function per verb. Results go to stdout, logs and progress to stderr."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__
from .config import BACKENDS, DEFAULT_WEIGHTS, EXPORT_FORMATS, OUTPUT_FORMATS, PRECISIONS, TRACKER_METHODS
from .console import guarded, log_to_stderr, summary_text
from .errors import UnknownWeightsError
from .values import TrackingSummary


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Arguments; None takes the process's own.

    Returns:
        0 ok, 1 a FairMOT error, 130 interrupted. Usage errors leave with 2, as argparse does.
    """
    arguments = _parser().parse_args(argv)
    log_to_stderr(verbose=arguments.verbose)
    return guarded(lambda: arguments.run(arguments))


def _track(arguments: argparse.Namespace) -> None:
    from .module import Module

    module = Module(
        weights=arguments.weights,
        backend=arguments.backend,
        precision=arguments.precision,
        input_size=arguments.input_size,
        tracker=arguments.tracker,
    )
    summary = module.tracking(
        arguments.source,
        output_dir=arguments.output_dir,
        visualization=not arguments.no_visualization,
        draw_threshold=arguments.draw_threshold,
        use_gpu=arguments.use_gpu,
        frame_rate=arguments.frame_rate,
        frame_stride=arguments.frame_stride,
        formats=[name.strip() for name in arguments.formats.split(",")],
    )
    print(_summary_json(summary) if arguments.json else summary_text(summary))


def _weights_list(arguments: argparse.Namespace) -> None:
    from .weights import registered

    entries = registered()
    if arguments.json:
        rows = [dataclasses.asdict(entry) | {"input_size": str(entry.input_size)} for entry in entries]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for entry in entries:
        print(entry.name, f"    input {entry.input_size}, {entry.licence}", sep="\n")
        print(f"    trained on {', '.join(entry.trained_on)}")


def _weights_download(arguments: argparse.Namespace) -> None:
    from .weights import resolve_weights

    print(resolve_weights(arguments.name))


def _weights_path(arguments: argparse.Namespace) -> None:
    print(_place_of(arguments.name)[0])


def _weights_verify(arguments: argparse.Namespace) -> None:
    from .weights import verify_file

    path, sha256 = _place_of(arguments.name)
    if not path.is_file():
        raise UnknownWeightsError(
            f"{arguments.name} is not at {path}; expected a file there: fetch it with fairmot_dla34 weights download."
        )
    verify_file(path, sha256=sha256)
    print(f"{path}: every array is there, with the right shape and finite values")


def _place_of(name: str) -> tuple[Path, str | None]:
    """Where registered weights are or belong, or an existing file; and the digest, where the registry has it."""
    from .weights import cached_path, find_entry, resolve_weights

    entry = find_entry(name)
    return (cached_path(entry), entry.sha256) if entry else (resolve_weights(name), None)


def _export(arguments: argparse.Namespace) -> None:
    from .export import export

    for path in export(arguments.weights, arguments.format, Path(arguments.output_dir), arguments.input_size):
        print(path)


def _info(arguments: argparse.Namespace) -> None:
    from .info import collect_info, info_text

    info = collect_info()
    print(json.dumps(info, indent=2) if arguments.json else info_text(info))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fairmot_dla34", description="Track people in video with FairMOT (DLA-34).")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log details to stderr")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    _add_track(verbs)
    _add_weights(verbs)
    export = _add_verb(verbs, "export", _export, "write the network as files for other runtimes")
    export.add_argument("--format", choices=EXPORT_FORMATS, default="onnx")
    export.add_argument("--output-dir", default=".", metavar="D", help="where to write; default: here")
    _add_network(export)
    info = _add_verb(verbs, "info", _info, "versions, backends, devices, cache, and a check with a known answer")
    info.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _add_track(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    track = _add_verb(verbs, "track", _track, "track people in a video; write MOT text and a video to watch")
    track.add_argument("source", metavar="SOURCE", help="video file, folder of images, glob, camera index or URL")
    track.add_argument("--output-dir", default="", metavar="D", help="where mot_results/ and mot_outputs/ go")
    _add_network(track)
    track.add_argument("--backend", default="auto", metavar="B", help=f"one of {', '.join(BACKENDS)}")
    track.add_argument(
        "--precision",
        default="auto",
        metavar="P",
        help=f"one of {', '.join(PRECISIONS)}; auto: bf16 where the CPU has it",
    )
    track.add_argument(
        "--tracker", metavar="M", help=f"{' or '.join(TRACKER_METHODS)}; default: what the weights were published with"
    )
    track.add_argument("--draw-threshold", type=float, default=0.5, metavar="T", help="smallest score that is drawn")
    track.add_argument("--frame-rate", type=float, metavar="FPS", help="where the source does not say or is wrong")
    track.add_argument("--frame-stride", type=int, default=1, metavar="N", help="track every N-th frame")
    track.add_argument(
        "--formats", default="mot", metavar="F,...", help=f"text outputs, of {','.join(OUTPUT_FORMATS)}; default: mot"
    )
    track.add_argument("--no-visualization", action="store_true", help="write no video")
    track.add_argument("--use-gpu", action="store_true", help="run on a GPU; an error where there is none")
    track.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_weights(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    actions = verbs.add_parser("weights", help="the registered weights and the cache").add_subparsers(
        required=True, metavar="ACTION"
    )
    listing = _add_verb(actions, "list", _weights_list, "registered names, licences, training data")
    listing.add_argument("--json", action="store_true", help="print JSON")
    for action, run, text in (
        ("download", _weights_download, "fetch and verify; print the path"),
        ("path", _weights_path, "print where weights are, or belong"),
        ("verify", _weights_verify, "check a file already here"),
    ):
        verb = _add_verb(actions, action, run, text)
        verb.add_argument("name", nargs="?", default=DEFAULT_WEIGHTS, help="registered name or file")


def _add_verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    text: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights", default=DEFAULT_WEIGHTS, metavar="W", help="registered name or .pdparams file")
    parser.add_argument("--input-size", metavar="WxH", help="network input; default: what the weights were trained for")


def _summary_json(summary: TrackingSummary) -> str:
    fields = dataclasses.asdict(summary) | {"frames_per_second": summary.frames_per_second}
    return json.dumps(fields, indent=2, default=str, ensure_ascii=False)
