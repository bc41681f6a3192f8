"""Settings of an analysis: lines, zones, heat map and ground plane, from Python, TOML or texts of the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..config import check_amount, shown
from ..errors import InvalidInputError
from .checks import Point
from .ground import GroundPlane
from .heat import DEFAULT_CELL_PX, HeatOf, check_frame_size, check_heat
from .lines import Line
from .motion import DEFAULT_SMOOTHING_S, check_smoothing
from .toml_text import check_keys, read_toml
from .walks import DEFAULT_GAP_S
from .zones import Zone

_TABLES = ("line", "zone", "heatmap", "ground", "settings")
_LINE_KEYS = ("name", "start", "end", "forward", "backward", "anchor", "dead_band_px")
_SETTINGS = ("gap_s", "grace_s", "smoothing_s")


@dataclass(frozen=True)
class HeatSettings:
    """Settings of the heat map; see `HeatMap`.

    Attributes:
        cell_px: Side of a cell, px.
        of: ``foot``, ``centre``, ``head`` or ``boxes``.

    Raises:
        InvalidInputError: A value is not accepted.
    """

    cell_px: float = DEFAULT_CELL_PX
    of: HeatOf = "foot"

    def __post_init__(self) -> None:
        check_heat(self.cell_px, self.of)


@dataclass(frozen=True)
class AnalyticsConfig:
    """Settings of an analysis.

    Attributes:
        lines: Lines whose crossings are counted.
        zones: Zones that are watched. Names of lines and zones are unique.
        heatmap: Settings of the heat map; None for no heat map.
        ground: Ground plane, for speeds and lengths in metres.
        gap_s: Longest time in seconds for which a track may be unseen; an id that returns later starts anew.
        grace_s: Longest absence within one visit of a zone, s.
        smoothing_s: Time over which speeds are measured, s.

    Raises:
        InvalidInputError: A value has the wrong type or is out of range, or two names are equal.
    """

    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()
    heatmap: HeatSettings | None = None
    ground: GroundPlane | None = None
    gap_s: float = field(default=DEFAULT_GAP_S, kw_only=True)
    grace_s: float = field(default=DEFAULT_GAP_S, kw_only=True)
    smoothing_s: float = field(default=DEFAULT_SMOOTHING_S, kw_only=True)

    def __post_init__(self) -> None:
        for name, kind in (("lines", Line), ("zones", Zone)):
            items = getattr(self, name)
            if not isinstance(items, (tuple, list)) or not all(isinstance(item, kind) for item in items):
                raise InvalidInputError(f"{name} is {shown(items)}; expected a tuple of {kind.__name__} objects.")
            object.__setattr__(self, name, tuple(items))
        for name, kinds in (("heatmap", HeatSettings), ("ground", GroundPlane)):
            if not isinstance(getattr(self, name), (kinds, type(None))):
                raise InvalidInputError(
                    f"{name} is {shown(getattr(self, name))}; expected a {kinds.__name__} object or None."
                )
        names = [line.name for line in self.lines] + [zone.name for zone in self.zones]
        twice = [name for number, name in enumerate(names) if name in names[:number]]
        if twice:
            raise InvalidInputError(
                f"Name {twice[0]!r} is used more than once; expected a different name for each line and each zone."
            )
        for name in ("gap_s", "grace_s"):
            object.__setattr__(self, name, check_amount(name, getattr(self, name)))
        object.__setattr__(self, "smoothing_s", check_smoothing(self.smoothing_s))

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> AnalyticsConfig:
        """Read a TOML file with ``[[line]]``, ``[[zone]]``, ``[heatmap]``, ``[ground]`` and ``[settings]``.

        Raises:
            InvalidInputError: The file cannot be read, a key is unknown, or a value is not accepted; the message names
                the file.
        """
        tables = read_toml(path)
        try:
            return cls.from_mapping(tables)
        except InvalidInputError as error:
            raise InvalidInputError(f"Analytics file {os.fspath(path)}: {error}") from error

    @classmethod
    def from_mapping(cls, tables: Mapping[str, Any]) -> AnalyticsConfig:
        """Make the settings from tables by name, as TOML has them.

        Raises:
            InvalidInputError: A key is unknown, or a value is not accepted.
        """
        check_keys("The file", tables, _TABLES)
        settings = check_keys("[settings]", tables.get("settings", {}), _SETTINGS)
        heat = tables.get("heatmap")
        return cls(
            tuple(_line(table, number) for number, table in enumerate(_tables(tables, "line"), 1)),
            tuple(_zone(table, number) for number, table in enumerate(_tables(tables, "zone"), 1)),
            None if heat is None else HeatSettings(**check_keys("[heatmap]", heat, ("cell_px", "of"))),
            _ground(tables["ground"]) if "ground" in tables else None,
            **settings,
        )

    @staticmethod
    def parse_line(text: str) -> Line:
        """Read ``NAME:x1,y1,x2,y2``.

        Raises:
            InvalidInputError: The text has another form, or the line is not accepted.
        """
        name, points = _named_points(text, "line", "NAME:x1,y1,x2,y2, such as door:100,400,500,400")
        if len(points) != 2:
            raise InvalidInputError(f"line is {shown(text)}; expected two points, as in door:100,400,500,400.")
        return Line(name, *points)

    @staticmethod
    def parse_zone(text: str) -> Zone:
        """Read ``NAME:x,y,x,y,x,y,...``.

        Raises:
            InvalidInputError: The text has another form, or the zone is not accepted.
        """
        return Zone(*_named_points(text, "zone", "NAME:x,y,x,y,x,y, such as queue:100,200,300,200,200,400"))

    def with_more(self, lines: tuple[Line, ...] = (), zones: tuple[Zone, ...] = ()) -> AnalyticsConfig:
        """Return settings with more lines and zones.

        Raises:
            InvalidInputError: Two names are equal.
        """
        return replace(self, lines=(*self.lines, *lines), zones=(*self.zones, *zones))

    def check_frame(self, frame_size: tuple[int, int]) -> None:
        """Check that all lines and zones are within a frame.

        Args:
            frame_size: Width and height, px.

        Raises:
            InvalidInputError: A point of a line or a zone is outside.
        """
        width, height = check_frame_size(frame_size)
        places: list[tuple[str, tuple[Point, ...]]] = []
        places += [(f"Line {line.name!r}", (line.start, line.end)) for line in self.lines]
        places += [(f"Zone {zone.name!r}", zone.points) for zone in self.zones]
        for what, points in places:
            for x, y in points:
                if not (0 <= x <= width and 0 <= y <= height):
                    raise InvalidInputError(
                        f"{what} has the point ({x:g}, {y:g}) outside the frame of {width}x{height} px; expected x "
                        f"from 0 to {width} and y from 0 to {height}. Check that it was drawn on this video."
                    )

    def to_mapping(self) -> dict[str, Any]:
        """Return names and values, ready for JSON; `from_mapping` reads them, except the ground plane's matrix."""
        lines = [{item.name: getattr(line, item.name) for item in fields(line)} for line in self.lines]
        zones = [{"name": zone.name, "points": zone.points, "anchor": zone.anchor} for zone in self.zones]
        tables: dict[str, Any] = {"line": lines, "zone": zones}
        if self.heatmap:
            tables["heatmap"] = {"cell_px": self.heatmap.cell_px, "of": self.heatmap.of}
        return tables | {"settings": {name: getattr(self, name) for name in _SETTINGS}}


def _tables(tables: Mapping[str, Any], name: str) -> list[Any]:
    rows = tables.get(name, [])
    if not isinstance(rows, (list, tuple)):
        raise InvalidInputError(
            f"{name} is {shown(rows)}; expected tables with two brackets, [[{name}]], because there may be several."
        )
    return list(rows)


def _line(table: object, number: int) -> Line:
    values = check_keys(f"[[line]] number {number}", table, _LINE_KEYS, ("name", "start", "end"))
    return Line(**values)


def _zone(table: object, number: int) -> Zone:
    values = check_keys(f"[[zone]] number {number}", table, ("name", "points", "anchor"), ("name", "points"))
    return Zone(**values)


def _ground(table: object) -> GroundPlane:
    values = check_keys("[ground]", table, ("image", "metres"), ("image", "metres"))
    return GroundPlane.from_points(values["image"], values["metres"])


def _named_points(text: object, what: str, expected: str) -> tuple[str, tuple[Point, ...]]:
    """Split ``NAME:x,y,...`` at the last colon."""
    if not isinstance(text, str):
        raise InvalidInputError(f"{what} is {shown(text)}; expected {expected}.")
    name, colon, numbers = text.rpartition(":")
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if not colon or not values or len(values) % 2:
        raise InvalidInputError(f"{what} is {shown(text)}; expected {expected}.")
    return name, tuple(zip(values[::2], values[1::2], strict=True))
