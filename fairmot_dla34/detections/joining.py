"""Joins the detections files of the parts of one video, which several processes detected, to the file of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from os import PathLike
from pathlib import Path

from ..config import shown
from ..errors import InvalidInputError
from .file import DetectionsFile, read_detections
from .header import Ending, Header
from .writer import DetectionsWriter


def join_detections(chunks: Sequence[str | PathLike[str]], out: str | PathLike[str]) -> Ending:
    """Join the detections files of consecutive parts of one video to one file, in constant memory.

    The result has the digest of the file that one process would have written. ``last_frame`` of each part is
    ``first_frame`` of the next one. The joined file goes from the first frame of the first part to the last one of the
    last part; only one that begins with frame 0 and ends with the source (``last_frame=None``) can be associated.

    Args:
        chunks: Files of the parts, in order.
        out: File to write; it may not be one of ``chunks``.

    Returns:
        Counts and digest of the joined file.

    Raises:
        InvalidInputError: There are no parts, a part does not follow the one before it, or two were detected with
            different settings: source, frame rate, stride, smallest score, network, backend, precision, input size or
            version of the package.
        DetectionsFileError: A part is damaged.
        OutputError: ``out`` cannot be written.
    """
    files = [read_detections(chunk) for chunk in chunks]
    if not files:
        raise InvalidInputError("chunks is empty; expected the detections files of at least one part of a video.")
    for earlier, later in pairwise(files):
        _check_follows(earlier, later)
    target = Path(out)
    if any(target.exists() and target.samefile(file.path) for file in files):
        raise InvalidInputError(f"out is {shown(str(target))}, which is one of the parts; expected another file.")
    endings = [file.ending for file in files]
    stages = {name: None for ending in endings for name in ending.stage_seconds}
    header = replace(files[0].header, last_frame=files[-1].header.last_frame)
    with DetectionsWriter(target, header) as writer:
        for file in files:
            for frame in file:
                writer.write(frame.index, frame.time_s, (frame.width, frame.height), frame.detections)
        return writer.finish(
            frames_skipped=sum(ending.frames_skipped for ending in endings),
            frames_dropped=sum(ending.frames_dropped for ending in endings),
            ended=endings[-1].ended,
            stage_seconds={name: sum(ending.stage_seconds.get(name, 0.0) for ending in endings) for name in stages},
        )


def _check_follows(earlier: DetectionsFile, later: DetectionsFile) -> None:
    """Check that two files are consecutive parts of one run."""
    first, second = _comparable(earlier.header), _comparable(later.header)
    for name, value in first.items():
        if value != second[name]:
            raise InvalidInputError(
                f"{earlier.path} and {later.path} differ in {name}: {shown(value)} and {shown(second[name])}; expected"
                " parts of one video that were detected with the same settings."
            )
    if earlier.header.last_frame != later.header.first_frame:
        raise InvalidInputError(
            f"{earlier.path} ends before frame {shown(earlier.header.last_frame)} of the source, and {later.path}"
            f" begins with frame {later.header.first_frame}; expected consecutive parts, in order."
        )


def _comparable(header: Header) -> dict[str, object]:
    """Return the settings in which all parts agree; threads and streams of the network change no detection."""
    values = dict(vars(header))
    for name in ("first_frame", "last_frame"):
        del values[name]
    values["backend"] = replace(header.backend, threads=None, streams=1)
    return values
