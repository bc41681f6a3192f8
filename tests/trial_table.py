"""The table of hostile trials: tries, survivals and failures of each kind, and of all.

python tests/trial_table.py REPORT.xml ... prints it for the tests of several JUnit reports.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    import pytest

FAILURES = ("wrong results", "hangs", "tracebacks", "crashes")
PROPERTY = "hostile trial"  # name of the user property of a test that carries one try


def print_table(reporter: pytest.TerminalReporter) -> None:
    """Print the table of all trials of a run of pytest; nothing if none ran."""
    lines = table_lines(_reported(reporter))
    if lines:
        reporter.section("hostile trials")
        for line in lines:
            reporter.line(line)


def table_lines(tries: Iterable[str]) -> list[str]:
    """Return the lines of the table.

    Args:
        tries: Values of `PROPERTY`: JSON lists of the kind of a try and its failure, one of `FAILURES` or "".

    Returns:
        A line of heads, one for each kind and one for all; none without tries.
    """
    rows: dict[str, dict[str, int]] = {}
    for value in tries:
        kind, failure = json.loads(value)
        row = rows.setdefault(kind, dict.fromkeys(("tries", *FAILURES), 0))
        row["tries"] += 1
        if failure:
            row[failure] += 1
    if not rows:
        return []
    total = {name: sum(row[name] for row in rows.values()) for name in ("tries", *FAILURES)}
    width = max(map(len, rows))
    lines = [f"{'kind':{width}}  tries  survived  {'  '.join(FAILURES)}"]
    for kind, row in (*sorted(rows.items()), ("all", total)):
        survived = row["tries"] - sum(row[name] for name in FAILURES)
        counts = "  ".join(f"{row[name]:{len(name)}}" for name in FAILURES)
        lines.append(f"{kind:{width}}  {row['tries']:5}  {survived:8}  {counts}")
    return lines


def _reported(reporter: pytest.TerminalReporter) -> Iterator[str]:
    for outcome in ("", "passed", "failed", "error"):
        for report in reporter.getreports(outcome):
            if report.when == "teardown":
                yield from (str(value) for name, value in report.user_properties if name == PROPERTY)


def main() -> None:
    """Run from the command line."""
    properties = (one for path in sys.argv[1:] for one in ET.parse(path).iter("property"))  # noqa: S314 (our own files)
    print("\n".join(table_lines(one.get("value", "") for one in properties if one.get("name") == PROPERTY)))


if __name__ == "__main__":
    main()
