"""The report in a real Chromium, opened from a file: links, playing, colours, accessibility, hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import WIDTHS, accessibility_errors, chromium, errors_in_console, save_screenshot, set_screen, wait
from track_files import FRAMES, RATE, TRUTH, video, write_results

from fairmot_dla34.analytics import AnalyticsConfig, Line, Zone
from fairmot_dla34.reporting import write_report
from fairmot_dla34.synth import SceneConfig, write_scene

pytestmark = pytest.mark.browser

HOSTILE = '</script><img src=x onerror="window.hacked=1">'
CONFIG = AnalyticsConfig(
    (Line("door", (50, 10), (50, 90)), Line(HOSTILE, (70, 10), (70, 90))), (Zone("queue", ((5, 5), (80, 5), (80, 90))),)
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Page in a folder with spaces and signs that URLs escape, with its video and hostile names."""
    folder = tmp_path_factory.mktemp("a report")
    source = video(folder, "street 100% #1.mp4")
    return write_report(write_results(folder, ".jsonl"), CONFIG, source=source, progress=False).path


def opened(browser: Any, page: Path, **screen: Any) -> None:
    set_screen(browser, **screen)
    browser.get(page.as_uri())
    if browser.execute_script("return document.getElementById('video') !== null"):
        wait(lambda: browser.execute_script("return document.getElementById('video')?.readyState ?? 4") >= 2, 20)
    assert errors_in_console(browser) == []


def click(browser: Any, selector: str) -> None:
    browser.execute_script("arguments[0].click()", browser.find_element("css selector", selector))


def frame_shown(browser: Any) -> int:
    """Read the frame index that the image of an embedded video encodes (tests/clips.py)."""
    wait(lambda: not browser.execute_script("return document.getElementById('video').seeking"), 20)
    return int(
        browser.execute_async_script(
            """const end = arguments[0], video = document.getElementById('video');
            requestAnimationFrame(() => requestAnimationFrame(() => {
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
              const context = canvas.getContext('2d');
              context.drawImage(video, 0, 0);
              let index = 0;
              for (let bit = 0; bit < 10; bit++) {
                const x = Math.round((bit + 0.5) * canvas.width / 10);
                if (context.getImageData(x, canvas.height * 0.7, 1, 1).data[0] > 127) index |= 1 << bit;
              }
              end(index);
            }));"""
        )
    )


def test_an_id_jumps_to_its_first_frame(browser: Any, tmp_path: Path) -> None:
    results = write_results(tmp_path, ".jsonl")
    done = write_report(results, CONFIG, source=video(tmp_path), embed_video=True, progress=False)
    opened(browser, done.path)
    first_frames: dict[int, int] = {}
    for frame, number in sorted(TRUTH):
        first_frames.setdefault(number, frame - 1)
    for number, index in first_frames.items():
        click(browser, f".person[data-id='{number}']")
        assert frame_shown(browser) == index
        assert f"Id {number}, first seen at 0:00.{round(10 * index / RATE)}" in browser.execute_script(
            "return document.getElementById('status').textContent"
        )
        assert browser.execute_script("return document.querySelector('.chosen text').textContent") == str(number)
        pressed = browser.find_elements("css selector", "[aria-pressed=true]")
        assert pressed
        assert {button.get_attribute("data-id") for button in pressed} == {str(number)}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_overflows(browser: Any, theme: str, width: str, tmp_path: Path) -> None:
    scene = write_scene(
        SceneConfig(people=6, width=320, height=192, frame_rate=5, frames=25, seed=3),
        tmp_path,
        name="a",
        progress=False,
    )
    results = tmp_path / "scene.txt"
    rows = [line.split(",")[:6] for line in scene.truth.read_text("ascii").splitlines()]
    results.write_text("".join(f"{','.join(row)},1,-1,-1,-1\n" for row in rows), "ascii")
    config = AnalyticsConfig((Line("door", (0, 100), (320, 100)),), (Zone("queue", ((9, 9), (200, 9), (200, 180))),))
    opened(
        browser,
        write_report(results, config, source=scene.video, progress=False).path,
        theme=theme,
        width=WIDTHS[width],
    )
    browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    click(browser, ".stays .id")
    save_screenshot(browser, f"report-{theme}-{width}")
    assert accessibility_errors(browser) == []
    shown, room = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert shown <= room


def test_names_are_text(browser: Any, page: Path) -> None:
    opened(browser, page)
    assert browser.execute_script("return [window.hacked ?? null, document.querySelectorAll('[onerror]').length]") == [
        None,
        0,
    ]
    assert HOSTILE in browser.execute_script("return document.body.textContent")


def test_the_page_asks_for_nothing_but_the_video(browser: Any, page: Path) -> None:
    opened(browser, page)
    asked = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert browser.execute_script("return document.getElementById('video').videoWidth") == 160


def test_the_video_plays_and_the_time_line_follows(browser: Any, page: Path) -> None:
    opened(browser, page)
    click(browser, "#play")
    wait(lambda: float(browser.execute_script("return document.getElementById('position').value")) > 0.2, 20)
    wait(lambda: browser.execute_script("return document.getElementById('play').textContent") == "Play", 20)  # the end
    browser.execute_script(
        "const slider = document.getElementById('position'); slider.value = 0.4;"
        "slider.dispatchEvent(new Event('input'))"
    )
    assert abs(browser.execute_script("return document.getElementById('video').currentTime") - 0.4) < 0.01
    assert browser.execute_script("return document.getElementById('clock').textContent").startswith("0:00.4")
    assert len(browser.find_elements("css selector", ".boxes rect")) == 3


def test_without_the_video_the_boxes_still_move(browser: Any, page: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.html"
    moved.write_bytes(page.read_bytes())
    set_screen(browser)
    browser.get(moved.as_uri())
    wait(lambda: browser.execute_script("return document.getElementById('missing').hidden") is False, 20)
    errors_in_console(browser)  # the missing file
    click(browser, "#play")
    wait(
        lambda: (
            float(browser.execute_script("return document.getElementById('position').value")) >= FRAMES / RATE - 0.05
        ),
        20,
    )
    click(browser, ".person[data-id='1']")
    assert len(browser.find_elements("css selector", ".boxes .chosen rect")) == 1


@pytest.mark.parametrize("source", ["none", "images"])
def test_pages_without_a_video(browser: Any, source: str, tmp_path: Path) -> None:
    from videos import write_walking_boxes

    folder = None
    if source == "images":
        folder = tmp_path / "frames"
        folder.mkdir()
        write_walking_boxes(folder, FRAMES, 160, 96)
    page = write_report(write_results(tmp_path, ".jsonl"), CONFIG, source=folder, language="zh", progress=False).path
    opened(browser, page, theme="dark", width=375)
    assert accessibility_errors(browser) == []
    assert browser.execute_script("return document.documentElement.lang") == "zh-Hans"
    click(browser, ".stays .id")
    assert len(browser.find_elements("css selector", ".boxes rect")) >= 1
