"""The verb ``report``: its page without a browser, bounded sizes, escaped names, and wrong usage in one line."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from track_files import FRAMES, RATE, TRUTH, video, write_results

from fairmot_dla34.analytics import AnalyticsConfig, Line, Zone
from fairmot_dla34.commands.main import main
from fairmot_dla34.reporting import write_report
from fairmot_dla34.reporting.charts import nice_top
from fairmot_dla34.reporting.people import MAX_PEOPLE
from fairmot_dla34.reporting.texts import TEXTS, clock, span

LINE = ("--line", "door:50,0,50,96")


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """Folder with ``street.mp4`` and its results."""
    video(tmp_path)
    write_results(tmp_path, ".jsonl")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    try:
        code = main(["report", *map(str, words)])
    except SystemExit as request:
        code = int(request.code or 0)
    return code, *capsys.readouterr()


def data_of(page: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    return data


def test_the_page_has_the_tracks_their_crops_and_the_counts(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, street / "street.jsonl", "--source", street / "street.mp4", *LINE, "--json")
    assert code == 0
    summary = json.loads(printed)
    assert (summary["ids"], summary["shown"], summary["crops"], summary["frames"]) == (4, 4, 4, FRAMES)
    page = Path(summary["path"]).read_text("utf-8")
    assert summary["bytes"] == len(page.encode()) < 300_000
    assert 'src="./street.mp4"' in page
    assert page.count('class="crop"><img src="data:image/jpeg;base64,') == 4
    assert "1 in · 0 out" in page or "0 in · 1 out" in page
    people = {person["id"]: person for person in data_of(page)["people"]}
    for number, person in people.items():
        frames = [frame for frame, track in TRUTH if track == number]
        assert person["first"] == pytest.approx((min(frames) - 1) / RATE, abs=1e-3)
        assert person["runs"][0][0][0] == pytest.approx((min(frames) - 1) / RATE, abs=0.01)
        assert person["runs"][-1][0][-1] == pytest.approx((max(frames) - 1) / RATE, abs=0.01)


def test_crops_show_the_person(tmp_path: Path) -> None:
    """A crop of another frame or another place would name the wrong person."""
    folder = tmp_path / "frames"
    folder.mkdir()
    rows = []
    for frame in range(10):
        image = np.full((96, 160, 3), 40, np.uint8)
        for number, colour in ((1, (0, 0, 255)), (2, (255, 0, 0))):
            x, y = 12 * frame, 10 if number == 1 else 56
            cv2.rectangle(image, (x, y), (x + 13, y + 29), colour, -1)
            rows.append(f"{frame + 1},{number},{x},{y},14,30,1,-1,-1,-1\n")
        cv2.imwrite(str(folder / f"{frame:03}.png"), image)
    results = tmp_path / "walk.txt"
    results.write_text("".join(rows), "ascii")
    page = write_report(results, source=folder, progress=False).path.read_text("utf-8")
    for number, channel in ((1, 2), (2, 0)):
        found = re.search(
            rf'data-id="{number}"[^>]*><span class="crop"><img src="data:image/jpeg;base64,([^"]+)"', page
        )
        assert found
        crop = cv2.imdecode(np.frombuffer(base64.b64decode(found[1]), np.uint8), cv2.IMREAD_COLOR)
        assert crop is not None
        centre = crop[crop.shape[0] // 2, crop.shape[1] // 2]
        assert centre[channel] > 200
        assert centre[2 - channel] < 80


def test_the_page_refers_to_nothing_else_and_allows_only_its_own_script(street: Path) -> None:
    page = write_report(street / "street.jsonl", progress=False).path.read_text("utf-8")
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    for element in ("script", "style"):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(sha256(content.encode()).digest()).decode("ascii")
        assert f"{element}-src &#x27;sha256-{digest}&#x27;" in page
    assert not re.findall(r"<[^>]+\s(?:style|on\w+)=", page.partition("</style>")[2].partition("<script")[0])


def test_without_a_source_the_charts_remain_and_it_is_said(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = run(capsys, street / "street.jsonl", *LINE)
    assert code == 0
    assert "note: no video, no frame and no crops without --source" in printed
    page = (street / "street.report.html").read_text("utf-8")
    assert TEXTS["en"]["no_source"] in page
    assert "<video" not in page
    assert 'class="crop"' not in page
    assert page.count('class="chart"') == 2


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_results_of_other_formats(street: Path, suffix: str) -> None:
    done = write_report(write_results(street, suffix), source=street / "street.mp4", progress=False)
    assert (done.ids, done.crops, done.frames) == (4, 4, FRAMES)


def test_results_without_tracks(tmp_path: Path) -> None:
    results = tmp_path / "empty.jsonl"
    for content in ("", '{"frame": 1, "time_s": 0, "tracks": []}\n'):
        results.write_text(content, "ascii")
        done = write_report(results, AnalyticsConfig((Line("door", (0, 0), (9, 9)),)), overwrite=True, progress=False)
        assert done.ids == 0
        assert TEXTS["en"]["nobody"] in done.path.read_text("utf-8")


def test_names_are_escaped(street: Path) -> None:
    name = "</script><b>&\"'"
    config = AnalyticsConfig((Line(name, (5, 5), (90, 90)),), (Zone(f"{name} zone", ((5, 5), (90, 5), (90, 90))),))
    hostile = street / "<b>&amp;\u202e.jsonl"
    hostile.write_bytes((street / "street.jsonl").read_bytes())
    page = write_report(hostile, config, progress=False).path.read_text("utf-8")
    assert "<b>" not in page
    assert "\u202e" not in page
    assert page.count("</script>") == 2
    assert "&lt;b&gt;&amp;amp;\ufffd.jsonl" in page


def test_counts_are_those_of_analyse(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(street / "street.jsonl"), "--source", str(street / "street.mp4"), *LINE]
    assert main(["analyse", *words, "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["analytics"]["lines"]["door"]["crossings"]
    assert sum(counts.values()) > 0
    assert run(capsys, *words)[0] == 0
    shown = " · ".join(f"{count} {direction}" for direction, count in counts.items())
    assert f">{shown}</dd>" in (street / "street.report.html").read_text("utf-8")


def test_a_box_far_away_leaves_the_page_usable(tmp_path: Path) -> None:
    rows = [f"{frame},1,{10 + frame},10,30,60,1,-1,-1,-1\n" for frame in range(1, 9)]
    results = tmp_path / "far.txt"
    results.write_text("".join([*rows, "9,2,5e8,5e8,30,60,1,-1,-1,-1\n"]), "ascii")
    done = write_report(results, frame_rate=10, progress=False)
    assert (done.ids, done.frames) == (2, 9)
    assert done.size_bytes < 1_000_000


def test_a_long_video_with_many_people_gives_a_bounded_page(tmp_path: Path) -> None:
    """Three hours, 400 people for two minutes each."""
    lines = []
    for second in range(0, 10_800, 2):
        boxes = [
            {"id": number + 1, "box": [second % 600, 40, second % 600 + 30, 120], "score": 0.9}
            for number in range(400)
            if 25 * number <= second < 25 * number + 120
        ]
        lines.append(json.dumps({"frame": second * 10 + 1, "time_s": second, "tracks": boxes}))
    results = tmp_path / "long.jsonl"
    results.write_text("\n".join(lines), "ascii")
    config = AnalyticsConfig(tuple(Line(f"line {n}", (10 * n + 5, 0), (10 * n + 5, 300)) for n in range(30)))
    done = write_report(results, config, progress=False)
    page = done.path.read_text("utf-8")
    assert (done.ids, done.shown) == (400, MAX_PEOPLE)
    assert done.size_bytes < 3_000_000
    assert "Counts per 5 minutes" in page
    assert f"{MAX_PEOPLE} of 400 ids are shown" in page


def test_an_embedded_video_is_the_file(street: Path) -> None:
    source = street / "street.mp4"
    page = write_report(street / "street.jsonl", source=source, embed_video=True, progress=False).path.read_text(
        "utf-8"
    )
    content = page.partition('src="data:video/mp4;base64,')[2].partition('"')[0]
    assert base64.b64decode(content) == source.read_bytes()


def test_a_video_that_browsers_do_not_play_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video(tmp_path, "street.avi")
    results = write_results(tmp_path, ".jsonl")
    code, printed, _ = run(capsys, results, "--source", tmp_path / "street.avi")
    assert code == 0
    assert "browsers do not play .avi" in printed
    assert "<video" not in (tmp_path / "street.report.html").read_text("utf-8")
    code, _, logged = run(capsys, results, "--source", tmp_path / "street.avi", "--embed-video", "--overwrite")
    assert code == 2
    assert "--embed-video is given" in logged


def test_wrong_usage(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, source = street / "street.jsonl", ("--source", street / "street.mp4")
    other = write_results(street / "other", ".txt")
    before = sorted(street.rglob("*"))
    for words, code, expected in (
        ((results, "--source", street / "absent.mp4"), 2, "--source is"),
        ((results, *source, "--output", street / "a.txt"), 2, "--output is"),
        ((results, *source, "--output", ""), 2, "--output is"),
        ((results, "--embed-video"), 2, "--embed-video is given without a video"),
        ((results, "--language", "fr"), 2, "--language"),
        ((results, *source, "--line", "door:1,1,1,1"), 2, "--line"),
        ((results, *source, "--line", "door:1,1,900,900"), 1, "outside the frame"),
        ((results, *source, "--analytics", street / "absent.toml"), 1, "absent.toml"),
        ((results, "--heatmap"), 2, "--heatmap"),
        ((results, "--frame-rate", "25"), 2, "--frame-rate is 25"),
        ((other,), 2, "states no times"),
        ((street / "absent.txt",), 1, "does not exist"),
        ((street / "street.mp4",), 1, "results file"),
    ):
        got, printed, logged = run(capsys, *words)
        assert (got, printed) == (code, ""), (words, logged)
        assert expected in logged
        assert len(logged.splitlines()) == 1
    assert sorted(street.rglob("*")) == before


def test_nothing_is_replaced_without_overwrite(street: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = street / "street.jsonl"
    assert run(capsys, results)[0] == 0
    code, _, logged = run(capsys, results)
    assert code == 1
    assert "--overwrite" in logged
    assert run(capsys, results, "--overwrite")[0] == 0
    linked = street / "linked.html"
    linked.symlink_to(results)
    code, _, logged = run(capsys, results, "--output", linked, "--overwrite")
    assert code == 1
    assert "what the report reads" in logged


def test_both_languages_have_the_same_texts_and_fields() -> None:
    fields = {
        name: {key: set(re.findall(r"\{(\w+)\}", value)) for key, value in texts.items()}
        for name, texts in TEXTS.items()
    }
    assert fields["en"] == fields["zh"]


def test_times_and_axes() -> None:
    assert [clock(0), clock(59.96, tenths=True), clock(3_725)] == ["0:00", "1:00.0", "1:02:05"]
    assert [span(4.21), span(185), span(7_400)] == ["4.2 s", "3 min 5 s", "2 h 3 min"]
    for largest in (0, 1, 3, 7, 14, 26, 99, 1234):
        top, step = nice_top(largest)
        assert top >= largest
        assert top / step <= 5
        assert top % step == 0
