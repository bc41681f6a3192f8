"""The file that the page writes: read back by `AnalyticsConfig`, with other tables kept, and never lost."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairmot_dla34 import FairMOTError
from fairmot_dla34.analytics import AnalyticsConfig
from fairmot_dla34.errors import InvalidInputError, OutputError
from fairmot_dla34.zone_page.toml_writing import to_toml
from fairmot_dla34.zone_page.zone_file import ZoneFile

tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
SIZE = (640, 360)
DOOR = {"name": "door", "start": [10, 20], "end": [100.5, 20], "forward": "in", "backward": "out", "anchor": "head"}
QUEUE = {"name": "queue", "points": [[0, 0], [640, 0], [640, 360]], "anchor": "foot"}

values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.dictionaries(st.sampled_from(("name", "start", "gap_s")), st.one_of(values, st.lists(st.lists(values)))))
def test_written_values_read_back(table: dict[str, Any]) -> None:
    """TOML 1.0: basic strings, booleans, numbers and arrays."""
    assert tomllib.loads(to_toml({"line": [table], "settings": table})) == {"line": [table], "settings": table}


@pytest.mark.parametrize("name", ['a "b" \\ c', "日本語 🚪", "x]\u00a0[[zone]]#", "'''", '"""', "\\u0041", "tür"])
def test_names_are_escaped(name: str, tmp_path: Path) -> None:
    file = ZoneFile(tmp_path / "shop.toml", SIZE)
    file.save({"line": [DOOR | {"name": name, "forward": f"{name}1"}], "zone": [QUEUE]})
    config = AnalyticsConfig.from_toml(tmp_path / "shop.toml")
    assert (config.lines[0].name, config.lines[0].forward) == (name, f"{name}1")
    assert list(config.lines[0].end) == [100.5, 20]
    assert config.zones[0].points == ((0, 0), (640, 0), (640, 360))


def test_an_existing_file_is_edited_and_its_other_tables_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(
        "# hall\n[settings]\ngap_s = 3.5\n[heatmap]\ncell_px = 8\nof = 'boxes'\n"
        "[ground]\nimage = [[0,0],[9,0],[9,9],[0,9]]\nmetres = [[0,0],[1,0],[1,1],[0,1]]\n"
        "[[line]]\nname = 'door'\nstart = [1.25, 2]\nend = [30, 40]\ndead_band_px = 20\n"
    )
    with pytest.raises(OutputError, match="--overwrite"):
        ZoneFile(path, SIZE)
    before = AnalyticsConfig.from_toml(path)
    file = ZoneFile(path, SIZE, overwrite=True)
    assert file.has_comments
    assert file.shapes["line"][0]["dead_band_px"] == 20
    file.save(file.shapes | {"zone": [QUEUE]})
    after = AnalyticsConfig.from_toml(path)
    assert (after.lines, after.heatmap, after.gap_s) == (before.lines, before.heatmap, 3.5)
    assert after.ground is not None
    assert before.ground is not None
    assert (after.ground.matrix == before.ground.matrix).all()
    assert [zone.name for zone in after.zones] == ["queue"]
    assert not ZoneFile(path, SIZE, overwrite=True).has_comments
    file.save({"line": [], "zone": []})
    assert AnalyticsConfig.from_toml(path).gap_s == 3.5


def test_a_drawing_that_is_not_accepted_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    file = ZoneFile(path, SIZE)
    bow_tie = {"name": "bow", "points": [[0, 0], [9, 9], [9, 0], [0, 9]]}
    cases: list[tuple[object, str]] = [
        ({"line": [DOOR, DOOR], "zone": []}, "more than once"),
        ({"line": [DOOR | {"end": [10, 20]}], "zone": []}, "no length"),
        ({"line": [DOOR | {"end": [641, 20]}], "zone": []}, "outside the frame"),
        ({"line": [DOOR | {"name": "a\nb"}], "zone": []}, "visible characters"),
        ({"line": [DOOR | {"name": "=1+1"}], "zone": []}, "formula"),
        ({"line": [DOOR | {"colour": "red"}], "zone": []}, "unknown key"),
        ({"line": [DOOR | {"start": [float("nan"), 0]}], "zone": []}, "finite"),
        ({"line": [DOOR | {"start": [10**400, 0]}], "zone": []}, "finite"),
        ({"line": [], "zone": [bow_tie]}, "crosses or touches itself"),
        ({"line": [], "zone": [QUEUE | {"points": [[0, 0], [1, 1]]}]}, "at least 3"),
        ({"line": [], "zone": [], "settings": {"gap_s": 1}}, "unknown key"),
        ({"line": []}, "no key 'zone'"),
        ({"line": 3, "zone": []}, "line is 3"),
        ([], "expected a table"),
        (None, "expected a table"),
    ]
    for shapes, expected in cases:
        with pytest.raises(InvalidInputError, match=expected):
            file.save(shapes)
    assert not list(tmp_path.iterdir())
    large = [QUEUE | {"name": f"{n}", "points": [[x, n] for x in range(600)] + [[9, 300]]} for n in range(60)]
    with pytest.raises(InvalidInputError):
        file.save({"line": [], "zone": large})


def test_a_file_that_another_program_changed_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    file = ZoneFile(path, SIZE)
    path.write_text("mine")
    with pytest.raises(OutputError, match="another program"):
        file.save({"line": [DOOR], "zone": []})
    assert path.read_text() == "mine"


def test_targets_that_cannot_be_written_are_refused_at_the_start(tmp_path: Path) -> None:
    for path, expected in (
        (tmp_path, "not a regular file"),
        (tmp_path / "absent" / "a.toml", "does not exist"),
        (Path("/dev/null"), "not a regular file"),
        (tmp_path / ("a" * 5000), "cannot be written"),
        (tmp_path / ("a" * 5000) / "b.toml", "cannot be written"),
    ):
        with pytest.raises(OutputError, match=expected):
            ZoneFile(path, SIZE, overwrite=True)
    (tmp_path / "bad.toml").write_text("line = 3")
    (tmp_path / "far.toml").write_text("[[line]]\nname = 'a'\nstart = [0, 0]\nend = [9999, 0]\n")
    for name in ("bad.toml", "far.toml"):
        with pytest.raises(FairMOTError):
            ZoneFile(tmp_path / name, SIZE, overwrite=True)
