"""Formats of real media are read; text, scripts and playlists of foreign places are refused."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from clips import index_of, numbered_image, write_clip

from fairmot_dla34.errors import SourceError
from fairmot_dla34.video import open_source
from fairmot_dla34.video.decoding import ImageDecoder

COUNT = 8
MEDIA = {  # file name: codec, muxer
    "a.mp4": ("libx264", None),
    "a.mov": ("mpeg4", None),
    "a.mkv": ("libx264", None),
    "a.webm": ("libvpx", None),
    "a.avi": ("mpeg4", None),
    "a.flv": ("flv", None),
    "a.f4v": ("libx264", "f4v"),
    "a.ts": ("libx264", None),
    "a.m2ts": ("mpeg2video", "mpegts"),
    "a.mpg": ("mpeg2video", None),
    "a.vob": ("mpeg2video", "vob"),
    "a.ogv": ("libvpx", "ogg"),
    "a.wmv": ("wmv2", "asf"),
    "a.mxf": ("mpeg2video", None),
    "a.3gp": ("mpeg4", None),
    "a.nut": ("libx264", None),
    "a.rm": ("rv10", None),
    "a.swf": ("flv", "swf"),
    "a.ivf": ("libvpx", None),
    "a.h264": ("libx264", None),
    "a.m4v": ("mpeg4", "m4v"),
    "a.m2v": ("mpeg2video", "mpeg2video"),
    "a.mjpeg": ("mjpeg", None),
    "a.y4m": ("wrapped_avframe", "yuv4mpegpipe"),
    "a.mpjpeg": ("mjpeg", "mpjpeg"),
    "a.m3u8": ("libx264", "hls"),
    "name without suffix": ("libx264", "matroska"),
    "wrong suffix.txt": ("libx264", "mp4"),
}


@pytest.mark.parametrize("name", MEDIA)
def test_media_are_read(tmp_path: Path, name: str) -> None:
    codec, muxer = MEDIA[name]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV cannot encode {codec}")
    with open_source(write_clip(tmp_path / name, COUNT, codec=codec, container=muxer, rate=Fraction(25))) as source:
        assert [index_of(frame.image) for frame in source] == list(range(COUNT))


@pytest.mark.parametrize("suffix", [".ppm", ".jp2", ".pgm", ".sr"])
def test_images_of_other_formats_are_videos_of_one_frame(tmp_path: Path, suffix: str) -> None:
    image = numbered_image(5)
    ok, data = cv2.imencode(suffix, image[..., 0] if suffix == ".pgm" else image)
    assert ok
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data.tobytes())
    with open_source(path) as source:
        assert [index_of(frame.image) for frame in source] == [5]


def test_an_image_known_by_its_suffix_reads_no_other_file(tmp_path: Path) -> None:
    header = bytes([0, 0, 2, *[0] * 9]) + struct.pack("<HH", 160, 96) + bytes([24, 0x20])
    for name, index in (("a%d.tga", 1), ("a0.tga", 2), ("a1.tga", 3)):
        (tmp_path / name).write_bytes(header + numbered_image(index).tobytes())
    with open_source(tmp_path / "a%d.tga") as source:
        assert [index_of(frame.image) for frame in source] == [1]


NOT_MEDIA = {
    "results.txt": b"1,1,100.00,200.00,30.00,60.00,0.9,-1,-1,-1\n" * 500,
    "README": b"# A title\n\nSome text.\n" * 100,
    "art.ans": b"\x1b[31mred\x1b[0m\r\n" * 100,
    "a.srt": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n" * 9,
    "a.ass": b"[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,,,0,0,0,,hi\n",
    "a.vtt": b"WEBVTT\n\n00:01.000 --> 00:02.000\nhello\n",
    "a.ffconcat": b"ffconcat version 1.0\nfile video.mp4\n",
    "a.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    b"m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "a.ffmeta": b";FFMETADATA1\ntitle=x\n",
    "graph": b"testsrc=size=64x64\n",
    "a.yuv": bytes(range(256)) * 200,
    "a.raw": bytes(64000),
    "a.rgb": bytes(64000),
    "a.svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>",
    "a.xpm": b'/* XPM */\nstatic char *x[] = {"1 1 1 1","a c #FF0000","a"};\n',
    "a.json": b'{"frame": 0, "tracks": []}\n' * 400,
    "a.wav": b"RIFF"
    + struct.pack("<I", 1036)
    + b"WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0\x80>\0\0\2\0\x10\0data\0\4\0\0"
    + bytes(1024),
    "a.bin": np.random.default_rng(0).bytes(50000),
    "a.html": b"<html><body>404</body></html>" * 50,
    "a.zip": b"PK\3\4" + np.random.default_rng(1).bytes(3000),
    "a.h264": b"just text\n" * 300,
    "a.mp4": b"just text\n" * 300,
    "a.ts": b"const x: number = 1;\n" * 300,
    "a.png": b"just text\n" * 300,
    "script.py": b"import os\nprint(os.name)\n" * 50,
}


@pytest.mark.parametrize("name", NOT_MEDIA)
def test_other_files_are_refused(tmp_path: Path, name: str) -> None:
    write_clip(tmp_path / "video.mp4", 3)
    (tmp_path / name).write_bytes(NOT_MEDIA[name])
    with pytest.raises(SourceError, match="expected"), open_source(tmp_path / name) as source:
        list(source)


def playlist(*segments: str, end: bool = True) -> str:
    lines = [f"#EXTINF:0.32,\n{segment}\n" for segment in segments]
    return "#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + "".join(lines) + "#EXT-X-ENDLIST\n" * end


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        ("file:///etc/passwd", "is not a video"),
        ("/etc/passwd", "is not a video"),
        ("http://127.0.0.1:1/a.ts", "names a URL"),
        ("https://example.org/a.ts", "names a URL"),
        ("rtsp://127.0.0.1:1/a", "names a URL"),
        ("concat:a.ts|b.ts", "names a URL"),
        ("subfile,,start,0,end,100,,:a.ts", "is not a video"),
        ("pipe", "is a named pipe"),
        ("/dev/zero", "is a device"),
        ("inner.m3u8", "names a URL"),
        ("self.m3u8", "names a playlist too"),
        ("text.txt", "is not a video"),
    ],
)
def test_a_local_playlist_may_name_local_media_only(tmp_path: Path, segment: str, reason: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "inner.m3u8").write_text(playlist("http://127.0.0.1:1/a.ts"))
    (tmp_path / "text.txt").write_text("hello\n" * 500)
    path = tmp_path / "self.m3u8"
    path.write_text(playlist(segment))
    with pytest.raises(SourceError, match=reason), open_source(path) as source:
        list(source)


def test_a_local_playlist_is_read_from_its_first_segment(tmp_path: Path) -> None:
    """FFmpeg starts an unfinished playlist at the third last segment."""
    for part in range(6):
        write_clip(tmp_path / f"{part}.ts", 8, first=8 * part, rate=Fraction(25))
    path = tmp_path / "a.m3u8"
    path.write_text(playlist(*(f"{part}.ts" for part in range(6))))
    with open_source(path) as source:
        assert [index_of(frame.image) for frame in source] == list(range(48))


def test_a_stamp_out_of_line_with_its_neighbours_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_stamp = ImageDecoder._seconds
    wrong = {3: 1e9, 6: -500.0, 11: 1e9}  # the last one too

    def damaged(decoder: ImageDecoder, item: av.VideoFrame) -> float | None:
        stamp_s = read_stamp(decoder, item)
        position = None if stamp_s is None or not isinstance(item, av.VideoFrame) else round(stamp_s * 25)
        return wrong.get(position, stamp_s)  # type: ignore[arg-type]

    monkeypatch.setattr(ImageDecoder, "_seconds", damaged)
    with open_source(write_clip(tmp_path / "a.mp4", 12, rate=Fraction(25), bf="0")) as source:
        assert [frame.time_s for frame in source] == pytest.approx([i / 25 for i in range(12)])


def test_a_jump_of_the_clock_is_kept_and_reported_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    years = 31 * 365 * 24 * 3600.0
    times = [0, 0.04, 0.08, years, years + 0.04, 2 * years, 2 * years + 0.04]
    with open_source(write_clip(tmp_path / "a.mkv", len(times), times_s=times, rate=Fraction(25))) as source:
        assert 1 <= source.native_rate <= 60
        assert source.frame_count is None  # not the 24 billion of the stated duration
        assert [frame.time_s for frame in source] == pytest.approx(times)
    (record,) = caplog.records
    assert f"jump ahead by {years - 0.08:.0f} s at frame 3" in record.message
