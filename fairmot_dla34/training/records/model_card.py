"""Model cards: a Markdown file beside the weights with data, settings, scores, versions, use, limits and licence."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...console.progress import duration_text
from ...files import file_digest, output_error, write_whole
from ...messages import plain_line
from .card_facts import CardFacts
from .card_text import HOW_TO_READ, HOW_TO_USE, LICENCE, LIMITS
from .wording import FIGURES, figure_text, ordered

_SCORE_TITLES = {"start": "start weights", "best": "best", "last": "last"}


def write_model_card(path: Path, weights: Path, facts: CardFacts) -> None:
    """Write the model card of a file of weights.

    Args:
        path: Markdown file to write, such as ``best.md`` beside ``best.pdparams``.
        weights: The weights; their digest and size are on the card.
        facts: Facts of the run.

    Raises:
        OutputError: The card cannot be written, or the weights cannot be read.
    """
    try:
        digest, size = file_digest(weights, "sha256").hex(), weights.stat().st_size
        write_whole(path, model_card(weights.name, digest, size, facts).encode())
    except OSError as error:
        raise output_error(path, error) from error


def model_card(name: str, digest: str, size: int, facts: CardFacts) -> str:
    """Return the text of a model card.

    Args:
        name: File name of the weights.
        digest: SHA-256 of the weights, hexadecimal.
        size: Their size in bytes.
        facts: Facts of the run.
    """
    about = {
        "architecture": plain_line(facts.architecture),
        "network input": str(facts.input_size),
        "classes": ", ".join(map(code, facts.classes)),
        "file": f"{size} bytes, SHA-256 `{digest}`",
    }
    if facts.weights_step is not None:
        about["weights"] = f"of step {facts.weights_step} of the {facts.steps} steps of the run"
    run = {
        "start": _start(facts),
        "length": f"{facts.steps} steps, {facts.epochs:.1f} passes over the training images",
        "duration": f"{duration_text(facts.seconds)}, validation included",
        "device": f"{plain_line(facts.device)}, {facts.processes} process{'es' if facts.processes > 1 else ''}",
        "versions": ", ".join(f"{name} {plain_line(value)}" for name, value in facts.versions.items()) or "unknown",
    }
    if facts.teacher is not None:
        run["teacher"] = _teacher(facts.teacher, facts.teacher_digest)
    parts = [
        f"# {code(name)}: weights trained with fairmot_dla34",
        _list(about),
        "## How to use them",
        f"```\nfairmot_dla34 track VIDEO --weights {name} --output-dir out\n```",
        HOW_TO_USE,
        "## Data",
        _table(("data", "part", "prepared from", "images", "boxes", "identities", "digest"), _data_rows(facts)),
        _edited_note(facts),
        "## Scores",
        _scores(facts),
        "## Training",
        _list(run),
        _table(("setting", "value"), [(code(key), code(value)) for key, value in facts.settings.items()]),
        _fenced(shlex.join(facts.command)),
        "## Licence",
        LICENCE,
        "## Limits",
        LIMITS,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def code(text: str) -> str:
    """Return text from outside as Markdown code, which no character of it can leave, also within a table."""
    line = plain_line(text).replace("`", "'").replace("|", "¦")
    return f"`{line or ' '}`"


def _data_rows(facts: CardFacts) -> list[tuple[str, ...]]:
    return [
        (
            code(data.name),
            use,
            code(data.source_format),
            str(data.images),
            str(data.boxes),
            str(data.identities),
            f"`{data.digest[:16]}`",
        )
        for use, parts in (("training", facts.training), ("validation", facts.validation))
        for data in parts
    ]


def _edited_note(facts: CardFacts) -> str:
    edited = dict.fromkeys(data.name for data in (*facts.training, *facts.validation) if data.is_edited)
    if not edited:
        return ""
    return (
        f"The labels of {', '.join(map(code, edited))} were changed after preparation: boxes and identities are the\n"
        "numbers before, the digest is that of the changed labels."
    )


def _scores(facts: CardFacts) -> str:
    scores = {name: values for name, values in facts.scores.items() if values}
    if not scores:
        reasons = [plain_line(reason) for reason in dict.fromkeys(facts.why_missing.values())]
        return " ".join(["These weights were not validated.", *reasons])
    names = ordered({name: None for values in scores.values() for name in values})
    rows = [
        (
            _SCORE_TITLES.get(title, title),
            *(figure_text(name, values[name]) if name in values else "-" for name in names),
        )
        for title, values in scores.items()
    ]
    texts = [_table(("weights", *(FIGURES.get(name, name) for name in names)), rows)]
    if facts.chosen_by:
        texts.append(f"Best is by {FIGURES.get(facts.chosen_by, facts.chosen_by)}.")
    missing: dict[str, list[str]] = {}
    for name, reason in facts.why_missing.items():
        if name not in names:
            missing.setdefault(plain_line(reason), []).append(FIGURES.get(name, name))
    texts += [f"Not computed: {', '.join(figures)}. {reason}" for reason, figures in missing.items()]
    return "\n\n".join([*texts, HOW_TO_READ])


def _start(facts: CardFacts) -> str:
    if facts.start is None:
        return "random numbers"
    return code(facts.start) + (f", SHA-256 `{facts.start_digest}`" if facts.start_digest else "")


def _teacher(name: str, digest: str | None) -> str:
    known = f", SHA-256 `{digest}`" if digest else ""
    return f"{code(name)}{known}; the weights learned its outputs"


def _list(entries: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {text}" for name, text in entries.items())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _fenced(text: str) -> str:
    line = plain_line(text, limit=None)
    fence = "```"
    while fence in line:
        fence += "`"
    return f"{fence}\n{line}\n{fence}"
