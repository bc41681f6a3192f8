"""Charts and tables of the counts per minute, or per several minutes in a long video."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from .charts import Series, bar_chart
from .markup import card, number, tag, text
from .texts import Texts

if TYPE_CHECKING:
    from ..analytics.crowd import MinuteCounts, Presence
    from .facts import Facts

MAX_CHARTS = 16
_MAX_BINS = 60
_BIN_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)


def counts_section(t: Texts, facts: Facts) -> str:
    """Return the charts of people, of each line and of each zone, each with its numbers."""
    bins, bin_min = _bins(facts.minutes)
    starts = [start for start, _ in bins]
    rows = [minutes for _, minutes in bins]
    charts = [(t["people"], t["people_unit"], _presence(t, rows, lambda row: row.people))]
    charts += [
        (t["line_chart"].format(name=line.name), t["crossings_unit"], _crossings(rows, line.name, line.directions))
        for line in facts.config.lines
    ]
    for zone in facts.config.zones:
        title, series = t["zone_chart"].format(name=zone.name), _zone(t, rows, zone.name)
        charts.append((title, t["mixed_unit"], series))
    cards = "".join(_chart(t, title, unit, series, starts, bin_min) for title, unit, series in charts[:MAX_CHARTS])
    heading = t["counts"] if bin_min == 1 else t["counts_binned"].format(minutes=bin_min)
    content = tag("div", cards, cls="charts")
    if len(charts) > MAX_CHARTS:
        more = t["more_charts"].format(shown=MAX_CHARTS - 1, count=len(charts) - 1)
        content += tag("p", text(more), cls="note")
    return card("counts", heading, content, "wide")


def _bins(minutes: Sequence[MinuteCounts]) -> tuple[list[tuple[int, list[MinuteCounts]]], int]:
    """Group minutes so that a chart has at most 60 bins; return them by start, and the length of a bin in minutes."""
    numbers = [round(row.start_s / 60) for row in minutes]
    first, last = (min(numbers), max(numbers)) if numbers else (0, 0)
    longest = max(_BIN_MINUTES[-1], (last - first) // _MAX_BINS + 1)
    size = next((size for size in _BIN_MINUTES if last // size - first // size < _MAX_BINS), longest)
    groups: dict[int, list[MinuteCounts]] = {}
    for start, row in zip(numbers, minutes, strict=True):
        groups.setdefault(start // size * size, []).append(row)
    return sorted(groups.items()), size


def _presence(
    t: Texts, rows: Iterable[Sequence[MinuteCounts]], of: Callable[[MinuteCounts], Presence]
) -> tuple[Series, ...]:
    rows = list(rows)
    means = tuple(
        sum(of(row).person_s for row in group) / (sum(row.observed_s for row in group) or 1.0) for group in rows
    )
    largest = tuple(float(max(of(row).largest for row in group)) for group in rows)
    return Series(t["mean"], means), Series(t["maximum"], largest)


def _crossings(rows: Iterable[Sequence[MinuteCounts]], name: str, directions: Iterable[str]) -> tuple[Series, ...]:
    rows = list(rows)
    return tuple(
        Series(direction, tuple(float(sum(row.lines[name][direction] for row in group)) for group in rows))
        for direction in directions
    )


def _zone(t: Texts, rows: Sequence[Sequence[MinuteCounts]], name: str) -> tuple[Series, ...]:
    visits = tuple(float(sum(row.zones[name].entered for row in group)) for group in rows)
    return (*_presence(t, rows, lambda row: row.zones[name]), Series(t["entries"], visits))


def _chart(t: Texts, title: str, unit: str, series: Sequence[Series], starts: Sequence[int], bin_min: int) -> str:
    chart = bar_chart(series, starts, bin_min, label=_label(title, series), unit=unit, axis=t["minutes_axis"])
    keys = "".join(
        tag(
            "li",
            tag("svg", tag("rect", width=12, height=12, cls=f"s{place}"), viewBox="0 0 12 12", aria_hidden="true")
            + tag("span", text(one.name)),
        )
        for place, one in enumerate(series)
    )
    content = (
        tag("h3", text(title)) + tag("ul", keys, cls="legend") + chart + _numbers(t, title, series, starts, bin_min)
    )
    return tag("div", content, cls="figure")


def _label(title: str, series: Sequence[Series]) -> str:
    parts = (f"{one.name} {number(sum(one.values))}" for one in series)
    return title if len(series[0].values) > 1 else f"{title}: {', '.join(parts)}"


def _numbers(t: Texts, title: str, series: Sequence[Series], starts: Sequence[int], bin_min: int) -> str:
    head = "".join(tag("th", text(name), scope="col") for name in (t["minute"], *(one.name for one in series)))
    rows = "".join(
        tag(
            "tr",
            tag("th", text(f"{start}–{start + bin_min}"), scope="row")
            + "".join(tag("td", number(one.values[row])) for one in series),
        )
        for row, start in enumerate(starts)
    )
    table = tag("table", tag("thead", tag("tr", head)) + tag("tbody", rows))
    scroll = tag("div", table, cls="scroll", tabindex=0, role="group", aria_label=f"{title}: {t['numbers']}")
    return tag("details", tag("summary", text(t["numbers"])) + scroll)
