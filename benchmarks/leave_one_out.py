"""Measures a training recipe on places it never saw: places are left out of the training data in turn.

    python benchmarks/leave_one_out.py --data DATA --work W [--weights BASE] [--minutes 20] [--scenes prepared/scenes]
        [--cutouts prepared/cutouts] [--folds PETS09-S2L1+pennfudan+coco256_person TUD-Campus+MOT17-mini+wildtrack]

BASE must have seen none of the places; without it, training starts from random numbers. For each fold,
`tools/sample_weights/recipe.py` trains on all places that are not in it, and nothing of a library of cut-outs that
comes from a place of the fold is used. Then the weights are scored on the images of the fold's places that scores are
reported on, by the scorers of `sample_figures.py`. With coco256_person, coco256_negative is left out too. By default
each place is a fold of its own; folds of several places need fewer runs.

The figure of PETS09-S2L1 and of TUD-Campus is the mean of MOTA and IDF1 forwards and backwards in time. That of the
other places is AP50: in WILDTRACK inside its grid, in COCO of upright people. The mean over the places is the figure
by which recipes are chosen.

Finished runs are in W/leave_one_out.jsonl, one JSON line each. After an interruption the same command continues.
TrackEval (extra `eval`) must be installed beside PyTorch (extra `train`).
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from folds import HEADER, RANKED, Scores, left_out, mean_row, read_folds, row
from places import detect, makers
from speed import machine
from training_runs import TOOLS, Records, Settings, digest, run_folder, run_python

from fairmot_dla34 import FairMOT
from fairmot_dla34.config import InputSize

NO_RECIPE = {"calibrate.py", "distil.py", "package.py", "render.py"}  # scripts of the folder that a run does not use


def score_weights(weights: str | Path, fold: Sequence[str], arguments: argparse.Namespace) -> Scores:
    """Score weights on all places that are left out in a fold."""
    make = makers(arguments.data)
    scores: Scores = {}
    with FairMOT(weights, input_size=arguments.input_size, precision="fp32", threads=arguments.threads) as model:
        for name in left_out(fold):
            place = make[name]()
            (found,) = detect(place, [model])
            scores[name] = {figure.name: figure.value for figure in place.score(found)}
    return scores


def score_base(fold: Sequence[str], records: Records, arguments: argparse.Namespace) -> Scores:
    """Return the scores of the weights that training starts from, none for random numbers."""
    if arguments.weights is None:
        return {}
    settings: Settings = {
        "places": list(fold),
        "weights": digest(arguments.weights),
        "input_size": str(arguments.input_size),
        "scorers": scorers_digest(),
    }
    record = records.find(settings)
    record = record or records.add(settings, scores=score_weights(arguments.weights, fold, arguments))
    scores: Scores = record["scores"]
    return scores


def score_fold(fold: Sequence[str], places: Path, records: Records, arguments: argparse.Namespace) -> Scores:
    """Train without the places of a fold, unless that is done, and return the scores on them.

    Args:
        fold: Places to leave out.
        places: Folder of the prepared places.
        records: Finished runs.
        arguments: Options of the command line.
    """
    absent = left_out(fold)
    data = [folder.parent for folder in sorted(places.glob("*/dataset.json")) if folder.parent.name not in absent]
    data += [arguments.scenes] if arguments.scenes else []
    settings: Settings = {
        "left_out": absent,
        "weights": None if arguments.weights is None else digest(arguments.weights),
        "input_size": str(arguments.input_size),
        "scorers": scorers_digest(),
        "recipe": recipe_digest(),
        "stages": arguments.stages,
        "lr_factor": arguments.lr_factor,
        "minutes": arguments.minutes,
        "threads": arguments.threads,
        "seed": arguments.seed,
        "data": [folder.name for folder in data],
        "cutouts": None if arguments.cutouts is None else folder_digest(arguments.cutouts),
    }
    record = records.find(settings)
    if not record:
        folder = run_folder(arguments.work, f"without-{'+'.join(fold)}", settings)
        run_python(*recipe_command(data, absent, folder, arguments))
        record = records.add(settings, scores=score_weights(folder / "last.pdparams", fold, arguments))
        if not arguments.keep:
            shutil.rmtree(folder)
    scores: Scores = record["scores"]
    return scores


def recipe_command(
    data: Sequence[Path], absent: Sequence[str], folder: Path, arguments: argparse.Namespace
) -> list[str | Path]:
    """Return the command line of a run without some places, for `run_python`."""
    command: list[str | Path] = [TOOLS / "recipe.py", "--output-dir", folder]
    for path in data:
        command += ["--data", path]
    if arguments.weights is not None:
        command += ["--start", arguments.weights]
    if arguments.cutouts is not None:
        command += ["--cutouts", arguments.cutouts, "--without", *absent]
    if arguments.stages is not None:
        command += ["--stages", *arguments.stages]
    numbers = {"--lr-factor": f"{arguments.lr_factor:g}", "--minutes": f"{arguments.minutes:g}"}
    numbers |= {"--threads": str(arguments.threads), "--seed": str(arguments.seed)}
    for option, text in {**numbers, "--input-size": str(arguments.input_size)}.items():
        command += [option, text]
    return command


def digest_of(parts: Iterable[bytes]) -> str:
    """Return the first digits of the SHA-256 of texts."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:8]


def recipe_digest() -> str:
    """Return a digest of the recipe's files, by which the results of another recipe are told apart."""
    return digest_of(path.read_bytes() for path in sorted(TOOLS.rglob("*.py")) if path.name not in NO_RECIPE)


def scorers_digest() -> str:
    """Return a digest of the scorers, so that no result of an earlier rule is used."""
    names = ("places.py", "still_matching.py", "still_scores.py", "stills_reading.py", "video_scores.py")
    return digest_of((Path(__file__).parent / name).read_bytes() for name in names)


def folder_digest(folder: Path) -> str:
    """Return a digest of the names and sizes of the files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_of(f"{path.relative_to(folder)} {path.stat().st_size}".encode() for path in files)


def main() -> None:
    """Run from the command line."""
    arguments = parse_arguments()
    places = arguments.work / f"places-{digest_of((TOOLS / name).read_bytes() for name in ('data.py', 'wildtrack.py'))}"
    run_python(TOOLS / "data.py", "--data", arguments.data, "--output-dir", places, "--missing")
    records = Records(arguments.work / "leave_one_out.jsonl")
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    stages = "all" if arguments.stages is None else " ".join(arguments.stages)
    base = "random numbers" if arguments.weights is None else Path(arguments.weights).name
    print(f"{facts}\nbase weights {base}, input {arguments.input_size}")
    print(f"stages {stages}, {arguments.minutes:g} minutes and {arguments.threads} threads a run\n\n{HEADER}")
    results = []
    for fold in arguments.folds:
        before = score_base(fold, records, arguments)
        results.append((fold, before, score_fold(fold, places, records, arguments)))
        for place in fold:
            print(row(place, *results[-1]), flush=True)
    print(mean_row(results))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus and the others")
    parser.add_argument(
        "--weights", metavar="BASE", help="weights that saw none of the places; default: random numbers"
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for datasets, runs and leave_one_out.jsonl")
    parser.add_argument("--scenes", type=Path, help="prepared scenes of render.py; default: no scenes")
    parser.add_argument("--cutouts", type=Path, metavar="L", help="library of cutouts.py; default: nothing is pasted")
    parser.add_argument("--folds", nargs="+", default=list(RANKED), metavar="PLACE+PLACE",
                        help=f"places of a run to leave out, of {', '.join(RANKED)}; default: each alone")  # fmt: skip
    parser.add_argument("--stages", nargs="+", metavar="STAGE", help="stages of the recipe; default: all")
    parser.add_argument("--lr-factor", type=float, default=1.0, metavar="F", help="factor of the recipe's learning "
                        "rates, below 1 for short runs from good weights; default: %(default)s")  # fmt: skip
    parser.add_argument("--minutes", type=float, default=20.0, metavar="M", help="length of a run; default: 20")
    parser.add_argument("--threads", type=int, default=2, metavar="T", help="CPU threads; default: %(default)s")
    parser.add_argument("--input-size", type=InputSize.parse, default=InputSize(576, 320), metavar="WxH")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="keep the folder of each run, 500 MB")
    arguments = parser.parse_args()
    try:
        arguments.folds = read_folds(arguments.folds)
    except ValueError as error:
        parser.error(str(error))
    return arguments


if __name__ == "__main__":
    main()
