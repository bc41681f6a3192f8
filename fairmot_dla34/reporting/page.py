"""Puts the parts of the report into one HTML file that needs nothing else, with a content security policy."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from .. import __version__
from ..outputs.colours import colour_of
from .counts import counts_section
from .images import VideoImages, frame_url
from .markup import text
from .people import gap_between_boxes, people_interval
from .sections import event_list, gallery, key_figures, longest_stays, longest_visits
from .stage import heat_section, replay
from .texts import HTML_LANGUAGES, TEXTS

if TYPE_CHECKING:
    from .facts import Facts
    from .people import Person
    from .playback import Playback

_FOLDER = Path(__file__).parent
_HOLD = 0.9  # part of the time between two frames for which a box is shown after its last frame


def report_page(
    facts: Facts,
    people: Sequence[Person],
    images: VideoImages,
    playback: Playback,
    *,
    results: str,
    has_source: bool,
    language: str = "en",
) -> str:
    """Return the page.

    Args:
        facts: Outcome of the analysis.
        people: People, longest in view first.
        images: First frame and crops.
        playback: The video.
        results: Name of the results file.
        has_source: Whether there is a video or a folder of images.
        language: Key of `TEXTS`.
    """
    t = TEXTS[language]
    title = t["title"].format(name=results)
    why = ""
    if not has_source:
        why = t["no_source"]
    elif playback.problem:
        why = t["not_playable"].format(name=playback.name, codec=playback.problem)
    elif not playback.url:
        why = t["folder_source"]
    poster = "" if images.first is None else frame_url(images.first)
    width, height = facts.size
    style = f":root{{--ratio:{width / height:.4f}}}\n{_part('page.css')}"
    script = _part("page.js")
    but = t["footer_but"] if playback.url and not playback.embedded else ""
    subtitle = f"{t['results']}: {results} · {t['video']}: {playback.name or t['no_video_given']}"
    beside = [event_list(t, facts), longest_stays(t, facts, people)]
    if not facts.events:  # the longer card stands beside the video
        beside.reverse()
    return Template(_part("page.html")).substitute(
        language=HTML_LANGUAGES[language],
        policy=text(_policy(style, script)),
        title=text(title),
        heading=text(title),
        subtitle=text(subtitle),
        skip=text(t["skip"]),
        style=style,
        script=script,
        figures=key_figures(t, facts, people),
        replay=replay(t, facts, playback, poster, why),
        beside_replay=beside[0],
        heat=heat_section(t, facts, images.first),
        beside_heat=beside[1],
        visits=longest_visits(t, facts),
        counts=counts_section(t, facts),
        people=gallery(t, facts, people, images.crops, has_images=has_source),
        footer=text(t["footer"].format(version=__version__, but=but)),
        data=_data(facts, people, language),
    )


def _part(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """Return a policy that allows only this style, this script, data URLs and the video."""
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; img-src data:;"
        " media-src 'self' file: data:; base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}'"


def _data(facts: Facts, people: Sequence[Person], language: str) -> str:
    """Return the data of the script as JSON that cannot end its element."""
    t = TEXTS[language]
    rows = []
    for person in people:
        blue, green, red = colour_of(max(1, person.track_id))
        runs = [[run.times.round(2).tolist(), run.boxes.round().astype(int).ravel().tolist()] for run in person.runs]
        rows.append(
            {"id": person.track_id, "first": person.first_s, "colour": f"#{red:02x}{green:02x}{blue:02x}", "runs": runs}
        )
    gap_s = round(gap_between_boxes(people_interval(people), facts.step_s), 3)
    texts = {key: t[key] for key in ("play", "pause", "selected", "selected_at")}
    value = {
        "length": round(facts.length_s, 3),
        "hold": round(_HOLD * facts.step_s, 3),
        "gap": gap_s,
        "texts": texts,
        "people": rows,
    }
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
