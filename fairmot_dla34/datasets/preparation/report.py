"""Report of a preparation, as text and as JSON: parts, what was left out and why, and notes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ...messages import plain_line
from ..prepared.manifest import PARTS, Manifest

_MOST_SEQUENCES = 30


@dataclass(frozen=True)
class PreparedReport:
    """Result of `prepare`.

    Attributes:
        path: Folder of the dataset.
        manifest: Content of its ``dataset.json``: classes, sequences with counts, what was left out, notes.
        previews: Images with their labels drawn.
    """

    path: Path
    manifest: Manifest
    previews: tuple[Path, ...] = ()


def report_json(report: PreparedReport) -> str:
    """Return the report as JSON: the content of ``dataset.json``, the folder and the previews."""
    content = json.loads(report.manifest.json())
    return json.dumps({"path": str(report.path), **content, "previews": [str(path) for path in report.previews]})


def report_text(report: PreparedReport) -> str:
    """Return the report as text."""
    manifest = report.manifest
    lines = [f"{report.path}: {', '.join(manifest.classes)}, {manifest.num_identities} identities", ""]
    lines += _table(
        ("part", "sequences", "images", "boxes"),
        [
            (part, sum(entry.part == part for entry in manifest.sequences), *_counts(manifest, part))
            for part in PARTS
            if manifest.count(part, "images")
        ],
    )
    shown = manifest.sequences[:_MOST_SEQUENCES]
    lines += ["", *_table(
        ("sequence", "part", "images", "boxes", "identities", "frames/s"),
        [
            (entry.name, entry.part, entry.images, entry.boxes, entry.identities,
             f"{entry.frame_rate:g}" if entry.is_video else "-")
            for entry in shown
        ],
    )]  # fmt: skip
    if len(manifest.sequences) > len(shown):
        lines.append(f"and {len(manifest.sequences) - len(shown)} more sequences")
    if manifest.dropped:
        lines += ["", "left out or changed:"]
        lines += [f"  {entry.count} {entry.reason} (first: {entry.example})" for entry in manifest.dropped]
    if manifest.notes:
        lines += ["", "notes:", *(f"  {note}" for note in manifest.notes)]
    if report.previews:
        images = "1 preview image" if len(report.previews) == 1 else f"{len(report.previews)} preview images"
        lines += ["", f"{images} in {report.previews[0].parent}"]
    return "\n".join(plain_line(line.rstrip(), None) if not line.startswith(" ") else _indented(line) for line in lines)


def _indented(line: str) -> str:
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + plain_line(body, None)


def _counts(manifest: Manifest, part: str) -> tuple[int, int]:
    return manifest.count(part, "images"), manifest.count(part, "boxes")


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    """Return rows with aligned columns, text to the left and numbers to the right."""
    cells = [head, *(tuple(plain_line(str(value), None) for value in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    left = [column for column in range(len(head)) if rows and isinstance(rows[0][column], str)]
    return [
        "  ".join(
            cell.ljust(width) if column in left and head[column] != "frames/s" else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
