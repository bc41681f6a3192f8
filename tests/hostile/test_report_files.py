"""Hostile results of ``report``: damaged lines give a page of finite numbers or one error of the package."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import NoReturn

import pytest
from damage import damaged
from track_files import RATE, video, write_results
from trials import Trials

from fairmot_dla34.analytics import AnalyticsConfig, Line, Zone
from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.reporting import write_report

CONFIG = AnalyticsConfig((Line("door", (50, 10), (50, 90)),), (Zone("queue", ((5, 5), (80, 5), (80, 90))),))


def refuse(word: str) -> NoReturn:
    raise AssertionError(f"{word} in the data of the page")


@pytest.mark.parametrize("with_source", [True, False])
@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".csv"])
def test_damaged_results(suffix: str, with_source: bool, tmp_path: Path, trials: Trials) -> None:
    source = video(tmp_path) if with_source else None
    path = write_results(tmp_path, suffix)
    rate = RATE if suffix == ".txt" and not with_source else None
    whole = path.read_bytes()
    rng = random.Random(f"{suffix} {with_source}")  # noqa: S311 (not for secrets)
    for number in range(30):
        path.write_bytes(damaged(whole, rng))
        with trials("results files, damaged, reported", f"{suffix} {number}: {path.read_bytes()!r}"):
            target = tmp_path / f"{number}.html"
            try:
                write_report(path, CONFIG, source=source, output=target, frame_rate=rate, progress=False)
            except FairMOTError as error:
                assert len(str(error).splitlines()) == 1  # noqa: PT017 (an error is one of two good ends)
                assert not target.exists()
                continue
            page = target.read_text("utf-8")
            assert len(page) < 3_000_000
            assert not re.search(r'="(?:nan|-?inf)', page)
            data = json.loads(page.partition('id="data">')[2].partition("</script>")[0], parse_constant=refuse)
            for person in data["people"]:
                for times, boxes in person["runs"]:
                    assert times == sorted(times)
                    assert len(boxes) == 4 * len(times)
