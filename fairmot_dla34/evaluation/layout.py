"""Discovery of the ground truth, results and length of every sequence, in the folder layouts that are supported."""

from __future__ import annotations

import configparser
import logging
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ..config import shown
from ..errors import TrackFileError
from ..outputs.sink import TEXT_FOLDER

logger = logging.getLogger(__name__)

MAX_FRAMES = 10_000_000  # 92 hours at 30 frames/s
_MAX_SEQINFO_CHARS = 100_000


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one sequence.

    Attributes:
        name: Name of the folder in MOTChallenge's layout, else of the file.
        truth: File of ground truth.
        results: File of the results to score.
        seqinfo: File with the length of the sequence; None if there is none.
    """

    name: str
    truth: Path
    results: Path
    seqinfo: Path | None


def find_sequences(gt: Path, results: Path, sequences: Collection[str] | None = None) -> list[SequenceFiles]:
    """Return the files of every sequence, ordered by name. Results of sequences without ground truth are logged.

    Args:
        gt: A folder in MOTChallenge's layout or of ``<sequence>.txt`` files, one sequence's folder, or one file.
        results: A folder of ``<sequence>.txt`` files, the output directory of `track`, or, for one sequence, a file of
            any name.
        sequences: Names of the sequences to return; None: all.

    Raises:
        TrackFileError: There are no files, the ground truth lacks one of ``sequences``, or a sequence has no results.
    """
    try:
        single = _single_truth_file(gt)
        truths = {_name_of(single): single} if single else _truth_files(gt, sequences)
        if sequences is not None:
            truths = _selected(gt, truths, sequences)
        found = _result_files(results, truths)
    except OSError as error:
        raise TrackFileError(f"{error.filename} cannot be read ({error.strerror}); check its permissions.") from error
    missing, unknown = sorted(truths.keys() - found), sorted(found.keys() - truths)
    if missing:
        raise TrackFileError(
            f"{results} has no results for {_listed(missing)} of {gt}; it has {_listed(sorted(found))}. Expected "
            f"{missing[0]}.txt, empty if nobody was found; for a single sequence you can name the file itself."
        )
    if unknown and not single and sequences is None:
        logger.warning("%s has no ground truth for the results of %s; they are not scored", gt, _listed(unknown))
    return [
        SequenceFiles(name, truths[name], found[name], _seqinfo(truths[name], only_one=len(truths) == 1))
        for name in sorted(truths)
    ]


def read_length(seqinfo: Path) -> int:
    """Read ``seqLength`` of a ``seqinfo.ini``.

    Raises:
        TrackFileError: The entry is missing or is not a number of frames.
    """
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with seqinfo.open(encoding="utf-8-sig") as file:
            parser.read_string(file.read(_MAX_SEQINFO_CHARS))
        length = parser.getint("Sequence", "seqLength")
    except (OSError, ValueError, configparser.Error) as error:
        reason = " ".join(str(error).split())
        raise TrackFileError(
            f"{seqinfo} has no length of the sequence ({reason}); expected seqLength=<frames> below [Sequence]."
        ) from error
    if not 1 <= length <= MAX_FRAMES:
        raise TrackFileError(
            f"{seqinfo}: seqLength is {shown(length)}; expected the number of frames, from 1 to {MAX_FRAMES}."
        )
    return length


def _single_truth_file(gt: Path) -> Path | None:
    """Return the ground truth if ``gt`` is a single sequence: the file, its folder, or the sequence's folder."""
    return next((path for path in (gt, gt / "gt" / "gt.txt", gt / "gt.txt") if path.is_file()), None)


def _truth_files(gt: Path, sequences: Collection[str] | None) -> dict[str, Path]:
    """Return the ground truth of every sequence in the folder ``gt``, by sequence name.

    A folder without ground truth is an error if it is one of ``sequences``, None: of all.
    """
    if not gt.exists():
        raise TrackFileError(f"{gt} does not exist; expected a folder of ground truth or one of its files.")
    folders = [path for path in gt.iterdir() if (path / "gt" / "gt.txt").is_file()]
    unannotated = sorted(
        path
        for path in gt.iterdir()
        if (path / "seqinfo.ini").is_file() and path not in folders and (sequences is None or path.name in sequences)
    )
    if unannotated:
        raise TrackFileError(
            f"{unannotated[0]} has a seqinfo.ini but no ground truth; expected {unannotated[0] / 'gt' / 'gt.txt'}. Add "
            "it, or name a folder of annotated sequences."
        )
    files = [path / "gt" / "gt.txt" for path in folders] or _text_files(gt)
    if not files:
        raise TrackFileError(
            f"{gt} has no ground truth; expected <sequence>/gt/gt.txt, gt/gt.txt or <sequence>.txt in it. Name the "
            "folder that has them."
        )
    return {_name_of(path): path for path in files}


def _selected(gt: Path, truths: dict[str, Path], sequences: Collection[str]) -> dict[str, Path]:
    """Return the ground truth of ``sequences`` alone."""
    absent = sorted(set(sequences) - truths.keys())
    if absent:
        raise TrackFileError(
            f"{gt} has no sequence {absent[0]!r}; it has {_listed(sorted(truths), at_most=10)}. Name one of these."
        )
    return {name: truths[name] for name in sequences}


def _result_files(results: Path, truths: dict[str, Path]) -> dict[str, Path]:
    """Return the results by sequence name. A single file belongs to the only sequence, whatever its name."""
    if not results.exists():
        raise TrackFileError(f"{results} does not exist; expected a folder of <sequence>.txt files or one of them.")
    if results.is_file():
        if len(truths) > 1:
            raise TrackFileError(
                f"{results} is one file, but the ground truth has {len(truths)} sequences ({_listed(sorted(truths))}); "
                "name the folder of results, or the ground truth of one sequence."
            )
        return dict.fromkeys(truths, results)
    folder = results / TEXT_FOLDER if (results / TEXT_FOLDER).is_dir() else results
    files = {path.stem: path for path in _text_files(folder)}
    if not files:
        raise TrackFileError(
            f"{folder} has no results; expected <sequence>.txt files as fairmot_dla34 track writes them. Name the "
            "folder that has them."
        )
    return files


def _text_files(folder: Path) -> list[Path]:
    """Return the MOT text files of a folder, without the KITTI files that `track` may have written there."""
    return sorted(path for path in folder.glob("*.txt") if path.is_file() and not path.name.endswith(".kitti.txt"))


def _sequence_folder(truth: Path) -> Path | None:
    """Return the sequence's folder of a ``gt.txt``; None for a file that is named after its sequence."""
    if truth.name != "gt.txt":
        return None
    parent = truth.absolute().parent
    return parent.parent if parent.name == "gt" else parent


def _name_of(truth: Path) -> str:
    folder = _sequence_folder(truth)
    return folder.name if folder else truth.stem


def _seqinfo(truth: Path, *, only_one: bool) -> Path | None:
    """Return the ``seqinfo.ini`` of a sequence: in its folder, in a ``seqinfo`` folder, or beside the only file."""
    folder, parent = _sequence_folder(truth), truth.absolute().parent
    if folder:
        candidates = [folder / "seqinfo.ini"]
    else:
        candidates = [base / "seqinfo" / f"{truth.stem}.ini" for base in (parent, parent.parent)]
        candidates += [parent / "seqinfo.ini"] if only_one else []
    return next((path for path in candidates if path.is_file()), None)


def _listed(names: list[str], at_most: int = 3) -> str:
    text = ", ".join(names[:at_most])
    return f"{text} and {len(names) - at_most} more" if len(names) > at_most else text
