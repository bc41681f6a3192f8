"""Builders of HTML and SVG that escape every text and attribute."""

from __future__ import annotations

from html import escape
from typing import Any

from ..messages import UNSAFE

_VOID = {"img", "input", "meta", "br", "link"}


def text(value: object) -> str:
    """Return text as HTML; control characters and direction overrides become replacement characters."""
    return escape(UNSAFE.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def number(value: float) -> str:
    """Return a number with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"


def tag(name: str, content: str = "", /, **attributes: Any) -> str:
    """Return an element.

    Args:
        name: Name of the element.
        content: Its content as HTML.
        attributes: Attributes, escaped here. ``cls`` is ``class``, underscores are hyphens, True is an attribute
            without a value, None and False are left out.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        word = "class" if key == "cls" else key.replace("_", "-")
        if value is True:
            words.append(word)
        else:
            shown = number(value) if isinstance(value, float) else text(value)
            words.append(f'{word}="{shown}"')
    return f"<{' '.join(words)}>" if name in _VOID else f"<{' '.join(words)}>{content}</{name}>"


def button(track_id: int, time_s: float, content: str, cls: str = "id") -> str:
    """Return a button that selects a person and jumps to a time; `page.js` adds its action.

    Args:
        track_id: Id of the person.
        time_s: Time to jump to, s.
        content: Label as HTML.
        cls: Class of the button.
    """
    return tag("button", content, type="button", cls=cls, data_id=track_id, data_time=f"{time_s:.3f}")


def card(key: str, title: str, content: str, cls: str = "") -> str:
    """Return a section with a heading.

    Args:
        key: Id of the section.
        title: Heading as plain text.
        content: Content as HTML.
        cls: More classes.
    """
    heading = tag("h2", text(title), id=f"{key}-title")
    return tag("section", heading + content, id=key, cls=f"card {cls}".strip(), aria_labelledby=f"{key}-title")
