"""Print what failed, what was skipped and why, how long each session took, and the number of tests.

    python tools/ci_summary.py .test_results

The folder holds reports of pytest (``NAME.xml``, ``NAME-serial.xml``), those of failed tests that ran again alone
(``*-alone.xml``), seconds of the sessions (``*.seconds``) and reasons for sessions left out (``*.skipped``).
"""

from __future__ import annotations

import argparse
import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ALONE, SERIAL = "-alone", "-serial"  # ends of the names of reports


@dataclass(frozen=True)
class Case:
    """A test of a report.

    Attributes:
        report: Name of the report, without ``-alone``.
        name: Module and name of the test.
        outcome: ``"passed"``, ``"failed"``, ``"skipped"`` or ``"passed alone"``.
        reason: Reason to skip the test, else empty.
    """

    report: str
    name: str
    outcome: str
    reason: str = ""


def read_cases(folder: Path) -> list[Case]:
    """Return the tests of all reports of a folder; a test that failed and then passed alone is ``"passed alone"``."""
    alone = {(case.report, case.name): case for path in folder.glob(f"*{ALONE}.xml") for case in _read(path)}
    cases = []
    for path in sorted(folder.glob("*.xml")):
        if path.stem.endswith(ALONE):
            continue
        for case in _read(path):
            again = alone.get((case.report, case.name))
            is_cleared = case.outcome == "failed" and again is not None and again.outcome == "passed"
            cases.append(Case(case.report, case.name, "passed alone") if is_cleared else case)
    return cases


def _read(path: Path) -> Iterator[Case]:
    report = path.stem.removesuffix(ALONE)
    for case in ET.parse(path).iter("testcase"):
        name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            yield Case(report, name, "failed")
        elif skipped is None:
            yield Case(report, name, "passed")
        elif skipped.get("message") != "collection skipped":
            yield Case(report, name, "skipped", skipped.get("message", "").removeprefix("Skipped: "))
        elif not report.endswith(SERIAL):  # both parts of a session skip the same files
            message = ast.literal_eval(skipped.text or "")[2]
            yield Case(report, name, "skipped", message.removeprefix("Skipped: "))


def summarise(folder: Path, missing: list[str]) -> Iterator[str]:
    """Yield the lines of the summary; ``missing`` are further parts that did not run, with reasons."""
    cases = read_cases(folder)
    for title, outcome in (("Failed:", "failed"), ("Failed among others, passed alone:", "passed alone")):
        names = [f"  {case.report}: {case.name}" for case in cases if case.outcome == outcome]
        if names:
            yield from (title, *names)
    missing = [
        *missing,
        *(f"{path.stem}: {path.read_text('utf-8').strip()}" for path in sorted(folder.glob("*.skipped"))),
    ]
    reasons = Counter(
        f"{case.report.removesuffix(SERIAL)}: {case.reason}" for case in cases if case.outcome == "skipped"
    )
    yield "Skipped:" if reasons or missing else "Nothing was skipped."
    yield from (f"  {line}" for line in missing)
    yield from (f"  {number} x {reason}" for reason, number in reasons.items())
    seconds = {path.stem: int(path.read_text("ascii")) for path in sorted(folder.glob("*.seconds"))}
    yield "Time, with installation:"
    for name, taken in (*seconds.items(), ("all", sum(seconds.values()))):
        yield f"  {name:12}{taken // 60:3} min {taken % 60:2} s"
    counts = Counter(case.outcome for case in cases)
    passed = counts["passed"] + counts["passed alone"]
    yield f"{passed} passed, {counts['failed']} failed, {counts['skipped']} skipped"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--missing", action="append", default=[], metavar="TEXT", help="another part that did not run")
    arguments = parser.parse_args()
    for line in summarise(arguments.folder, arguments.missing):
        print(line)


if __name__ == "__main__":
    main()
