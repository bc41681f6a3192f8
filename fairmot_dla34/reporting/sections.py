"""Sections of the report as HTML: key figures, events, longest stays, counts and the gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..analytics.lines import Crossing
from .charts import time_bar
from .markup import button, card, tag, text
from .texts import Texts, clock, span

if TYPE_CHECKING:
    from ..analytics.zones import ZoneEvent
    from .facts import Facts
    from .people import Person

_STAYS = 10
_MOST_ZONES = 12
_TENTHS_BELOW_S = 600.0


def clock_of(facts: Facts, seconds: float) -> str:
    """Return a time of the video; with tenths of a second in a video shorter than 10 minutes."""
    return clock(seconds, tenths=facts.length_s < _TENTHS_BELOW_S)


def key_figures(t: Texts, facts: Facts, people: Sequence[Person]) -> str:
    """Return the tiles at the top."""
    summary = facts.summary
    tiles = [_tile(t["ids"], str(summary.unique_ids), t["ids_note"])]
    when = "" if summary.largest_s is None else t["at"].format(time=clock_of(facts, summary.largest_s))
    tiles.append(_tile(t["largest"], str(summary.largest), when))
    if people:
        longest = people[0]
        tiles.append(_tile(t["longest"], span(longest.seen_s), t["id"].format(id=longest.track_id)))
    for name, line in list(summary.lines.items())[:4]:
        counts = " · ".join(f"{count} {direction}" for direction, count in line.crossings.items())
        tiles.append(_tile(t["crossings"].format(name=name), counts, t["young"].format(count=line.young)))
    for name, zone in list(summary.zones.items())[:4]:
        dwell = t["no_dwell"] if zone.mean_dwell_s is None else t["mean_dwell"].format(time=span(zone.mean_dwell_s))
        tiles.append(_tile(t["visits"].format(name=name), str(zone.visits), dwell))
    tiles.append(_tile(t["length"], span(facts.length_s), t["frames"].format(count=len(facts.times_s))))
    return tag("dl", "".join(tiles), cls="tiles")


def _tile(name: str, value: str, note: str) -> str:
    parts = tag("dt", text(name)) + tag("dd", text(value), cls="value")
    return tag("div", parts + (tag("dd", text(note), cls="note") if note else ""), cls="tile")


def event_list(t: Texts, facts: Facts) -> str:
    """Return the list of events."""
    if not facts.events:
        has_places = facts.config.lines or facts.config.zones
        return card(
            "events", t["events"], tag("p", text(t["no_events" if has_places else "no_places"]), cls="note"), "small"
        )
    rows = "".join(tag("li", _event(t, facts, event)) for event in facts.events)
    content = tag(
        "div", tag("ol", rows, cls="events"), cls="scroll", tabindex=0, role="group", aria_labelledby="events-title"
    )
    if facts.event_count > len(facts.events):
        more = t["more_events"].format(shown=len(facts.events), count=facts.event_count)
        content += tag("p", text(more), cls="note")
    return card("events", t["events"], content)


def _event(t: Texts, facts: Facts, event: Crossing | ZoneEvent) -> str:
    if isinstance(event, Crossing):
        shown = t["crossed"].format(line=event.line, direction=event.direction)
    elif event.visit is None:
        shown = t["entered"].format(zone=event.zone)
    else:
        shown = t["left"].format(zone=event.zone, time=span(event.visit.dwell_s))
    parts = tag("span", text(clock_of(facts, event.time_s)), cls="when")
    parts += tag("span", text(shown), cls="what") + tag("span", text(t["id"].format(id=event.track_id)), cls="who")
    return button(event.track_id, max(0.0, event.time_s), parts, "event")


def longest_stays(t: Texts, facts: Facts, people: Sequence[Person]) -> str:
    """Return the table of the people in view for longest."""
    rows = [
        (one.track_id, one.first_s, one.last_s, one.seen_s, [(run.start_s, run.end_s) for run in one.runs])
        for one in people[:_STAYS]
    ]
    return card("stays", t["stays"], _stays(t, facts, rows) if rows else tag("p", text(t["nobody"]), cls="note"))


def longest_visits(t: Texts, facts: Facts) -> str:
    """Return a table of the longest finished visits to each zone; "" without zones."""
    tables = ""
    for name, visits in list(facts.visits.items())[:_MOST_ZONES]:
        rows = [
            (visit.track_id, visit.entered_s, visit.left_s, visit.dwell_s, [(visit.entered_s, visit.left_s)])
            for visit in visits
        ]
        table = _stays(t, facts, rows) if rows else tag("p", text(t["no_visit"]), cls="note")
        tables += tag("div", tag("h3", text(t["zone_chart"].format(name=name))) + table, cls="figure")
    return card("visits", t["stays_zone"], tag("div", tables, cls="charts"), "wide") if tables else ""


def _stays(
    t: Texts, facts: Facts, rows: Sequence[tuple[int, float, float, float, Sequence[tuple[float, float]]]]
) -> str:
    heads = "".join(
        tag("th", text(t[key]), scope="col", cls=f"col-{key}") for key in ("person", "from", "to", "time", "when")
    )
    lines = []
    for track_id, start, end, lasted, runs in rows:
        times = (clock_of(facts, start), clock_of(facts, end))
        label = t["in_view_bar"].format(start=times[0], end=times[1])
        who = button(track_id, max(0.0, start), text(track_id))
        cells = tag("th", who, scope="row") + "".join(tag("td", text(value)) for value in times)
        cells += tag("td", text(span(lasted)), cls="col-time")
        lines.append(tag("tr", cells + tag("td", time_bar(runs, facts.length_s, label=label), cls="col-when")))
    return tag("table", tag("thead", tag("tr", heads)) + tag("tbody", "".join(lines)), cls="stays")


def gallery(t: Texts, facts: Facts, people: Sequence[Person], crops: Mapping[int, str], *, has_images: bool) -> str:
    """Return one button for each person, with the crop if there is one."""
    if not people:
        return card("people", t["gallery"], tag("p", text(t["nobody"]), cls="note"))
    items = []
    for one in people:
        image = tag("img", src=crops.get(one.track_id), alt="") if one.track_id in crops else ""
        if has_images and not image:
            image = tag("span", text(t["no_crop"]), cls="none")
        frame = tag("span", image, cls="crop") if has_images else ""
        name = tag("span", text(t["id"].format(id=one.track_id)), cls="name")
        times = tag("span", text(f"{clock_of(facts, one.first_s)} · {span(one.seen_s)}"), cls="note")
        items.append(tag("li", button(one.track_id, max(0.0, one.first_s), frame + name + times, "person")))
    content = tag("p", text(t["gallery_note"]), cls="note")
    if facts.summary.unique_ids > len(people):
        more = t["more_people"].format(shown=len(people), count=facts.summary.unique_ids)
        content += tag("p", text(more), cls="note")
    return card("people", t["gallery"], content + tag("ul", "".join(items), cls="gallery"), "wide")
