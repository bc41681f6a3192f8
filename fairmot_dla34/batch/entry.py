"""Entries of the manifest: facts about one complete video, and the comparison with what is there now."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..config import is_number, is_whole
from ..files import file_digest
from ..tracking.completion import output_facts
from ..tracking.expansion import NamedSource, source_files
from .job import Job, JobResult, OutputFacts

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Entry:
    """One complete video.

    Attributes:
        name: Stem of the outputs.
        source: Path of the source, as the command named it.
        source_bytes: Size of the source, all images of a folder together.
        source_mtime_ns: Newest modification time of the source in ns.
        source_digest: Digest of the source; see `fairmot_dla34.tracking.completion.source_digest`; None if it changed
            while it was tracked.
        settings: Digest of all settings that results depend on, the network and the package's version among them.
        weights: Digest of the checkpoint.
        precision: Precision in which the network ran.
        outputs: Facts about each output, by its path in the output directory.
        frames: Frames tracked.
        ids: Number of ids.
        seconds: Seconds of the job.
        host: Machine of the worker.
        worker: Process id of the worker.
        summary: Summary of the run, as it is printed.
    """

    name: str
    source: str
    source_bytes: int
    source_mtime_ns: int
    source_digest: str | None
    settings: str
    weights: str
    precision: str
    outputs: Mapping[str, OutputFacts]
    frames: int
    ids: int
    seconds: float
    host: str
    worker: int
    summary: Mapping[str, Any]

    def change(
        self,
        output_dir: Path,
        source_digest: str | None,
        settings: str,
        is_unchanged: Callable[[Path, OutputFacts], bool] | None = None,
    ) -> str:
        """Return what changed since the run; "" if nothing did.

        Args:
            output_dir: Folder of the outputs.
            source_digest: Digest of the source as it is now.
            settings: Digest of the settings of this run.
            is_unchanged: Function that compares an output with the facts about it; None: by size, and if its time
                differs, as after a copy, by its digest.
        """
        is_unchanged = is_unchanged or _is_unchanged
        if self.source_digest is None or self.source_digest != source_digest:
            return "the source"
        if self.settings != settings:
            return "a setting, the network or the version of the package"
        try:
            if all(is_unchanged(output_dir / name, facts) for name, facts in self.outputs.items()):
                return ""
        except OSError:
            pass
        return "a file of the results"


def entry_of(job: Job, result: JobResult, weights: str) -> Entry:
    """Return the entry of a complete job.

    Args:
        job: The job.
        result: Its result.
        weights: Digest of the checkpoint.
    """
    size, mtime_ns = source_facts(job.source)
    return Entry(
        name=job.name,
        source=job.source.shown,
        source_bytes=size,
        source_mtime_ns=mtime_ns,
        source_digest=result.source,
        settings=job.settings.digest,
        weights=weights,
        precision=result.precision,
        outputs=result.outputs,
        frames=result.summary["frames"],
        ids=result.summary["track_ids"],
        seconds=result.seconds,
        host=result.host,
        worker=result.worker,
        summary=result.summary,
    )


def source_facts(source: NamedSource) -> tuple[int, int]:
    """Return size and newest modification time in ns of a source's files; 0 if they cannot be read."""
    try:
        status = [file.stat() for file in source_files(source)]
    except OSError:
        return 0, 0
    return sum(one.st_size for one in status), max((one.st_mtime_ns for one in status), default=0)


def line_of(entry: Entry) -> str:
    """Return the line of an entry, with its line break."""
    return json.dumps({"manifest": FORMAT_VERSION, **asdict(entry)}) + "\n"


def read_entry(line: bytes) -> Entry | None:
    """Return the entry of a line of a manifest; None if the line is damaged or of something else."""
    try:
        content = json.loads(line)
        if content["manifest"] != FORMAT_VERSION:
            return None
        values = {field.name: content[field.name] for field in fields(Entry)}
        values["outputs"] = {name: OutputFacts(**facts) for name, facts in values["outputs"].items()}
        entry = Entry(**values)
        return entry if _is_sound(entry) else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_sound(entry: Entry) -> bool:
    """Return whether the fields of an entry are of their kinds."""
    texts = (entry.name, entry.source, entry.settings, entry.weights, entry.precision, entry.host)
    counts = (entry.source_bytes, entry.source_mtime_ns, entry.frames, entry.ids, entry.worker)
    summary = entry.summary
    return (
        all(isinstance(text, str) for text in texts)
        and (entry.source_digest is None or isinstance(entry.source_digest, str))
        and all(is_whole(count, 0, 2**63) for count in counts)
        and is_number(entry.seconds)
        and all(_is_sound_output(name, facts) for name, facts in entry.outputs.items())
        and isinstance(summary, dict)
        and all(is_whole(summary.get(field), 0, 2**53) for field in ("frames", "track_ids"))
        and is_number(summary.get("seconds"))
    )


def _is_sound_output(name: str, facts: OutputFacts) -> bool:
    counts = (facts.bytes, facts.mtime_ns, facts.files)
    is_below = not Path(name).is_absolute() and ".." not in Path(name).parts and "\0" not in name
    return is_below and all(is_whole(count, 0, 2**63) for count in counts) and isinstance(facts.sha256, str)


def _is_unchanged(path: Path, facts: OutputFacts) -> bool:
    size, mtime_ns, files = output_facts(path)
    if (size, files) != (facts.bytes, facts.files):
        return False
    return mtime_ns == facts.mtime_ns or file_digest(path, "sha256").hex() == facts.sha256
