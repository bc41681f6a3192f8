"""The command line: one small function per verb. Results go to stdout, logs and progress to stderr."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from .. import __version__
from ..association.registry import method_names
from ..config import (
    BACKENDS,
    DEFAULT_WEIGHTS,
    DEMO_DIR,
    EXPORT_FORMATS,
    OUTPUT_FORMATS,
    PRECISIONS,
)
from ..console import guarded, log_to_stderr, summary_text
from ..errors import UnknownWeightsError
from ..synth.config import BACKGROUNDS, CAMERAS, PRESETS
from ..values import TrackingSummary


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
    from ..module import Module

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
        fill_gaps=arguments.fill_gaps,
        newest_frame=arguments.newest_frame,
        formats=[name.strip() for name in arguments.formats.split(",")],
    )
    print(_summary_json(summary) if arguments.json else summary_text(summary))


def _demo(arguments: argparse.Namespace) -> None:
    from .demo import demo_json, demo_text, run_demo

    report = run_demo(arguments.output_dir, seed=arguments.seed)
    print(demo_json(report) if arguments.json else demo_text(report))


def _weights_list(arguments: argparse.Namespace) -> None:
    from ..weights import registered

    entries = registered()
    if arguments.json:
        rows = [dataclasses.asdict(entry) | {"input_size": str(entry.input_size)} for entry in entries]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for entry in entries:
        place = "" if entry.url else " (ships in this package)"
        print(f"{entry.name}{place}", f"    input {entry.input_size}, {entry.licence}", sep="\n")
        print(f"    trained on {', '.join(entry.trained_on)}")


def _weights_download(arguments: argparse.Namespace) -> None:
    from ..weights import resolve_weights

    print(resolve_weights(arguments.name))


def _weights_path(arguments: argparse.Namespace) -> None:
    print(_place_of(arguments.name)[0])


def _weights_verify(arguments: argparse.Namespace) -> None:
    from ..weights import verify_file

    path, sha256 = _place_of(arguments.name)
    if not path.is_file():
        raise UnknownWeightsError(
            f"{arguments.name} is not at {path}; expected a file there: fetch it with fairmot_dla34 weights download."
        )
    verify_file(path, sha256=sha256)
    print(f"{path}: every array is there, with the right shape and finite values")


def _place_of(name: str) -> tuple[Path, str | None]:
    """Where registered weights are or belong, or an existing file; and the digest, where the registry has it."""
    from ..weights import find_entry, kept_path, resolve_weights

    entry = find_entry(name)
    return (kept_path(entry), entry.sha256) if entry else (resolve_weights(name), None)


def _export(arguments: argparse.Namespace) -> None:
    from ..backends.export import export

    for path in export(arguments.weights, arguments.format, Path(arguments.output_dir), arguments.input_size):
        print(path)


def _quantize(arguments: argparse.Namespace) -> None:
    from ..quantization import quantize, report_json, report_text

    report = quantize(arguments.weights, calibration=arguments.calibration, input_size=arguments.input_size)
    print(report_json(report) if arguments.json else report_text(report))


def _synth(arguments: argparse.Namespace) -> None:
    from ..synth import parse_scene, write_scene

    written = write_scene(parse_scene(vars(arguments)), arguments.output_dir, name=arguments.name)
    for path in (written.video, written.truth, written.seqinfo):
        print(path)


def _eval(arguments: argparse.Namespace) -> None:
    from ..evaluation import evaluate, evaluation_json, scores_table

    evaluation = evaluate(arguments.gt, arguments.results, plots=arguments.plots)
    print(evaluation_json(evaluation) if arguments.json else scores_table(evaluation))


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
    _add_demo(verbs)
    _add_synth(verbs)
    _add_eval(verbs)
    _add_weights(verbs)
    export = _add_verb(verbs, "export", _export, "write the network as files for other runtimes")
    export.add_argument("--format", choices=EXPORT_FORMATS, default="onnx")
    export.add_argument("--output-dir", default=".", metavar="D", help="where to write; default: here")
    _add_network(export)
    quantize = _add_verb(verbs, "quantize", _quantize, "make the int8 network that --precision int8 runs")
    quantize.add_argument(
        "--calibration", required=True, metavar="SOURCE", help="a video like the ones to be tracked, with people in it"
    )
    _add_network(quantize)
    quantize.add_argument("--json", action="store_true", help="print JSON, unrounded")
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
        help=f"one of {', '.join(PRECISIONS)}; auto: bf16 where the CPU has it; int8: see the verb quantize",
    )
    track.add_argument(
        "--tracker", metavar="M", help=f"{' or '.join(method_names())}; default: what the weights were published with"
    )
    track.add_argument("--draw-threshold", type=float, default=0.5, metavar="T", help="smallest score that is drawn")
    track.add_argument("--frame-rate", type=float, metavar="FPS", help="where the source does not say or is wrong")
    track.add_argument("--frame-stride", type=int, default=1, metavar="N", help="track every N-th frame")
    track.add_argument(
        "--fill-gaps", type=int, default=0, metavar="N", help="fill gaps of up to N frames in a track; default: none"
    )
    pace = track.add_mutually_exclusive_group()
    pace.add_argument(
        "--newest-frame",
        action="store_const",
        const=True,
        help="leave out frames that the network is too slow for; default: for cameras and live streams only",
    )
    pace.add_argument(
        "--every-frame", action="store_const", const=False, dest="newest_frame", help="track every frame, however late"
    )
    track.add_argument(
        "--formats", default="mot", metavar="F,...", help=f"text outputs, of {','.join(OUTPUT_FORMATS)}; default: mot"
    )
    track.add_argument("--no-visualization", action="store_true", help="write no video")
    track.add_argument("--use-gpu", action="store_true", help="run on a GPU; an error where there is none")
    track.add_argument("--json", action="store_true", help="print the summary as JSON")


def _add_demo(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = _add_verb(verbs, "demo", _demo, "draw a street scene, track it, score it; needs no connection and no data")
    demo.add_argument(
        "--output-dir", default=DEMO_DIR, metavar="D", help="where everything goes; default: %(default)s, here"
    )
    demo.add_argument("--seed", type=int, metavar="S", help="draw another scene, a number from 0")
    demo.add_argument("--json", action="store_true", help="print JSON")


def _add_synth(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    synth = _add_verb(verbs, "synth", _synth, "draw a street scene with known truth: a video, gt.txt and seqinfo.ini")
    synth.add_argument("--output-dir", default=".", metavar="D", help="where the scene's folder goes; default: here")
    synth.add_argument("--name", metavar="NAME", help="of the folder; default: people and seed, as in synth-12p-s0")
    synth.add_argument("--preset", metavar="P", help=f"start from one of {', '.join(PRESETS)}")
    synth.add_argument("--people", type=int, metavar="N", help="people at one time, about; default: 12")
    synth.add_argument("--frames", type=int, metavar="N", help="length; default: 250")
    synth.add_argument("--frame-rate", type=float, metavar="FPS", help="1 to 240; default: 25")
    synth.add_argument("--size", metavar="WxH", help="of the picture in px; default: 960x540")
    synth.add_argument("--seed", type=int, metavar="S", help="same seed, same pixels; default: 0")
    synth.add_argument("--camera", metavar="C", help=f"one of {', '.join(CAMERAS)}; default: still")
    synth.add_argument("--background", metavar="B", help=f"one of {', '.join(BACKGROUNDS)}; default: drawn")
    synth.add_argument(
        "--person-height", metavar="FAR,NEAR", help="share of the picture's height people take; default: drawn"
    )
    synth.add_argument("--occluders", type=int, metavar="N", help="things people walk behind; default: drawn")
    synth.add_argument(
        "--degradation", type=float, metavar="X", help="0 clean, 1 a plain camera (default), 2 a bad one"
    )


def _add_eval(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    scoring = _add_verb(verbs, "eval", _eval, "score results against ground truth: HOTA, MOTA, IDF1 and their parts")
    scoring.add_argument(
        "--gt", required=True, metavar="DIR", help="MOTChallenge folders, <sequence>.txt files, or one sequence"
    )
    scoring.add_argument(
        "--results", required=True, metavar="DIR", help="<sequence>.txt files, or the output directory of track"
    )
    scoring.add_argument("--plots", metavar="DIR", help="write pictures there: tracks, ids, HOTA over IoU thresholds")
    scoring.add_argument("--json", action="store_true", help="print JSON, unrounded")


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
