"""Colours of tracks: neighbours look different, and a track keeps its colour."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from fairmot_dla34.outputs import TrackColours, VideoSink, draw_tracks
from fairmot_dla34.outputs.colour_difference import ciede2000, lab, seen_difference
from fairmot_dla34.outputs.colours import PALETTE, colour_of, palette_differences, text_colour_on
from fairmot_dla34.outputs.track_colours import CLEARLY_DIFFERENT
from fairmot_dla34.values import Frame, FrameResult, Track

ROOT = Path(__file__).resolve().parents[2]


def person(track_id: int, x: float, y: float = 500.0, height: float = 100.0) -> Track:
    return Track(track_id, (x - 0.2 * height, y - height / 2, x + 0.2 * height, y + height / 2), 0.9, 0)


def walkers(people: int, frames: int, seed: int = 0) -> list[list[Track]]:
    """Return a crowd whose people walk straight and turn round at the edges of 1920x1080."""
    random = np.random.default_rng(seed)
    place, speed = random.uniform((0, 200), (1920, 1000), (people, 2)), random.normal(0, (4, 2), (people, 2))
    result = []
    for _ in range(frames):
        result.append([person(i, x, y, 60 + 0.25 * y) for i, (x, y) in enumerate(place.tolist(), 1)])
        place = place + speed
        speed = np.where((place < (0, 200)) | (place > (1920, 1000)), -speed, speed)
    return result


def differences(tracks: list[Track], colours: list[tuple[int, int, int]], *, near_only: bool) -> list[float]:
    """Return the CIEDE2000 differences of pairs, of neighbours (two box heights) or of all."""
    values = lab(np.array(colours, np.uint8))
    found = []
    for i, a in enumerate(tracks):
        for j, b in enumerate(tracks[:i]):
            (x1, y1, x2, y2), (u1, v1, u2, v2) = a.box, b.box
            distance = np.hypot(x1 + x2 - u1 - u2, y1 + y2 - v1 - v2) / 2
            if not near_only or distance < 2 * max(y2 - y1, v2 - v1):
                found.append(float(ciede2000(values[i], values[j])))
    return found


@pytest.mark.parametrize(  # of the data of Sharma, Wu and Dalal (2005), table 1
    ("a", "b", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.441), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_ciede2000_gives_the_published_values(a: tuple[float, ...], b: tuple[float, ...], expected: float) -> None:
    assert float(ciede2000(np.array(a), np.array(b))) == pytest.approx(expected, abs=1e-4)
    assert float(ciede2000(np.array(b), np.array(a))) == pytest.approx(expected, abs=1e-4)


def test_the_palette_is_what_its_tool_prints_and_its_colours_differ() -> None:
    spec = importlib.util.spec_from_file_location("colour_palette", ROOT / "tools" / "colour_palette.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.make_palette().tolist() == [list(colour) for colour in PALETTE]
    table = palette_differences() + np.diag([np.inf] * len(PALETTE))
    assert table[:8, :8].min() > 24
    assert table[:16, :16].min() > 16
    assert table.min() > 5  # 2.3 is just visible


def test_text_is_readable_on_every_colour() -> None:
    for blue, green, red in PALETTE:
        text = text_colour_on((blue, green, red))[0]
        assert abs(text - (0.299 * red + 0.587 * green + 0.114 * blue)) > 100


def test_few_people_have_the_colours_of_their_ids() -> None:
    tracks = [person(i, 100.0 * i) for i in range(1, 6)]
    assert TrackColours().choose(tracks) == [colour_of(track.track_id) for track in tracks]


def test_ids_that_share_a_colour_get_different_ones_side_by_side() -> None:
    side_by_side = [person(1, 500), person(129, 540), person(257, 580), person(2**62 + 1, 620)]
    assert len({colour_of(track.track_id) for track in side_by_side}) == 1
    colours = TrackColours().choose(side_by_side)
    assert min(differences(side_by_side, colours, near_only=True)) > CLEARLY_DIFFERENT
    image = draw_tracks(np.zeros((1080, 1920, 3), np.uint8), side_by_side, labels="none")
    assert {tuple(colour) for colour in image[500][image[500].any(axis=1)].tolist()} == set(colours)


def test_a_track_keeps_its_colour_while_others_come_and_go() -> None:
    frames = walkers(80, 120)
    colours = TrackColours()
    kept: dict[int, tuple[int, int, int]] = {}
    random = np.random.default_rng(1)
    for tracks in frames:
        visible = [track for track in tracks if random.random() > 0.3]
        for track, colour in zip(visible, colours.choose(visible), strict=True):
            assert kept.setdefault(track.track_id, colour) == colour
    assert len(kept) == 80


def test_the_colours_do_not_depend_on_the_order_of_the_tracks() -> None:
    tracks = walkers(60, 1)[0]
    forwards = dict(zip(tracks, TrackColours().choose(tracks), strict=True))
    assert dict(zip(tracks[::-1], TrackColours().choose(tracks[::-1]), strict=True)) == forwards


@pytest.mark.parametrize("seed", range(3))
def test_all_of_a_hundred_walkers_look_different(seed: int) -> None:
    frames, colours = walkers(100, 40, seed), TrackColours()
    first = colours.choose(frames[0])
    assert min(differences(frames[0], first, near_only=False)) > 5
    assert min(differences(frames[0], first, near_only=True)) > 6.5
    for tracks in frames[1:]:
        assert colours.choose(tracks) == first


def test_more_people_than_colours_share_them_far_apart() -> None:
    tracks = [person(i, 120.0 * (i % 20), 120.0 * (i // 20)) for i in range(1, 301)]
    assert min(differences(tracks, TrackColours().choose(tracks), near_only=True)) > 5


def test_only_the_colours_of_recent_tracks_are_remembered() -> None:
    colours = TrackColours(capacity=50)
    for start in range(1, 2000, 10):
        colours.choose([person(i, 10.0 * i) for i in range(start, start + 10)])
        assert len(colours._seen) <= 50
    assert len(colours.choose([person(i, 10.0 * i) for i in range(1, 101)])) == 100
    assert len(colours._seen) == 50


def test_a_colour_may_return_when_its_track_has_left() -> None:
    colours = TrackColours()
    (first,) = colours.choose([person(1, 500)])
    assert colours.choose([person(129, 500)]) != [first]  # id 1 may come back
    for _ in range(100):
        colours.choose([])
    assert colours.choose([person(257, 500)]) == [first]
    assert colours.choose([person(1, 900)]) == [first]


def test_red_green_blindness_is_taken_into_account() -> None:
    red, olive = np.array([0, 0, 200], np.uint8), np.array([0, 100, 100], np.uint8)
    assert float(seen_difference(red, olive)) < float(ciede2000(lab(red), lab(olive)))


def test_the_video_keeps_the_colour_of_a_track_that_meets_its_double(tmp_path: Path) -> None:
    """Ids 1 and 129 prefer the same colour; the later one must not change when the first leaves."""
    import av

    with VideoSink(tmp_path / "a.mp4", frame_rate=10, labels="none", draw_threshold=0) as sink:
        for index in range(12):
            tracks = (person(1, 100, 100), person(129, 200, 100)) if index < 6 else (person(129, 200, 100),)
            image = np.zeros((200, 320, 3), np.uint8)
            sink.write(Frame(index, index / 10, image), FrameResult(index, index / 10, tracks))
    with av.open(str(tmp_path / "a.mp4")) as video:
        drawn = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
    sides = [image[100, 178:184].max(axis=0).astype(int) for image in drawn]
    assert np.abs(sides[0] - sides[-1]).max() < 40
    assert np.abs(sides[0] - drawn[0][100, 78:84].max(axis=0)).max() > 60
