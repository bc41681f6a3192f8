"""The zone page in a real Chromium: mouse, keyboard, zoom, undo, saving and axe-core's accessibility rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import WIDTHS, accessibility_errors, chromium, errors_in_console, save_screenshot, set_screen, wait
from zone_page_server import Page, served_page

from fairmot_dla34.analytics import AnalyticsConfig

keys = pytest.importorskip("selenium.webdriver.common.keys", reason="SELENIUM ABSENT: nox -s browser installs it")
actions = pytest.importorskip("selenium.webdriver.common.action_chains")
Keys, ActionChains = keys.Keys, actions.ActionChains
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with served_page(tmp_path / "shop.toml") as page:
        yield page


@pytest.fixture
def browser(started: Any, page: Page) -> Iterator[Any]:
    open_page(started, page.server.browser_url)
    assert started.current_url == page.server.url
    yield started
    assert errors_in_console(started) == []


def open_page(browser: Any, url: str, **screen: Any) -> None:
    errors_in_console(browser)  # of an earlier page
    set_screen(browser, **screen)
    browser.get(url)
    wait(lambda: text(browser, "source"))


def text(browser: Any, name: str) -> str:
    return str(find(browser, "#" + name).text)


def find(browser: Any, selector: str) -> Any:
    return browser.find_element("css selector", selector)


def press(browser: Any, name: str) -> None:
    find(browser, "#" + name).click()


def at(browser: Any, x: float, y: float) -> Any:
    """Move the mouse to a place of the image, image px."""
    place = browser.execute_script(
        "const m = document.getElementById('stage').getScreenCTM();"
        "return [m.a * arguments[0] + m.e, m.d * arguments[1] + m.f];",
        x,
        y,
    )
    chain = ActionChains(browser, duration=20)
    chain.w3c_actions.pointer_action.move_to_location(*map(round, place))
    return chain


def click(browser: Any, *points: tuple[float, float]) -> None:
    for x, y in points:
        at(browser, x, y).click().perform()


def save(browser: Any, page: Page) -> AnalyticsConfig:
    press(browser, "save")
    wait(lambda: "Saved to" in text(browser, "status") or text(browser, "error"))
    assert not text(browser, "error")
    return AnalyticsConfig.from_toml(page.server.file.path)


def near(points: Any, expected: Any, px: float = 2.5) -> bool:
    return all(abs(a - b) <= px for p, q in zip(points, expected, strict=True) for a, b in zip(p, q, strict=True))


def test_lines_and_zones_are_drawn_with_the_mouse(browser: Any, page: Page) -> None:
    press(browser, "add-line")
    click(browser, (100, 200), (300, 210))
    press(browser, "add-zone")
    click(browser, (350, 220), (600, 220), (600, 340), (350, 340))
    click(browser, (350, 340))
    save_screenshot(browser, "zones-drawn")
    config = save(browser, page)
    (line,), (zone,) = config.lines, config.zones
    assert (line.name, line.forward, line.backward, zone.name) == ("line 1", "in", "out", "zone 1")
    assert near([line.start, line.end], [(100, 200), (300, 210)])
    assert near(zone.points, [(350, 220), (600, 220), (600, 340), (350, 340)])


def test_coordinates_are_image_px_at_any_zoom(browser: Any, page: Page) -> None:
    for _ in range(4):
        press(browser, "zoom-in")
    browser.execute_script("document.getElementById('scroller').scrollTo(120, 60);")
    press(browser, "add-line")
    click(browser, (100, 60), (200, 120))
    press(browser, "zoom-fit")
    press(browser, "add-line")
    click(browser, (20, 30), (220, 30))
    first, second = save(browser, page).lines
    assert near([first.start, first.end], [(100, 60), (200, 120)], 1)
    assert near([second.start, second.end], [(20, 30), (220, 30)])


def test_corners_are_dragged_added_removed_and_changes_undone(browser: Any, page: Page) -> None:
    press(browser, "add-zone")
    click(browser, (100, 100), (300, 100), (200, 300), (200, 300))
    at(browser, 300, 100).click_and_hold().perform()
    at(browser, 420, 140).release().perform()
    assert near(save(browser, page).zones[0].points, [(100, 100), (420, 140), (200, 300)])
    press(browser, "undo")
    assert near(save(browser, page).zones[0].points, [(100, 100), (300, 100), (200, 300)])
    press(browser, "redo")
    at(browser, 150, 200).click_and_hold().perform()  # the middle of the last edge
    at(browser, 60, 220).release().perform()
    assert near(save(browser, page).zones[0].points, [(100, 100), (420, 140), (200, 300), (60, 220)])
    find(browser, '.handle[data-corner="3"]').send_keys(Keys.DELETE)
    assert len(save(browser, page).zones[0].points) == 3
    at(browser, 100, 100).click_and_hold().perform()
    at(browser, -6, -6).release().perform()
    assert save(browser, page).zones[0].points[0] == (0, 0)


def test_the_keyboard_alone_is_enough(browser: Any, page: Page) -> None:
    keys = ActionChains(browser)
    find(browser, "#" + "add-line").send_keys(Keys.ENTER)
    keys.send_keys(Keys.ARROW_LEFT * 10, Keys.ENTER, Keys.ARROW_RIGHT * 20, Keys.ENTER).perform()
    name = browser.switch_to.active_element
    name.clear()
    name.send_keys('the "door" ü', Keys.TAB)
    assert browser.switch_to.active_element.get_attribute("data-value") == "table forward"
    find(browser, '.handle[data-corner="1"]').send_keys(Keys.SHIFT, Keys.ARROW_DOWN * 3)
    assert browser.switch_to.active_element.get_attribute("aria-label") == 'the "door" ü, end, x 380, y 183'
    find(browser, "#" + "add-zone").send_keys(Keys.ENTER)
    keys = ActionChains(browser)
    keys.send_keys(Keys.ENTER, Keys.ARROW_RIGHT * 9, Keys.ENTER, Keys.ARROW_DOWN * 9, Keys.ENTER, Keys.ENTER).perform()
    ActionChains(browser).key_down(Keys.CONTROL).send_keys("s").key_up(Keys.CONTROL).perform()
    wait(page.server.file.path.exists)
    config = AnalyticsConfig.from_toml(page.server.file.path)
    assert config.lines[0].name == 'the "door" ü'
    assert (config.lines[0].start, config.lines[0].end) == ((260, 180), (380, 183))
    assert config.zones[0].points == ((320, 180), (374, 180), (374, 234))


def test_the_arrow_shows_the_forward_direction(browser: Any, page: Page) -> None:
    """Forward leads to the side where `Line.place` is positive."""
    press(browser, "add-line")
    click(browser, (100, 200), (300, 250))
    for _ in range(2):
        line = save(browser, page).lines[0]
        tip = browser.execute_script(
            "const a = document.querySelector('.arrow');return ['x1', 'y1', 'x2', 'y2'].map((k) => +a.getAttribute(k));"
        )
        sides, _along = line.place(np.array([tip[2:]]))
        assert sides[0] > 10
        assert near([tip[:2]], [(200, 225)])
        browser.find_element("xpath", "//button[text()='Turn the arrow']").click()


def test_a_mistake_is_shown_and_an_existing_file_is_edited(started: Any, tmp_path: Path) -> None:
    path = tmp_path / "hall.toml"
    path.write_text("[[line]]\nname = '<b>hall</b>'\nstart = [10.5, 20]\nend = [400, 20]\ndead_band_px = 7\n")
    browser = started
    with served_page(path, overwrite=True) as page:
        open_page(browser, page.server.url)
        assert "<b>hall</b>" in text(browser, "list")
        assert [field.get_attribute("value") for field in browser.find_elements("css selector", "#list input")][:3] == [
            "<b>hall</b>",
            "in",
            "out",
        ]
        press(browser, "add-zone")
        click(browser, (100, 100), (300, 300), (300, 100), (100, 300), (100, 300))
        press(browser, "save")
        wait(lambda: "crosses" in text(browser, "error"))
        save_screenshot(browser, "zones-mistake")
        browser.find_elements("xpath", "//button[text()='Remove']")[1].click()
        press(browser, "save-and-close")
        wait(lambda: "is written" in text(browser, "closed"))
        page.thread.join(5)
        assert not page.thread.is_alive()
    (line,) = AnalyticsConfig.from_toml(path).lines
    assert (line.start, line.dead_band_px, line.forward, line.anchor) == ((10.5, 20), 7, "in", "foot")
    errors_in_console(browser)  # the refused save


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_core_finds_nothing(theme: str, width: str, page: Page, started: Any) -> None:
    open_page(started, page.server.url, theme=theme, width=WIDTHS[width])

    def check(state: str) -> None:
        save_screenshot(started, f"zones-{state}-{theme}-{width}")
        assert accessibility_errors(started, least_passes=10 if state == "closed" else 31) == [], state
        assert started.execute_script("return document.documentElement.scrollWidth <= innerWidth"), state

    check("empty")
    press(started, "add-line")
    click(started, (100, 200), (300, 200))
    press(started, "add-zone")
    click(started, (350, 220), (600, 220), (600, 340))
    check("drawing")
    press(started, "finish")
    check("filled")
    press(started, "save-and-close")
    wait(lambda: "is written" in text(started, "closed"))
    check("closed")
